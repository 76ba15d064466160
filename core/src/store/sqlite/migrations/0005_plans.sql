-- Plans and their tasks. Counts are not stored: they are always counted from the tasks. Of a
-- plan only imports speak, so the store records them; tasks are guarded and recorded here.
--
-- extra is what else a status file said, value for value. reopened counts the times a task
-- went back: a status goes back only in a write that raises it and gives a reason.
CREATE TABLE plans (
    plan_id     TEXT NOT NULL PRIMARY KEY,
    path        TEXT NOT NULL UNIQUE,
    title       TEXT,
    extra       TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(extra)),
    revision    INTEGER NOT NULL DEFAULT 1,
    created_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

CREATE TABLE plan_tasks (
    plan_id      TEXT NOT NULL,
    id           TEXT NOT NULL,
    phase_number INTEGER,
    phase_title  TEXT,
    title        TEXT NOT NULL,
    status       TEXT NOT NULL DEFAULT 'pending'
                 CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'skipped')),
    priority     TEXT,
    position     INTEGER NOT NULL DEFAULT 0,
    depends_on   TEXT NOT NULL DEFAULT '[]'
                 CHECK (json_valid(depends_on) AND json_type(depends_on) = 'array'),
    extra        TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(extra)),
    started_at   TEXT,
    completed_at TEXT,
    error        TEXT,
    skip_reason  TEXT,
    retry_count  INTEGER NOT NULL DEFAULT 0 CHECK (retry_count BETWEEN 0 AND 2),
    stuck        INTEGER NOT NULL DEFAULT 0,
    orchestrator TEXT,
    session      TEXT,
    started_by   TEXT,
    revision     INTEGER NOT NULL DEFAULT 1,
    reopened     INTEGER NOT NULL DEFAULT 0,
    updated_at   TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    last_actor   TEXT,
    last_reason  TEXT,
    last_op      TEXT,
    facts        TEXT GENERATED ALWAYS AS (iif(json_valid(extra) AND json_valid(depends_on),
                     json_object('title', title, 'status', status, 'phase_number', phase_number,
                         'phase_title', phase_title, 'priority', priority, 'position', position,
                         'depends_on', json(depends_on), 'error', error,
                         'skip_reason', skip_reason, 'retry_count', retry_count, 'stuck', stuck,
                         'orchestrator', orchestrator, 'session', session,
                         'started_by', started_by, 'extra', json(extra)), NULL)) VIRTUAL,
    PRIMARY KEY (plan_id, id)
) STRICT, WITHOUT ROWID;

-- What a sweep looks at, the longest silent first.
CREATE INDEX plan_tasks_in_progress ON plan_tasks (updated_at) WHERE status = 'in_progress';
CREATE INDEX plan_tasks_orchestrator ON plan_tasks (orchestrator) WHERE status = 'in_progress';

CREATE TRIGGER plan_tasks_insert BEFORE INSERT ON plan_tasks
BEGIN
    SELECT CASE
        WHEN EXISTS (SELECT 1 FROM plan_tasks WHERE (plan_id, id) = (NEW.plan_id, NEW.id))
            THEN RAISE(ABORT, 'the task exists already: plan_tasks.id is unique in its plan')
        WHEN NOT EXISTS (SELECT 1 FROM plans WHERE plan_id = NEW.plan_id)
            THEN RAISE(ABORT, 'a task is of a plan')
        WHEN NEW.session IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.session)
            THEN RAISE(ABORT, 'who works on a task is a registered session')
    END;
END;

-- With the CHECK on the count, the limit of retries holds for whoever writes.
CREATE TRIGGER plan_tasks_rules
BEFORE UPDATE OF plan_id, id, status, retry_count, reopened, session ON plan_tasks
BEGIN
    SELECT CASE
        WHEN (NEW.plan_id, NEW.id) <> (OLD.plan_id, OLD.id)
            THEN RAISE(ABORT, 'a key never changes')
        WHEN NEW.retry_count < OLD.retry_count OR NEW.reopened < OLD.reopened
            THEN RAISE(ABORT, 'a count never goes back')
        WHEN NEW.session <> coalesce(OLD.session, '')
             AND NOT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.session)
            THEN RAISE(ABORT, 'who works on a task is a registered session')
        WHEN NEW.status = OLD.status THEN NULL
        WHEN NOT EXISTS (
                SELECT 1 FROM legal_transitions
                WHERE entity = 'plan_task' AND from_status = OLD.status AND to_status = NEW.status
                  AND (back = 0 OR NEW.reopened = OLD.reopened + 1
                       AND NEW.last_op IS NOT OLD.last_op AND NEW.last_reason <> ''))
            THEN RAISE(ABORT, 'no legal change of status')
        WHEN OLD.status = 'failed' AND NEW.status = 'pending'
             AND NEW.retry_count <> OLD.retry_count + 1
            THEN RAISE(ABORT, 'a failed task goes back by a retry, which is counted')
    END;
END;

CREATE TRIGGER plan_tasks_delete BEFORE DELETE ON plan_tasks
BEGIN SELECT RAISE(ABORT, 'a task of a plan stays'); END;

CREATE TRIGGER plans_delete BEFORE DELETE ON plans
BEGIN SELECT RAISE(ABORT, 'a plan stays'); END;

CREATE TRIGGER plan_tasks_changed AFTER UPDATE ON plan_tasks
WHEN NEW.facts <> OLD.facts
BEGIN
    UPDATE plan_tasks
    SET revision = OLD.revision + 1,
        updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        started_at = CASE
            WHEN NEW.status = OLD.status THEN NEW.started_at
            WHEN NEW.status = 'in_progress' THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
            WHEN NEW.status <> 'pending' THEN NEW.started_at END,
        completed_at = CASE
            WHEN NEW.status = OLD.status THEN NEW.completed_at
            WHEN NEW.status NOT IN ('pending', 'in_progress')
            THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END
    WHERE plan_id = NEW.plan_id AND id = NEW.id;
    INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
    VALUES (iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor), 'plan_task',
            NEW.plan_id || '/' || NEW.id,
            CASE WHEN NEW.reopened > OLD.reopened THEN 'reopened'
                 WHEN NEW.status <> OLD.status THEN 'status'
                 ELSE 'changed' END,
            OLD.facts, NEW.facts,
            iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
            nullif(NEW.last_op, OLD.last_op));
END;
