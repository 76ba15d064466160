-- What a hub needs: who may call it, who called by it, and what needs a person. Only programs of
-- trueup write these tables, so their events are the store's, in the same transaction.

-- A token is kept as its digest alone. A revoked name may be given to a new token, which takes its
-- row: the record of changes keeps who had it.
CREATE TABLE trueup.access_tokens (
    name       trueup.bytewise_text PRIMARY KEY,
    role       trueup.bytewise_text NOT NULL CHECK (role IN ('agent', 'reader', 'admin')),
    digest     trueup.bytewise_text NOT NULL UNIQUE,
    created_at trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    created_by trueup.bytewise_text NOT NULL,
    revoked_at trueup.bytewise_text,
    revoked_by trueup.bytewise_text
);

-- The token by which an operation was called.
CREATE TABLE trueup.callers (
    op_id       trueup.bytewise_text PRIMARY KEY,
    name        trueup.bytewise_text NOT NULL,
    recorded_at trueup.bytewise_text NOT NULL DEFAULT trueup.now_text()
);

CREATE INDEX callers_age ON trueup.callers (recorded_at);

CREATE TABLE trueup.attention (
    id           trueup.bytewise_text PRIMARY KEY,
    kind         trueup.bytewise_text NOT NULL,
    session      trueup.bytewise_text,
    item         trueup.bytewise_text,
    repo         trueup.bytewise_text,
    host         trueup.bytewise_text,
    line         trueup.bytewise_text NOT NULL,
    command      trueup.bytewise_text,
    content      trueup.bytewise_text CHECK (content IS NULL OR trueup.parse_json(content) IS NOT NULL),
    raised_at    trueup.bytewise_text NOT NULL DEFAULT trueup.now_text(),
    ended_at     trueup.bytewise_text,
    ended_by     trueup.bytewise_text,
    ended_reason trueup.bytewise_text
);

CREATE INDEX attention_age ON trueup.attention (raised_at);
CREATE INDEX attention_open ON trueup.attention (raised_at) WHERE ended_at IS NULL;

DO $$
DECLARE
    ruled text;
BEGIN
    FOREACH ruled IN ARRAY ARRAY['access_tokens', 'callers', 'attention'] LOOP
        EXECUTE format(
            'CREATE TRIGGER take_turn BEFORE INSERT OR UPDATE OR DELETE ON trueup.%I
             FOR EACH STATEMENT EXECUTE FUNCTION trueup.take_turn_before_change()', ruled);
        EXECUTE format(
            'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON trueup.%I
             FOR EACH STATEMENT EXECUTE FUNCTION trueup.refuse_truncate()', ruled);
    END LOOP;
END $$;

-- Statements that a client may run only as a hub: who calls is what they say.
ALTER TABLE trueup.statements ADD COLUMN is_for_hub boolean NOT NULL DEFAULT false;

-- A hub that waits for events is told of them when they are committed. It is a hint: whoever does
-- not hear it finds them behind its cursor.
CREATE FUNCTION trueup.notify_of_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY trueup_events;
    RETURN NULL;
END $$;

CREATE TRIGGER notify AFTER INSERT ON trueup.events
    FOR EACH STATEMENT EXECUTE FUNCTION trueup.notify_of_events();
