-- Who runs which plan. A row is one run of a plan; the newest of a plan has its highest epoch.
-- The plan need not have been imported. supervised is 1 when the process is trueup itself,
-- which runs a command and ends it when told to. Only commands begin and end runs, so the store
-- records it.
CREATE TABLE orchestrators (
    id           TEXT NOT NULL PRIMARY KEY,
    plan_id      TEXT NOT NULL,
    session_id   TEXT,
    host         TEXT NOT NULL,
    pid          INTEGER NOT NULL,
    pid_started  INTEGER,
    boot_id      TEXT,
    supervised   INTEGER NOT NULL DEFAULT 0,
    status       TEXT NOT NULL DEFAULT 'running'
                 CHECK (status IN ('running', 'stopping', 'stopped', 'crashed')),
    started_at   TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    heartbeat_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    stopped_at   TEXT,
    exit_code    INTEGER,
    signal       INTEGER,
    reason       TEXT,
    epoch        INTEGER NOT NULL,
    revision     INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

-- One orchestrator runs a plan. Every command that changes something walks this index for the
-- dead, so it holds the live alone.
CREATE UNIQUE INDEX orchestrators_one_per_plan ON orchestrators (plan_id)
    WHERE status IN ('running', 'stopping');
CREATE UNIQUE INDEX orchestrators_run ON orchestrators (plan_id, epoch);
