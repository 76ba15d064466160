-- Who called, where a database is shared: the actor is what a program says of itself. An embedded
-- database has no callers. The rest of this migration concerns shared databases alone.
ALTER TABLE events ADD COLUMN via TEXT;
