//! The statements of a turn are answered from indexes on PostgreSQL too.

use support::postgres::TestDatabase;

use crate::requests::statement;

/// Rows of which an index of one repository's items has to skip none, and one of all items has to skip
/// more than a planner takes for equal.
const ROWS: &str = "
    SET search_path = trueup;
    INSERT INTO claude_sessions (session_id) SELECT 's' || i FROM generate_series(1, 500) i;
    INSERT INTO work_items (key) SELECT 'P' || i FROM generate_series(1, 20) i;
    INSERT INTO work_items (key, parent, position, repo)
        SELECT 'K' || i, 'P' || (i % 2 + 1), CASE WHEN i % 2 = 0 THEN i END, 'r' || i % 7
        FROM generate_series(1, 12000) i;
    INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, status, queue_position)
        SELECT 'K' || i || ':1', 'K' || i, 1, 'plan', 'ready', i FROM generate_series(1, 500) i;
    ANALYZE;";

/// The plan of a statement for whatever values it is given. With few rows a sort costs nothing, so
/// what is asked is whether an index can answer.
fn plan_of(database: &TestDatabase, name: &str) -> String {
    let text = statement(name).registered_text();
    let explain = format!(
        "SET search_path = trueup; SET enable_seqscan = off; SET enable_bitmapscan = off;
         SET enable_sort = off; SET plan_cache_mode = force_generic_plan;
         PREPARE one(jsonb) AS {text};
         EXPLAIN EXECUTE one('[]')"
    );
    database.run(&explain).unwrap()
}

#[test]
fn statements_of_a_turn_are_answered_from_indexes() {
    let Some(database) = TestDatabase::create() else { return };
    database.run(ROWS).unwrap();
    for name in [
        "load::LOAD_SESSION",
        "load::LOAD_SESSIONS",
        "load::IS_REGISTERED",
        "state::PUSH_STATE",
        "state::UPDATE_PHASE_OF_HELD_ITEM",
        "lifecycle::END_SESSION",
        "load::LOAD_ITEM",
        "load::LOAD_ITEMS",
        "load::LIST_CHILDREN",
        "load::FIND_4_ITEM_KEYS",
        "load::FIND_ITEM_KEYS",
        "claims::TAKE_ITEM",
        "claims::CLEAR_HOLDER",
        "engine::IS_REPLAY",
        "events::HAD_STATE_VALUE",
        "events::LIST_EVENTS_OF_ITEM",
        "events::LIST_EVENTS_OF_SESSION",
        "dependencies::LIST_WAITING_ITEMS",
        "next::LAST_HELD_ITEM",
        "next::LAST_HOLDER",
        "next::HAS_UNHELD",
        "next::LIST_UNFINISHED",
        "steps::LIST_LATEST_STARTS",
        "session_tasks::LOAD_SESSION_TASK",
        "plan_tasks::LOAD_TASK",
    ] {
        let plan = plan_of(&database, name);
        assert!(!plan.contains("Seq Scan"), "{name}:\n{plan}");
    }
}

#[test]
fn what_comes_next_is_the_first_entry_of_an_index() {
    let Some(database) = TestDatabase::create() else { return };
    database.run(ROWS).unwrap();
    for (name, index) in [
        ("next::FIRST_ALL", "work_items_next"),
        ("next::FIRST_ALL_IN_REPO", "work_items_next_in_repo"),
        ("next::FIRST_BEHIND_POSITION", "work_items_next"),
        ("next::FIRST_BEHIND_POSITION_IN_REPO", "work_items_next_in_repo"),
        ("next::FIRST_UNPLACED", "work_items_next"),
        ("next::FIRST_BEHIND_UNPLACED", "work_items_next"),
        ("phases::NEXT_PHASE", "phase_queue_next"),
        ("load::LIST_EXPIRED_SESSION_IDS", "claude_sessions_lease"),
    ] {
        let plan = plan_of(&database, name);
        assert!(plan.contains(&format!("using {index} ")), "{name}:\n{plan}");
        assert!(!plan.contains("Sort"), "{name}:\n{plan}");
    }
}
