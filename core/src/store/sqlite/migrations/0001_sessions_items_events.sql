-- Sessions, work items and the record of every change.
-- Times are RFC 3339 in UTC with milliseconds, so that they sort as text.

CREATE TABLE trueup_meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE claude_sessions (
    session_id            TEXT NOT NULL PRIMARY KEY,
    metadata              TEXT NOT NULL DEFAULT '{}'
                          CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    repo                  TEXT,
    worktree              TEXT,
    -- Computed before the CHECK above is: they must not fail first.
    branch                TEXT GENERATED ALWAYS AS (
                              iif(json_valid(metadata), metadata ->> 'branch', NULL)) VIRTUAL,
    -- What caches mirror of the metadata, and the rest. The shorter the triggers below, the
    -- faster every process starts: SQLite parses all of them before the first statement.
    state                 TEXT GENERATED ALWAYS AS (iif(json_valid(metadata), json_object(
                              'execution_state', metadata -> 'execution_state',
                              'auto_proceed', metadata -> 'auto_proceed',
                              'chain_orchestrators', metadata -> 'chain_orchestrators'), NULL)) VIRTUAL,
    others                TEXT GENERATED ALWAYS AS (iif(json_valid(metadata), json_remove(metadata,
                              '$.execution_state', '$.auto_proceed', '$.chain_orchestrators'), NULL)) VIRTUAL,
    host                  TEXT,
    pid                   INTEGER,
    pid_started           INTEGER,
    boot_id               TEXT,
    status                TEXT NOT NULL DEFAULT 'active'
                          CHECK (status IN ('active', 'idle', 'ended', 'lost')),
    ended_reason          TEXT,
    predecessor           TEXT,
    registered_at         TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    heartbeat_at          TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    lease_expires_at      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+900 seconds')),
    silent_until          TEXT,
    revision              INTEGER NOT NULL DEFAULT 1 CHECK (revision > 0),
    acknowledged_revision INTEGER NOT NULL DEFAULT 0,
    -- 1 once a sweep has nothing more to look at here.
    settled               INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1)),
    -- Who made the newest change, why, and in which operation. A change that leaves last_op
    -- as it was came from plain SQL.
    last_actor            TEXT,
    last_reason           TEXT,
    last_op               TEXT
) STRICT;

-- Sweeps look for the oldest lease, whatever the number of sessions.
CREATE INDEX claude_sessions_lease ON claude_sessions (lease_expires_at) WHERE settled = 0;
CREATE INDEX claude_sessions_worktree ON claude_sessions (worktree, status, heartbeat_at);

CREATE TABLE work_items (
    key           TEXT NOT NULL PRIMARY KEY
                  CHECK (length(key) BETWEEN 1 AND 200 AND key NOT GLOB '*[^A-Za-z0-9._:#-]*'
                         AND key NOT GLOB '[.-]*' AND key NOT GLOB '*..*'),
    title         TEXT,
    kind          TEXT NOT NULL DEFAULT 'task',
    parent        TEXT REFERENCES work_items (key),
    position      INTEGER,
    repo          TEXT,
    status        TEXT NOT NULL DEFAULT 'queued'
                  CHECK (status IN ('queued', 'ready', 'running', 'blocked',
                                    'completed', 'failed', 'cancelled')),
    phase         TEXT,
    holder        TEXT REFERENCES claude_sessions (session_id),
    claim_epoch   INTEGER NOT NULL DEFAULT 0 CHECK (claim_epoch >= 0),
    claimed_at    TEXT,
    error_message TEXT,
    evidence      TEXT,
    revision      INTEGER NOT NULL DEFAULT 1,
    created_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    completed_at  TEXT,
    last_actor    TEXT,
    last_reason   TEXT,
    last_op       TEXT,
    -- What an event shows of an item.
    facts         TEXT GENERATED ALWAYS AS (json_object(
                      'title', title, 'kind', kind, 'parent', parent, 'position', position,
                      'repo', repo, 'status', status, 'phase', phase, 'holder', holder,
                      'error_message', error_message, 'evidence', evidence)) VIRTUAL
) STRICT;

-- A session holds one item at a time.
CREATE UNIQUE INDEX work_items_one_per_holder ON work_items (holder) WHERE holder IS NOT NULL;
CREATE INDEX work_items_parent ON work_items (parent, position);

CREATE TABLE events (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    actor  TEXT NOT NULL,
    entity TEXT NOT NULL,
    key    TEXT NOT NULL,
    kind   TEXT NOT NULL,
    before TEXT,
    after  TEXT,
    epoch  INTEGER,
    reason TEXT,
    op_id  TEXT
) STRICT;

CREATE INDEX events_subject ON events (entity, key, seq);
CREATE INDEX events_actor ON events (actor, seq);
-- One operation changes one thing once.
CREATE UNIQUE INDEX events_operation ON events (op_id, entity, key, kind) WHERE op_id IS NOT NULL;

CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- REPLACE removes the row in its way without firing the trigger above.
CREATE TRIGGER events_no_replace BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE seq = NEW.seq)
  OR EXISTS (SELECT 1 FROM events WHERE op_id = NEW.op_id AND entity = NEW.entity
             AND key = NEW.key AND kind = NEW.kind)
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER claude_sessions_added AFTER INSERT ON claude_sessions
BEGIN
    INSERT INTO events (actor, entity, key, kind, after, reason, op_id)
    VALUES (coalesce(NEW.last_actor, 'sql'), 'session', NEW.session_id, 'registered',
            json_object('status', NEW.status, 'worktree', NEW.worktree, 'host', NEW.host,
                        'predecessor', NEW.predecessor),
            NEW.last_reason, NEW.last_op);
END;

-- The state that caches mirror changed, by whatever hand: a new revision.
CREATE TRIGGER claude_sessions_state AFTER UPDATE OF metadata ON claude_sessions
WHEN NEW.state <> OLD.state
BEGIN
    UPDATE claude_sessions SET revision = OLD.revision + 1 WHERE session_id = NEW.session_id;
    INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
    VALUES (iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor),
            'session', NEW.session_id, 'state', OLD.state, NEW.state,
            iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
            nullif(NEW.last_op, OLD.last_op));
END;

-- Other keys of the metadata changed: an event, but nothing a cache mirrors.
CREATE TRIGGER claude_sessions_metadata AFTER UPDATE OF metadata ON claude_sessions
WHEN NEW.others <> OLD.others
BEGIN
    INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
    VALUES (iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor),
            'session', NEW.session_id, 'metadata', OLD.others, NEW.others,
            iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
            nullif(NEW.last_op, OLD.last_op));
END;

-- Active and idle alternate with every turn; only the others are news.
CREATE TRIGGER claude_sessions_status AFTER UPDATE OF status ON claude_sessions
WHEN NEW.status <> OLD.status
 AND NOT (NEW.status IN ('active', 'idle') AND OLD.status IN ('active', 'idle'))
BEGIN
    INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
    VALUES (iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor),
            'session', NEW.session_id, NEW.status,
            json_object('status', OLD.status), json_object('status', NEW.status),
            iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
            nullif(NEW.last_op, OLD.last_op));
END;

-- A fence that went back would let an old holder write again.
CREATE TRIGGER work_items_fence BEFORE UPDATE OF claim_epoch ON work_items
WHEN NEW.claim_epoch < OLD.claim_epoch
BEGIN SELECT RAISE(ABORT, 'a claim epoch never goes back'); END;

CREATE TRIGGER work_items_added AFTER INSERT ON work_items
BEGIN
    INSERT INTO events (actor, entity, key, kind, after, reason, op_id)
    VALUES (coalesce(NEW.last_actor, 'sql'), 'item', NEW.key, 'added', NEW.facts,
            NEW.last_reason, NEW.last_op);
    UPDATE claude_sessions SET revision = revision + 1, settled = 0
    WHERE session_id = NEW.holder;
END;

CREATE TRIGGER work_items_changed AFTER UPDATE ON work_items
WHEN NEW.facts <> OLD.facts
BEGIN
    UPDATE work_items
    SET revision = OLD.revision + 1,
        updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        -- A new holder by plain SQL is fenced like any other.
        claim_epoch = NEW.claim_epoch
            + (NEW.holder IS NOT NULL AND NEW.holder IS NOT OLD.holder
               AND NEW.claim_epoch = OLD.claim_epoch),
        claimed_at = CASE
            WHEN NEW.holder IS OLD.holder THEN NEW.claimed_at
            WHEN NEW.holder IS NOT NULL THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END
    WHERE key = NEW.key;
    INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
    VALUES (iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor), 'item', NEW.key,
            CASE WHEN NEW.holder IS OLD.holder
                      THEN iif(NEW.status = OLD.status, 'changed', 'status')
                 WHEN NEW.holder IS NULL THEN 'released'
                 WHEN OLD.holder IS NULL THEN 'claimed'
                 ELSE 'taken_over' END,
            OLD.facts, NEW.facts,
            -- The fence as the update above left it.
            (SELECT claim_epoch FROM work_items WHERE key = NEW.key),
            iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
            nullif(NEW.last_op, OLD.last_op));
    -- Who holds what is part of what both caches show, and its title of what a model was told. An ended session without an item is
    -- nothing a sweep looks at; any with one is.
    UPDATE claude_sessions
    SET revision = revision + 1,
        settled = CASE WHEN session_id IS NEW.holder THEN 0
                       WHEN status = 'ended' THEN 1
                       ELSE settled END
    WHERE (NEW.holder IS NOT OLD.holder OR NEW.title IS NOT OLD.title)
      AND session_id IN (OLD.holder, NEW.holder);
END;
