-- Rules of items and their dependencies.

CREATE FUNCTION trueup.is_finished(status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN status IN ('completed', 'failed', 'cancelled');

-- Whether a status may follow another; back only in a write that counts the reopening and says why.
CREATE FUNCTION trueup.is_legal_transition(
    of_entity text, from_word text, to_word text, is_counted boolean, reason text) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT 1 FROM trueup.legal_transitions
        WHERE entity = of_entity AND from_status = from_word AND to_status = to_word
          AND (back = 0 OR is_counted AND reason <> ''));
END;

CREATE FUNCTION trueup.is_registered(id text) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT 1 FROM trueup.claude_sessions WHERE session_id = id);
END;

CREATE FUNCTION trueup.check_new_item() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM work_items WHERE key = NEW.key) THEN
        PERFORM refuse('TU005', 'the item exists already: work_items.key is unique');
    ELSIF NEW.holder IS NULL THEN
        RETURN NEW;
    ELSIF EXISTS (SELECT 1 FROM work_items WHERE holder = NEW.holder) THEN
        PERFORM refuse('TU006', 'the session holds an item already: work_items.holder is unique');
    ELSIF NOT is_registered(NEW.holder) THEN
        PERFORM refuse('TU007', 'a holder is a registered session');
    ELSIF is_finished(NEW.status) THEN
        PERFORM refuse('TU008', 'a finished item has no holder');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rules_of_new BEFORE INSERT ON trueup.work_items
FOR EACH ROW EXECUTE FUNCTION trueup.check_new_item();

CREATE FUNCTION trueup.record_item_added() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    PERFORM add_event(true, coalesce(NEW.last_actor, 'sql'), NEW.last_reason, NEW.last_op,
        'item', NEW.key, 'added', NULL, NEW.facts, NULL);
    UPDATE claude_sessions SET revision = revision + 1, swept = 0 WHERE session_id = NEW.holder;
    RETURN NULL;
END $$;

CREATE TRIGGER added AFTER INSERT ON trueup.work_items
FOR EACH ROW EXECUTE FUNCTION trueup.record_item_added();

CREATE FUNCTION trueup.check_item() RETURNS trigger
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
                   NEW.holder, NEW.error_message, NEW.evidence)
        IS DISTINCT FROM (OLD.title, OLD.kind, OLD.parent, OLD.position, OLD.repo, OLD.status,
                          OLD.phase, OLD.holder, OLD.error_message, OLD.evidence);
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

CREATE TRIGGER rules BEFORE UPDATE ON trueup.work_items
FOR EACH ROW EXECUTE FUNCTION trueup.check_item();

CREATE FUNCTION trueup.record_item_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
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
        OLD.facts, NEW.facts, NEW.claim_epoch);
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

CREATE FUNCTION trueup.check_item_removal() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM phase_queue WHERE item = OLD.key) THEN
        PERFORM refuse('TU015', 'an item with phases stays');
    ELSIF OLD.holder IS NOT NULL OR EXISTS (SELECT 1 FROM work_items WHERE parent = OLD.key) THEN
        PERFORM refuse('TU014', 'an item that is held or has children stays');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER rules_of_removal BEFORE DELETE ON trueup.work_items
FOR EACH ROW EXECUTE FUNCTION trueup.check_item_removal();

-- An item that a command removes is told of by the command, which knows by whom and why.
CREATE FUNCTION trueup.record_item_removed() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM trueup_meta WHERE key = 'removing_item' AND value = OLD.key) THEN
        PERFORM add_event(true, 'sql', NULL, NULL, 'item', OLD.key, 'removed', OLD.facts, NULL,
            OLD.claim_epoch);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER removed AFTER DELETE ON trueup.work_items
FOR EACH ROW EXECUTE FUNCTION trueup.record_item_removed();

CREATE FUNCTION trueup.count_open_dependencies() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
DECLARE
    waiting text := CASE TG_OP WHEN 'INSERT' THEN NEW.item ELSE OLD.item END;
BEGIN
    UPDATE work_items
    SET open_dependencies = (SELECT count(*) FROM open_item_dependencies WHERE item = waiting)
    WHERE key = waiting;
    RETURN NULL;
END $$;

CREATE TRIGGER counted AFTER INSERT OR DELETE ON trueup.item_dependencies
FOR EACH ROW EXECUTE FUNCTION trueup.count_open_dependencies();
