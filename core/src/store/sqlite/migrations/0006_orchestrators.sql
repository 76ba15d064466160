-- Who runs which plan. A row is one run of a plan; the newest of a plan has its highest epoch.

CREATE TABLE orchestrators (
    id           TEXT NOT NULL PRIMARY KEY
                 CHECK (length(id) BETWEEN 1 AND 64 AND id NOT GLOB '*[^A-Za-z0-9._-]*'
                        AND id NOT GLOB '[.-]*' AND id NOT GLOB '*..*'),
    -- The plan need not have been imported.
    plan_id      TEXT NOT NULL
                 CHECK (length(plan_id) BETWEEN 1 AND 200 AND plan_id NOT GLOB '*[^A-Za-z0-9._-]*'
                        AND plan_id NOT GLOB '[.-]*' AND plan_id NOT GLOB '*..*'),
    session_id   TEXT,
    host         TEXT NOT NULL,
    pid          INTEGER NOT NULL CHECK (pid BETWEEN 1 AND 4294967295),
    pid_started  INTEGER,
    boot_id      TEXT,
    -- 1 when the process is trueup itself, which runs a command and ends it when told to.
    supervised   INTEGER NOT NULL DEFAULT 0 CHECK (supervised IN (0, 1)),
    status       TEXT NOT NULL DEFAULT 'running'
                 CHECK (status IN ('running', 'stopping', 'stopped', 'crashed')),
    started_at   TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    heartbeat_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    stopped_at   TEXT,
    exit_code    INTEGER,
    signal       INTEGER,
    reason       TEXT,
    epoch        INTEGER NOT NULL CHECK (epoch > 0),
    revision     INTEGER NOT NULL DEFAULT 1,
    last_actor   TEXT,
    last_reason  TEXT,
    last_op      TEXT,
    -- What an event shows of a run.
    facts        TEXT GENERATED ALWAYS AS (json_object(
                     'plan_id', plan_id, 'status', status, 'session_id', session_id,
                     'host', host, 'pid', pid, 'exit_code', exit_code, 'signal', signal,
                     'reason', reason)) VIRTUAL
) STRICT, WITHOUT ROWID;

-- One orchestrator runs a plan. Every command that changes something walks this index for the
-- dead, so it holds the live alone.
CREATE UNIQUE INDEX orchestrators_one_per_plan ON orchestrators (plan_id)
    WHERE status IN ('running', 'stopping');
CREATE UNIQUE INDEX orchestrators_run ON orchestrators (plan_id, epoch);

-- REPLACE removes a row without a word, so what it would remove is refused before.
CREATE TRIGGER orchestrators_insert BEFORE INSERT ON orchestrators
BEGIN
    SELECT RAISE(ABORT, 'the orchestrator exists already: orchestrators.id is unique')
    WHERE EXISTS (SELECT 1 FROM orchestrators WHERE id = NEW.id);
    SELECT RAISE(ABORT, 'the plan has an orchestrator: orchestrators.plan_id is unique')
    WHERE EXISTS (SELECT 1 FROM orchestrators
                  WHERE plan_id = NEW.plan_id AND status IN ('running', 'stopping'));
    SELECT RAISE(ABORT, 'a run begins as running') WHERE NEW.status <> 'running';
    SELECT RAISE(ABORT, 'the epoch rises with each run of a plan')
    WHERE EXISTS (SELECT 1 FROM orchestrators
                  WHERE plan_id = NEW.plan_id AND epoch >= NEW.epoch);
END;

CREATE TRIGGER orchestrators_added AFTER INSERT ON orchestrators
BEGIN
    INSERT INTO events (actor, entity, key, kind, after, epoch, reason, op_id)
    VALUES (coalesce(NEW.last_actor, 'sql'), 'orchestrator', NEW.id, 'started', NEW.facts,
            NEW.epoch, NEW.last_reason, NEW.last_op);
END;

CREATE TRIGGER orchestrators_rules
BEFORE UPDATE OF id, plan_id, epoch, status, heartbeat_at, session_id, host, pid, exit_code, signal,
    reason ON orchestrators
BEGIN
    SELECT RAISE(ABORT, 'id, plan and epoch of a run never change')
    WHERE NEW.id <> OLD.id OR NEW.plan_id <> OLD.plan_id OR NEW.epoch <> OLD.epoch;
    SELECT RAISE(ABORT, 'a run that ended stays as it ended')
    WHERE OLD.status IN ('stopped', 'crashed');
    SELECT RAISE(ABORT, 'no legal change of status')
    WHERE OLD.status = 'stopping' AND NEW.status = 'running';
END;

-- A heartbeat is no news; a change of status, or of whom the row names, is.
CREATE TRIGGER orchestrators_changed AFTER UPDATE ON orchestrators
WHEN NEW.facts <> OLD.facts
BEGIN
    UPDATE orchestrators
    SET revision = OLD.revision + 1,
        stopped_at = iif(NEW.status IN ('stopped', 'crashed'),
                         strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), NULL)
    WHERE id = NEW.id;
    INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
    VALUES (iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor), 'orchestrator', NEW.id,
            iif(NEW.status = OLD.status, 'changed', NEW.status), OLD.facts, NEW.facts, NEW.epoch,
            iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
            nullif(NEW.last_op, OLD.last_op));
END;

-- The newest run of a plan stays, so that its epoch never goes back.
CREATE TRIGGER orchestrators_delete BEFORE DELETE ON orchestrators
WHEN OLD.status IN ('running', 'stopping')
  OR OLD.epoch = (SELECT max(epoch) FROM orchestrators WHERE plan_id = OLD.plan_id)
BEGIN SELECT RAISE(ABORT, 'the newest run of a plan stays'); END;
