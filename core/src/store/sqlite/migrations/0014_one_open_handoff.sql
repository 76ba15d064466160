-- One open hand-off an item: of several the newest stays, the others are closed with a reason.

CREATE TEMP TABLE replaced AS
SELECT h.id, h.status,
       (SELECT n.id FROM handoffs n
        WHERE n.item = h.item AND n.status IN ('pending_acceptance', 'blocked')
        ORDER BY n.created_at DESC, n.rowid DESC LIMIT 1) AS by
FROM handoffs h WHERE h.status IN ('pending_acceptance', 'blocked');

DELETE FROM replaced WHERE by = id;

UPDATE handoffs
SET status = 'rejected', revision = revision + 1, decided_by = from_session,
    decided_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
    reject_reason = 'replaced by ' || (SELECT by FROM replaced r WHERE r.id = handoffs.id)
WHERE id IN (SELECT id FROM replaced);

INSERT INTO events (actor, entity, key, kind, before, after, reason)
SELECT 'trueup', 'handoff', id, 'rejected', json_object('status', status),
       json_object('status', 'rejected', 'reject_reason', 'replaced by ' || by),
       'one open hand-off an item'
FROM replaced ORDER BY id;

DROP TABLE replaced;

CREATE UNIQUE INDEX handoffs_one_open ON handoffs (item)
    WHERE status IN ('pending_acceptance', 'blocked');
