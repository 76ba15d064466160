//! A database with many rows of everything that the hub lists.

use support::home::Home;

/// Sessions, items, phases and repositories of [`add_work`]; plans are a tenth of it.
pub(crate) const ROWS: usize = 1_000;

/// Adds a thousand of everything, as plain SQL may: every tenth session is on `box-1` and has ended,
/// every third item belongs to `Alpha`, every fifth is an orchestrator, and session 1 holds item 1.
pub(crate) fn add_work(home: &Home) {
    home.open_database()
        .execute_batch(
            "BEGIN;
             CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS
                 (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n;
             INSERT INTO claude_sessions (session_id, host, repo, worktree, status, ended_reason)
                 SELECT 'session-' || i, 'box-' || iif(i % 10, 2, 1), iif(i % 2, 'Alpha', NULL), '/w',
                        iif(i % 10, 'active', 'ended'), iif(i % 10, NULL, 'logout') FROM n;
             INSERT INTO work_items (key, title, kind, repo, parent, status, completed_at)
                 SELECT 'ITEM-' || i, 'Title of ' || i, iif(i % 5, 'task', 'orchestrator'),
                        iif(i % 3, NULL, 'Alpha'), iif(i > 1 AND i < 12, 'ITEM-1', NULL),
                        iif(i % 4, 'queued', 'completed'),
                        iif(i % 4, NULL, '2026-01-02T03:04:05.678Z') FROM n;
             UPDATE work_items SET holder = 'session-1' WHERE key = 'ITEM-1';
             INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, status)
                 SELECT 'ITEM-' || (i / 10 + 1) || ':' || i, 'ITEM-' || (i / 10 + 1), i, 'build',
                        iif(i % 2, 'ready', 'queued') FROM n;
             INSERT INTO repos (slug, places, passive)
                 SELECT 'repo-' || i,
                        json_object('m', json_object('host', 'box-' || (i % 4), 'path', '/r/' || i)),
                        i % 2 = 0 FROM n;
             INSERT INTO plans (plan_id, path) SELECT 'plan-' || i, '/p/' || i FROM n WHERE i % 10 = 0;
             INSERT INTO plan_tasks (plan_id, id, title, status)
                 SELECT plan_id, 'T1', 'one', iif(plan_id LIKE '%00', 'completed', 'pending') FROM plans;
             COMMIT;",
        )
        .unwrap();
}
