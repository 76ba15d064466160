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

-- A command makes a connection of its own, in which everything here is parsed and planned anew, and
-- the name of each function and operator is looked up in the catalogs. The bodies in SQL are stored
-- parsed, so what is not asked for in every request is in one of them, and little else is asked.

-- What earlier scripts made instead.
DROP FUNCTION IF EXISTS trueup.run_part(jsonb), trueup.run_reads(jsonb, int, boolean),
    trueup.has_only_signs_of_life(jsonb);

-- Takes a part apart. Arrays have a value for each step.
CREATE OR REPLACE FUNCTION trueup.examine_part(part jsonb)
RETURNS TABLE (
    mode text, steps jsonb, facts text, texts text[], writes boolean[], is_sign_of_life boolean,
    refusal text)
LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT part ->> 'mode', given.steps, known.facts, found.texts, found.writes,
           found.is_sign_of_life,
           CASE
               WHEN (part ->> 'mode' IN ('read', 'try', 'commit')) IS NOT TRUE THEN 'mode'
               WHEN (part ->> 'schema')::bigint <> trueup.schema_version() THEN 'schema'
               WHEN part ->> 'lineage' <> known.lineage THEN 'lineage'
               ELSE 'unregistered statement ' || found.unknown END
    FROM (SELECT coalesce(part -> 'steps', '[]') AS steps) AS given
    CROSS JOIN LATERAL (
        SELECT array_agg(s.text ORDER BY e.number) AS texts,
               array_agg(s.writes ORDER BY e.number) AS writes,
               coalesce(bool_and(s.is_sign_of_life) FILTER (WHERE s.writes), false)
                   AS is_sign_of_life,
               min(coalesce(e.step ->> 's', 'null')) FILTER (WHERE s.digest IS NULL) AS unknown
        FROM jsonb_array_elements(given.steps) WITH ORDINALITY AS e (step, number)
        LEFT JOIN trueup.statements AS s ON s.digest = e.step ->> 's') AS found
    CROSS JOIN (
        SELECT m.value AS lineage,
               '"schema":' || trueup.schema_version() || ',"lineage":' || to_json(m.value) AS facts
        FROM trueup.trueup_meta AS m WHERE m.key = 'lineage') AS known;
END;

-- Renders rows as the answer has them: arrays of their values in the order of the columns, a flag as
-- 1 or 0, JSON as a text. The digest leaves out read_at, the clock.
CREATE OR REPLACE FUNCTION trueup.render_rows(found json[])
RETURNS TABLE (shown text, digest text)
LANGUAGE sql IMMUTABLE BEGIN ATOMIC
    SELECT '[' || coalesce(string_agg(r.shown, ','), '') || ']',
           md5(coalesce(string_agg(coalesce(r.seen, ''), E'\n'), 'none'))
    FROM unnest(found) AS f (found_row) CROSS JOIN LATERAL (
        SELECT '[' || string_agg(v.word, ',') || ']' AS shown,
               string_agg(v.word, ',') FILTER (WHERE v.key <> 'read_at') AS seen
        FROM (SELECT c.key, CASE json_typeof(c.value)
                  WHEN 'object' THEN to_json(c.value::text)::text
                  WHEN 'array' THEN to_json(c.value::text)::text
                  WHEN 'boolean' THEN CASE c.value::text WHEN 'true' THEN '1' ELSE '0' END
                  ELSE c.value::text END AS word
              FROM json_each(f.found_row) AS c) AS v) AS r;
END;

-- Runs the reads from a step on, up to the next write. STABLE, so that all see one snapshot, and
-- PostgreSQL itself refuses a write.
CREATE OR REPLACE FUNCTION trueup.run_reads(
    texts text[], writes boolean[], steps jsonb, first int, takes_changed_rows boolean,
    OUT results text[], OUT next int, OUT is_conflict boolean)
LANGUAGE plpgsql STABLE SET search_path = trueup, pg_temp AS $$
DECLARE
    found json[];
    shown text;
    digest text;
    seen text;
BEGIN
    next := first;
    WHILE NOT writes[next + 1] LOOP
        EXECUTE 'SELECT array_agg(row_to_json(q)) FROM (' || texts[next + 1] || ') AS q'
        INTO found USING steps -> next -> 'a';
        SELECT r.shown, r.digest, steps -> next ->> 'd' INTO shown, digest, seen
        FROM render_rows(found) AS r;
        IF seen = digest THEN
            results := results || '{"same":true}'::text;
        ELSIF seen IS NULL OR takes_changed_rows THEN
            results := results || ('{"rows":' || shown || ',"digest":"' || digest || '"}');
        ELSE
            is_conflict := true;
            RETURN;
        END IF;
        next := next + 1;
    END LOOP;
END $$;

-- Runs one part of a request in a subtransaction of its own; returns its answer. In a batch nothing
-- is a sign of life: it could hold its row while it waits for the turn of the next part.
CREATE OR REPLACE FUNCTION trueup.run_part(part jsonb, is_batch boolean) RETURNS text
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
DECLARE
    given record;
    at int := 0;
    reads record;
    changed bigint;
    results text[];
    answer text;
    failed_constraint text;
BEGIN
    SELECT * INTO given FROM examine_part(part);
    IF given.refusal IS NOT NULL THEN
        RETURN format('{"refused":%s,%s}', to_json(given.refusal), given.facts);
    END IF;
    IF given.mode = 'commit' THEN
        IF is_batch OR NOT given.is_sign_of_life THEN
            PERFORM pg_advisory_xact_lock(1414681936);
        ELSE
            PERFORM set_config('trueup.is_sign_of_life', 'yes', true);
        END IF;
    END IF;
    PERFORM set_config('trueup.clock', clock_timestamp()::text, true);
    BEGIN
        LOOP
            reads := run_reads(given.texts, given.writes, given.steps, at, given.mode = 'read');
            results := results || reads.results;
            at := reads.next;
            EXIT WHEN reads.is_conflict OR given.writes[at + 1] IS NULL OR given.mode = 'read';
            EXECUTE given.texts[at + 1] USING given.steps -> at -> 'a';
            GET DIAGNOSTICS changed = ROW_COUNT;
            EXIT WHEN (given.steps -> at ->> 'n')::bigint <> changed;
            results := results || ('{"changed":' || changed || '}');
            at := at + 1;
        END LOOP;
        answer := CASE
            WHEN given.writes[at + 1] IS NULL THEN
                '{"ok":true,"results":[' || coalesce(array_to_string(results, ','), '') || '],'
                || given.facts || '}'
            WHEN given.mode = 'read' AND reads.is_conflict IS NOT TRUE THEN
                '{"refused":"writes in a read",' || given.facts || '}'
            ELSE '{"conflict":' || at || '}' END;
        IF given.mode = 'try' OR given.mode = 'commit' AND given.writes[at + 1] IS NOT NULL THEN
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
            answer := json_build_object('denied', json_build_object(
                'step', at, 'sqlstate', SQLSTATE, 'message', SQLERRM,
                'constraint', nullif(failed_constraint, '')));
    END;
    -- What the caller's transaction still does has a time and a turn of its own.
    PERFORM set_config('trueup.clock', '', true), set_config('trueup.is_sign_of_life', '', true);
    RETURN answer;
END $$;

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
    ELSIF (jsonb_typeof(parsed -> 'batch') = 'array') IS NOT TRUE THEN
        RETURN run_part(parsed, false);
    END IF;
    FOR part IN SELECT value FROM jsonb_array_elements(parsed -> 'batch') LOOP
        answers := answers || run_part(part, true);
    END LOOP;
    RETURN format('{"batch":[%s]}', array_to_string(answers, ','));
END $$;

GRANT CREATE ON SCHEMA trueup TO trueup_agent;
ALTER FUNCTION trueup.exchange(text) OWNER TO trueup_agent;
REVOKE CREATE ON SCHEMA trueup FROM trueup_agent;
