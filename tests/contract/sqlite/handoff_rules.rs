//! The schema's rules for hand-offs, and concurrent hand-offs.

use trueup_core::model::HandoffRefusal;
use trueup_core::store::{AcceptHandoffRequest, HandoffStore as _};

use super::claim_rules::assert_refuses;
use super::write_races::run_at_once;
use crate::fixture::{DatabaseFile, new_sqlite};
use crate::requests::{
    LEASE_SECONDS, load_item, new_provenance, register_holder, register_session, session_id,
};

const INSERT_HANDOFF: &str =
    "INSERT INTO handoffs (id, type, item, from_session, to_session, epoch)
                    VALUES ('h-1', 'PLAN-TO-EXEC', 'A', 's1', 's2', 1)";

/// Creates a file in which `s1` holds `A`, with a hand-off inserted by this statement.
fn file_with_handoff(sql: &str) -> DatabaseFile {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    register_session(&mut file.store, "s2");
    file.execute_sql(sql);
    file
}

#[test]
fn an_id_is_used_once_a_status_is_of_its_vocabulary_and_nobody_hands_on_to_oneself() {
    let file = file_with_handoff(INSERT_HANDOFF);
    assert_refuses(&file, &INSERT_HANDOFF.replace("'A'", "'B'"), "handoffs.id");
    for change in ["status = 'odd'", "to_session = 's1'"] {
        let sql = format!("UPDATE handoffs SET {change}");
        assert_refuses(&file, &sql, "constraint failed");
    }
}

#[test]
fn an_item_has_one_open_handoff_and_any_number_of_decided_ones() {
    let file = file_with_handoff(INSERT_HANDOFF);
    let second = INSERT_HANDOFF.replace("'h-1'", "'h-2'");
    assert_refuses(&file, &second, "handoffs.item");
    file.execute_sql("UPDATE handoffs SET status = 'rejected'");
    file.execute_sql(&second);
    let reopened = "UPDATE handoffs SET status = 'blocked' WHERE id = 'h-1'";
    assert_refuses(&file, reopened, "handoffs.item");
}

#[test]
fn of_many_that_accept_at_once_one_gets_the_item() {
    let file = file_with_handoff(&INSERT_HANDOFF.replace("'s2', 1)", "NULL, 1)"));
    let answers = run_at_once(&file.path(), |n, store| {
        let name = format!("taker-{n}");
        register_session(store, &name);
        let acceptance = AcceptHandoffRequest {
            id: "h-1".parse().unwrap(),
            session: session_id(&name),
            lease_seconds: LEASE_SECONDS,
            provenance: new_provenance(&name),
        };
        store.accept_handoff(&acceptance).unwrap().map(|_| name)
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    let decided = |answer: &Result<_, _>| *answer == Err(HandoffRefusal::Decided);
    assert!(lost.iter().all(decided), "{lost:?}");
    let mut file = file;
    let item = load_item(&mut file.store, "A");
    assert_eq!(item.holder.map(|holder| holder.to_string()), won[0].clone().ok());
    assert_eq!(item.epoch.0, 2);
}
