-- What a hub needs: who may call it, who called by it, and what needs a person. Only programs of
-- trueup write these tables, so their events are the store's, in the same transaction.

-- A token is kept as its digest alone. A revoked name may be given to a new token, which takes its
-- row: the record of changes keeps who had it.
CREATE TABLE access_tokens (
    name       TEXT NOT NULL PRIMARY KEY,
    role       TEXT NOT NULL CHECK (role IN ('agent', 'reader', 'admin')),
    digest     TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    created_by TEXT NOT NULL,
    revoked_at TEXT,
    revoked_by TEXT
) STRICT;

-- The token by which an operation was called.
CREATE TABLE callers (
    op_id       TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL,
    recorded_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT, WITHOUT ROWID;

CREATE INDEX callers_age ON callers (recorded_at);

CREATE TABLE attention (
    id           TEXT NOT NULL PRIMARY KEY,
    kind         TEXT NOT NULL,
    session      TEXT,
    item         TEXT,
    repo         TEXT,
    host         TEXT,
    line         TEXT NOT NULL,
    command      TEXT,
    content      TEXT,
    raised_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    ended_at     TEXT,
    ended_by     TEXT,
    ended_reason TEXT
) STRICT;

CREATE INDEX attention_age ON attention (raised_at);
CREATE INDEX attention_open ON attention (raised_at) WHERE ended_at IS NULL;
