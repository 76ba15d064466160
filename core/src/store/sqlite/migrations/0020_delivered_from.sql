-- The outbox whose write changed the state last: to the writes of another one that is a change by
-- somebody else.
ALTER TABLE claude_sessions ADD COLUMN delivered_from TEXT;
