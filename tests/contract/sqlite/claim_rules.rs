//! The schema's rules for sessions and claims: plain SQL cannot break them.

use crate::fixture::{DatabaseFile, new_sqlite};
use crate::requests::{
    add_item, claim_item, expect_refusal, load_item, load_session, register_holder,
    register_session, session_id,
};
use trueup_core::store::{ClaimStore as _, HookStore as _};

/// Asserts that a statement is refused with this message, also with foreign keys off.
#[track_caller]
pub(super) fn assert_refuses(file: &DatabaseFile, sql: &str, words: &str) {
    let connection = file.open_foreign_connection();
    for keys in ["OFF", "ON"] {
        connection.execute_batch(&format!("PRAGMA foreign_keys = {keys}")).unwrap();
        let error = connection.execute_batch(sql).unwrap_err();
        assert_eq!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::ConstraintViolation),
            "{sql}: {error}"
        );
        assert!(error.to_string().contains(words), "{sql}: {error}");
    }
}

#[test]
fn events_can_neither_be_changed_nor_deleted() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    assert_refuses(&file, "UPDATE events SET actor = 'me' WHERE seq = 1", "append-only");
    assert_refuses(&file, "DELETE FROM events", "append-only");
    assert_refuses(
        &file,
        "INSERT OR REPLACE INTO events (seq, actor, entity, key, kind) \
         VALUES (1, 'x', 'item', 'A', 'added')",
        "append-only",
    );
    assert_refuses(
        &file,
        "INSERT OR REPLACE INTO events (actor, entity, key, kind, op_id) \
         SELECT 'x', entity, key, kind, op_id FROM events WHERE kind = 'claimed'",
        "append-only",
    );
}

#[test]
fn a_session_holds_one_item_and_an_item_has_one_row() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    add_item(&mut file.store, "B");
    let sql = "UPDATE work_items SET holder = 's1' WHERE key = 'B'";
    assert_refuses(&file, sql, "work_items.holder");
    assert_refuses(
        &file,
        "INSERT INTO work_items (key, holder) VALUES ('C', 's1')",
        "work_items.holder",
    );
    assert_refuses(
        &file,
        "INSERT INTO work_items (key, holder) VALUES ('A', 's2')",
        "work_items.key",
    );
    assert_eq!(load_session(&mut file.store, "s1").item, Some(crate::requests::item_key("A")));
}

#[test]
fn a_fence_never_goes_back() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    assert_refuses(&file, "UPDATE work_items SET claim_epoch = 0", "never goes back");
    assert_refuses(
        &file,
        "UPDATE work_items SET claim_epoch = 0, holder = NULL",
        "never goes back",
    );
}

#[test]
fn a_value_outside_its_vocabulary_is_refused() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    for sql in [
        "INSERT INTO work_items (key, status) VALUES ('E', 'almost')",
        "INSERT INTO work_items (key, claim_epoch) VALUES ('E', -1)",
        "UPDATE claude_sessions SET status = 'dead'",
        "UPDATE claude_sessions SET metadata = 'x'",
        "UPDATE claude_sessions SET metadata = '[1]'",
        "UPDATE claude_sessions SET revision = 0",
        "INSERT INTO work_items (key) VALUES ('a/b')",
        "INSERT INTO work_items (key) VALUES ('')",
        "INSERT INTO work_items (key) VALUES (NULL)",
    ] {
        assert_refuses(&file, sql, "constraint failed");
    }
}

#[test]
fn a_rule_that_speaks_is_a_denial_in_its_own_words() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    add_item(&mut file.store, "A");
    file.execute_sql(
        "CREATE TRIGGER closed BEFORE UPDATE OF holder ON work_items
         BEGIN SELECT RAISE(ABORT, 'closed for today'); END",
    );
    let request = crate::requests::claim_request(&mut file.store, "s1", "A");
    let error = expect_refusal(file.store.claim(&request), "denied");
    assert!(error.to_string().contains("closed for today"), "{error}");
    assert_eq!(load_item(&mut file.store, "A").holder, None);
}

#[test]
fn a_value_that_cannot_be_read_is_damage_that_is_named() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    file.execute_sql("UPDATE claude_sessions SET heartbeat_at = 'yesterday'");
    let error = expect_refusal(file.store.load_session(&session_id("s1")), "store_corrupt");
    assert!(error.to_string().contains("yesterday"), "{error}");
}

#[test]
fn a_lost_table_is_damage() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    file.execute_sql("DROP TABLE session_tasks");
    expect_refusal(file.store.load_task(&session_id("s1"), "1"), "store_corrupt");
    assert_claim_works(&mut file);
}

fn assert_claim_works(file: &mut DatabaseFile) {
    add_item(&mut file.store, "A");
    claim_item(&mut file.store, "s1", "A");
}

#[test]
fn ports_are_neither_doubled_nor_invented() {
    let file = new_sqlite();
    let insert = |id: &str, backend: u16, frontend: u16| {
        format!(
            "INSERT INTO port_reservations (id, host, backend, frontend)
             VALUES ('{id}', 'h', {backend}, {frontend})"
        )
    };
    file.execute_sql(&insert("a", 9100, 9200));
    assert_refuses(&file, &insert("a", 9101, 9201), "port_reservations.id");
    assert_refuses(&file, &insert("b", 9100, 9200), "port_reservations.backend");
    for (backend, frontend) in [(9115, 9215), (9099, 9199), (9101, 9200)] {
        assert_refuses(&file, &insert("b", backend, frontend), "constraint failed");
    }
}
