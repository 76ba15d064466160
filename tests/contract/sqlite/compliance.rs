//! Rows that violate a rule are reported, however they were written.

use trueup_core::store::CommandStore as _;
use trueup_core::store::sqlite::SqliteStore;

use crate::fixture::{DatabaseFile, new_sqlite};
use crate::requests::{add_item, register_holder, register_session};

fn list_violations(store: &mut SqliteStore) -> Vec<String> {
    let flaws = store.find_violations().unwrap().into_iter();
    flaws.map(|f| format!("{} {} {} {}", f.table, f.row, f.field, f.problem)).collect()
}

/// Runs a statement that the schema's rules would refuse.
fn execute_without_rules(file: &DatabaseFile, sql: &str) {
    let foreign_connection = file.open_foreign_connection();
    let triggers: Vec<String> = foreign_connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(|name| name.unwrap())
        .collect();
    for name in triggers {
        foreign_connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    foreign_connection
        .execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
        .unwrap();
    foreign_connection.execute_batch(sql).unwrap();
}

#[test]
fn what_trueup_wrote_has_all_it_must_have() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    add_item(&mut file.store, "B");
    assert_eq!(list_violations(&mut file.store.engine), Vec::<String>::new());
}

#[test]
fn each_row_that_breaks_a_rule_is_named_with_its_field() {
    for (sql, expected) in [
        (
            "UPDATE claude_sessions SET heartbeat_at = 'yesterday'",
            "claude_sessions s1 heartbeat_at \"yesterday\" is not a time",
        ),
        (
            "UPDATE claude_sessions SET status = 'dead'",
            "claude_sessions s1 status unknown status \"dead\"",
        ),
        (
            "UPDATE work_items SET status = 'planned' WHERE key = 'A'",
            "work_items A status \"planned\" is not a status",
        ),
        (
            "UPDATE work_items SET status = 'completed', completed_at = NULL WHERE key = 'A'",
            "work_items A completed_at is missing",
        ),
        (
            "UPDATE work_items SET updated_at = '' WHERE key = 'B'",
            "work_items B updated_at is missing",
        ),
        (
            "UPDATE work_items SET holder = 'ghost' WHERE key = 'B'",
            "work_items B holder refers to a missing row of claude_sessions",
        ),
        (
            "UPDATE work_items SET parent = 'gone' WHERE key = 'B'",
            "work_items B parent refers to a missing row of work_items",
        ),
        (
            "UPDATE work_items SET parent = iif(key = 'A', 'B', 'A')",
            "work_items A parent circular: A -> B -> A",
        ),
        (
            "INSERT INTO item_dependencies (item, depends_on) VALUES ('A', 'B'), ('B', 'A')",
            "item_dependencies A depends_on circular: A -> B -> A",
        ),
    ] {
        let mut file = new_sqlite();
        register_session(&mut file.store, "s1");
        add_item(&mut file.store, "A");
        add_item(&mut file.store, "B");
        execute_without_rules(&file, sql);
        let found = list_violations(&mut file.store.engine);
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
        assert!(found[0].starts_with(expected), "{sql}: {found:?}");
    }
}

#[test]
fn a_value_of_another_kind_is_a_flaw_and_no_failure() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    execute_without_rules(&file, "UPDATE claude_sessions SET metadata = CAST(x'ff00' AS TEXT)");
    assert_eq!(
        list_violations(&mut file.store.engine),
        ["claude_sessions s1 metadata is not a JSON object"]
    );
}
