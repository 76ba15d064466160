-- Phases of items: order, dependencies, fences.

-- queue_id is ITEM:NUMBER where trueup adds the row. parent_issue is feature_id under the name
-- of the first design. Priority: the lower, the sooner; 50 is usual, 10 urgent. assigned_to is a
-- session, perhaps one that was pruned since. blocked_by is the phase whose failure blocked this
-- one, none where somebody did. What an event shows is in facts.
CREATE TABLE phase_queue (
    queue_id          TEXT NOT NULL PRIMARY KEY
                      CHECK (length(queue_id) BETWEEN 1 AND 240
                             AND queue_id NOT GLOB '*[^A-Za-z0-9._:#-]*'
                             AND queue_id NOT GLOB '[.-]*' AND queue_id NOT GLOB '*..*'),
    item              TEXT NOT NULL REFERENCES work_items (key),
    issue_number      INTEGER,
    feature_id        INTEGER,
    parent_issue      INTEGER GENERATED ALWAYS AS (feature_id) VIRTUAL,
    phase_number      INTEGER NOT NULL CHECK (phase_number BETWEEN 1 AND 2147483647),
    current_phase     TEXT NOT NULL
                      CHECK (current_phase IN ('plan', 'validate', 'build', 'lint', 'test',
                                               'review', 'document', 'ship', 'cleanup', 'verify')),
    status            TEXT NOT NULL DEFAULT 'queued'
                      CHECK (status IN ('queued', 'ready', 'running', 'blocked',
                                        'completed', 'failed', 'cancelled')),
    depends_on_phases TEXT NOT NULL DEFAULT '[]'
                      CHECK (json_valid(depends_on_phases) AND json_type(depends_on_phases) = 'array'),
    phase_data        TEXT CHECK (phase_data IS NULL
                             OR json_valid(phase_data) AND json_type(phase_data) = 'object'),
    assigned_to       TEXT,
    adw_id            TEXT,
    pr_number         INTEGER,
    priority          INTEGER NOT NULL DEFAULT 50,
    queue_position    INTEGER,
    created_at        TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at        TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    completed_at      TEXT,
    ready_timestamp   TEXT,
    started_timestamp TEXT,
    error_message     TEXT,
    blocked_by        TEXT,
    orchestrator      TEXT,
    revision          INTEGER NOT NULL DEFAULT 1,
    reopened          INTEGER NOT NULL DEFAULT 0,
    under_epoch       INTEGER,
    last_actor        TEXT,
    last_reason       TEXT,
    last_op           TEXT,
    facts             TEXT GENERATED ALWAYS AS (json_object(
                          'current_phase', current_phase, 'status', status,
                          'depends_on_phases',
                          json(iif(json_valid(depends_on_phases), depends_on_phases, 'null')),
                          'phase_data', json(iif(json_valid(phase_data), phase_data, 'null')),
                          'issue_number', issue_number, 'feature_id', feature_id,
                          'assigned_to', assigned_to, 'adw_id', adw_id, 'pr_number', pr_number,
                          'priority', priority, 'queue_position', queue_position,
                          'error_message', error_message, 'blocked_by', blocked_by,
                          'orchestrator', orchestrator)) VIRTUAL,
    UNIQUE (item, phase_number)
) STRICT;

-- The next phase, and those at work, whatever the number of rows.
CREATE INDEX phase_queue_next ON phase_queue (priority, queue_position, phase_number)
    WHERE status = 'ready';
CREATE INDEX phase_queue_running ON phase_queue (updated_at) WHERE status = 'running';
CREATE INDEX phase_queue_worker ON phase_queue (assigned_to) WHERE status = 'running';
CREATE INDEX phase_queue_position ON phase_queue (queue_position);

-- What a phase depends on is there already, so that there is never a circle.
CREATE TRIGGER phase_queue_insert BEFORE INSERT ON phase_queue
BEGIN
    SELECT CASE
        WHEN EXISTS (SELECT 1 FROM phase_queue WHERE queue_id = NEW.queue_id
                     OR item = NEW.item AND phase_number = NEW.phase_number)
            THEN RAISE(ABORT, 'the phase exists already: phase_queue.queue_id and its number are unique')
        WHEN NOT EXISTS (SELECT 1 FROM work_items WHERE key = NEW.item)
            THEN RAISE(ABORT, 'a phase belongs to an item')
        WHEN NEW.assigned_to IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.assigned_to)
            THEN RAISE(ABORT, 'a phase is assigned to a registered session')
    END;
    SELECT CASE
        WHEN d.type <> 'integer' OR p.status IS NULL
            THEN RAISE(ABORT, 'a phase depends on phases of its item that are there already')
        WHEN NEW.status IN ('ready', 'running') AND p.status <> 'completed'
            THEN RAISE(ABORT, 'a phase is ready once all it depends on is completed')
    END
    FROM json_each(iif(json_valid(NEW.depends_on_phases), NEW.depends_on_phases, '[]')) d
    LEFT JOIN phase_queue p ON p.item = NEW.item AND p.phase_number = d.value;
END;

CREATE TRIGGER phase_queue_added AFTER INSERT ON phase_queue
BEGIN
    UPDATE phase_queue
    SET under_epoch = NULL,
        ready_timestamp = iif(status = 'ready', created_at, ready_timestamp)
    WHERE queue_id = NEW.queue_id;
    INSERT INTO events (actor, entity, key, kind, after, epoch, reason, op_id)
    SELECT coalesce(NEW.last_actor, 'sql'), 'phase', NEW.queue_id, 'added', NEW.facts, claim_epoch,
           NEW.last_reason, NEW.last_op
    FROM work_items WHERE key = NEW.item;
END;

CREATE TRIGGER phase_queue_rules
BEFORE UPDATE OF queue_id, item, phase_number, depends_on_phases, status, assigned_to ON phase_queue
BEGIN
    SELECT CASE
        WHEN (NEW.queue_id, NEW.item, NEW.phase_number, NEW.depends_on_phases)
             IS NOT (OLD.queue_id, OLD.item, OLD.phase_number, OLD.depends_on_phases)
            THEN RAISE(ABORT, 'id, item, number and dependencies of a phase never change')
        WHEN NEW.assigned_to <> coalesce(OLD.assigned_to, '')
             AND NOT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.assigned_to)
            THEN RAISE(ABORT, 'a phase is assigned to a registered session')
        WHEN NEW.status = OLD.status THEN NULL
        WHEN EXISTS (SELECT 1 FROM work_items WHERE key = NEW.item AND holder IS NOT NULL
                     AND claim_epoch IS NOT NEW.under_epoch)
            THEN RAISE(ABORT, 'the item is held: the write needs the epoch of its claim')
        WHEN NOT EXISTS (
                SELECT 1 FROM legal_transitions
                WHERE entity = 'phase' AND from_status = OLD.status AND to_status = NEW.status
                  AND (back = 0 OR NEW.reopened = OLD.reopened + 1
                       AND NEW.last_op IS NOT OLD.last_op AND NEW.last_reason <> ''))
            THEN RAISE(ABORT, 'no legal change of status')
        WHEN NEW.status IN ('ready', 'running')
             AND EXISTS (SELECT 1 FROM json_each(NEW.depends_on_phases) d
                         LEFT JOIN phase_queue p ON p.item = NEW.item AND p.phase_number = d.value
                         WHERE p.status IS NOT 'completed')
            THEN RAISE(ABORT, 'a phase is ready once all it depends on is completed')
    END;
END;

CREATE TRIGGER phase_queue_changed AFTER UPDATE ON phase_queue
WHEN NEW.facts <> OLD.facts OR NEW.under_epoch IS NOT NULL
BEGIN
    UPDATE phase_queue
    SET revision = OLD.revision + (NEW.facts <> OLD.facts),
        updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        under_epoch = NULL
    WHERE queue_id = NEW.queue_id;
    UPDATE phase_queue
    SET ready_timestamp = CASE status
            WHEN 'queued' THEN NULL WHEN 'ready' THEN updated_at ELSE ready_timestamp END,
        started_timestamp = CASE
            WHEN status = 'running' THEN updated_at
            WHEN status NOT IN ('queued', 'ready') THEN started_timestamp END,
        completed_at = iif(status IN ('completed', 'failed', 'cancelled'), updated_at, NULL)
    WHERE queue_id = NEW.queue_id AND NEW.status <> OLD.status;
    INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
    SELECT iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor), 'phase', NEW.queue_id,
           CASE WHEN NEW.reopened > OLD.reopened THEN 'reopened'
                WHEN NEW.status <> OLD.status THEN 'status'
                ELSE 'changed' END,
           OLD.facts, NEW.facts, claim_epoch,
           iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
           nullif(NEW.last_op, OLD.last_op)
    FROM work_items WHERE key = NEW.item AND NEW.facts <> OLD.facts;
END;

CREATE TRIGGER phase_queue_delete BEFORE DELETE ON phase_queue
WHEN EXISTS (SELECT 1 FROM phase_queue WHERE item = OLD.item
             AND status NOT IN ('completed', 'failed', 'cancelled'))
BEGIN SELECT RAISE(ABORT, 'a phase stays while its item has phases to do'); END;

CREATE TRIGGER work_items_phases BEFORE DELETE ON work_items
WHEN EXISTS (SELECT 1 FROM phase_queue WHERE item = OLD.key)
BEGIN SELECT RAISE(ABORT, 'an item with phases stays'); END;
