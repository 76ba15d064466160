-- Types and functions that the tables and the statements use.
--
-- Statements are written once for both databases, so functions that SQLite has by itself exist
-- here under its names, as far as statements use them. Names that PostgreSQL 16 and later parse
-- as syntax (json_object, json, json_array) are avoided.

-- Keys are ordered by their bytes, as in SQLite, whatever the locale of the database.
CREATE DOMAIN trueup.bytewise_text AS text COLLATE "C";

-- Ignores the case of ASCII letters alone, as NOCASE does.
CREATE FUNCTION trueup.nocase(word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(word COLLATE "C");

-- Refuses a change. The texts are those of SQLite's triggers.
CREATE FUNCTION trueup.refuse(code text, message text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message;
END $$;

-- Serialises all who change something until their transaction ends. Numbers of events then follow
-- the order of commits, which readers that go on from a number rely on, and a count of rows cannot
-- miss what another transaction is about to commit. The key spells TRUP.
CREATE FUNCTION trueup.take_turn() RETURNS void
LANGUAGE sql VOLATILE
RETURN pg_advisory_xact_lock(1414681936);

CREATE FUNCTION trueup.take_turn_before_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM trueup.take_turn();
    RETURN NULL;
END $$;

CREATE FUNCTION trueup.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM trueup.refuse('TU001', 'rows are removed by DELETE, which the rules see');
    RETURN NULL;
END $$;

CREATE FUNCTION trueup.format_time(moment timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN moment < '10000-01-01 00:00:00+00'
    THEN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') END;

-- The database's clock. An exchange reads it once, when its turn has come, so that all it writes
-- has one time, and none before that of an earlier commit. Declared STABLE so that an index
-- answers comparisons with it.
CREATE FUNCTION trueup.clock() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('trueup.clock', true), '')::timestamptz, clock_timestamp());

CREATE FUNCTION trueup.now_text() RETURNS text
LANGUAGE sql STABLE
RETURN trueup.format_time(trueup.clock());

-- A time that others wrote, in the canonical form; NULL when it is none.
CREATE FUNCTION trueup.parse_foreign_time(word text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET timezone = 'UTC' AS $$
BEGIN
    -- Words such as 'yesterday' are times to PostgreSQL alone.
    RETURN CASE WHEN word ~ '^\d{4}-\d\d-\d\d' THEN trueup.format_time(word::timestamptz) END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;

-- Only the one format that the statements use is known.
CREATE FUNCTION trueup.strftime(format text, moment text) RETURNS text
LANGUAGE sql STABLE
RETURN CASE
    WHEN moment = 'now' THEN trueup.now_text()
    WHEN moment ~ '^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$'
        THEN moment
    ELSE trueup.parse_foreign_time(moment) END;

CREATE FUNCTION trueup.strftime(format text, moment text, modifier text) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN moment = 'now' THEN trueup.format_time(trueup.clock() + modifier::interval) END;

CREATE FUNCTION trueup.instr(whole text, part text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN strpos(whole, part);

-- SQLite's max and min of several values are NULL as soon as one of them is.
CREATE FUNCTION trueup.max(a bigint, b bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN greatest(a, b) END;

CREATE FUNCTION trueup.min(a bigint, b bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN least(a, b) END;

CREATE FUNCTION trueup.max(a text, b text, c text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL
    THEN greatest(a COLLATE "C", b, c) END;

-- SQLite joins the values in the order of the index that it reads; here they are sorted.
CREATE FUNCTION trueup.add_to_group(so_far text[], word text, separator text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN word IS NULL THEN so_far ELSE coalesce(so_far, ARRAY[separator]) || word END;

CREATE FUNCTION trueup.join_group(so_far text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT string_agg(word, so_far[1] ORDER BY word COLLATE "C") FROM unnest(so_far[2:]) AS word);

CREATE AGGREGATE trueup.group_concat(text, text) (
    sfunc = trueup.add_to_group, stype = text[], finalfunc = trueup.join_group);

-- The values of a list.
CREATE FUNCTION trueup.json_each(list text) RETURNS TABLE (value text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT element FROM jsonb_array_elements_text(list::jsonb) AS element;
END;

-- A text as JSON; NULL when it is none.
CREATE FUNCTION trueup.parse_json(source text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN source::jsonb;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;

-- A text that is JSON is kept as it was written, so that whoever exports it finds its keys in
-- their order.
CREATE FUNCTION trueup.has_json_type(source text, wanted text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(jsonb_typeof(trueup.parse_json(source)) = wanted, false);

-- A value under a path such as $.execution_state.currentSd: a text as it is, a flag as 1 or 0.
CREATE FUNCTION trueup.json_extract(document jsonb, path text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT CASE jsonb_typeof(found)
            WHEN 'boolean' THEN CASE found::text WHEN 'true' THEN '1' ELSE '0' END
            ELSE found #>> '{}' END
        FROM (SELECT document #> string_to_array(substr(path, 3), '.') AS found) AS value);

-- RFC 7396: a null removes a key, an object is merged, anything else replaces.
CREATE FUNCTION trueup.json_patch(target jsonb, patch jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    merged jsonb := CASE jsonb_typeof(target) WHEN 'object' THEN target ELSE '{}' END;
    member record;
BEGIN
    IF jsonb_typeof(patch) IS DISTINCT FROM 'object' THEN
        RETURN patch;
    END IF;
    FOR member IN SELECT key, value FROM jsonb_each(patch) LOOP
        CASE jsonb_typeof(member.value)
            WHEN 'null' THEN
                merged := merged - member.key;
            WHEN 'object' THEN
                merged := merged || jsonb_build_object(
                    member.key, trueup.json_patch(merged -> member.key, member.value));
            ELSE
                merged := merged || jsonb_build_object(member.key, member.value);
        END CASE;
    END LOOP;
    RETURN merged;
END $$;

-- What caches mirror of a session's metadata, and the rest.
CREATE FUNCTION trueup.mirrored_state(metadata jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'execution_state', metadata -> 'execution_state',
    'auto_proceed', metadata -> 'auto_proceed',
    'chain_orchestrators', metadata -> 'chain_orchestrators');

CREATE FUNCTION trueup.other_metadata(metadata jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN metadata - '{execution_state,auto_proceed,chain_orchestrators}'::text[];

-- What events show of an item.
CREATE FUNCTION trueup.item_facts(
    title text, kind text, parent text, "position" bigint, repo text, status text, phase text,
    holder text, error_message text, evidence text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'title', title, 'kind', kind, 'parent', parent, 'position', "position", 'repo', repo,
    'status', status, 'phase', phase, 'holder', holder, 'error_message', error_message,
    'evidence', evidence);

-- What events show of a phase.
CREATE FUNCTION trueup.phase_facts(
    current_phase text, status text, depends_on_phases text, phase_data text, issue_number bigint,
    feature_id bigint, assigned_to text, adw_id text, pr_number bigint, priority bigint,
    queue_position bigint, error_message text, blocked_by text, orchestrator text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'current_phase', current_phase, 'status', status,
    'depends_on_phases', trueup.parse_json(depends_on_phases),
    'phase_data', trueup.parse_json(phase_data), 'issue_number', issue_number,
    'feature_id', feature_id, 'assigned_to', assigned_to, 'adw_id', adw_id,
    'pr_number', pr_number, 'priority', priority, 'queue_position', queue_position,
    'error_message', error_message, 'blocked_by', blocked_by, 'orchestrator', orchestrator);

-- What events show of a task of a plan.
CREATE FUNCTION trueup.plan_task_facts(
    title text, status text, phase_number bigint, phase_title text, priority text,
    "position" bigint, depends_on text, error text, skip_reason text, retry_count bigint,
    stuck bigint, orchestrator text, session text, started_by text, extra text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'title', title, 'status', status, 'phase_number', phase_number, 'phase_title', phase_title,
    'priority', priority, 'position', "position", 'depends_on', trueup.parse_json(depends_on),
    'error', error, 'skip_reason', skip_reason, 'retry_count', retry_count, 'stuck', stuck,
    'orchestrator', orchestrator, 'session', session, 'started_by', started_by,
    'extra', trueup.parse_json(extra));

-- Sets keys of the execution state. A state that is no object stays as it is.
CREATE FUNCTION trueup.set_execution_state(metadata jsonb, fields jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE coalesce(jsonb_typeof(metadata -> 'execution_state'), 'absent')
    WHEN 'object' THEN jsonb_set(metadata, '{execution_state}',
                                 (metadata -> 'execution_state') || fields)
    WHEN 'absent' THEN metadata || jsonb_build_object('execution_state', fields)
    ELSE metadata END;

-- Adds every key that the metadata may lack: a reader of the column by plain SQL finds them all,
-- absent values as null.
CREATE FUNCTION trueup.with_metadata_defaults(metadata jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN trueup.set_execution_state(
    '{"auto_proceed": false, "chain_orchestrators": false}'::jsonb || metadata,
    '{"currentSd": null, "currentPhase": null, "currentTask": null, "isActive": false,
      "wasInterrupted": false, "lastUpdatedAt": null}'::jsonb
    || CASE jsonb_typeof(metadata -> 'execution_state')
           WHEN 'object' THEN metadata -> 'execution_state' ELSE '{}' END);

-- The metadata after a push: the patch, when it was made, and what else the push notes of the
-- execution state.
CREATE FUNCTION trueup.patch_metadata(metadata jsonb, patch jsonb, notes jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN trueup.with_metadata_defaults(trueup.set_execution_state(
    trueup.json_patch(metadata, patch),
    jsonb_build_object('lastUpdatedAt', trueup.now_text()) || notes));

-- Who called: the subject of a token behind an HTTP gateway, otherwise the user who logged in.
CREATE FUNCTION trueup.caller() RETURNS text
LANGUAGE sql STABLE
RETURN coalesce(
    trueup.parse_json(nullif(current_setting('request.jwt.claims', true), '')) ->> 'sub',
    session_user::text);
