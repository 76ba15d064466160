//! A database with rows in every table, among them every value that is easily lost on the way.

#![expect(clippy::unwrap_used, reason = "a database that cannot be made fails its test")]

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use trueup_core::deadline::Deadline;
use trueup_core::store::sqlite::SqliteStore;

/// The variable with the number of items of the tests that move a whole database.
const ITEMS_VARIABLE: &str = "TRUEUP_TRANSFER_ITEMS";

/// Returns how many items a moved database has: some hundreds, or what `TRUEUP_TRANSFER_ITEMS` says.
pub fn sample_items() -> u32 {
    std::env::var(ITEMS_VARIABLE).map_or(300, |items| items.parse().unwrap())
}

/// Creates a database with this many items, and ten events for each.
pub fn create_sample(path: &Path, items: u32) {
    let deadline = Deadline::after(Duration::from_mins(2));
    drop(SqliteStore::open_or_create(path, deadline).unwrap());
    let connection = Connection::open(path).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
    connection.execute_batch(PEOPLE).unwrap();
    let numbers = format!(
        "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < {items}) SELECT i FROM n;"
    );
    connection.execute_batch(&numbers).unwrap();
    connection.execute_batch(WORK).unwrap();
    connection.execute_batch("COMMIT").unwrap();
    let damage: Vec<String> = {
        let mut check = connection.prepare("PRAGMA foreign_key_check").unwrap();
        check.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(damage, Vec::<String>::new());
}

/// Sessions, what they are known by, and texts with everything that a format may lose. Names are
/// out of order, so that an export which reads rows as they were added shows it.
const PEOPLE: &str = r#"
INSERT INTO trueup_meta VALUES ('pruned_at', '2026-01-02T03:04:05.678Z');
INSERT INTO claude_sessions
    (session_id, metadata, repo, worktree, host, pid, pid_started, boot_id, status, predecessor,
     registered_at, heartbeat_at, lease_expires_at, silent_until, revision,
     acknowledged_revision, swept, last_actor, last_reason, last_op, machine_id, pid_namespace,
     moved_revision)
VALUES
    ('s2', '{"zeta": 1.50, "branch":"b", "a":[1e2, -0.0, 12345678901234567890.25, {"y":1,"x":null}]}',
     'r', '/w', 'box', 42, 9007199254740993, 'boot', 'idle', 's1', '2026-01-01T00:00:00.000Z',
     '2026-01-01T00:00:01.000Z', '2026-01-01T00:15:00.000Z', NULL, 9, 8, 1, 's2', 'a
reason	with \N and \\ and "quotes"', 'op-s2', 'machine', 'pid:[4026531836]', 7),
    ('s1', '{"execution_state":{"currentSd":"I1","isActive":true},"auto_proceed":true}',
     NULL, '', 'Büro😀', NULL, NULL, NULL, 'lost', NULL, '2026-01-01T00:00:00.000Z',
     '2026-01-01T00:00:01.000Z', '2026-01-01T00:15:00.000Z', '2026-02-01T00:00:00.000Z', 1, 0, 0,
     NULL, NULL, NULL, NULL, NULL, 0);
UPDATE claude_sessions SET ended_reason = char(1, 8, 11, 12, 13, 10, 9, 92, 127, 160, 65533)
    WHERE session_id = 's1';
INSERT INTO session_tasks VALUES ('s2', '10', 'later'), ('s2', '9', ''), ('s1', 'B', 'upper'),
    ('s1', 'a', 'lower');
INSERT INTO repos (slug, passive, places, created_at, updated_at, synced_at, synced_by,
    source_digest, digest, redacted, summary, content)
VALUES ('beta', 1, '{"z": {"host": "box"}, "a": 1.0}', 't', 't', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('Alpha', 0, '{}', 't', 't', 't', 's1', 'd', 'e', 3, 'sum', 'line 1' || char(13, 10) || 'line 2' || char(10)),
    ('Zeta', 0, '{}', 't', 't', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO repo_names VALUES ('remote b', 'Name'), ('remote A', 'name');
INSERT INTO orchestrators (id, plan_id, session_id, host, pid, pid_started, boot_id, supervised,
    status, started_at, heartbeat_at, stopped_at, exit_code, signal, reason, epoch, revision,
    machine_id, pid_namespace)
VALUES ('o2', 'p', 's2', 'box', 1, 2, 'b', 1, 'running', 't', 't', NULL, NULL, NULL, NULL, 2, 1, 'm', 'n'),
    ('o1', 'p', NULL, 'box', 1, NULL, NULL, 0, 'crashed', 't', 't', 't', -1, 9, 'killed', 1, 4, NULL, NULL);
INSERT INTO port_reservations VALUES ('w1', 'box', 9101, 9201, 's1', 3, 4, 'b', 't', 'm', 'n'),
    ('w0', 'box', 9100, 9200, NULL, NULL, NULL, NULL, 't', NULL, NULL);
"#;

/// Items with their work. A parent's key may come behind those of its children.
const WORK: &str = r#"
INSERT INTO work_items (key, title, kind, parent, position, repo, status, phase, holder,
    claim_epoch, claimed_at, error_message, evidence, revision, created_at, updated_at,
    completed_at, last_actor, last_reason, last_op, requires_evidence, open_dependencies, reopened)
SELECT 'I' || i, iif(i % 7, 'title ' || i, NULL), iif(i % 5, 'task', 'orchestrator'),
    iif(i % 4 = 1, NULL, 'I' || ((i / 4) * 4 + 1)), iif(i % 3, i, NULL), iif(i % 2, 'r', NULL),
    CASE i % 6 WHEN 0 THEN 'completed' WHEN 1 THEN 'running' ELSE 'queued' END, 'PLAN',
    CASE i WHEN 1 THEN 's2' WHEN 2 THEN 's1' END, i, 't', NULL, iif(i % 6, NULL, 'pull/1'), i + 1,
    '2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', NULL, 'me', NULL, 'op-i' || i, i % 2,
    0, i % 3
FROM n WHERE i < (SELECT max(i) FROM n) - 3 OR i % 4 = 1;
INSERT INTO item_dependencies
SELECT 'I' || i, 'I' || (i - 1) FROM n WHERE i % 4 = 2 AND EXISTS
    (SELECT 1 FROM work_items WHERE key = 'I' || i);
INSERT INTO phase_queue (queue_id, item, issue_number, feature_id, phase_number, current_phase,
    status, depends_on_phases, phase_data, assigned_to, adw_id, pr_number, priority,
    queue_position, created_at, updated_at, completed_at, ready_timestamp, started_timestamp,
    error_message, blocked_by, orchestrator, revision, reopened, last_actor, last_reason, last_op,
    is_over)
SELECT key || ':' || (3 - turn), key, 1, 2, 3 - turn, 'plan', 'queued',
    iif(turn = 1, '[ 1 ]', '[]'), '{"z": 1, "a": 2}', iif(turn = 1, NULL, 's1'), 'adw', 5, 50,
    NULL, 't', 't', NULL, NULL, NULL, NULL, NULL, 'o1', 2, 0, NULL, NULL, NULL, 0
FROM work_items JOIN (SELECT 1 AS turn UNION ALL SELECT 2) WHERE position % 10 = 1
ORDER BY key DESC;
INSERT INTO plans VALUES ('p', '/plans/p.md', 'a plan', '{"format": "kiro", "a": []}', 3, 't', 't'),
    ('a', '/plans/a.md', NULL, '{}', 1, 't', 't');
INSERT INTO plan_tasks (plan_id, id, phase_number, phase_title, title, status, priority, position,
    depends_on, extra, started_at, completed_at, error, skip_reason, retry_count, stuck,
    orchestrator, session, started_by, revision, reopened, updated_at, last_actor, last_reason,
    last_op)
SELECT iif(i % 2, 'p', 'a'), 'T' || i, 1, 'phase', 'task ' || i, 'failed', 'high', i, '["T1"]',
    '{"b": 1.0, "a": "é"}', 't', NULL, 'an error', NULL, 2, 1, 'o1', 's1', 'me', i, 1, 't', 'me',
    'why', 'op-t' || i
FROM n WHERE i % 10 = 0;
INSERT INTO handoffs (rowid, id, type, status, item, from_session, to_session, repo, worktree,
    branch, phase, task, epoch, summary, deliverables, decisions, known_issues, resources,
    actions, created_at, decided_at, decided_by, reject_reason, shown_at, told_at, revision)
SELECT 3 * i, 'h' || (1000000 - i), 'PLAN-TO-EXEC', 'accepted', 'I' || i, 's2', 's1', 'r', '/w',
    'b', 'PLAN', 'a task', i, 'sum', 'del', 'dec', NULL, 'res', 'act', 't', 't', 's1', NULL, 't',
    NULL, 2
FROM n WHERE i % 20 = 1;
INSERT INTO workplan_links
SELECT key, 'link-' || key, 'digest', '{"priority": 1, "a": 2.50}', 'text' || char(10) FROM work_items
WHERE position % 10 = 2;
INSERT INTO events (seq, at, actor, entity, key, kind, before, after, epoch, reason, op_id, via)
SELECT (i * 10 + part) * 3 + (part > 4), '2026-01-01T00:00:00.' || (100 + part) || 'Z', 'actor' || (i % 9),
    'item', 'I' || i, 'changed', iif(part, json_object('title', 'old ' || i, 'status', 'queued', 'n', part), NULL),
    '{"title": "new ' || i || '", "status": "running", "holder": null, "big": 1e' || part || '}',
    iif(i % 2, i, NULL), iif(part = 3, 'because', NULL), iif(part % 2, 'op-' || i || '-' || part, NULL),
    iif(part = 5, 'someone', NULL)
FROM n JOIN (WITH RECURSIVE p(part) AS (SELECT 0 UNION ALL SELECT part + 1 FROM p WHERE part < 9)
             SELECT part FROM p);
"#;
