-- Rules of phases and plans.

-- The phases that a phase depends on, with their numbers as they are written. A number that is
-- none, or of a phase that is not there, has no status.
CREATE FUNCTION trueup.phase_dependencies(of_item text, numbers text)
RETURNS TABLE (phase_number text, status text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.number #>> '{}', p.status::text
    FROM jsonb_array_elements(
        CASE WHEN trueup.has_json_type(numbers, 'array') THEN numbers::jsonb ELSE '[]' END
    ) AS d (number)
    LEFT JOIN trueup.phase_queue p ON p.item = of_item
        AND jsonb_typeof(d.number) = 'number' AND d.number::text = p.phase_number::text;
END;

CREATE FUNCTION trueup.check_new_phase() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM phase_queue WHERE queue_id = NEW.queue_id
               OR item = NEW.item AND phase_number = NEW.phase_number) THEN
        PERFORM refuse('TU016',
            'the phase exists already: phase_queue.queue_id and its number are unique');
    ELSIF NOT EXISTS (SELECT 1 FROM work_items WHERE key = NEW.item) THEN
        PERFORM refuse('TU017', 'a phase belongs to an item');
    ELSIF NEW.assigned_to IS NOT NULL AND NOT is_registered(NEW.assigned_to) THEN
        PERFORM refuse('TU018', 'a phase is assigned to a registered session');
    ELSIF EXISTS (SELECT 1 FROM phase_dependencies(NEW.item, NEW.depends_on_phases) d
                  WHERE d.status IS NULL) THEN
        PERFORM refuse('TU019', 'a phase depends on phases of its item that are there already');
    ELSIF NEW.status IN ('ready', 'running')
        AND EXISTS (SELECT 1 FROM phase_dependencies(NEW.item, NEW.depends_on_phases) d
                    WHERE d.status <> 'completed') THEN
        PERFORM refuse('TU020', 'a phase is ready once all it depends on is completed');
    END IF;
    NEW.under_epoch := NULL;
    IF NEW.status = 'ready' THEN
        NEW.ready_timestamp := NEW.created_at;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rules_of_new BEFORE INSERT ON trueup.phase_queue
FOR EACH ROW EXECUTE FUNCTION trueup.check_new_phase();

CREATE FUNCTION trueup.record_phase_added() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    PERFORM add_event(true, coalesce(NEW.last_actor, 'sql'), NEW.last_reason, NEW.last_op,
        'phase', NEW.queue_id, 'added', NULL, NEW.facts,
        (SELECT claim_epoch FROM work_items WHERE key = NEW.item));
    RETURN NULL;
END $$;

CREATE TRIGGER added AFTER INSERT ON trueup.phase_queue
FOR EACH ROW EXECUTE FUNCTION trueup.record_phase_added();

CREATE FUNCTION trueup.check_phase() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
DECLARE
    is_moved boolean := NEW.status <> OLD.status;
    is_changed boolean;
BEGIN
    IF (NEW.queue_id, NEW.item, NEW.phase_number, NEW.depends_on_phases)
        IS DISTINCT FROM (OLD.queue_id, OLD.item, OLD.phase_number, OLD.depends_on_phases) THEN
        PERFORM refuse('TU021', 'id, item, number and dependencies of a phase never change');
    ELSIF NEW.assigned_to <> coalesce(OLD.assigned_to, '') AND NOT is_registered(NEW.assigned_to) THEN
        PERFORM refuse('TU018', 'a phase is assigned to a registered session');
    ELSIF is_moved AND EXISTS (
            SELECT 1 FROM work_items WHERE key = NEW.item AND holder IS NOT NULL
            AND claim_epoch IS DISTINCT FROM NEW.under_epoch) THEN
        PERFORM refuse('TU011', 'the item is held: the write needs the epoch of its claim');
    ELSIF is_moved AND NOT is_legal_transition('phase', OLD.status, NEW.status,
            NEW.reopened = OLD.reopened + 1 AND NEW.last_op IS DISTINCT FROM OLD.last_op,
            NEW.last_reason) THEN
        PERFORM refuse('TU012', 'no legal change of status');
    ELSIF is_moved AND NEW.status IN ('ready', 'running')
        AND EXISTS (SELECT 1 FROM phase_dependencies(NEW.item, NEW.depends_on_phases) d
                    WHERE d.status IS DISTINCT FROM 'completed') THEN
        PERFORM refuse('TU020', 'a phase is ready once all it depends on is completed');
    END IF;
    is_changed := OLD.facts <> phase_facts(
        NEW.current_phase, NEW.status, NEW.depends_on_phases, NEW.phase_data, NEW.issue_number,
        NEW.feature_id, NEW.assigned_to, NEW.adw_id, NEW.pr_number, NEW.priority,
        NEW.queue_position, NEW.error_message, NEW.blocked_by, NEW.orchestrator);
    IF NOT is_changed AND NEW.under_epoch IS NULL THEN
        RETURN NEW;
    END IF;
    NEW.revision := OLD.revision + is_changed::int;
    NEW.updated_at := now_text();
    NEW.under_epoch := NULL;
    IF is_moved THEN
        NEW.ready_timestamp := CASE NEW.status
            WHEN 'queued' THEN NULL WHEN 'ready' THEN NEW.updated_at ELSE NEW.ready_timestamp END;
        NEW.started_timestamp := CASE
            WHEN NEW.status = 'running' THEN NEW.updated_at
            WHEN NEW.status NOT IN ('queued', 'ready') THEN NEW.started_timestamp END;
        NEW.completed_at := CASE WHEN is_finished(NEW.status) THEN NEW.updated_at END;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rules BEFORE UPDATE ON trueup.phase_queue
FOR EACH ROW EXECUTE FUNCTION trueup.check_phase();

CREATE FUNCTION trueup.record_phase_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    PERFORM add_event(NEW.last_op IS DISTINCT FROM OLD.last_op, NEW.last_actor, NEW.last_reason,
        NEW.last_op, 'phase', NEW.queue_id,
        CASE WHEN NEW.reopened > OLD.reopened THEN 'reopened'
             WHEN NEW.status <> OLD.status THEN 'status'
             ELSE 'changed' END,
        OLD.facts, NEW.facts, (SELECT claim_epoch FROM work_items WHERE key = NEW.item));
    RETURN NULL;
END $$;

CREATE TRIGGER changed AFTER UPDATE ON trueup.phase_queue
FOR EACH ROW WHEN (NEW.facts <> OLD.facts) EXECUTE FUNCTION trueup.record_phase_change();

CREATE FUNCTION trueup.check_phase_removal() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM phase_queue WHERE item = OLD.item AND NOT is_finished(status)) THEN
        PERFORM refuse('TU022', 'a phase stays while its item has phases to do');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER rules_of_removal BEFORE DELETE ON trueup.phase_queue
FOR EACH ROW EXECUTE FUNCTION trueup.check_phase_removal();

CREATE FUNCTION trueup.check_new_plan_task() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM plan_tasks WHERE plan_id = NEW.plan_id AND id = NEW.id) THEN
        PERFORM refuse('TU023', 'the task exists already: plan_tasks.id is unique in its plan');
    ELSIF NOT EXISTS (SELECT 1 FROM plans WHERE plan_id = NEW.plan_id) THEN
        PERFORM refuse('TU024', 'a task is of a plan');
    ELSIF NEW.session IS NOT NULL AND NOT is_registered(NEW.session) THEN
        PERFORM refuse('TU025', 'who works on a task is a registered session');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rules_of_new BEFORE INSERT ON trueup.plan_tasks
FOR EACH ROW EXECUTE FUNCTION trueup.check_new_plan_task();

CREATE FUNCTION trueup.check_plan_task() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
DECLARE
    is_moved boolean := NEW.status <> OLD.status;
BEGIN
    IF (NEW.plan_id, NEW.id) <> (OLD.plan_id, OLD.id) THEN
        PERFORM refuse('TU009', 'a key never changes');
    ELSIF NEW.retry_count < OLD.retry_count OR NEW.reopened < OLD.reopened THEN
        PERFORM refuse('TU026', 'a count never goes back');
    ELSIF NEW.session <> coalesce(OLD.session, '') AND NOT is_registered(NEW.session) THEN
        PERFORM refuse('TU025', 'who works on a task is a registered session');
    ELSIF is_moved AND NOT is_legal_transition('plan_task', OLD.status, NEW.status,
            NEW.reopened = OLD.reopened + 1 AND NEW.last_op IS DISTINCT FROM OLD.last_op,
            NEW.last_reason) THEN
        PERFORM refuse('TU012', 'no legal change of status');
    ELSIF OLD.status = 'failed' AND NEW.status = 'pending'
        AND NEW.retry_count <> OLD.retry_count + 1 THEN
        PERFORM refuse('TU027', 'a failed task goes back by a retry, which is counted');
    END IF;
    IF OLD.facts IS NOT DISTINCT FROM plan_task_facts(
        NEW.title, NEW.status, NEW.phase_number, NEW.phase_title, NEW.priority, NEW.position,
        NEW.depends_on, NEW.error, NEW.skip_reason, NEW.retry_count, NEW.stuck, NEW.orchestrator,
        NEW.session, NEW.started_by, NEW.extra) THEN
        RETURN NEW;
    END IF;
    NEW.revision := OLD.revision + 1;
    NEW.updated_at := now_text();
    IF is_moved THEN
        NEW.started_at := CASE
            WHEN NEW.status = 'in_progress' THEN NEW.updated_at
            WHEN NEW.status <> 'pending' THEN NEW.started_at END;
        NEW.completed_at := CASE
            WHEN NEW.status NOT IN ('pending', 'in_progress') THEN NEW.updated_at END;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rules BEFORE UPDATE ON trueup.plan_tasks
FOR EACH ROW EXECUTE FUNCTION trueup.check_plan_task();

CREATE FUNCTION trueup.record_plan_task_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    PERFORM add_event(NEW.last_op IS DISTINCT FROM OLD.last_op, NEW.last_actor, NEW.last_reason,
        NEW.last_op, 'plan_task', NEW.plan_id || '/' || NEW.id,
        CASE WHEN NEW.reopened > OLD.reopened THEN 'reopened'
             WHEN NEW.status <> OLD.status THEN 'status'
             ELSE 'changed' END,
        OLD.facts, NEW.facts, NULL);
    RETURN NULL;
END $$;

CREATE TRIGGER changed AFTER UPDATE ON trueup.plan_tasks
FOR EACH ROW WHEN (NEW.facts <> OLD.facts) EXECUTE FUNCTION trueup.record_plan_task_change();

-- A plan goes when a command removes it. The command names it in trueup_meta within its
-- transaction, so that plain SQL removes neither a plan nor a task by mistake.
CREATE FUNCTION trueup.check_plan_removal() RETURNS trigger
LANGUAGE plpgsql SET search_path = trueup, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM trueup_meta WHERE key = 'removing_plan' AND value = OLD.plan_id) THEN
        RETURN OLD;
    ELSIF TG_TABLE_NAME = 'plans' THEN
        PERFORM refuse('TU028', 'a plan stays');
    END IF;
    PERFORM refuse('TU029', 'a task of a plan stays');
    RETURN NULL;
END $$;

CREATE TRIGGER rules_of_removal BEFORE DELETE ON trueup.plans
FOR EACH ROW EXECUTE FUNCTION trueup.check_plan_removal();

CREATE TRIGGER rules_of_removal BEFORE DELETE ON trueup.plan_tasks
FOR EACH ROW EXECUTE FUNCTION trueup.check_plan_removal();
