-- How urgent an item is, what is to be done, and what an import brought that has no place.
-- Priority 0 comes first; an item without one is ordered as with 2.

DROP TRIGGER changed ON trueup.work_items;
ALTER TABLE trueup.work_items DROP COLUMN facts;
DROP FUNCTION trueup.item_facts(text, text, text, bigint, text, text, text, text, text, text);

ALTER TABLE trueup.work_items
    ADD COLUMN priority bigint CHECK (priority BETWEEN 0 AND 4),
    ADD COLUMN description trueup.bytewise_text,
    ADD COLUMN extra trueup.bytewise_text NOT NULL DEFAULT '{}'
        CHECK (trueup.has_json_type(extra, 'object'));

-- What an event shows of an item. An empty extra is none.
CREATE FUNCTION trueup.item_facts(
    title text, kind text, parent text, "position" bigint, repo text, status text, phase text,
    holder text, error_message text, evidence text, priority bigint, description text,
    extra text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'title', title, 'kind', kind, 'parent', parent, 'position', "position", 'repo', repo,
    'status', status, 'phase', phase, 'holder', holder, 'error_message', error_message,
    'evidence', evidence, 'priority', priority, 'description', description,
    'extra', trueup.parse_json(nullif(extra, '{}')));

ALTER TABLE trueup.work_items
    ADD COLUMN facts jsonb GENERATED ALWAYS AS (trueup.item_facts(
        title, kind, parent, position, repo, status, phase, holder, error_message, evidence,
        priority, description, extra)) STORED;

-- As before, and of the new columns too.
CREATE OR REPLACE FUNCTION trueup.check_item() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
DECLARE
    is_changed boolean;
    is_held_anew boolean := NEW.holder IS DISTINCT FROM OLD.holder AND NEW.holder IS NOT NULL;
BEGIN
    IF NEW.key <> OLD.key THEN
        PERFORM refuse('TU009', 'a key never changes');
    ELSIF NEW.claim_epoch < OLD.claim_epoch THEN
        -- An old holder could write again.
        PERFORM refuse('TU010', 'a claim epoch never goes back');
    ELSIF is_held_anew AND NOT is_registered(NEW.holder) THEN
        PERFORM refuse('TU007', 'a holder is a registered session');
    ELSIF is_held_anew
        AND EXISTS (SELECT 1 FROM work_items WHERE holder = NEW.holder AND key <> NEW.key) THEN
        PERFORM refuse('TU006', 'the session holds an item already: work_items.holder is unique');
    ELSIF NEW.holder IS NOT NULL AND is_finished(NEW.status) THEN
        PERFORM refuse('TU008', 'a finished item has no holder');
    ELSIF OLD.holder IS NOT NULL AND NEW.under_epoch IS DISTINCT FROM OLD.claim_epoch
        AND (NEW.status, NEW.phase, NEW.evidence, NEW.error_message)
            IS DISTINCT FROM (OLD.status, OLD.phase, OLD.evidence, OLD.error_message) THEN
        PERFORM refuse('TU011', 'the item is held: the write needs the epoch of its claim');
    ELSIF NEW.status <> OLD.status AND NOT is_legal_transition('item', OLD.status, NEW.status,
            NEW.reopened = OLD.reopened + 1 AND NEW.last_op IS DISTINCT FROM OLD.last_op,
            NEW.last_reason) THEN
        PERFORM refuse('TU012', 'no legal change of status');
    ELSIF NEW.status <> OLD.status AND NEW.status = 'completed' AND NEW.requires_evidence <> 0
        AND coalesce(NEW.evidence, '') = '' THEN
        PERFORM refuse('TU013', 'the item is completed with evidence only');
    END IF;
    is_changed := (NEW.title, NEW.kind, NEW.parent, NEW.position, NEW.repo, NEW.status, NEW.phase,
                   NEW.holder, NEW.error_message, NEW.evidence, NEW.priority, NEW.description,
                   NEW.extra)
        IS DISTINCT FROM (OLD.title, OLD.kind, OLD.parent, OLD.position, OLD.repo, OLD.status,
                          OLD.phase, OLD.holder, OLD.error_message, OLD.evidence, OLD.priority,
                          OLD.description, OLD.extra);
    IF NOT is_changed AND NEW.under_epoch IS NULL THEN
        RETURN NEW;
    END IF;
    NEW.revision := OLD.revision + is_changed::int;
    NEW.updated_at := now_text();
    NEW.under_epoch := NULL;
    -- A new holder by plain SQL is fenced like any other.
    IF is_held_anew AND NEW.claim_epoch = OLD.claim_epoch THEN
        NEW.claim_epoch := NEW.claim_epoch + 1;
    END IF;
    NEW.claimed_at := CASE
        WHEN NEW.holder IS NOT DISTINCT FROM OLD.holder THEN NEW.claimed_at
        WHEN NEW.holder IS NOT NULL THEN NEW.updated_at END;
    NEW.completed_at := CASE
        WHEN NOT is_finished(NEW.status) THEN NULL
        WHEN NEW.status = OLD.status THEN NEW.completed_at
        ELSE NEW.updated_at END;
    RETURN NEW;
END $$;

-- As before, and an event leaves out what may be long and stayed as it was.
CREATE OR REPLACE FUNCTION trueup.record_item_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
DECLARE
    same text[] := ARRAY[
        CASE WHEN NEW.description IS NOT DISTINCT FROM OLD.description THEN 'description' ELSE '' END,
        CASE WHEN NEW.extra = OLD.extra THEN 'extra' ELSE '' END];
BEGIN
    PERFORM add_event(NEW.last_op IS DISTINCT FROM OLD.last_op, NEW.last_actor, NEW.last_reason,
        NEW.last_op, 'item', NEW.key,
        CASE WHEN NEW.reopened > OLD.reopened THEN 'reopened'
             WHEN NEW.status <> OLD.status
                  AND coalesce(NEW.holder, OLD.holder) IS NOT DISTINCT FROM OLD.holder
                 THEN 'status'
             WHEN NEW.holder IS NOT DISTINCT FROM OLD.holder THEN 'changed'
             WHEN NEW.holder IS NULL THEN 'released'
             WHEN OLD.holder IS NULL THEN 'claimed'
             ELSE 'taken_over' END,
        OLD.facts - same, NEW.facts - same, NEW.claim_epoch);
    -- Who holds what is part of what both caches show, and its title of what a model was told.
    -- An ended session without an item is nothing a sweep looks at; any with one is.
    IF (NEW.holder, NEW.title) IS DISTINCT FROM (OLD.holder, OLD.title) THEN
        UPDATE claude_sessions
        SET revision = revision + 1,
            swept = CASE WHEN session_id = NEW.holder THEN 0
                         WHEN status = 'ended' THEN 1
                         ELSE swept END
        WHERE session_id IN (OLD.holder, NEW.holder);
    END IF;
    IF (NEW.status = 'completed') <> (OLD.status = 'completed') THEN
        UPDATE work_items w
        SET open_dependencies = (SELECT count(*) FROM open_item_dependencies WHERE item = w.key)
        WHERE w.key IN (SELECT item FROM item_dependencies WHERE depends_on = NEW.key);
    END IF;
    IF is_finished(NEW.status) <> is_finished(OLD.status) THEN
        UPDATE phase_queue SET is_over = is_finished(NEW.status)::int WHERE item = NEW.key;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER changed AFTER UPDATE ON trueup.work_items
FOR EACH ROW WHEN (NEW.facts <> OLD.facts) EXECUTE FUNCTION trueup.record_item_change();

-- The next item among siblings: the most urgent first, then by place.
DROP INDEX trueup.work_items_next;
CREATE INDEX work_items_next
    ON trueup.work_items (coalesce(parent, ''), coalesce(priority, 2), position, key)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');
DROP INDEX trueup.work_items_next_in_repo;
CREATE INDEX work_items_next_in_repo
    ON trueup.work_items
       (coalesce(repo, ''), coalesce(parent, ''), coalesce(priority, 2), position, key)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');

-- What can be begun, wherever it is.
CREATE INDEX work_items_ready ON trueup.work_items (coalesce(priority, 2), created_at, key, repo)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');

-- A list of items is read in its order, and its filters are answered without the rows.
CREATE INDEX work_items_listed
    ON trueup.work_items (parent NULLS FIRST, (position IS NULL), position, key, repo, status, kind);

-- What waits for others.
CREATE INDEX work_items_waiting ON trueup.work_items (coalesce(priority, 2), created_at, key, repo)
    WHERE open_dependencies > 0 AND status IN ('queued', 'ready', 'running', 'blocked');

-- Phases go while there is something to do when a command removes them, which names their item here
-- within its transaction.
CREATE OR REPLACE FUNCTION trueup.check_phase_removal() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM phase_queue WHERE item = OLD.item AND NOT is_finished(status))
        AND NOT EXISTS (SELECT 1 FROM trueup_meta
                        WHERE key = 'removing_phases' AND value = OLD.item) THEN
        PERFORM refuse('TU022', 'a phase stays while its item has phases to do');
    END IF;
    RETURN OLD;
END $$;

-- A phase has a name of its own choice: a word of small letters, digits and dashes.
ALTER TABLE trueup.phase_queue
    DROP CONSTRAINT phase_queue_current_phase_check,
    ADD CONSTRAINT phase_queue_current_phase_check
        CHECK (current_phase ~ '^[a-z][a-z0-9-]{0,31}$');
