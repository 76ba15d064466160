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
-- A read with "d" was seen before: "same" when its rows still are those, otherwise a conflict; in
-- mode read, the rows as they are now. A write with "n" must change as many rows.
--
--   {"ok":true,"results":[[{column: value,…},…]|"same"|<number of changed rows>,…]}
--   {"conflict":<step>}
--   {"denied":{"step":i,"sqlstate":"TU012","message":"…","constraint":"…"}}
--   {"refused":"<why>","schema":19,"lineage":"…"}
--
-- The digest of rows is what digest_rows makes of their text in an answer.
--
-- What may succeed when it is repeated (a deadlock, a lock that was waited for too long) is raised
-- as an error.

-- A command makes a connection of its own, in which everything here is parsed and planned anew, and
-- the name of each function and operator is looked up in the catalogs. So what usual requests do
-- not need stands behind a condition, where nothing of it is looked at, and the client does what it
-- can: it takes the values out of the rows, and makes the digests.

-- What earlier scripts made instead.
DROP FUNCTION IF EXISTS trueup.run_part(jsonb), trueup.run_reads(jsonb, int, boolean),
    trueup.has_only_signs_of_life(jsonb), trueup.examine_part(jsonb), trueup.render_rows(json[]),
    trueup.run_reads(text[], boolean[], jsonb, int, boolean);

-- Says why a request is not looked at, and what database this is.
CREATE OR REPLACE FUNCTION trueup.refuse_request(why text) RETURNS text
LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT json_build_object('refused', why, 'schema', trueup.schema_version(), 'lineage', m.value)
    FROM trueup.trueup_meta AS m WHERE m.key = 'lineage';
END;

-- Whether the caller is a hub or owns the database. Behind an HTTP gateway, and after SET ROLE, the
-- role that was taken on is the caller, not the user who logged in.
CREATE OR REPLACE FUNCTION trueup.is_hub() RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT pg_has_role(caller, 'trueup_hub', 'MEMBER')
               OR pg_has_role(caller, 'trueup_owner', 'MEMBER')
        FROM coalesce(nullif(current_setting('role'), 'none')::name, session_user) AS caller);

-- Says that a step is a hub's.
CREATE OR REPLACE FUNCTION trueup.deny_to_client(step int) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN json_build_object('denied', json_build_object(
    'step', step, 'sqlstate', 'TU040', 'constraint', NULL,
    'message', 'only a hub may do this: a user in the role trueup_hub'));

-- The digest of rows, given their text. The clock, a column named read_at, would make each differ.
CREATE OR REPLACE FUNCTION trueup.digest_rows(found text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN encode(sha256(convert_to(
    regexp_replace(found, '"read_at":"[^"]*"', '', 'g'), 'UTF8')), 'hex');

-- Runs reads. STABLE, so that all see one snapshot, and PostgreSQL itself refuses a write.
CREATE OR REPLACE FUNCTION trueup.run_reads(steps jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = trueup, pg_temp AS $$
DECLARE
    step jsonb;
    statement text;
    is_write boolean;
    is_hubs boolean;
    at int := -1;
    found text;
    results text;
BEGIN
    PERFORM set_config('trueup.clock', format_time(clock_timestamp()), true);
    -- One statement looked up at a time: that is planned once, and costs half of a join.
    FOR step IN SELECT jsonb_array_elements(steps) LOOP
        at := at + 1;
        SELECT text, writes, is_for_hub INTO statement, is_write, is_hubs
        FROM statements WHERE digest = step ->> 's';
        IF is_write IS NULL THEN
            RETURN refuse_request('unregistered statement ' || coalesce(step ->> 's', 'null'));
        ELSIF is_write THEN
            RETURN refuse_request('writes in a read');
        ELSIF is_hubs THEN
            IF NOT is_hub() THEN
                RETURN deny_to_client(at);
            END IF;
        END IF;
        EXECUTE 'SELECT coalesce(json_agg(q)::text, ''[]'') FROM (' || statement || ') AS q'
        INTO found USING step -> 'a';
        IF step ? 'd' THEN
            IF digest_rows(found) = step ->> 'd' THEN
                found := '"same"';
            END IF;
        END IF;
        results := concat_ws(',', results, found);
    END LOOP;
    RETURN '{"ok":true,"results":[' || concat(results) || ']}';
END $$;

-- Runs steps in a subtransaction of their own, which is undone unless all of them are committed. In
-- a batch nothing is a sign of life: it could hold its row while it waits for the turn of the next
-- part.
CREATE OR REPLACE FUNCTION trueup.run_steps(mode text, steps jsonb, is_batch boolean) RETURNS text
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
DECLARE
    step jsonb;
    statement record;
    texts text[];
    writes boolean[];
    is_sign_of_life boolean := NOT is_batch;
    at int := 0;
    changed bigint;
    found text;
    results text;
    is_conflict boolean := false;
    denial json;
    failed_constraint text;
BEGIN
    FOR step IN SELECT jsonb_array_elements(steps) LOOP
        SELECT s.text, s.writes, s.is_sign_of_life, s.is_for_hub INTO statement
        FROM statements AS s WHERE s.digest = step ->> 's';
        IF statement IS NULL THEN
            RETURN refuse_request('unregistered statement ' || coalesce(step ->> 's', 'null'));
        END IF;
        IF statement.is_for_hub THEN
            IF NOT is_hub() THEN
                RETURN deny_to_client(at);
            END IF;
        END IF;
        at := at + 1;
        texts[at] := statement.text;
        writes[at] := statement.writes;
        IF statement.writes AND NOT statement.is_sign_of_life THEN
            is_sign_of_life := false;
        END IF;
    END LOOP;
    IF mode = 'commit' THEN
        IF is_sign_of_life THEN
            PERFORM set_config('trueup.is_sign_of_life', 'yes', true);
        ELSE
            PERFORM pg_advisory_xact_lock(1414681936);
        END IF;
    END IF;
    at := 0;
    PERFORM set_config('trueup.clock', format_time(clock_timestamp()), true);
    BEGIN
        FOR step IN SELECT jsonb_array_elements(steps) LOOP
            at := at + 1;
            IF writes[at] THEN
                EXECUTE texts[at] USING step -> 'a';
                GET DIAGNOSTICS changed = ROW_COUNT;
                is_conflict := changed <> (step -> 'n')::bigint;
                found := changed;
            ELSE
                EXECUTE 'SELECT coalesce(json_agg(q)::text, ''[]'') FROM (' || texts[at] || ') AS q'
                INTO found USING step -> 'a';
                IF step ? 'd' THEN
                    is_conflict := digest_rows(found) <> step ->> 'd';
                    found := '"same"';
                END IF;
            END IF;
            EXIT WHEN is_conflict;
            results := concat_ws(',', results, found);
        END LOOP;
        IF is_conflict OR mode = 'try' THEN
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
            denial := json_build_object(
                'step', at - 1, 'sqlstate', SQLSTATE, 'message', SQLERRM,
                'constraint', nullif(failed_constraint, ''));
    END;
    IF is_sign_of_life THEN
        -- What the caller's transaction still does has a turn of its own.
        PERFORM set_config('trueup.is_sign_of_life', '', true);
    END IF;
    IF denial IS NOT NULL THEN
        RETURN json_build_object('denied', denial);
    ELSIF is_conflict THEN
        RETURN json_build_object('conflict', at - 1);
    END IF;
    RETURN '{"ok":true,"results":[' || concat(results) || ']}';
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
    answers text;
BEGIN
    BEGIN
        parsed := request;
    EXCEPTION WHEN data_exception THEN
        NULL;
    END;
    IF (parsed -> 'protocol' = '1') IS NOT TRUE THEN
        RETURN CASE jsonb_typeof(parsed)
            WHEN 'object' THEN '{"refused":"protocol","protocol":1}'
            ELSE '{"refused":"request"}' END;
    ELSIF (parsed ->> 'schema')::bigint <> schema_version() THEN
        RETURN refuse_request('schema');
    ELSIF parsed ->> 'lineage' IS NOT NULL THEN
        IF parsed ->> 'lineage' <> (SELECT value FROM trueup_meta WHERE key = 'lineage') THEN
            RETURN refuse_request('lineage');
        END IF;
    END IF;
    IF parsed ->> 'mode' = 'read' THEN
        answers := run_reads(parsed -> 'steps');
    ELSIF parsed ->> 'mode' IN ('try', 'commit') THEN
        answers := run_steps(parsed ->> 'mode', parsed -> 'steps', parsed ? 'in_batch');
    ELSIF jsonb_typeof(parsed -> 'batch') = 'array' THEN
        FOR part IN SELECT value FROM jsonb_array_elements(parsed -> 'batch') LOOP
            part := part || '{"protocol":1,"in_batch":true}';
            answers := concat_ws(',', answers, exchange(part::text));
        END LOOP;
        answers := '{"batch":[' || concat(answers) || ']}';
    ELSE
        answers := refuse_request('mode');
    END IF;
    -- What the caller's transaction still does has a time of its own.
    PERFORM set_config('trueup.clock', '', true);
    RETURN answers;
END $$;

GRANT CREATE ON SCHEMA trueup TO trueup_agent;
ALTER FUNCTION trueup.exchange(text) OWNER TO trueup_agent;
REVOKE CREATE ON SCHEMA trueup FROM trueup_agent;
