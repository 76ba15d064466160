-- The one function that clients call. A request is a list of steps, each a registered statement by
-- its digest with the values of its parameters:
--
--   {"protocol":1,"mode":"read"|"try"|"commit","schema":19,"lineage":"…",
--    "steps":[{"s":"<digest>","a":[text|integer|null,…],"d":"<digest of rows>","n":<rows>},…]}
--   {"protocol":1,"batch":[{"mode":…},…]}    each part by itself, in order
--
-- read    runs reads alone; all of them see one moment
-- try     runs everything, answers, and undoes it
-- commit  takes its turn among all writers, and commits everything or nothing; signs of life, such
--         as a heartbeat, are committed at once
--
-- A read with "d" was seen before: {"same":true} when its rows still are those, otherwise a
-- conflict; in mode read, the rows as they are now. A write with "n" must change as many rows.
--
--   {"ok":true,"results":[{"rows":[[…],…],"digest":"…"}|{"same":true}|{"changed":n},…],
--    "schema":19,"lineage":"…"}
--   {"conflict":<step>}
--   {"denied":{"step":i,"sqlstate":"TU012","message":"…","constraint":"…"}}
--   {"refused":"<why>","schema":19,"lineage":"…"}
--
-- What may succeed when it is repeated (a deadlock, a lock that was waited for too long) is raised
-- as an error.

-- Runs the reads from a step on, up to the next write. STABLE, so that all see one snapshot, and
-- PostgreSQL itself refuses a write. Rows are arrays of their values in the order of the columns:
-- a flag as 1 or 0, JSON as a text. The digest leaves out read_at, the clock.
CREATE OR REPLACE FUNCTION trueup.run_reads(
    steps jsonb, first int, takes_changed_rows boolean,
    OUT results text[], OUT next int, OUT is_conflict boolean)
LANGUAGE plpgsql STABLE SET search_path = trueup, pg_temp AS $$
DECLARE
    step jsonb;
    statement record;
    found_rows text;
    found_digest text;
BEGIN
    results := '{}';
    next := first;
    is_conflict := false;
    WHILE next < jsonb_array_length(steps) LOOP
        step := steps -> next;
        SELECT * INTO statement FROM statements WHERE digest = step ->> 's';
        EXIT WHEN statement.writes;
        EXECUTE format($read$
            SELECT '[' || coalesce(string_agg(r.shown, ','), '') || ']',
                   md5(coalesce(string_agg(coalesce(r.seen, ''), E'\n'), 'none'))
            FROM (%s) AS q CROSS JOIN LATERAL (
                SELECT '[' || string_agg(v.word, ',') || ']' AS shown,
                       string_agg(v.word, ',') FILTER (WHERE v.key <> 'read_at') AS seen
                FROM (SELECT c.key, CASE json_typeof(c.value)
                          WHEN 'object' THEN to_json(c.value::text)::text
                          WHEN 'array' THEN to_json(c.value::text)::text
                          WHEN 'boolean' THEN CASE c.value::text WHEN 'true' THEN '1' ELSE '0' END
                          ELSE c.value::text END AS word
                      FROM pg_catalog.json_each(row_to_json(q)) AS c) AS v) AS r $read$,
            statement.text)
        INTO found_rows, found_digest USING step -> 'a';
        IF step ->> 'd' = found_digest THEN
            results := results || '{"same":true}'::text;
        ELSIF step ->> 'd' IS NULL OR takes_changed_rows THEN
            results := results || format('{"rows":%s,"digest":"%s"}', found_rows, found_digest);
        ELSE
            is_conflict := true;
            RETURN;
        END IF;
        next := next + 1;
    END LOOP;
END $$;

-- Runs one part of a request in a subtransaction of its own; returns its answer.
CREATE OR REPLACE FUNCTION trueup.run_part(part jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
DECLARE
    mode text := part ->> 'mode';
    steps jsonb := coalesce(part -> 'steps', '[]');
    facts text;
    unknown text;
    schema_version bigint := (SELECT max(version) FROM schema_migrations);
    stored_lineage text := (SELECT value FROM trueup_meta WHERE key = 'lineage');
    at int := 0;
    reads record;
    statement text;
    changed bigint;
    results text[] := '{}';
    answer text;
    failed_constraint text;
BEGIN
    facts := format('"schema":%s,"lineage":%s', schema_version, to_json(stored_lineage));
    IF mode IS NULL OR mode NOT IN ('read', 'try', 'commit') THEN
        RETURN format('{"refused":"mode",%s}', facts);
    ELSIF (part ->> 'schema')::bigint <> schema_version THEN
        RETURN format('{"refused":"schema",%s}', facts);
    ELSIF part ->> 'lineage' <> stored_lineage THEN
        RETURN format('{"refused":"lineage",%s}', facts);
    END IF;
    SELECT s.step ->> 's' INTO unknown FROM jsonb_array_elements(steps) AS s (step)
    WHERE NOT EXISTS (SELECT 1 FROM statements WHERE digest = s.step ->> 's') LIMIT 1;
    IF FOUND THEN
        RETURN format('{"refused":%s,%s}',
            to_json('unregistered statement ' || coalesce(unknown, 'null')), facts);
    END IF;
    IF mode = 'commit' AND NOT is_sign_of_life() THEN
        PERFORM take_turn();
    END IF;
    PERFORM set_config('trueup.clock', clock_timestamp()::text, true);
    BEGIN
        LOOP
            reads := run_reads(steps, at, mode = 'read');
            results := results || reads.results;
            at := reads.next;
            IF reads.is_conflict THEN
                answer := format('{"conflict":%s}', at);
            ELSIF at < jsonb_array_length(steps) AND mode = 'read' THEN
                answer := format('{"refused":"writes in a read",%s}', facts);
            END IF;
            EXIT WHEN answer IS NOT NULL OR at >= jsonb_array_length(steps);
            SELECT text INTO statement FROM statements WHERE digest = steps -> at ->> 's';
            EXECUTE statement USING steps -> at -> 'a';
            GET DIAGNOSTICS changed = ROW_COUNT;
            IF (steps -> at ->> 'n')::bigint <> changed THEN
                answer := format('{"conflict":%s}', at);
                EXIT;
            END IF;
            results := results || format('{"changed":%s}', changed);
            at := at + 1;
        END LOOP;
        IF answer IS NOT NULL OR mode = 'try' THEN
            -- Undoes what was written; the variables stay.
            RAISE EXCEPTION USING ERRCODE = 'TT001', MESSAGE = 'undone';
        END IF;
    EXCEPTION
        WHEN SQLSTATE 'TT001' THEN
            NULL;
        WHEN OTHERS THEN
            -- A rule of the schema, a constraint, or a value that no column takes: repeating it
            -- would not help. Everything else is the server's trouble and passes.
            IF SQLSTATE !~ '^(TU|22|23)' THEN
                RAISE;
            END IF;
            GET STACKED DIAGNOSTICS failed_constraint = CONSTRAINT_NAME;
            RETURN json_build_object('denied', json_build_object(
                'step', at, 'sqlstate', SQLSTATE, 'message', SQLERRM,
                'constraint', nullif(failed_constraint, '')));
    END;
    RETURN coalesce(answer, format('{"ok":true,"results":[%s],%s}',
        array_to_string(results, ','), facts));
END $$;

-- Whether all that a part writes are signs of life.
CREATE OR REPLACE FUNCTION trueup.has_only_signs_of_life(part jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = trueup, pg_temp AS $$
    SELECT coalesce(bool_and(statements.is_sign_of_life), false)
    FROM jsonb_array_elements(part -> 'steps') AS s (step)
    JOIN statements ON digest = s.step ->> 's' AND writes
$$;

RESET ROLE;

-- As SECURITY INVOKER, whoever may call it could as well change the tables. The wait for a turn is
-- bounded, since a caller by HTTPS cannot set it.
CREATE OR REPLACE FUNCTION trueup.exchange(request text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = trueup, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    parsed jsonb;
    part jsonb;
    answers text[] := '{}';
BEGIN
    parsed := parse_json(request);
    IF jsonb_typeof(parsed) IS DISTINCT FROM 'object' THEN
        RETURN '{"refused":"request"}';
    ELSIF parsed -> 'protocol' IS DISTINCT FROM '1' THEN
        RETURN '{"refused":"protocol","protocol":1}';
    END IF;
    -- In a batch one could hold its row while it waits for the turn of the next part.
    PERFORM set_config('trueup.is_sign_of_life',
        CASE WHEN NOT parsed ? 'batch' AND has_only_signs_of_life(parsed) THEN 'yes' ELSE '' END,
        true);
    FOR part IN SELECT value FROM jsonb_array_elements(
        CASE jsonb_typeof(parsed -> 'batch')
            WHEN 'array' THEN parsed -> 'batch' ELSE jsonb_build_array(parsed) END) LOOP
        answers := answers || run_part(part);
    END LOOP;
    -- What the caller's transaction still does has a time and a turn of its own.
    PERFORM set_config('trueup.clock', '', true);
    PERFORM set_config('trueup.is_sign_of_life', '', true);
    RETURN CASE WHEN parsed ? 'batch' THEN format('{"batch":[%s]}', array_to_string(answers, ','))
        ELSE answers[1] END;
END $$;

GRANT CREATE ON SCHEMA trueup TO trueup_agent;
ALTER FUNCTION trueup.exchange(text) OWNER TO trueup_agent;
REVOKE CREATE ON SCHEMA trueup FROM trueup_agent;
