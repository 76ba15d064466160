-- Work handed from one session to another.

CREATE TABLE handoffs (
    id            TEXT NOT NULL PRIMARY KEY,
    type          TEXT NOT NULL
                  CHECK (length(type) BETWEEN 1 AND 64 AND type NOT GLOB '*[^A-Za-z0-9_-]*'),
    status        TEXT NOT NULL DEFAULT 'pending_acceptance'
                  CHECK (status IN ('pending_acceptance', 'accepted', 'rejected', 'blocked')),
    item          TEXT NOT NULL,
    from_session  TEXT NOT NULL,
    to_session    TEXT CHECK (to_session <> from_session),
    repo          TEXT,
    worktree      TEXT,
    branch        TEXT,
    phase         TEXT,
    task          TEXT,
    -- The fence of the sender's claim: accepting is conditional on it.
    epoch         INTEGER NOT NULL,
    summary       TEXT,
    deliverables  TEXT,
    decisions     TEXT,
    known_issues  TEXT,
    resources     TEXT,
    actions       TEXT,
    created_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    decided_at    TEXT,
    decided_by    TEXT,
    reject_reason TEXT,
    -- When the addressed session was first shown it, and the sender told the decision.
    shown_at      TEXT,
    told_at       TEXT,
    revision      INTEGER NOT NULL DEFAULT 1,
    last_actor    TEXT,
    last_reason   TEXT,
    last_op       TEXT,
    -- What an event shows of a hand-off.
    facts         TEXT GENERATED ALWAYS AS (json_object(
                      'type', type, 'status', status, 'item', item, 'from_session', from_session,
                      'to_session', to_session, 'branch', branch, 'phase', phase, 'task', task,
                      'summary', summary, 'deliverables', deliverables, 'decisions', decisions,
                      'known_issues', known_issues, 'resources', resources, 'actions', actions,
                      'decided_by', decided_by, 'reject_reason', reject_reason)) VIRTUAL
) STRICT;

-- What a session's start looks for, however many hand-offs there were.
CREATE INDEX handoffs_open ON handoffs (to_session, repo)
    WHERE status IN ('pending_acceptance', 'blocked');
CREATE INDEX handoffs_untold ON handoffs (from_session)
    WHERE status IN ('accepted', 'rejected') AND told_at IS NULL;

CREATE TRIGGER handoffs_insert BEFORE INSERT ON handoffs
BEGIN
    SELECT RAISE(ABORT, 'the hand-off exists already: handoffs.id is unique')
    WHERE EXISTS (SELECT 1 FROM handoffs WHERE id = NEW.id);
    SELECT RAISE(ABORT, 'a hand-off starts undecided')
    WHERE NEW.status <> 'pending_acceptance' OR NEW.decided_by IS NOT NULL;
    SELECT RAISE(ABORT, 'who hands an item on holds it under the epoch of the hand-off')
    WHERE NOT EXISTS (SELECT 1 FROM work_items WHERE key = NEW.item
                      AND holder = NEW.from_session AND claim_epoch = NEW.epoch);
    SELECT RAISE(ABORT, 'a hand-off is addressed to a registered session')
    WHERE NEW.to_session IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = NEW.to_session);
END;

-- A hand-off is nothing that caches mirror, so it raises no revision, which would turn an edit
-- of the reader into a lost one: the reader counts as not told yet instead.
CREATE TRIGGER handoffs_added AFTER INSERT ON handoffs
BEGIN
    INSERT INTO events (actor, entity, key, kind, after, epoch, reason, op_id)
    VALUES (coalesce(NEW.last_actor, 'sql'), 'handoff', NEW.id, 'created', NEW.facts, NEW.epoch,
            NEW.last_reason, NEW.last_op);
    UPDATE claude_sessions SET acknowledged_revision = min(acknowledged_revision, revision - 1)
    WHERE session_id = NEW.to_session;
END;

CREATE TRIGGER handoffs_rules BEFORE UPDATE ON handoffs
WHEN NEW.facts <> OLD.facts OR NEW.id <> OLD.id OR NEW.epoch <> OLD.epoch
BEGIN
    SELECT RAISE(ABORT, 'what is handed on, by whom and to whom never changes')
    WHERE NEW.id <> OLD.id OR NEW.type <> OLD.type OR NEW.item <> OLD.item
       OR NEW.from_session <> OLD.from_session OR NEW.to_session IS NOT OLD.to_session
       OR NEW.epoch <> OLD.epoch;
    SELECT RAISE(ABORT, 'no legal change of status')
    WHERE NEW.status <> OLD.status
      AND (OLD.status IN ('accepted', 'rejected') OR NEW.status = 'pending_acceptance');
    SELECT RAISE(ABORT, 'a decision is made once, with the status')
    WHERE NEW.status = OLD.status
      AND (NEW.decided_by IS NOT OLD.decided_by OR NEW.reject_reason IS NOT OLD.reject_reason);
    SELECT RAISE(ABORT, 'who accepts a hand-off holds its item')
    WHERE NEW.status = 'accepted' AND OLD.status <> 'accepted'
      AND NOT EXISTS (SELECT 1 FROM work_items WHERE key = NEW.item AND holder = NEW.decided_by);
    SELECT RAISE(ABORT, 'a hand-off is accepted by whom it is addressed to')
    WHERE NEW.status = 'accepted' AND OLD.status <> 'accepted'
      AND NEW.to_session <> NEW.decided_by
      AND NOT EXISTS (SELECT 1 FROM claude_sessions
                      WHERE session_id = NEW.decided_by AND predecessor = NEW.to_session);
    SELECT RAISE(ABORT, 'a rejection says by whom, and why')
    WHERE NEW.status = 'rejected' AND OLD.status <> 'rejected'
      AND (NEW.decided_by IS NULL OR coalesce(NEW.reject_reason, '') = '');
END;

CREATE TRIGGER handoffs_changed AFTER UPDATE ON handoffs
WHEN NEW.facts <> OLD.facts
BEGIN
    UPDATE handoffs
    SET revision = OLD.revision + 1,
        decided_at = CASE WHEN NEW.status = OLD.status THEN NEW.decided_at
                          WHEN NEW.status <> 'blocked' THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
                     END
    WHERE id = NEW.id;
    INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
    VALUES (iif(NEW.last_op IS OLD.last_op, 'sql', NEW.last_actor), 'handoff', NEW.id,
            iif(NEW.status = OLD.status, 'changed', NEW.status), OLD.facts, NEW.facts, NEW.epoch,
            iif(NEW.last_op IS OLD.last_op, NULL, NEW.last_reason),
            nullif(NEW.last_op, OLD.last_op));
    UPDATE claude_sessions SET acknowledged_revision = min(acknowledged_revision, revision - 1)
    WHERE session_id = NEW.from_session AND session_id IS NOT NEW.decided_by
      AND NEW.status <> OLD.status AND NEW.status <> 'blocked';
END;

-- One that may still be accepted stays; what is decided or moved on may be forgotten.
CREATE TRIGGER handoffs_delete BEFORE DELETE ON handoffs
WHEN OLD.status IN ('pending_acceptance', 'blocked')
 AND EXISTS (SELECT 1 FROM work_items WHERE key = OLD.item AND claim_epoch = OLD.epoch
             AND status NOT IN ('completed', 'failed', 'cancelled'))
BEGIN SELECT RAISE(ABORT, 'a hand-off that may still be accepted stays'); END;
