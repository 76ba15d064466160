-- Which status may follow which, dependencies between items, and the rules of both.

-- Filled from the one table in the code; `back` edges are for reopening alone.
CREATE TABLE legal_transitions (
    entity      TEXT NOT NULL,
    from_status TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    back        INTEGER NOT NULL CHECK (back IN (0, 1)),
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

CREATE TRIGGER item_dependencies_added AFTER INSERT ON item_dependencies
BEGIN
    UPDATE work_items SET open_dependencies = (
        SELECT count(*) FROM item_dependencies d JOIN work_items w ON w.key = d.depends_on
        WHERE d.item = NEW.item AND w.status <> 'completed')
    WHERE key = NEW.item;
END;

CREATE TRIGGER item_dependencies_removed AFTER DELETE ON item_dependencies
BEGIN
    UPDATE work_items SET open_dependencies = (
        SELECT count(*) FROM item_dependencies d JOIN work_items w ON w.key = d.depends_on
        WHERE d.item = OLD.item AND w.status <> 'completed')
    WHERE key = OLD.item;
END;

-- Foreign keys are off in most shells, and REPLACE removes a row without a word.
CREATE TRIGGER work_items_insert BEFORE INSERT ON work_items
BEGIN
    SELECT RAISE(ABORT, 'the item exists already: work_items.key is unique')
    WHERE EXISTS (SELECT 1 FROM work_items WHERE key = NEW.key);
    SELECT RAISE(ABORT, 'the session holds an item already: work_items.holder is unique')
    WHERE EXISTS (SELECT 1 FROM work_items WHERE holder = NEW.holder);
    SELECT RAISE(ABORT, 'a holder is a registered session')
    WHERE NEW.holder IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.holder);
    SELECT RAISE(ABORT, 'a finished item has no holder')
    WHERE NEW.holder IS NOT NULL AND NEW.status IN ('completed', 'failed', 'cancelled');
END;

DROP TRIGGER work_items_fence;

CREATE TRIGGER work_items_rules BEFORE UPDATE ON work_items
WHEN NEW.status <> OLD.status OR NEW.holder IS NOT OLD.holder OR NEW.phase IS NOT OLD.phase
  OR NEW.claim_epoch <> OLD.claim_epoch OR NEW.evidence IS NOT OLD.evidence
  OR NEW.error_message IS NOT OLD.error_message OR NEW.key <> OLD.key
BEGIN
    SELECT RAISE(ABORT, 'a key never changes') WHERE NEW.key <> OLD.key;
    -- A fence that went back would let an old holder write again.
    SELECT RAISE(ABORT, 'a claim epoch never goes back') WHERE NEW.claim_epoch < OLD.claim_epoch;
    SELECT RAISE(ABORT, 'a holder is a registered session')
    WHERE NEW.holder IS NOT NULL AND NEW.holder IS NOT OLD.holder
      AND NOT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.holder);
    SELECT RAISE(ABORT, 'the session holds an item already: work_items.holder is unique')
    WHERE EXISTS (SELECT 1 FROM work_items WHERE holder = NEW.holder AND key <> NEW.key);
    SELECT RAISE(ABORT, 'a finished item has no holder')
    WHERE NEW.holder IS NOT NULL AND NEW.status IN ('completed', 'failed', 'cancelled');
    SELECT RAISE(ABORT, 'the item is held: the write needs the epoch of its claim')
    WHERE OLD.holder IS NOT NULL AND NEW.under_epoch IS NOT OLD.claim_epoch
      AND (NEW.status <> OLD.status OR NEW.phase IS NOT OLD.phase
           OR NEW.evidence IS NOT OLD.evidence OR NEW.error_message IS NOT OLD.error_message);
    SELECT RAISE(ABORT, 'no legal change of status')
    WHERE NEW.status <> OLD.status
      AND NOT EXISTS (SELECT 1 FROM legal_transitions
                      WHERE entity = 'item' AND from_status = OLD.status AND to_status = NEW.status
                        AND (back = 0 OR NEW.reopened = OLD.reopened + 1
                             AND NEW.last_op IS NOT OLD.last_op AND NEW.last_reason <> ''));
    SELECT RAISE(ABORT, 'the item is completed with evidence only')
    WHERE NEW.status = 'completed' AND OLD.status <> 'completed' AND NEW.requires_evidence
      AND coalesce(NEW.evidence, '') = '';
END;

CREATE TRIGGER work_items_delete BEFORE DELETE ON work_items
WHEN OLD.holder IS NOT NULL OR EXISTS (SELECT 1 FROM work_items WHERE parent = OLD.key)
BEGIN SELECT RAISE(ABORT, 'an item that is held or has children stays'); END;

CREATE TRIGGER claude_sessions_delete BEFORE DELETE ON claude_sessions
WHEN EXISTS (SELECT 1 FROM work_items WHERE holder = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'a session that holds an item stays'); END;

-- A registration names its operation; REPLACE by plain SQL would empty the row.
CREATE TRIGGER claude_sessions_replace BEFORE INSERT ON claude_sessions
WHEN NEW.last_op IS NULL
 AND EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.session_id)
BEGIN SELECT RAISE(ABORT, 'the session exists already: claude_sessions.session_id is unique'); END;

DROP TRIGGER work_items_changed;

CREATE TRIGGER work_items_changed AFTER UPDATE ON work_items
WHEN NEW.facts <> OLD.facts OR NEW.under_epoch IS NOT NULL
BEGIN
    UPDATE work_items
    SET revision = OLD.revision + (NEW.facts <> OLD.facts),
        updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        under_epoch = NULL,
        -- A new holder by plain SQL is fenced like any other.
        claim_epoch = NEW.claim_epoch
            + (NEW.holder IS NOT NULL AND NEW.holder IS NOT OLD.holder
               AND NEW.claim_epoch = OLD.claim_epoch),
        claimed_at = CASE
            WHEN NEW.holder IS OLD.holder THEN NEW.claimed_at
            WHEN NEW.holder IS NOT NULL THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END,
        completed_at = CASE
            WHEN NEW.status NOT IN ('completed', 'failed', 'cancelled') THEN NULL
            WHEN NEW.status = OLD.status THEN NEW.completed_at
            ELSE strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END
    WHERE key = NEW.key;
    INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
    SELECT iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor), 'item', NEW.key,
            CASE WHEN NEW.reopened > OLD.reopened THEN 'reopened'
                 WHEN NEW.status <> OLD.status
                      AND (NEW.holder IS OLD.holder OR NEW.holder IS NULL) THEN 'status'
                 WHEN NEW.holder IS OLD.holder THEN 'changed'
                 WHEN NEW.holder IS NULL THEN 'released'
                 WHEN OLD.holder IS NULL THEN 'claimed'
                 ELSE 'taken_over' END,
            OLD.facts, NEW.facts,
            -- The fence as the update above left it.
            (SELECT claim_epoch FROM work_items WHERE key = NEW.key),
            iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
            nullif(NEW.last_op, OLD.last_op)
    WHERE NEW.facts <> OLD.facts;
    -- Who holds what is part of what both caches show, and its title of what a model was told.
    -- An ended session without an item is nothing a sweep looks at; any with one is.
    UPDATE claude_sessions
    SET revision = revision + 1,
        settled = CASE WHEN session_id IS NEW.holder THEN 0
                       WHEN status = 'ended' THEN 1
                       ELSE settled END
    WHERE (NEW.holder IS NOT OLD.holder OR NEW.title IS NOT OLD.title)
      AND session_id IN (OLD.holder, NEW.holder);
    -- What waited for this item, or waits for it again.
    UPDATE work_items SET open_dependencies = (
        SELECT count(*) FROM item_dependencies d JOIN work_items w ON w.key = d.depends_on
        WHERE d.item = work_items.key AND w.status <> 'completed')
    WHERE (NEW.status = 'completed') <> (OLD.status = 'completed')
      AND key IN (SELECT item FROM item_dependencies WHERE depends_on = NEW.key);
END;
