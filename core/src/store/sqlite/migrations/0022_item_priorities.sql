-- How urgent an item is, what is to be done, and what an import brought that has no place.
-- Priority 0 comes first; an item without one is ordered as with 2.
ALTER TABLE work_items ADD COLUMN priority INTEGER CHECK (priority BETWEEN 0 AND 4);
ALTER TABLE work_items ADD COLUMN description TEXT;
ALTER TABLE work_items ADD COLUMN extra TEXT NOT NULL DEFAULT '{}'
    CHECK (json_valid(extra) AND json_type(extra) = 'object');

DROP TRIGGER work_items_added;
DROP TRIGGER work_items_changed;
DROP TRIGGER work_items_removed;
ALTER TABLE work_items DROP COLUMN facts;

-- Computed before the CHECK above is: it must not fail first. An empty extra is none.
ALTER TABLE work_items ADD COLUMN facts TEXT GENERATED ALWAYS AS (json_object(
    'title', title, 'kind', kind, 'parent', parent, 'position', position,
    'repo', repo, 'status', status, 'phase', phase, 'holder', holder,
    'error_message', error_message, 'evidence', evidence, 'priority', priority,
    'description', description,
    'extra', iif(json_valid(extra) AND extra <> '{}', json(extra), NULL))) VIRTUAL;

CREATE TRIGGER work_items_added AFTER INSERT ON work_items
BEGIN
    INSERT INTO events (actor, entity, key, kind, after, reason, op_id)
    VALUES (coalesce(NEW.last_actor, 'sql'), 'item', NEW.key, 'added', NEW.facts,
            NEW.last_reason, NEW.last_op);
    UPDATE claude_sessions SET revision = revision + 1, swept = 0
    WHERE session_id = NEW.holder;
END;

-- As before, and an event leaves out what may be long and stayed as it was. A name that no fact
-- has removes nothing.
CREATE TRIGGER work_items_changed AFTER UPDATE ON work_items
WHEN NEW.facts <> OLD.facts OR NEW.under_epoch IS NOT NULL
BEGIN
    UPDATE work_items
    SET revision = OLD.revision + (NEW.facts <> OLD.facts),
        updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        under_epoch = NULL,
        claim_epoch = NEW.claim_epoch
            + ((NEW.holder <> coalesce(OLD.holder, '') AND NEW.claim_epoch = OLD.claim_epoch)
               IS TRUE),
        claimed_at = CASE
            WHEN NEW.holder IS OLD.holder THEN NEW.claimed_at
            WHEN NEW.holder IS NOT NULL THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END,
        completed_at = CASE
            WHEN NEW.status NOT IN ('completed', 'failed', 'cancelled') THEN NULL
            WHEN NEW.status = OLD.status THEN NEW.completed_at
            ELSE strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END
    WHERE key = NEW.key;
    INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
    SELECT iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor), 'item', key,
           CASE WHEN NEW.reopened > OLD.reopened THEN 'reopened'
                WHEN NEW.status <> OLD.status AND coalesce(NEW.holder, OLD.holder) IS OLD.holder
                    THEN 'status'
                WHEN NEW.holder IS OLD.holder THEN 'changed'
                WHEN NEW.holder IS NULL THEN 'released'
                WHEN OLD.holder IS NULL THEN 'claimed'
                ELSE 'taken_over' END,
           json_remove(OLD.facts, same_description, same_extra),
           json_remove(NEW.facts, same_description, same_extra), claim_epoch,
           iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
           nullif(NEW.last_op, OLD.last_op)
    FROM work_items,
         (SELECT iif(NEW.description IS OLD.description, '$.description', '$.-') AS same_description,
                 iif(NEW.extra = OLD.extra, '$.extra', '$.-') AS same_extra)
    WHERE key = NEW.key AND NEW.facts <> OLD.facts;
    UPDATE claude_sessions
    SET revision = revision + 1,
        swept = CASE WHEN session_id IS NEW.holder THEN 0
                     WHEN status = 'ended' THEN 1
                     ELSE swept END
    WHERE (NEW.holder, NEW.title) IS NOT (OLD.holder, OLD.title)
      AND session_id IN (OLD.holder, NEW.holder);
    UPDATE work_items
    SET open_dependencies = (SELECT count(*) FROM open_item_dependencies WHERE item = key)
    WHERE (NEW.status = 'completed') <> (OLD.status = 'completed')
      AND key IN (SELECT item FROM item_dependencies WHERE depends_on = NEW.key);
END;

CREATE TRIGGER work_items_removed AFTER DELETE ON work_items
WHEN NOT EXISTS (SELECT 1 FROM trueup_meta WHERE key = 'removing_item' AND value = OLD.key)
BEGIN
    INSERT INTO events (actor, entity, key, kind, before, epoch)
    VALUES ('sql', 'item', OLD.key, 'removed', OLD.facts, OLD.claim_epoch);
END;

-- The next item among siblings: the most urgent first, then by place.
DROP INDEX work_items_next;
CREATE INDEX work_items_next
    ON work_items (parent, coalesce(priority, 2), position IS NULL, position, key)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');
DROP INDEX work_items_next_in_repo;
CREATE INDEX work_items_next_in_repo
    ON work_items (repo, parent, coalesce(priority, 2), position IS NULL, position, key)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');

-- What can be begun, wherever it is.
CREATE INDEX work_items_ready ON work_items (coalesce(priority, 2), created_at, key, repo)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');

-- A list of items is read in its order, and its filters are answered without the rows.
CREATE INDEX work_items_listed
    ON work_items (parent, position IS NULL, position, key, repo, status, kind);

-- What waits for others.
CREATE INDEX work_items_waiting ON work_items (coalesce(priority, 2), created_at, key, repo)
    WHERE open_dependencies > 0 AND status IN ('queued', 'ready', 'running', 'blocked');

-- Phases go while there is something to do when a command removes them, which names their item here
-- within its transaction.
DROP TRIGGER phase_queue_delete;
CREATE TRIGGER phase_queue_delete BEFORE DELETE ON phase_queue
WHEN EXISTS (SELECT 1 FROM phase_queue WHERE item = OLD.item
             AND status NOT IN ('completed', 'failed', 'cancelled'))
 AND NOT EXISTS (SELECT 1 FROM trueup_meta WHERE key = 'removing_phases' AND value = OLD.item)
BEGIN SELECT RAISE(ABORT, 'a phase stays while its item has phases to do'); END;

-- A phase has a name of its own choice: a word of small letters, digits and dashes. No ALTER TABLE
-- changes a CHECK; of a table that holds what the new one allows, its text may be edited. Were the
-- old CHECK not there, the text would be malformed and the whole migration undone.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = substr(sql, 1, instr(sql, '(current_phase IN (') - 1)
    || '(length(current_phase) BETWEEN 1 AND 32
                             AND current_phase NOT GLOB ''*[^a-z0-9-]*''
                             AND current_phase GLOB ''[a-z]*'')'
    || substr(sql, instr(sql, ' ''verify''))') + length(' ''verify''))'))
WHERE type = 'table' AND name = 'phase_queue';
PRAGMA writable_schema = RESET;
