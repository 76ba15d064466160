-- A plan goes when a command removes it. The command names it here within its transaction, so that
-- plain SQL removes neither a plan nor a task by mistake.

DROP TRIGGER plan_tasks_delete;
DROP TRIGGER plans_delete;

CREATE TRIGGER plan_tasks_delete BEFORE DELETE ON plan_tasks
WHEN NOT EXISTS (SELECT 1 FROM trueup_meta WHERE key = 'removing_plan' AND value = OLD.plan_id)
BEGIN SELECT RAISE(ABORT, 'a task of a plan stays'); END;

CREATE TRIGGER plans_delete BEFORE DELETE ON plans
WHEN NOT EXISTS (SELECT 1 FROM trueup_meta WHERE key = 'removing_plan' AND value = OLD.plan_id)
BEGIN SELECT RAISE(ABORT, 'a plan stays'); END;

-- An item that a command removes is told of by the command, who knows by whom and why.
DROP TRIGGER work_items_removed;

CREATE TRIGGER work_items_removed AFTER DELETE ON work_items
WHEN NOT EXISTS (SELECT 1 FROM trueup_meta WHERE key = 'removing_item' AND value = OLD.key)
BEGIN
    INSERT INTO events (actor, entity, key, kind, before, epoch)
    VALUES ('sql', 'item', OLD.key, 'removed', OLD.facts, OLD.claim_epoch);
END;
