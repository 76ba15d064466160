//! Plain SQL that the schema refuses, in the same words as SQLite's.

use support::postgres::TestDatabase;

use crate::sqlite::new_sqlite;

/// A held item, one with a dependency that is open, one that ended, phases and a plan.
const SCENE: &str = "
    INSERT INTO claude_sessions (session_id) VALUES ('s1'), ('s2'), ('s3');
    INSERT INTO work_items (key) VALUES ('A'), ('B'), ('D'), ('P');
    INSERT INTO work_items (key, parent) VALUES ('P1', 'P');
    INSERT INTO work_items (key, holder) VALUES ('F', 's3');
    INSERT INTO work_items (key, requires_evidence) VALUES ('E', 1);
    UPDATE work_items SET holder = 's1', status = 'running' WHERE key = 'A';
    UPDATE work_items SET status = 'completed' WHERE key = 'D';
    INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, status)
        VALUES ('B:1', 'B', 1, 'plan', 'ready'), ('A:1', 'A', 1, 'plan', 'ready');
    INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, depends_on_phases)
        VALUES ('B:2', 'B', 2, 'build', '[1]');
    INSERT INTO plans (plan_id, path) VALUES ('p', '/p.md');
    INSERT INTO plan_tasks (plan_id, id, title) VALUES ('p', '1', 't'), ('p', '2', 't');
    UPDATE plan_tasks SET status = 'failed' WHERE id = '2';
    INSERT INTO plan_tasks (plan_id, id, title, reopened, retry_count) VALUES ('p', '3', 't', 1, 1);";

/// What is illegal, each with the words of the rule.
const ILLEGAL: &[(&str, &str)] = &[
    ("UPDATE events SET actor = 'me'", "events are append-only"),
    ("DELETE FROM events", "events are append-only"),
    ("DELETE FROM events WHERE seq = 1", "events are append-only"),
    (
        "INSERT INTO claude_sessions (session_id) VALUES ('s1')",
        "the session exists already: claude_sessions.session_id is unique",
    ),
    (
        "UPDATE claude_sessions SET session_id = 'x' WHERE session_id = 's2'",
        "a session's id never changes",
    ),
    ("DELETE FROM claude_sessions", "a session that holds an item stays"),
    (
        "INSERT INTO work_items (key) VALUES ('A')",
        "the item exists already: work_items.key is unique",
    ),
    (
        "INSERT INTO work_items (key, holder) VALUES ('C', 's1')",
        "the session holds an item already: work_items.holder is unique",
    ),
    (
        "UPDATE work_items SET holder = 's1' WHERE key = 'B'",
        "the session holds an item already: work_items.holder is unique",
    ),
    (
        "INSERT INTO work_items (key, holder) VALUES ('C', 'nobody')",
        "a holder is a registered session",
    ),
    ("UPDATE work_items SET holder = 'nobody' WHERE key = 'B'", "a holder is a registered session"),
    ("UPDATE work_items SET holder = '' WHERE key = 'B'", "a holder is a registered session"),
    (
        "INSERT INTO work_items (key, holder, status) VALUES ('C', 's2', 'failed')",
        "a finished item has no holder",
    ),
    ("UPDATE work_items SET holder = 's2' WHERE key = 'D'", "a finished item has no holder"),
    (
        "UPDATE work_items SET status = 'failed', under_epoch = 1 WHERE key = 'A'",
        "a finished item has no holder",
    ),
    ("UPDATE work_items SET key = 'Z' WHERE key = 'B'", "a key never changes"),
    ("UPDATE work_items SET claim_epoch = 0 WHERE key = 'A'", "a claim epoch never goes back"),
    ("UPDATE work_items SET status = 'blocked' WHERE key = 'A'", HELD),
    ("UPDATE work_items SET phase = 'x' WHERE key = 'A'", HELD),
    ("UPDATE work_items SET evidence = 'x', under_epoch = 0 WHERE key = 'A'", HELD),
    ("UPDATE work_items SET error_message = 'x', under_epoch = 2 WHERE key = 'A'", HELD),
    ("UPDATE work_items SET status = 'running' WHERE key = 'D'", NO_EDGE),
    ("UPDATE work_items SET status = 'almost' WHERE key = 'B'", NO_EDGE),
    ("UPDATE work_items SET status = 'queued' WHERE key = 'D'", NO_EDGE),
    (
        "UPDATE work_items SET status = 'queued', reopened = 1, last_op = 'x' WHERE key = 'D'",
        NO_EDGE,
    ),
    (
        "UPDATE work_items SET status = 'queued', reopened = 1, last_op = 'x', last_reason = ''
         WHERE key = 'D'",
        NO_EDGE,
    ),
    (
        "UPDATE work_items SET status = 'queued', reopened = 1, last_reason = 'why' WHERE key = 'D'",
        NO_EDGE,
    ),
    (
        "UPDATE work_items SET status = 'queued', reopened = 2, last_op = 'x', last_reason = 'why'
         WHERE key = 'D'",
        NO_EDGE,
    ),
    (
        "UPDATE work_items SET status = 'completed' WHERE key = 'E'",
        "the item is completed with evidence only",
    ),
    (
        "UPDATE work_items SET status = 'completed', evidence = '' WHERE key = 'E'",
        "the item is completed with evidence only",
    ),
    ("DELETE FROM work_items WHERE key = 'F'", "an item that is held or has children stays"),
    ("DELETE FROM work_items WHERE key = 'P'", "an item that is held or has children stays"),
    ("DELETE FROM work_items WHERE key = 'B'", "an item with phases stays"),
    (
        "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase)
         VALUES ('B:1', 'D', 1, 'plan')",
        "the phase exists already: phase_queue.queue_id and its number are unique",
    ),
    (
        "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase)
         VALUES ('x', 'B', 1, 'plan')",
        "the phase exists already: phase_queue.queue_id and its number are unique",
    ),
    (
        "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase)
         VALUES ('C:1', 'C', 1, 'plan')",
        "a phase belongs to an item",
    ),
    (
        "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, assigned_to)
         VALUES ('D:1', 'D', 1, 'plan', 'nobody')",
        "a phase is assigned to a registered session",
    ),
    (
        "UPDATE phase_queue SET assigned_to = 'nobody'",
        "a phase is assigned to a registered session",
    ),
    (
        "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, depends_on_phases)
         VALUES ('D:1', 'D', 1, 'plan', '[1]')",
        "a phase depends on phases of its item that are there already",
    ),
    (
        "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, depends_on_phases)
         VALUES ('B:3', 'B', 3, 'plan', '[\"1\"]')",
        "a phase depends on phases of its item that are there already",
    ),
    (
        "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, depends_on_phases,
             status) VALUES ('B:3', 'B', 3, 'plan', '[1]', 'ready')",
        "a phase is ready once all it depends on is completed",
    ),
    (
        "UPDATE phase_queue SET status = 'ready' WHERE queue_id = 'B:2'",
        "a phase is ready once all it depends on is completed",
    ),
    ("UPDATE phase_queue SET phase_number = 9 WHERE queue_id = 'B:1'", NEVER_CHANGE),
    ("UPDATE phase_queue SET item = 'D' WHERE queue_id = 'B:1'", NEVER_CHANGE),
    ("UPDATE phase_queue SET queue_id = 'x' WHERE queue_id = 'B:1'", NEVER_CHANGE),
    ("UPDATE phase_queue SET depends_on_phases = '[]' WHERE queue_id = 'B:2'", NEVER_CHANGE),
    ("UPDATE phase_queue SET status = 'running' WHERE queue_id = 'A:1'", HELD),
    ("UPDATE phase_queue SET status = 'running', under_epoch = 7 WHERE queue_id = 'A:1'", HELD),
    ("UPDATE phase_queue SET status = 'running' WHERE queue_id = 'B:2'", NO_EDGE),
    (
        "DELETE FROM phase_queue WHERE queue_id = 'B:1'",
        "a phase stays while its item has phases to do",
    ),
    (
        "INSERT INTO plan_tasks (plan_id, id, title) VALUES ('p', '1', 'x')",
        "the task exists already: plan_tasks.id is unique in its plan",
    ),
    ("INSERT INTO plan_tasks (plan_id, id, title) VALUES ('q', '1', 'x')", "a task is of a plan"),
    (
        "INSERT INTO plan_tasks (plan_id, id, title, session) VALUES ('p', '9', 'x', 'nobody')",
        "who works on a task is a registered session",
    ),
    ("UPDATE plan_tasks SET session = 'nobody'", "who works on a task is a registered session"),
    ("UPDATE plan_tasks SET id = '9' WHERE id = '1'", "a key never changes"),
    ("UPDATE plan_tasks SET reopened = 0 WHERE id = '3'", "a count never goes back"),
    ("UPDATE plan_tasks SET retry_count = 0 WHERE id = '3'", "a count never goes back"),
    ("UPDATE plan_tasks SET status = 'in_progress' WHERE id = '2'", NO_EDGE),
    (
        "UPDATE plan_tasks SET status = 'pending', reopened = 1, last_op = 'x', last_reason = 'r'
         WHERE id = '2'",
        "a failed task goes back by a retry, which is counted",
    ),
    ("DELETE FROM plans", "a plan stays"),
    ("DELETE FROM plan_tasks", "a task of a plan stays"),
];

const HELD: &str = "the item is held: the write needs the epoch of its claim";
const NO_EDGE: &str = "no legal change of status";
const NEVER_CHANGE: &str = "id, item, number and dependencies of a phase never change";

/// What both refuse by a constraint, in words of their own.
const AGAINST_CONSTRAINTS: &[&str] = &[
    "INSERT INTO work_items (key) VALUES ('')",
    "INSERT INTO work_items (key) VALUES ('a b')",
    "INSERT INTO work_items (key) VALUES ('-a')",
    "INSERT INTO work_items (key) VALUES ('.a')",
    "INSERT INTO work_items (key) VALUES ('a..b')",
    "INSERT INTO work_items (key, status) VALUES ('C', 'almost')",
    "INSERT INTO work_items (key, requires_evidence) VALUES ('C', 2)",
    "UPDATE claude_sessions SET status = 'dead' WHERE session_id = 's2'",
    "UPDATE claude_sessions SET metadata = '[]' WHERE session_id = 's2'",
    "UPDATE claude_sessions SET revision = 0 WHERE session_id = 's2'",
    "INSERT INTO item_dependencies VALUES ('B', 'B')",
    "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase) VALUES ('D:1', 'D', 0, 'plan')",
    "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase) VALUES ('D:1', 'D', 1, 'Deploy')",
    "UPDATE phase_queue SET phase_data = '[]' WHERE queue_id = 'B:1'",
    "UPDATE phase_queue SET phase_data = 'x' WHERE queue_id = 'B:1'",
    "UPDATE plan_tasks SET retry_count = 3 WHERE id = '1'",
    "INSERT INTO handoffs (id, type, item, from_session, to_session, epoch) VALUES ('h', 't', 'A', 's1', 's1', 1)",
    "INSERT INTO port_reservations (id, host, backend, frontend) VALUES ('a', 'h', 9099, 9199)",
    "INSERT INTO port_reservations (id, host, backend, frontend) VALUES ('a', 'h', 9100, 9201)",
    "INSERT INTO repos (slug) VALUES ('_x')",
    "INSERT INTO workplan_links VALUES ('A', 'l', 'd', '[]', '')",
];

fn new_postgres() -> Option<TestDatabase> {
    let database = TestDatabase::create()?;
    database.run(&format!("SET search_path = trueup; {SCENE}")).unwrap();
    Some(database)
}

#[test]
fn both_refuse_in_the_same_words() {
    let Some(database) = new_postgres() else { return };
    let (_dir, sqlite) = new_sqlite();
    sqlite.execute_batch(SCENE).unwrap();
    for (sql, words) in ILLEGAL {
        let by_sqlite = sqlite.execute_batch(sql).unwrap_err();
        assert_eq!(by_sqlite.to_string(), *words, "{sql}");
        let by_postgres = database.run(&format!("SET search_path = trueup; {sql}")).unwrap_err();
        assert_eq!(by_postgres.message, *words, "{sql}");
        let code = &by_postgres.sqlstate;
        assert!(code.starts_with("TU") && !code.ends_with("000"), "{sql}: {code}");
    }
}

#[test]
fn both_refuse_what_is_against_a_constraint() {
    let Some(database) = new_postgres() else { return };
    let (_dir, sqlite) = new_sqlite();
    sqlite.execute_batch(SCENE).unwrap();
    for sql in AGAINST_CONSTRAINTS {
        let by_sqlite = sqlite.execute_batch(sql).unwrap_err();
        let code = by_sqlite.sqlite_error_code();
        assert_eq!(code, Some(rusqlite::ErrorCode::ConstraintViolation), "{sql}");
        let by_postgres = database.run(&format!("SET search_path = trueup; {sql}")).unwrap_err();
        assert_eq!(by_postgres.sqlstate, "23514", "{sql}: {by_postgres:?}");
    }
}

#[test]
fn rows_cannot_be_removed_past_the_rules() {
    let Some(database) = new_postgres() else { return };
    for table in ["events", "work_items CASCADE", "claude_sessions CASCADE", "plans", "handoffs"] {
        let error = database.run(&format!("TRUNCATE trueup.{table}")).unwrap_err();
        assert_eq!(error.sqlstate, "TU001", "{table}: {error:?}");
    }
}
