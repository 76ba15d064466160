-- Who may do what. Functions may be executed by everybody unless that is taken back.

REVOKE ALL ON SCHEMA trueup FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA trueup FROM PUBLIC;

GRANT USAGE ON SCHEMA trueup TO trueup_agent, trueup_client, trueup_hub, trueup_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA trueup TO trueup_agent;
GRANT SELECT ON ALL TABLES IN SCHEMA trueup TO trueup_agent, trueup_reader;
REVOKE SELECT ON trueup.access_tokens FROM trueup_reader;
GRANT SELECT (name, role, created_at, created_by, revoked_at, revoked_by)
    ON trueup.access_tokens TO trueup_reader;
GRANT INSERT, UPDATE, DELETE ON
    trueup.trueup_meta, trueup.claude_sessions, trueup.work_items, trueup.session_tasks,
    trueup.phase_queue, trueup.plans, trueup.plan_tasks, trueup.port_reservations, trueup.repos,
    trueup.attention
    TO trueup_agent;
GRANT INSERT, DELETE ON trueup.events, trueup.item_dependencies, trueup.callers TO trueup_agent;
GRANT INSERT, UPDATE ON
    trueup.orchestrators, trueup.handoffs, trueup.workplan_links, trueup.repo_names,
    trueup.access_tokens
    TO trueup_agent;

GRANT EXECUTE ON FUNCTION trueup.exchange(text) TO trueup_client, trueup_hub;
