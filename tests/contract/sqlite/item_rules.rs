//! The schema's rules for items: the `sqlite3` shell cannot break one, with foreign keys on or off.

use rusqlite::ErrorCode;
use trueup_core::model::{ItemStatus, NewItem};
use trueup_core::store::ItemStore as _;

use crate::fixture::{DatabaseFile, new_sqlite};
use crate::requests::{
    add_item, claim_item, item_key, list_events, load_item, move_item, new_item, new_provenance,
    register_holder, register_session,
};

const FOREIGN_KEY_PRAGMAS: [&str; 2] = ["PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"];

/// Asserts that a statement is refused with this message and changes nothing.
#[track_caller]
fn assert_refuses(file: &DatabaseFile, sql: &str, words: &str) {
    let connection = file.open_foreign_connection();
    let read_row = || -> String {
        let sql = "SELECT group_concat(facts || claim_epoch || open_dependencies, x'0a')
             FROM (SELECT * FROM work_items ORDER BY key)";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let before = read_row();
    for keys in FOREIGN_KEY_PRAGMAS {
        connection.execute_batch(keys).unwrap();
        let error = connection.execute_batch(sql).unwrap_err();
        assert_eq!(
            error.sqlite_error_code(),
            Some(ErrorCode::ConstraintViolation),
            "{keys}; {sql}: {error}"
        );
        assert!(error.to_string().contains(words), "{keys}; {sql}: {error}");
        assert_eq!(read_row(), before, "{keys}; {sql}");
    }
}

const FENCE_MESSAGE: &str = "the write needs the epoch of its claim";

#[test]
fn an_illegal_step_is_refused() {
    let mut file = new_sqlite();
    for text in ["A", "B", "C"] {
        add_item(&mut file.store, text);
    }
    move_item(&mut file.store, "user", "B", ItemStatus::Completed);
    move_item(&mut file.store, "user", "C", ItemStatus::Running);
    for (key, to) in
        [("B", "running"), ("B", "queued"), ("B", "failed"), ("C", "queued"), ("C", "ready")]
    {
        let sql = format!("UPDATE work_items SET status = '{to}' WHERE key = '{key}'");
        assert_refuses(&file, &sql, "no legal change of status");
    }
    let unknown = "UPDATE work_items SET status = 'almost'";
    assert_refuses(&file, unknown, "no legal change of status");
    file.execute_sql("UPDATE work_items SET status = 'ready' WHERE key = 'A'");
    let event = list_events(&mut file.store).pop().unwrap();
    assert_eq!((event.actor.as_str(), event.kind.as_str()), ("sql", "status"));
}

#[test]
fn going_back_needs_everything_that_makes_a_reopening() {
    let mut file = new_sqlite();
    add_item(&mut file.store, "A");
    move_item(&mut file.store, "user", "A", ItemStatus::Completed);
    let back = "UPDATE work_items SET status = 'queued'";
    for rest in [
        "",
        ", reopened = reopened + 1",
        ", reopened = reopened + 1, last_op = 'x', last_reason = ''",
        ", reopened = reopened + 1, last_op = 'x', last_reason = NULL",
        ", reopened = reopened + 1, last_reason = 'why'",
        ", reopened = reopened + 2, last_op = 'x', last_reason = 'why'",
        ", last_op = 'x', last_reason = 'why'",
    ] {
        assert_refuses(&file, &format!("{back}{rest}"), "no legal change of status");
    }
    file.execute_sql(&format!(
        "{back}, reopened = reopened + 1, last_op = 'x', last_reason = 'why', last_actor = 'me'"
    ));
    let event = list_events(&mut file.store).pop().unwrap();
    assert_eq!(
        (event.actor.as_str(), event.kind.as_str(), event.reason.as_deref()),
        ("me", "reopened", Some("why"))
    );
}

#[test]
fn what_is_held_changes_under_its_epoch_alone() {
    let mut file = new_sqlite();
    let token = register_holder(&mut file.store).0;
    let stale = token - 1;
    for change in [
        "status = 'blocked'",
        "phase = 'PLAN'",
        "evidence = 'x'",
        "error_message = 'x'",
        "status = 'completed', holder = NULL",
    ] {
        let sql = format!("UPDATE work_items SET {change}");
        assert_refuses(&file, &sql, FENCE_MESSAGE);
        assert_refuses(&file, &format!("{sql}, under_epoch = {stale}"), FENCE_MESSAGE);
        assert_refuses(&file, &format!("{sql}, under_epoch = {}", token + 1), FENCE_MESSAGE);
    }
    // The epoch given for one write does not count for the next.
    file.execute_sql(&format!("UPDATE work_items SET under_epoch = {token}"));
    assert_refuses(&file, "UPDATE work_items SET phase = 'PLAN'", FENCE_MESSAGE);
    file.execute_sql(&format!("UPDATE work_items SET phase = 'PLAN', under_epoch = {token}"));
    let lingering: Option<i64> = file
        .open_foreign_connection()
        .query_row("SELECT under_epoch FROM work_items", [], |row| row.get(0))
        .unwrap();
    assert_eq!(lingering, None);
    assert_refuses(&file, "UPDATE work_items SET claim_epoch = claim_epoch - 1", "never goes back");
}

#[test]
fn a_holder_is_a_registered_session() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    add_item(&mut file.store, "B");
    for sql in [
        "UPDATE work_items SET holder = 'nobody' WHERE key = 'B'",
        "UPDATE work_items SET holder = 'nobody' WHERE key = 'A'",
        "UPDATE work_items SET holder = '' WHERE key = 'B'",
        "INSERT INTO work_items (key, holder) VALUES ('C', 'nobody')",
    ] {
        assert_refuses(&file, sql, "a holder is a registered session");
    }
    for sql in [
        "UPDATE work_items SET holder = 's1' WHERE key = 'B'",
        "UPDATE OR REPLACE work_items SET holder = 's1' WHERE key = 'B'",
        "INSERT INTO work_items (key, holder) VALUES ('C', 's1')",
        "INSERT OR REPLACE INTO work_items (key, holder) VALUES ('C', 's1')",
    ] {
        assert_refuses(&file, sql, "the session holds an item already");
    }
}

#[test]
fn a_session_that_holds_something_stays() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    assert_refuses(&file, "DELETE FROM claude_sessions", "a session that holds an item stays");
    for sql in [
        "INSERT OR REPLACE INTO claude_sessions (session_id) VALUES ('s1')",
        "REPLACE INTO claude_sessions (rowid, session_id)
         SELECT rowid, 'other' FROM claude_sessions WHERE session_id = 's1'",
    ] {
        assert_refuses(&file, sql, "the session exists already");
    }
    for sql in [
        "UPDATE claude_sessions SET session_id = 's2'",
        "UPDATE OR REPLACE claude_sessions SET session_id = 's2'",
    ] {
        assert_refuses(&file, sql, "a session's id never changes");
    }
}

#[test]
fn a_finished_item_has_no_holder() {
    let mut file = new_sqlite();
    let token = register_holder(&mut file.store).0;
    register_session(&mut file.store, "s2");
    add_item(&mut file.store, "B");
    move_item(&mut file.store, "user", "B", ItemStatus::Completed);
    for sql in [
        format!(
            "UPDATE work_items SET status = 'completed', under_epoch = {token} WHERE key = 'A'"
        ),
        "UPDATE work_items SET holder = 's2' WHERE key = 'B'".to_owned(),
        "INSERT INTO work_items (key, holder, status) VALUES ('C', 's2', 'failed')".to_owned(),
    ] {
        assert_refuses(&file, &sql, "a finished item has no holder");
    }
}

#[test]
fn evidence_is_asked_for_by_the_database_too() {
    let mut file = new_sqlite();
    let guarded = NewItem { requires_evidence: true, ..new_item("A") };
    file.store.add_item(&guarded, &new_provenance("user")).unwrap();
    for evidence in ["", ", evidence = NULL", ", evidence = ''"] {
        assert_refuses(
            &file,
            &format!("UPDATE work_items SET status = 'completed'{evidence}"),
            "completed with evidence only",
        );
    }
    file.execute_sql("UPDATE work_items SET status = 'completed', evidence = 'run 1'");
    assert_refuses(
        &file,
        "INSERT INTO work_items (key, requires_evidence) VALUES ('B', 2)",
        "CHECK",
    );
}

#[test]
fn no_row_is_removed_that_others_lean_on() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    add_item(&mut file.store, "P");
    let child = NewItem { parent: Some(item_key("P")), ..new_item("C") };
    file.store.add_item(&child, &new_provenance("user")).unwrap();
    for key in ["A", "P"] {
        assert_refuses(
            &file,
            &format!("DELETE FROM work_items WHERE key = '{key}'"),
            "an item that is held or has children stays",
        );
    }
    for sql in [
        "INSERT INTO work_items (key) VALUES ('A')",
        "INSERT OR REPLACE INTO work_items (key) VALUES ('A')",
        "REPLACE INTO work_items (key, holder) VALUES ('P', 's1')",
        // The row in the way is found by its number too.
        "REPLACE INTO work_items (rowid, key) SELECT rowid, 'Z' FROM work_items WHERE key = 'A'",
    ] {
        assert_refuses(&file, sql, "the item exists already");
    }
    for sql in [
        "UPDATE work_items SET key = 'Z' WHERE key = 'C'",
        "UPDATE OR REPLACE work_items SET key = 'A' WHERE key = 'C'",
        "UPDATE OR REPLACE work_items SET rowid = (SELECT rowid FROM work_items WHERE key = 'A')
         WHERE key = 'C'",
    ] {
        assert_refuses(&file, sql, "a key never changes");
    }
    file.execute_sql("DELETE FROM work_items WHERE key = 'C'");
}

#[test]
fn dependencies_are_counted_by_whatever_hand_they_come() {
    let mut file = new_sqlite();
    for text in ["A", "B", "C"] {
        add_item(&mut file.store, text);
    }
    let mut open = |sql: &str| {
        file.execute_sql(sql);
        load_item(&mut file.store, "C").open_dependencies
    };
    assert_eq!(open("INSERT INTO item_dependencies VALUES ('C', 'A'), ('C', 'B')"), 2);
    assert_eq!(open("UPDATE work_items SET status = 'completed' WHERE key = 'A'"), 1);
    assert_eq!(open("UPDATE work_items SET status = 'cancelled' WHERE key = 'B'"), 1);
    assert_eq!(open("DELETE FROM item_dependencies WHERE depends_on = 'B'"), 0);
    assert_eq!(
        open(
            "UPDATE work_items SET status = 'queued', reopened = 1, last_op = 'x',
                 last_reason = 'why' WHERE key = 'A'"
        ),
        1
    );
    assert_refuses(&file, "INSERT INTO item_dependencies VALUES ('C', 'C')", "CHECK");
}

#[test]
fn an_item_taken_by_plain_sql_is_fenced_and_dated_like_any_other() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    register_session(&mut file.store, "s2");
    let before = load_item(&mut file.store, "A");
    file.execute_sql("UPDATE work_items SET holder = 's2'");
    let after = load_item(&mut file.store, "A");
    assert_eq!(after.epoch.0, before.epoch.0 + 1);
    let event = list_events(&mut file.store).pop().unwrap();
    assert_eq!((event.actor.as_str(), event.kind.as_str()), ("sql", "taken_over"));
    claim_item(&mut file.store, "s2", "A");
    file.execute_sql("UPDATE work_items SET holder = NULL");
    assert_eq!(load_item(&mut file.store, "A").claimed_at, None);
}
