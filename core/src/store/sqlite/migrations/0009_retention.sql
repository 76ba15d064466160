-- What is old and done may go.

-- Sessions that ended, the longest ago first, and who went on from whom.
CREATE INDEX claude_sessions_ended ON claude_sessions (heartbeat_at)
    WHERE status IN ('ended', 'lost');
CREATE INDEX claude_sessions_predecessor ON claude_sessions (predecessor)
    WHERE predecessor IS NOT NULL;

DROP TRIGGER events_no_delete;

-- Events stay append-only. Only the transaction that prunes says up to where they may go, and
-- takes that back before it ends; a day's worth stays whatever it says.
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
WHEN OLD.at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')
  OR NOT EXISTS (SELECT 1 FROM trueup_meta
                 WHERE key = 'pruned_through' AND CAST(value AS INTEGER) >= OLD.seq)
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- Removing by plain SQL is a change like any other.
CREATE TRIGGER work_items_removed AFTER DELETE ON work_items
BEGIN
    INSERT INTO events (actor, entity, key, kind, before, epoch)
    VALUES ('sql', 'item', OLD.key, 'removed', OLD.facts, OLD.claim_epoch);
END;

CREATE TRIGGER claude_sessions_removed AFTER DELETE ON claude_sessions
WHEN NOT EXISTS (SELECT 1 FROM trueup_meta WHERE key = 'pruned_through')
BEGIN
    INSERT INTO events (actor, entity, key, kind, before)
    VALUES ('sql', 'session', OLD.session_id, 'removed',
            json_object('status', OLD.status, 'metadata', json(OLD.metadata)));
END;
