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
    -- Computed before the CHECK above is: it must not fail first.
    branch                TEXT GENERATED ALWAYS AS (
                              CASE WHEN json_valid(metadata)
                                   THEN json_extract(metadata, '$.branch') END) VIRTUAL,
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
                  CHECK (length(key) BETWEEN 1 AND 200 AND key NOT GLOB '*[^A-Za-z0-9._:#-]*'),
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
    last_op       TEXT
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
WHEN json_extract(NEW.metadata, '$.execution_state', '$.auto_proceed', '$.chain_orchestrators')
  <> json_extract(OLD.metadata, '$.execution_state', '$.auto_proceed', '$.chain_orchestrators')
BEGIN
    UPDATE claude_sessions SET revision = OLD.revision + 1 WHERE session_id = NEW.session_id;
    INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
    VALUES (CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_actor ELSE 'sql' END,
            'session', NEW.session_id, 'state',
            json_object('execution_state', json_extract(OLD.metadata, '$.execution_state'),
                        'auto_proceed', json_extract(OLD.metadata, '$.auto_proceed'),
                        'chain_orchestrators', json_extract(OLD.metadata, '$.chain_orchestrators')),
            json_object('execution_state', json_extract(NEW.metadata, '$.execution_state'),
                        'auto_proceed', json_extract(NEW.metadata, '$.auto_proceed'),
                        'chain_orchestrators', json_extract(NEW.metadata, '$.chain_orchestrators')),
            CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_reason END,
            CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_op END);
END;

-- Other keys of the metadata changed: an event, but nothing a cache mirrors.
CREATE TRIGGER claude_sessions_metadata AFTER UPDATE OF metadata ON claude_sessions
WHEN json_remove(NEW.metadata, '$.execution_state', '$.auto_proceed', '$.chain_orchestrators')
  <> json_remove(OLD.metadata, '$.execution_state', '$.auto_proceed', '$.chain_orchestrators')
BEGIN
    INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
    VALUES (CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_actor ELSE 'sql' END,
            'session', NEW.session_id, 'metadata',
            json_remove(OLD.metadata, '$.execution_state', '$.auto_proceed', '$.chain_orchestrators'),
            json_remove(NEW.metadata, '$.execution_state', '$.auto_proceed', '$.chain_orchestrators'),
            CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_reason END,
            CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_op END);
END;

-- Active and idle alternate with every turn; only the others are news.
CREATE TRIGGER claude_sessions_status AFTER UPDATE OF status ON claude_sessions
WHEN NEW.status <> OLD.status
 AND NOT (NEW.status IN ('active', 'idle') AND OLD.status IN ('active', 'idle'))
BEGIN
    INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
    VALUES (CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_actor ELSE 'sql' END,
            'session', NEW.session_id, NEW.status,
            json_object('status', OLD.status), json_object('status', NEW.status),
            CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_reason END,
            CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_op END);
END;

-- A fence that went back would let an old holder write again.
CREATE TRIGGER work_items_fence BEFORE UPDATE OF claim_epoch ON work_items
WHEN NEW.claim_epoch < OLD.claim_epoch
BEGIN SELECT RAISE(ABORT, 'a claim epoch never goes back'); END;

CREATE TRIGGER work_items_added AFTER INSERT ON work_items
BEGIN
    INSERT INTO events (actor, entity, key, kind, after, reason, op_id)
    VALUES (coalesce(NEW.last_actor, 'sql'), 'item', NEW.key, 'added',
            json_object('title', NEW.title, 'kind', NEW.kind, 'parent', NEW.parent,
                        'position', NEW.position, 'status', NEW.status),
            NEW.last_reason, NEW.last_op);
END;

CREATE TRIGGER work_items_changed
AFTER UPDATE OF title, kind, parent, position, repo, status, phase, holder, error_message, evidence
ON work_items
WHEN NEW.title IS NOT OLD.title OR NEW.kind <> OLD.kind OR NEW.parent IS NOT OLD.parent
  OR NEW.position IS NOT OLD.position OR NEW.repo IS NOT OLD.repo OR NEW.status <> OLD.status
  OR NEW.phase IS NOT OLD.phase OR NEW.holder IS NOT OLD.holder
  OR NEW.error_message IS NOT OLD.error_message OR NEW.evidence IS NOT OLD.evidence
BEGIN
    UPDATE work_items
    SET revision = OLD.revision + 1,
        updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        -- A new holder by plain SQL is fenced like any other.
        claim_epoch = CASE
            WHEN NEW.holder IS NOT NULL AND NEW.holder IS NOT OLD.holder
                 AND NEW.claim_epoch = OLD.claim_epoch THEN OLD.claim_epoch + 1
            ELSE NEW.claim_epoch END,
        claimed_at = CASE
            WHEN NEW.holder IS NULL THEN NULL
            WHEN NEW.holder IS NOT OLD.holder THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
            ELSE NEW.claimed_at END
    WHERE key = NEW.key;
    INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
    VALUES (CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_actor ELSE 'sql' END,
            'item', NEW.key,
            CASE WHEN NEW.holder IS NOT OLD.holder AND NEW.holder IS NULL THEN 'released'
                 WHEN NEW.holder IS NOT OLD.holder AND OLD.holder IS NULL THEN 'claimed'
                 WHEN NEW.holder IS NOT OLD.holder THEN 'taken_over'
                 WHEN NEW.status <> OLD.status THEN 'status'
                 ELSE 'changed' END,
            json_object('title', OLD.title, 'kind', OLD.kind, 'parent', OLD.parent,
                        'position', OLD.position, 'status', OLD.status, 'phase', OLD.phase,
                        'holder', OLD.holder),
            json_object('title', NEW.title, 'kind', NEW.kind, 'parent', NEW.parent,
                        'position', NEW.position, 'status', NEW.status, 'phase', NEW.phase,
                        'holder', NEW.holder),
            -- The fence as the update above left it.
            (SELECT claim_epoch FROM work_items WHERE key = NEW.key),
            CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_reason END,
            CASE WHEN NEW.last_op IS NOT OLD.last_op THEN NEW.last_op END);
END;

-- Who holds what is part of what both caches show.
CREATE TRIGGER work_items_holder AFTER UPDATE OF holder ON work_items
WHEN NEW.holder IS NOT OLD.holder
BEGIN
    -- An ended session without an item is nothing a sweep looks at; any with one is.
    UPDATE claude_sessions
    SET revision = revision + 1,
        settled = CASE WHEN session_id IS NEW.holder THEN 0
                       WHEN status = 'ended' THEN 1
                       ELSE settled END
    WHERE session_id IN (OLD.holder, NEW.holder);
END;

CREATE TRIGGER work_items_added_held AFTER INSERT ON work_items
WHEN NEW.holder IS NOT NULL
BEGIN
    UPDATE claude_sessions SET revision = revision + 1, settled = 0
    WHERE session_id = NEW.holder;
END;
