-- Indexes, and the turn that everybody takes who changes something.

CREATE INDEX claude_sessions_worktree ON trueup.claude_sessions (worktree, status, heartbeat_at);
CREATE INDEX claude_sessions_ended ON trueup.claude_sessions (heartbeat_at)
    WHERE status IN ('ended', 'lost');
CREATE INDEX claude_sessions_predecessor ON trueup.claude_sessions (predecessor)
    WHERE predecessor IS NOT NULL;
CREATE INDEX claude_sessions_lease
    ON trueup.claude_sessions (lease_expires_at, status, heartbeat_at, session_id) WHERE swept = 0;

-- A session holds one item at a time.
CREATE UNIQUE INDEX work_items_one_per_holder ON trueup.work_items (holder) WHERE holder IS NOT NULL;
CREATE INDEX work_items_parent ON trueup.work_items (parent, position);
CREATE INDEX work_items_key_of_any_case ON trueup.work_items (trueup.nocase(key));

-- The next item is found here whatever the number of items. PostgreSQL has no index condition for
-- "is the same or both are absent", so an absent parent or repository is the empty text.
CREATE INDEX work_items_next ON trueup.work_items (coalesce(parent, ''), position, key)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');
CREATE INDEX work_items_next_in_repo
    ON trueup.work_items (coalesce(repo, ''), coalesce(parent, ''), position, key)
    WHERE holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running');
CREATE INDEX work_items_status ON trueup.work_items (coalesce(parent, ''), status, coalesce(repo, ''));

CREATE INDEX events_subject ON trueup.events (entity, key, seq);
CREATE INDEX events_actor ON trueup.events (actor, seq);
-- One operation changes one thing once.
CREATE UNIQUE INDEX events_operation ON trueup.events (op_id, entity, key, kind)
    WHERE op_id IS NOT NULL;

CREATE INDEX item_dependencies_reverse ON trueup.item_dependencies (depends_on);

CREATE INDEX phase_queue_running ON trueup.phase_queue (updated_at) WHERE status = 'running';
CREATE INDEX phase_queue_worker ON trueup.phase_queue (assigned_to) WHERE status = 'running';
CREATE INDEX phase_queue_position ON trueup.phase_queue (queue_position);
CREATE INDEX phase_queue_next
    ON trueup.phase_queue (priority, queue_position NULLS FIRST, phase_number, rowid)
    WHERE status = 'ready' AND is_over = 0;

CREATE INDEX plan_tasks_in_progress ON trueup.plan_tasks (updated_at) WHERE status = 'in_progress';
CREATE INDEX plan_tasks_orchestrator ON trueup.plan_tasks (orchestrator)
    WHERE status = 'in_progress';

CREATE UNIQUE INDEX orchestrators_one_per_plan ON trueup.orchestrators (plan_id)
    WHERE status IN ('running', 'stopping');
CREATE UNIQUE INDEX orchestrators_run ON trueup.orchestrators (plan_id, epoch);

CREATE INDEX handoffs_open ON trueup.handoffs (to_session, repo)
    WHERE status IN ('pending_acceptance', 'blocked');
CREATE INDEX handoffs_untold ON trueup.handoffs (from_session)
    WHERE status IN ('accepted', 'rejected') AND told_at IS NULL;
CREATE UNIQUE INDEX handoffs_one_open ON trueup.handoffs (item)
    WHERE status IN ('pending_acceptance', 'blocked');

-- Names of repositories differ by more than the case of their letters.
CREATE UNIQUE INDEX repos_slug_of_any_case ON trueup.repos (trueup.nocase(slug));
CREATE INDEX repo_names_name ON trueup.repo_names (trueup.nocase(name));

-- Plain SQL takes its turn like an exchange. The trigger is one of the statement: it runs before
-- the first row is locked, so that nobody waits for a turn while holding a row that others need.
DO $$
DECLARE
    ruled text;
BEGIN
    FOREACH ruled IN ARRAY ARRAY[
        'trueup_meta', 'claude_sessions', 'work_items', 'events', 'session_tasks',
        'item_dependencies', 'phase_queue', 'plans', 'plan_tasks', 'orchestrators', 'handoffs',
        'port_reservations', 'repos', 'workplan_links', 'repo_names'] LOOP
        EXECUTE format(
            'CREATE TRIGGER take_turn BEFORE INSERT OR UPDATE OR DELETE ON trueup.%I
             FOR EACH STATEMENT EXECUTE FUNCTION trueup.take_turn_before_change()', ruled);
        EXECUTE format(
            'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON trueup.%I
             FOR EACH STATEMENT EXECUTE FUNCTION trueup.refuse_truncate()', ruled);
    END LOOP;
END $$;
