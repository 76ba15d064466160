-- Which status may follow which, dependencies between items, and the rules of both.
--
-- Every process parses the whole schema before its first statement, so comments stand outside
-- the statements, one CASE says all the rules of a table, and triggers are few.

-- Filled from the one table in the code; `back` edges are for reopening alone.
CREATE TABLE legal_transitions (
    entity      TEXT NOT NULL,
    from_status TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    back        INTEGER NOT NULL,
    PRIMARY KEY (entity, from_status, to_status)
) STRICT, WITHOUT ROWID;

-- Whether completing needs evidence.
ALTER TABLE work_items ADD COLUMN requires_evidence INTEGER NOT NULL DEFAULT 0
    CHECK (requires_evidence IN (0, 1));
-- How many dependencies are not completed: triggers count, so that the next item is found in
-- an index whatever the number of items.
ALTER TABLE work_items ADD COLUMN open_dependencies INTEGER NOT NULL DEFAULT 0;
-- Counts reopenings. A status goes back only in a write that raises it and gives a reason.
ALTER TABLE work_items ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0;
-- The epoch a write says it is made under; empty between writes, so that no write can lean
-- on that of an earlier one.
ALTER TABLE work_items ADD COLUMN under_epoch INTEGER;

CREATE INDEX work_items_next ON work_items (parent, position IS NULL, position, key)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');
CREATE INDEX work_items_status ON work_items (parent, status);

CREATE TABLE item_dependencies (
    item       TEXT NOT NULL REFERENCES work_items (key),
    depends_on TEXT NOT NULL REFERENCES work_items (key),
    PRIMARY KEY (item, depends_on),
    CHECK (item <> depends_on)
) STRICT, WITHOUT ROWID;

CREATE INDEX item_dependencies_reverse ON item_dependencies (depends_on);

CREATE VIEW open_item_dependencies AS
SELECT item FROM item_dependencies JOIN work_items ON key = depends_on WHERE status <> 'completed';

CREATE TRIGGER item_dependencies_added AFTER INSERT ON item_dependencies
BEGIN
    UPDATE work_items
    SET open_dependencies = (SELECT count(*) FROM open_item_dependencies WHERE item = NEW.item)
    WHERE key = NEW.item;
END;

CREATE TRIGGER item_dependencies_removed AFTER DELETE ON item_dependencies
BEGIN
    UPDATE work_items
    SET open_dependencies = (SELECT count(*) FROM open_item_dependencies WHERE item = OLD.item)
    WHERE key = OLD.item;
END;

-- Foreign keys are off in most shells, and REPLACE removes a row without a word, also one that
-- is in the way by its number alone.
CREATE TRIGGER work_items_insert BEFORE INSERT ON work_items
WHEN NEW.holder IS NOT NULL
  OR EXISTS (SELECT 1 FROM work_items WHERE key = NEW.key OR rowid = NEW.rowid)
BEGIN
    SELECT CASE
        WHEN EXISTS (SELECT 1 FROM work_items WHERE key = NEW.key OR rowid = NEW.rowid)
            THEN RAISE(ABORT, 'the item exists already: work_items.key is unique')
        WHEN EXISTS (SELECT 1 FROM work_items WHERE holder = NEW.holder)
            THEN RAISE(ABORT, 'the session holds an item already: work_items.holder is unique')
        WHEN NOT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.holder)
            THEN RAISE(ABORT, 'a holder is a registered session')
        WHEN NEW.status IN ('completed', 'failed', 'cancelled')
            THEN RAISE(ABORT, 'a finished item has no holder')
    END;
END;

DROP TRIGGER work_items_fence;

-- A fence that went back would let an old holder write again.
CREATE TRIGGER work_items_rules
BEFORE UPDATE OF key, holder, claim_epoch, status, phase, evidence, error_message ON work_items
BEGIN
    SELECT CASE
        WHEN NEW.key <> OLD.key THEN RAISE(ABORT, 'a key never changes')
        WHEN NEW.claim_epoch < OLD.claim_epoch
            THEN RAISE(ABORT, 'a claim epoch never goes back')
        WHEN NEW.holder IS NOT NULL AND NEW.holder IS NOT OLD.holder
             AND NOT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.holder)
            THEN RAISE(ABORT, 'a holder is a registered session')
        WHEN EXISTS (SELECT 1 FROM work_items WHERE holder = NEW.holder AND key <> NEW.key)
            THEN RAISE(ABORT, 'the session holds an item already: work_items.holder is unique')
        WHEN NEW.holder IS NOT NULL AND NEW.status IN ('completed', 'failed', 'cancelled')
            THEN RAISE(ABORT, 'a finished item has no holder')
        WHEN OLD.holder IS NOT NULL AND NEW.under_epoch IS NOT OLD.claim_epoch
             AND (NEW.status, NEW.phase, NEW.evidence, NEW.error_message)
                 IS NOT (OLD.status, OLD.phase, OLD.evidence, OLD.error_message)
            THEN RAISE(ABORT, 'the item is held: the write needs the epoch of its claim')
        WHEN NEW.status = OLD.status THEN NULL
        WHEN NOT EXISTS (
                SELECT 1 FROM legal_transitions
                WHERE entity = 'item' AND from_status = OLD.status AND to_status = NEW.status
                  AND (back = 0 OR NEW.reopened = OLD.reopened + 1
                       AND NEW.last_op IS NOT OLD.last_op AND NEW.last_reason <> ''))
            THEN RAISE(ABORT, 'no legal change of status')
        WHEN NEW.status = 'completed' AND NEW.requires_evidence AND coalesce(NEW.evidence, '') = ''
            THEN RAISE(ABORT, 'the item is completed with evidence only')
    END;
END;

CREATE TRIGGER work_items_number BEFORE UPDATE ON work_items WHEN NEW.rowid <> OLD.rowid
BEGIN SELECT RAISE(ABORT, 'a key never changes'); END;

CREATE TRIGGER work_items_delete BEFORE DELETE ON work_items
WHEN OLD.holder IS NOT NULL OR EXISTS (SELECT 1 FROM work_items WHERE parent = OLD.key)
BEGIN SELECT RAISE(ABORT, 'an item that is held or has children stays'); END;

CREATE TRIGGER claude_sessions_delete BEFORE DELETE ON claude_sessions
WHEN EXISTS (SELECT 1 FROM work_items WHERE holder = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'a session that holds an item stays'); END;

-- A registration names its operation; REPLACE by plain SQL would empty the row.
CREATE TRIGGER claude_sessions_replace BEFORE INSERT ON claude_sessions
WHEN NEW.last_op IS NULL AND EXISTS (
    SELECT 1 FROM claude_sessions WHERE session_id = NEW.session_id OR rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'the session exists already: claude_sessions.session_id is unique'); END;

CREATE TRIGGER claude_sessions_id BEFORE UPDATE ON claude_sessions
WHEN NEW.session_id <> OLD.session_id OR NEW.rowid <> OLD.rowid
BEGIN SELECT RAISE(ABORT, 'a session''s id never changes'); END;

DROP TRIGGER claude_sessions_state;
DROP TRIGGER claude_sessions_metadata;
DROP TRIGGER claude_sessions_status;

-- What caches mirror changed, by whatever hand: a new revision and an event. Other keys of the
-- metadata, and a status: an event. Active and idle alternate with every turn and are no news.
CREATE TRIGGER claude_sessions_changed AFTER UPDATE OF metadata, status ON claude_sessions
WHEN NEW.metadata <> OLD.metadata OR NEW.status <> OLD.status
BEGIN
    UPDATE claude_sessions SET revision = OLD.revision + 1
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

DROP TRIGGER work_items_changed;

-- A new holder by plain SQL is fenced like any other. Who holds what is part of what both
-- caches show, and its title of what a model was told. An ended session without an item is
-- nothing a sweep looks at; any with one is.
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
           OLD.facts, NEW.facts, claim_epoch,
           iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
           nullif(NEW.last_op, OLD.last_op)
    FROM work_items WHERE key = NEW.key AND NEW.facts <> OLD.facts;
    UPDATE claude_sessions
    SET revision = revision + 1,
        settled = CASE WHEN session_id IS NEW.holder THEN 0
                       WHEN status = 'ended' THEN 1
                       ELSE settled END
    WHERE (NEW.holder, NEW.title) IS NOT (OLD.holder, OLD.title)
      AND session_id IN (OLD.holder, NEW.holder);
    UPDATE work_items
    SET open_dependencies = (SELECT count(*) FROM open_item_dependencies WHERE item = key)
    WHERE (NEW.status = 'completed') <> (OLD.status = 'completed')
      AND key IN (SELECT item FROM item_dependencies WHERE depends_on = NEW.key);
END;
