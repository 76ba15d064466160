-- Work handed from one session to another. Only commands make and decide hand-offs, so their
-- rules and events are the store's, in the same transaction.
--
-- epoch is the fence of the sender's claim: accepting is conditional on it. shown_at is when
-- the addressed session was first shown it, told_at when the sender was told the decision.
CREATE TABLE handoffs (
    id            TEXT NOT NULL PRIMARY KEY,
    type          TEXT NOT NULL,
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
    shown_at      TEXT,
    told_at       TEXT,
    revision      INTEGER NOT NULL DEFAULT 1
) STRICT;

-- What a session's start looks for, however many hand-offs there were.
CREATE INDEX handoffs_open ON handoffs (to_session, repo)
    WHERE status IN ('pending_acceptance', 'blocked');
CREATE INDEX handoffs_untold ON handoffs (from_session)
    WHERE status IN ('accepted', 'rejected') AND told_at IS NULL;
