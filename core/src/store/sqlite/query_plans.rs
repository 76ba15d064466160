//! What hooks ask in every turn is answered from an index, whatever the number of rows.

mod items;

use rusqlite::Connection;

use super::migrate::{SCHEMA_VERSION, migrate_to};
use super::orchestrators::IS_LIVE;
use super::rows::{ITEM_COLUMNS, ORCHESTRATOR_COLUMNS, SESSION_COLUMNS, SESSION_TABLES};
use super::{HAS_RUNNING_WORK, NOW, events, handoffs, phases, retention};
use crate::model::EventFilter;

fn migrated_database() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    let tx = connection.transaction().unwrap();
    migrate_to(&tx, SCHEMA_VERSION).unwrap();
    tx.commit().unwrap();
    connection
}

/// Returns the steps of a statement's plan.
fn query_plan_steps(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let parameters = vec![rusqlite::types::Null; statement.parameter_count()];
    let rows = statement
        .query_map(rusqlite::params_from_iter(parameters), |row| row.get(3))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn no_question_of_a_turn_reads_a_whole_table() {
    let connection = migrated_database();
    let sessions = format!("SELECT {SESSION_COLUMNS} FROM {SESSION_TABLES}");
    for sql in [
        format!("{sessions} WHERE s.session_id = ?1"),
        format!(
            "{sessions} WHERE 1 AND s.status IN ('active', 'idle') AND s.worktree = ?1 \
             ORDER BY s.heartbeat_at DESC, s.session_id LIMIT ?2"
        ),
        format!("SELECT {ITEM_COLUMNS} FROM work_items WHERE key = ?1"),
        "SELECT title FROM work_items WHERE key = ?1".to_owned(),
        format!(
            "SELECT {ITEM_COLUMNS} FROM work_items WHERE 1 AND parent = ?1 \
             ORDER BY parent, position IS NULL, position, key"
        ),
        "SELECT key FROM work_items WHERE key COLLATE NOCASE IN (?, ?, ?) ORDER BY key".to_owned(),
        "UPDATE work_items SET holder = ?1 WHERE key = ?5 AND holder IS ?6 AND claim_epoch = ?7"
            .to_owned(),
        "UPDATE work_items SET phase = ?1 WHERE holder = ?5 AND phase IS NOT ?1".to_owned(),
        "SELECT EXISTS (SELECT 1 FROM work_items WHERE holder = ?1)".to_owned(),
        "SELECT EXISTS (SELECT 1 FROM events WHERE op_id = ?1)".to_owned(),
        events::HAD_VALUE.to_owned(),
        "SELECT plan_id FROM plans WHERE path = ?1".to_owned(),
        "SELECT title FROM plan_tasks t WHERE t.plan_id = ?1 AND t.id = ?2".to_owned(),
        "SELECT title FROM plan_tasks t WHERE t.status = 'in_progress' AND t.updated_at <= ?1"
            .to_owned(),
        "SELECT title FROM plan_tasks t WHERE t.status = 'in_progress' AND t.orchestrator = ?1"
            .to_owned(),
        "SELECT subject FROM session_tasks WHERE session_id = ?1 AND task_id = ?2".to_owned(),
        phases::LATEST_STARTS.to_owned(),
        "SELECT coalesce(max(queue_position), 0) + 1 FROM phase_queue".to_owned(),
    ] {
        let steps = query_plan_steps(&connection, &sql);
        assert!(!steps.is_empty());
        for step in steps {
            let whole = step.starts_with("SCAN ") && step != "SCAN CONSTANT ROW";
            assert!(!whole, "{step}\nin {sql}");
        }
    }
}

#[test]
fn events_of_an_item_or_a_session_are_found_in_an_index() {
    let connection = migrated_database();
    let some = || Some("A".to_owned());
    for filter in [
        EventFilter {
            item: some(),
            ..EventFilter::default()
        },
        EventFilter {
            session: some(),
            ..EventFilter::default()
        },
        EventFilter {
            op_id: some(),
            ..EventFilter::default()
        },
    ] {
        let steps = query_plan_steps(&connection, &events::event_query(&filter));
        let scan = |step: &String| step.starts_with("SCAN events");
        assert!(!steps.iter().any(scan), "{steps:?}");
        let search = |step: &String| step.starts_with("SEARCH events USING INDEX");
        assert!(steps.iter().any(search), "{steps:?}");
    }
}

#[test]
fn pruning_walks_what_ended_and_looks_everything_else_up() {
    let connection = migrated_database();
    let steps = query_plan_steps(&connection, retention::ENDED_SESSIONS);
    assert!(steps[0].contains("claude_sessions_ended"), "{steps:?}");
    for sql in [
        retention::session_remains_sql(),
        retention::event_page_sql(),
    ] {
        for step in query_plan_steps(&connection, &sql) {
            let whole = step.starts_with("SCAN ")
                && step != "SCAN CONSTANT ROW"
                // The few tables whose rows are few.
                && !["port_reservations", "handoffs", "plan_tasks", "orchestrators"]
                    .iter()
                    .any(|few| step.contains(few));
            assert!(!whole, "{step}\nin {sql}");
        }
    }
}

#[test]
fn a_sweep_reads_only_those_that_are_not_settled_in_the_order_of_the_index() {
    let sql = format!(
        "SELECT {SESSION_COLUMNS} FROM {SESSION_TABLES} WHERE s.swept = 0 AND s.lease_expires_at <= {NOW} \
         ORDER BY s.lease_expires_at LIMIT ?1"
    );
    let steps = query_plan_steps(&migrated_database(), &sql);
    assert!(steps[0].contains("claude_sessions_lease"), "{steps:?}");
    assert!(
        steps.iter().all(|step| !step.contains("TEMP B-TREE")),
        "{steps:?}"
    );
}

#[test]
fn looking_for_dead_orchestrators_walks_an_index_of_the_live_alone() {
    let connection = migrated_database();
    for order in ["ORDER BY plan_id", "AND plan_id = ?1"] {
        let sql =
            format!("SELECT {ORCHESTRATOR_COLUMNS} FROM orchestrators WHERE {IS_LIVE} {order}");
        let steps = query_plan_steps(&connection, &sql);
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert!(steps[0].contains("orchestrators_one_per_plan"), "{steps:?}");
    }
}

#[test]
fn the_next_phase_and_the_stuck_ones_are_found_along_their_indexes() {
    let [silent, ahead] = phases::stuck_questions();
    for (sql, index) in [
        (phases::next_phase_sql(), "phase_queue_next"),
        (silent, "phase_queue_running"),
        (ahead, "phase_queue_running"),
    ] {
        let steps = query_plan_steps(&migrated_database(), &sql);
        assert!(steps[0].contains(index), "{steps:?}");
        let searched = |step: &String| step.starts_with("SEARCH ") && !step.contains("TEMP B-TREE");
        assert!(steps.iter().skip(1).all(searched), "{steps:?}");
    }
}

#[test]
fn what_is_underway_is_told_by_indexes_of_the_underway_alone() {
    for step in query_plan_steps(&migrated_database(), HAS_RUNNING_WORK)
        .into_iter()
        .chain(query_plan_steps(
            &migrated_database(),
            handoffs::notices::HAS_NOTICES,
        ))
    {
        let scans = step.starts_with("SCAN ") && step != "SCAN CONSTANT ROW";
        assert!(!scans || step.contains(" INDEX "), "{step}");
    }
}
