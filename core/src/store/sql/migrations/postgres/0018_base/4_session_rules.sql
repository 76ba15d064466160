-- Rules of events and sessions. What SQLite writes in an AFTER trigger into the row itself, a
-- BEFORE trigger sets here; events are written by AFTER triggers, in the same order.

CREATE FUNCTION trueup.check_event() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.op_id IS NOT NULL AND EXISTS (
            SELECT 1 FROM events WHERE op_id = NEW.op_id AND entity = NEW.entity
            AND key = NEW.key AND kind = NEW.kind) THEN
            PERFORM refuse('TU001', 'events are append-only');
        END IF;
        NEW.via := caller();
        RETURN NEW;
    END IF;
    -- Only the transaction that prunes says up to where events may go, and takes that back before
    -- it ends; a day's worth stays whatever it says.
    IF TG_OP = 'UPDATE'
        OR OLD.at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')
        OR NOT EXISTS (SELECT 1 FROM trueup_meta
                       WHERE key = 'pruned_through' AND value::bigint >= OLD.seq) THEN
        PERFORM refuse('TU001', 'events are append-only');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER rules BEFORE INSERT OR UPDATE OR DELETE ON trueup.events
FOR EACH ROW EXECUTE FUNCTION trueup.check_event();

-- Who made a change: one that leaves last_op as it was came from plain SQL.
CREATE FUNCTION trueup.add_event(
    is_named boolean, actor text, reason text, op_id text, entity text, key text, kind text,
    before jsonb, after jsonb, epoch bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO trueup.events (actor, entity, key, kind, before, after, epoch, reason, op_id)
    VALUES (CASE WHEN is_named THEN actor ELSE 'sql' END, entity, key, kind, before, after, epoch,
            CASE WHEN is_named THEN reason END, CASE WHEN is_named THEN op_id END);
END;

CREATE FUNCTION trueup.check_session() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN
        IF NEW.last_op IS NULL
            AND EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.session_id) THEN
            PERFORM refuse('TU002',
                'the session exists already: claude_sessions.session_id is unique');
        END IF;
        RETURN NEW;
    WHEN 'UPDATE' THEN
        IF NEW.session_id <> OLD.session_id THEN
            PERFORM refuse('TU003', 'a session''s id never changes');
        END IF;
        IF NEW.metadata <> OLD.metadata AND mirrored_state(NEW.metadata) <> OLD.state THEN
            NEW.revision := OLD.revision + 1;
            NEW.moved_revision := OLD.revision + 1;
        END IF;
        RETURN NEW;
    ELSE
        IF EXISTS (SELECT 1 FROM work_items WHERE holder = OLD.session_id) THEN
            PERFORM refuse('TU004', 'a session that holds an item stays');
        END IF;
        RETURN OLD;
    END CASE;
END $$;

CREATE TRIGGER rules BEFORE INSERT OR UPDATE OR DELETE ON trueup.claude_sessions
FOR EACH ROW EXECUTE FUNCTION trueup.check_session();

CREATE FUNCTION trueup.record_session_added() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    PERFORM add_event(true, coalesce(NEW.last_actor, 'sql'), NEW.last_reason, NEW.last_op,
        'session', NEW.session_id, 'registered', NULL,
        jsonb_build_object('status', NEW.status, 'worktree', NEW.worktree, 'host', NEW.host,
                           'predecessor', NEW.predecessor), NULL);
    RETURN NULL;
END $$;

CREATE TRIGGER added AFTER INSERT ON trueup.claude_sessions
FOR EACH ROW EXECUTE FUNCTION trueup.record_session_added();

-- What caches mirror changed, by whatever hand: an event beside the new revision. Other keys of
-- the metadata, and a status: an event. Active and idle alternate with every turn and are no news.
CREATE FUNCTION trueup.record_session_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
DECLARE
    is_named boolean := NEW.last_op IS DISTINCT FROM OLD.last_op;
    change record;
BEGIN
    FOR change IN
        SELECT kind, was, becomes FROM (VALUES
            (1, 'state', OLD.state, NEW.state, true),
            (2, 'metadata', OLD.others, NEW.others, true),
            (3, NEW.status, jsonb_build_object('status', OLD.status),
             jsonb_build_object('status', NEW.status),
             NEW.status IN ('ended', 'lost') OR OLD.status IN ('ended', 'lost'))
        ) AS changes (place, kind, was, becomes, is_news)
        WHERE is_news AND was <> becomes ORDER BY place
    LOOP
        PERFORM add_event(is_named, NEW.last_actor, NEW.last_reason, NEW.last_op, 'session',
            NEW.session_id, change.kind, change.was, change.becomes, NULL);
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER changed AFTER UPDATE ON trueup.claude_sessions
FOR EACH ROW WHEN (NEW.metadata <> OLD.metadata OR NEW.status <> OLD.status)
EXECUTE FUNCTION trueup.record_session_change();

-- Removing by plain SQL is a change like any other.
CREATE FUNCTION trueup.record_session_removed() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM trueup_meta WHERE key = 'pruned_through') THEN
        PERFORM add_event(true, 'sql', NULL, NULL, 'session', OLD.session_id, 'removed',
            jsonb_build_object('status', OLD.status, 'metadata', OLD.metadata), NULL, NULL);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER removed AFTER DELETE ON trueup.claude_sessions
FOR EACH ROW EXECUTE FUNCTION trueup.record_session_removed();
