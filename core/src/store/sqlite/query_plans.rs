//! The statements of hooks are answered from indexes, whatever the number of rows.

mod items;

use rusqlite::Connection;

use super::migrate::migrate_to;
use crate::store::SCHEMA_VERSION;
use crate::store::sql::{self, Statement};

fn migrated_database() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    let tx = connection.transaction().unwrap();
    migrate_to(&tx, SCHEMA_VERSION).unwrap();
    tx.commit().unwrap();
    connection
}

/// Finds a statement by its operation and its own name, such as `items::LOAD_ITEM`.
fn statement(name: &str) -> &'static Statement {
    let (operation, own) = name.rsplit_once("::").unwrap();
    let named = |statement: &&Statement| {
        let path = statement.name();
        path.ends_with(&format!("::{own}")) && path.contains(&format!("::{operation}::"))
    };
    let mut found = sql::statements().filter(named);
    let statement = found.next().unwrap_or_else(|| panic!("{name}"));
    assert!(found.next().is_none(), "{name} is not unique");
    statement
}

/// Returns the steps of a statement's plan.
fn query_plan_steps(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap_or_else(|error| panic!("{error}\nin {sql}"));
    let parameters = vec![rusqlite::types::Null; statement.parameter_count()];
    let rows =
        statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn plan_of(connection: &Connection, name: &str) -> Vec<String> {
    query_plan_steps(connection, statement(name).sqlite())
}

#[test]
fn every_statement_can_be_prepared_and_has_a_name_of_its_own() {
    let connection = migrated_database();
    let mut names = std::collections::BTreeSet::new();
    for statement in sql::statements() {
        assert!(names.insert(statement.name()), "{}", statement.name());
        if let Err(error) = connection.prepare(statement.sqlite()) {
            panic!("{}: {error}", statement.name());
        }
    }
    assert!(names.len() > 150, "{}", names.len());
}

#[test]
fn no_statement_of_a_turn_reads_a_whole_table() {
    let connection = migrated_database();
    for name in [
        "sessions::LOAD_SESSION",
        "sessions::LOAD_SESSIONS",
        "sessions::IS_REGISTERED",
        "sessions::LIST_SESSION_IDS_OF_WORKTREE",
        "sessions::PUSH_STATE",
        "sessions::UPDATE_PHASE_OF_HELD_ITEM",
        "sessions::END_SESSION",
        "items::LOAD_ITEM",
        "items::LOAD_ITEMS",
        "items::LOAD_ITEM_TITLE",
        "items::LIST_CHILDREN",
        "items::FIND_4_ITEM_KEYS",
        "items::FIND_ITEM_KEYS",
        "claims::TAKE_ITEM",
        "claims::CLEAR_HOLDER",
        "engine::IS_REPLAY",
        "events::HAD_STATE_VALUE",
        "plans::FIND_PLAN_BY_PATH",
        "plan_tasks::LOAD_TASK",
        "plan_tasks::LIST_SILENT_TASKS",
        "plan_tasks::LIST_TASKS_RUNNING_FOR",
        "session_tasks::LOAD_SESSION_TASK",
        "steps::LIST_LATEST_STARTS",
        "phases::NEXT_QUEUE_POSITION",
    ] {
        let steps = plan_of(&connection, name);
        assert!(!steps.is_empty());
        for step in steps {
            let whole = step.starts_with("SCAN ")
                && step != "SCAN CONSTANT ROW"
                && !step.starts_with("SCAN json_each");
            assert!(!whole, "{step}\nin {name}");
        }
    }
}

#[test]
fn events_of_an_item_or_a_session_are_found_in_an_index() {
    let connection = migrated_database();
    for name in [
        "events::LIST_EVENTS_OF_ITEM",
        "events::LIST_EVENTS_OF_SESSION",
        "events::LIST_EVENTS_OF_ACTOR",
        "events::LIST_EVENTS_OF_OPERATION",
    ] {
        let steps = plan_of(&connection, name);
        let scan = |step: &String| step.starts_with("SCAN events");
        assert!(!steps.iter().any(scan), "{steps:?}");
        let search = |step: &String| step.starts_with("SEARCH events USING INDEX");
        assert!(steps.iter().any(search), "{steps:?}");
    }
}

#[test]
fn a_page_walks_along_the_keys_and_sorts_nothing() {
    let connection = migrated_database();
    for name in [
        "items::LIST_ITEMS_BY_KEY",
        "sessions::LIST_SESSION_IDS_BY_ID",
        "phases::LIST_PHASES_BY_ID",
    ] {
        let steps = plan_of(&connection, name);
        assert!(steps[0].starts_with("SEARCH "), "{steps:?}");
        assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE")), "{steps:?}");
    }
}

#[test]
fn an_overview_looks_the_newest_event_of_each_row_up() {
    let steps = plan_of(&migrated_database(), "overview::LIST_LATEST_EVENTS");
    let walked = |step: &&String| step.starts_with("SCAN e");
    assert_eq!(steps.iter().find(walked), None, "{steps:?}");
    let looked_up = "SEARCH e USING COVERING INDEX events_subject (entity=? AND key=?)";
    let count = steps.iter().filter(|step| *step == looked_up).count();
    assert_eq!(count, 4, "items, sessions, hand-offs, reports: {steps:?}");
}

#[test]
fn pruning_walks_what_ended_and_looks_everything_else_up() {
    let connection = migrated_database();
    let steps = plan_of(&connection, "retention::LIST_ENDED_SESSION_IDS");
    assert!(steps[0].contains("claude_sessions_ended"), "{steps:?}");
    for name in [
        "retention::LOAD_ENDED_SESSIONS",
        "retention::LIST_SUCCESSORS",
        "retention::LIST_PRUNABLE_EVENTS",
    ] {
        for step in plan_of(&connection, name) {
            let whole = step.starts_with("SCAN ")
                && step != "SCAN CONSTANT ROW"
                // A list of the caller's, and the few tables whose rows are few.
                && !["json_each", "port_reservations", "handoffs", "plan_tasks", "orchestrators"]
                    .iter()
                    .any(|few| step.contains(few));
            assert!(!whole, "{step}\nin {name}");
        }
    }
}

#[test]
fn a_sweep_reads_only_sessions_that_no_sweep_is_done_with_in_the_order_of_the_index() {
    let steps = plan_of(&migrated_database(), "sessions::LIST_EXPIRED_SESSION_IDS");
    assert!(steps[0].contains("claude_sessions_lease"), "{steps:?}");
    assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE")), "{steps:?}");
}

#[test]
fn looking_for_dead_orchestrators_walks_an_index_of_the_live_alone() {
    let connection = migrated_database();
    for name in ["orchestrators::LIST_LIVE_ORCHESTRATORS", "orchestrators::FIND_LIVE_RUN"] {
        let steps = plan_of(&connection, name);
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert!(steps[0].contains("orchestrators_one_per_plan"), "{steps:?}");
    }
}

#[test]
fn the_next_phase_and_the_stuck_ones_are_found_along_their_indexes() {
    for (name, index) in [
        ("phases::NEXT_PHASE", "phase_queue_next"),
        ("stuck::LIST_SILENT_STUCK", "phase_queue_running"),
        ("stuck::LIST_FUTURE_STUCK", "phase_queue_running"),
    ] {
        let steps = plan_of(&migrated_database(), name);
        assert!(steps[0].contains(index), "{steps:?}");
        let searched = |step: &String| step.starts_with("SEARCH ") && !step.contains("TEMP B-TREE");
        assert!(steps.iter().skip(1).all(searched), "{steps:?}");
    }
}

#[test]
fn pending_matters_are_found_by_indexes_of_the_pending_rows_only() {
    for name in ["store::LIST_PENDING_KINDS", "notices::HAS_NOTICES"] {
        for step in plan_of(&migrated_database(), name) {
            let scans = step.starts_with("SCAN ") && step != "SCAN CONSTANT ROW";
            assert!(!scans || step.contains(" INDEX "), "{step}");
        }
    }
}
