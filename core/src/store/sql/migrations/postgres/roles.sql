-- Roles belong to the cluster, so they may be there already, of another trueup database. None of
-- them logs in: `GRANT trueup_client TO somebody` lets somebody in.
--
-- trueup_owner   owns the tables and changes their schema
-- trueup_agent   owns trueup.exchange, which runs as it: what the statements need, no more
-- trueup_client  may call trueup.exchange: agents, their hooks and commands
-- trueup_hub     may call it as well, and say who called by which token: a hub
-- trueup_reader  may read the tables, but no digest of a token: dashboards
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'trueup_owner', 'trueup_agent', 'trueup_client', 'trueup_hub', 'trueup_reader'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
    -- A user without all rights changes the schema as a member of its owners.
    FOREACH wanted IN ARRAY ARRAY['trueup_owner', 'trueup_agent'] LOOP
        IF NOT pg_catalog.pg_has_role(current_user, wanted, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END $$;

CREATE SCHEMA IF NOT EXISTS trueup AUTHORIZATION trueup_owner;

SET LOCAL ROLE trueup_owner;

CREATE TABLE IF NOT EXISTS trueup.schema_migrations (
    version    bigint PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at text NOT NULL DEFAULT
        to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
);
