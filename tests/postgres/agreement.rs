//! The same plain SQL leaves the same rows and the same events in both databases.

use serde_json::Value;
use support::postgres::TestDatabase;

use crate::sqlite::new_sqlite;

/// Changes of all kinds, by plain SQL and in the name of operations.
const CHANGES: &str = "
    INSERT INTO claude_sessions (session_id, worktree, host) VALUES ('s1', '/w', 'box');
    INSERT INTO claude_sessions (session_id, last_actor, last_reason, last_op)
        VALUES ('s2', 's2', 'startup', 'op1');
    UPDATE claude_sessions SET metadata = '{\"execution_state\":{\"currentSd\":\"A\"},\"k\":1}'
        WHERE session_id = 's1';
    UPDATE claude_sessions SET metadata = '{\"execution_state\":{\"currentSd\":\"A\"},\"k\":2}',
        last_actor = 's1', last_reason = 'why', last_op = 'op2' WHERE session_id = 's1';
    UPDATE claude_sessions SET status = 'idle' WHERE session_id = 's1';
    INSERT INTO work_items (key, title) VALUES ('A', 'a title');
    INSERT INTO work_items (key, parent, position, last_actor, last_reason, last_op)
        VALUES ('B', 'A', 3, 'me', 'planned', 'op3');
    INSERT INTO work_items (key, holder) VALUES ('H', 's2');
    INSERT INTO item_dependencies VALUES ('B', 'A'), ('B', 'H');
    UPDATE work_items SET holder = 's1', status = 'running' WHERE key = 'A';
    UPDATE work_items SET title = 'another', last_actor = 'me', last_op = 'op4' WHERE key = 'A';
    UPDATE work_items SET phase = 'PLAN', under_epoch = 1 WHERE key = 'A';
    UPDATE work_items SET holder = NULL WHERE key = 'H';
    UPDATE work_items SET holder = 's2', claim_epoch = claim_epoch + 1, claimed_at = 'now',
        under_epoch = 1, last_actor = 's2', last_reason = 'taken', last_op = 'op5' WHERE key = 'A';
    UPDATE work_items SET status = 'completed', holder = NULL, under_epoch = claim_epoch,
        last_actor = 's2', last_op = 'op6' WHERE key = 'A';
    UPDATE work_items SET status = 'completed' WHERE key = 'H';
    UPDATE work_items SET status = 'queued', reopened = reopened + 1, last_actor = 'me',
        last_reason = 'again', last_op = 'op7' WHERE key = 'A';
    UPDATE work_items SET revision = 99 WHERE key = 'B';
    INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, status, phase_data)
        VALUES ('B:1', 'B', 1, 'plan', 'ready', '{\"z\":1,\"a\":[]}');
    INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, depends_on_phases,
        under_epoch, last_actor, last_op) VALUES ('B:2', 'B', 2, 'build', '[1]', 5, 'me', 'op8');
    UPDATE phase_queue SET status = 'running', assigned_to = 's1' WHERE queue_id = 'B:1';
    UPDATE phase_queue SET status = 'completed' WHERE queue_id = 'B:1';
    UPDATE phase_queue SET status = 'ready', last_actor = 'me', last_op = 'op9'
        WHERE queue_id = 'B:2';
    UPDATE phase_queue SET status = 'queued', reopened = 1, last_actor = 'me', last_reason = 'r',
        last_op = 'op10' WHERE queue_id = 'B:1';
    UPDATE work_items SET status = 'cancelled' WHERE key = 'B';
    INSERT INTO plans (plan_id, path) VALUES ('p', '/p.md');
    INSERT INTO plan_tasks (plan_id, id, title, extra) VALUES ('p', '1', 't', '{\"z\":1,\"a\":2}');
    UPDATE plan_tasks SET status = 'in_progress', session = 's1' WHERE id = '1';
    UPDATE plan_tasks SET status = 'failed', error = 'e', last_actor = 'me', last_op = 'op11'
        WHERE id = '1';
    UPDATE plan_tasks SET status = 'pending', reopened = 1, retry_count = 1, last_reason = 'r',
        last_actor = 'me', last_op = 'op12' WHERE id = '1';
    UPDATE plan_tasks SET position = 7 WHERE id = '1';
    UPDATE claude_sessions SET status = 'ended', last_actor = 's1', last_op = 'op13'
        WHERE session_id = 's1';
    UPDATE claude_sessions SET status = 'lost', metadata = '{\"auto_proceed\":true}'
        WHERE session_id = 's2';
    INSERT INTO work_items (key) VALUES ('X');
    DELETE FROM work_items WHERE key = 'X';
    UPDATE work_items SET holder = 's1' WHERE key = 'A';
    UPDATE work_items SET holder = NULL WHERE key = 'A';
    INSERT INTO claude_sessions (session_id) VALUES ('s3');
    DELETE FROM claude_sessions WHERE session_id = 's3';";

/// What is compared: everything but times, of which only their presence is.
const PICTURES: &[&str] = &[
    "SELECT seq, actor, entity, key, kind, before, after, epoch, reason, op_id FROM events ORDER BY seq",
    "SELECT session_id, metadata, branch, state, others, status, revision, moved_revision,
         acknowledged_revision, swept, last_actor, last_reason, last_op
     FROM claude_sessions ORDER BY session_id",
    "SELECT key, title, kind, parent, position, status, phase, holder, claim_epoch, revision,
         reopened, under_epoch, open_dependencies, last_actor, last_reason, last_op, facts,
         claimed_at IS NULL AS no_claim, completed_at IS NULL AS no_end FROM work_items ORDER BY key",
    "SELECT queue_id, status, revision, reopened, under_epoch, is_over, facts, phase_data,
         ready_timestamp IS NULL AS no_ready, started_timestamp IS NULL AS no_start,
         completed_at IS NULL AS no_end FROM phase_queue ORDER BY queue_id",
    "SELECT id, status, revision, reopened, facts, extra, started_at IS NULL AS no_start,
         completed_at IS NULL AS no_end FROM plan_tasks ORDER BY id",
];

/// A value of either database: JSON as JSON, a flag as a number.
fn normalize(value: Value) -> Value {
    match value {
        Value::Bool(flag) => Value::from(i64::from(flag)),
        Value::String(text) if text.starts_with(['{', '[']) => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        other => other,
    }
}

fn sqlite_rows(connection: &rusqlite::Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns)
            .map(|place| {
                Ok(match row.get_ref(place)? {
                    rusqlite::types::ValueRef::Integer(number) => Value::from(number),
                    rusqlite::types::ValueRef::Text(text) => {
                        Value::String(String::from_utf8_lossy(text).into_owned())
                    }
                    _ => Value::Null,
                })
            })
            .collect::<rusqlite::Result<Vec<Value>>>()
    });
    let rows = rows.unwrap().map(|row| row.unwrap().into_iter().map(normalize).collect());
    rows.collect()
}

fn postgres_rows(database: &TestDatabase, sql: &str) -> Vec<Vec<Value>> {
    let answer = database.run(&format!(
        "SET search_path = trueup;
         SELECT coalesce(json_agg((SELECT json_agg(value) FROM
             pg_catalog.json_each(row_to_json(q)))), '[]') FROM ({sql}) q"
    ));
    let rows: Vec<Vec<Value>> = serde_json::from_str(&answer.unwrap()).unwrap();
    rows.into_iter().map(|row| row.into_iter().map(normalize).collect()).collect()
}

#[test]
fn each_change_leaves_the_same_rows_and_events() {
    let Some(database) = TestDatabase::create() else { return };
    let (_dir, sqlite) = new_sqlite();
    for change in CHANGES.split_inclusive(";\n") {
        sqlite.execute_batch(change).unwrap_or_else(|error| panic!("{change}: {error}"));
        let done = database.run(&format!("SET search_path = trueup; {change}"));
        done.unwrap_or_else(|error| panic!("{change}: {error:?}"));
    }
    for picture in PICTURES {
        let (ours, theirs) = (sqlite_rows(&sqlite, picture), postgres_rows(&database, picture));
        for (row, other) in ours.iter().zip(&theirs) {
            assert_eq!(row, other, "SQLite and PostgreSQL differ in\n{picture}");
        }
        assert_eq!(ours.len(), theirs.len(), "{picture}");
    }
}
