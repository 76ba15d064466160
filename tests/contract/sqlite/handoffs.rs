//! What the schema keeps of hand-offs, and what many at once come to.

use trueup_core::model::HandoffRefusal;
use trueup_core::store::{HandoffAcceptance, HandoffStore as _};

use super::races::at_once;
use super::rules::refuses;
use crate::fixture::{File, sqlite};
use crate::request::{LEASE, by, holder, id, item, register};

const MADE: &str = "INSERT INTO handoffs (id, type, item, from_session, to_session, epoch)
                    VALUES ('h-1', 'PLAN-TO-EXEC', 'A', 's1', 's2', 1)";

/// `s1` holds `A` and has handed it on so.
fn handed(sql: &str) -> File {
    let mut file = sqlite();
    holder(&mut file.store);
    register(&mut file.store, "s2");
    file.sql(sql);
    file
}

#[test]
fn an_id_is_used_once_a_status_is_of_its_vocabulary_and_nobody_hands_on_to_oneself() {
    let file = handed(MADE);
    refuses(&file, &MADE.replace("'A'", "'B'"), "handoffs.id");
    for change in ["status = 'odd'", "to_session = 's1'"] {
        let sql = format!("UPDATE handoffs SET {change}");
        refuses(&file, &sql, "constraint failed");
    }
}

#[test]
fn an_item_has_one_open_handoff_and_any_number_of_decided_ones() {
    let file = handed(MADE);
    let second = MADE.replace("'h-1'", "'h-2'");
    refuses(&file, &second, "handoffs.item");
    file.sql("UPDATE handoffs SET status = 'rejected'");
    file.sql(&second);
    let reopened = "UPDATE handoffs SET status = 'blocked' WHERE id = 'h-1'";
    refuses(&file, reopened, "handoffs.item");
}

#[test]
fn of_many_that_accept_at_once_one_gets_the_item() {
    let file = handed(&MADE.replace("'s2', 1)", "NULL, 1)"));
    let answers = at_once(&file.path(), |n, store| {
        let name = format!("taker-{n}");
        register(store, &name);
        let acceptance = HandoffAcceptance {
            id: "h-1".parse().unwrap(),
            session: id(&name),
            lease_seconds: LEASE,
            provenance: by(&name),
        };
        store.accept_handoff(&acceptance).unwrap().map(|_| name)
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    let decided = |answer: &Result<_, _>| *answer == Err(HandoffRefusal::Decided);
    assert!(lost.iter().all(decided), "{lost:?}");
    let mut file = file;
    let item = item(&mut file.store, "A");
    assert_eq!(
        item.holder.map(|holder| holder.to_string()),
        won[0].clone().ok()
    );
    assert_eq!(item.epoch.0, 2);
}
