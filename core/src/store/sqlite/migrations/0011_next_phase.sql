-- What comes next is found without walking over what items were finished without.

-- Whether the item of a phase was finished since the phase was added. Of one that was before, the
-- question looks at the item: nobody adds thousands of such.
ALTER TABLE phase_queue ADD COLUMN is_over INTEGER NOT NULL DEFAULT 0 CHECK (is_over IN (0, 1));

UPDATE phase_queue SET is_over = 1
WHERE item IN (SELECT key FROM work_items WHERE status IN ('completed', 'failed', 'cancelled'));

DROP INDEX phase_queue_next;
CREATE INDEX phase_queue_next ON phase_queue (priority, queue_position, phase_number)
    WHERE status = 'ready' AND is_over = 0;

CREATE TRIGGER work_items_over AFTER UPDATE OF status ON work_items
WHEN (NEW.status IN ('completed', 'failed', 'cancelled'))
     <> (OLD.status IN ('completed', 'failed', 'cancelled'))
BEGIN
    UPDATE phase_queue SET is_over = NEW.status IN ('completed', 'failed', 'cancelled')
    WHERE item = NEW.key;
END;
