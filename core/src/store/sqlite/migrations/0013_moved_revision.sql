-- The revision at which a session's state was last changed otherwise than by writes that waited
-- for the database: what waited and was made on an earlier one comes too late.
ALTER TABLE claude_sessions ADD COLUMN moved_revision INTEGER NOT NULL DEFAULT 0;

UPDATE claude_sessions SET moved_revision = revision;

DROP TRIGGER claude_sessions_changed;

-- What caches mirror changed, by whatever hand: a new revision and an event. Other keys of the
-- metadata, and a status: an event. Active and idle alternate with every turn and are no news.
CREATE TRIGGER claude_sessions_changed AFTER UPDATE OF metadata, status ON claude_sessions
WHEN NEW.metadata <> OLD.metadata OR NEW.status <> OLD.status
BEGIN
    UPDATE claude_sessions SET revision = OLD.revision + 1, moved_revision = OLD.revision + 1
    WHERE session_id = NEW.session_id AND NEW.state <> OLD.state;
    INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
    SELECT iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor), 'session', NEW.session_id,
           kind, old, new, iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
           nullif(NEW.last_op, OLD.last_op)
    FROM (SELECT 'state' AS kind, OLD.state AS old, NEW.state AS new
          UNION ALL SELECT 'metadata', OLD.others, NEW.others
          UNION ALL SELECT NEW.status, json_object('status', OLD.status),
                           json_object('status', NEW.status)
          WHERE NEW.status IN ('ended', 'lost') OR OLD.status IN ('ended', 'lost'))
    WHERE old <> new;
END;
