//! The rules of hand-offs are in the schema too.

use rusqlite::params;
use trueup_core::model::{HandoffRefusal, HandoffStatus};
use trueup_core::store::{HandoffAcceptance, HandoffStore as _};

use super::races::at_once;
use super::rules::refuses;
use crate::fixture::{File, sqlite};
use crate::request::{LEASE, by, holder, id, item, register};

const MADE: &str = "INSERT INTO handoffs (id, type, item, from_session, to_session, epoch)
                    VALUES ('h-1', 'PLAN-TO-EXEC', 'A', 's1', 's2', 1)";

/// `s1` holds `A` and hands it to `s2`; `s3` is there.
fn handed() -> File {
    let mut file = sqlite();
    holder(&mut file.store);
    register(&mut file.store, "s2");
    register(&mut file.store, "s3");
    file.sql(MADE);
    file
}

#[test]
fn a_handoff_that_nobody_could_make_is_refused() {
    let file = handed();
    let insert = |values: &str| {
        format!(
            "INSERT INTO handoffs (id, type, item, from_session, to_session, epoch, status)
             VALUES ({values})"
        )
    };
    for (values, words) in [
        (
            "'h-2', 'T', 'A', 's2', NULL, 1, 'pending_acceptance'",
            "holds it",
        ),
        (
            "'h-2', 'T', 'A', 's1', NULL, 0, 'pending_acceptance'",
            "holds it",
        ),
        (
            "'h-2', 'T', 'B', 's1', NULL, 1, 'pending_acceptance'",
            "holds it",
        ),
        (
            "'h-2', 'T', 'A', 's1', 's9', 1, 'pending_acceptance'",
            "registered session",
        ),
        (
            "'h-2', 'T', 'A', 's1', 's1', 1, 'pending_acceptance'",
            "constraint failed",
        ),
        (
            "'h-2', 'T', 'A', 's1', 's2', 1, 'accepted'",
            "starts undecided",
        ),
        ("'h-2', 'T', 'A', 's1', 's2', 1, 'odd'", "undecided"),
        (
            "'h-2', 'a b', 'A', 's1', 's2', 1, 'pending_acceptance'",
            "constraint failed",
        ),
        (
            "'h-2', '', 'A', 's1', 's2', 1, 'pending_acceptance'",
            "constraint failed",
        ),
        (
            "'h-1', 'T', 'A', 's1', 's2', 1, 'pending_acceptance'",
            "exists already",
        ),
    ] {
        refuses(&file, &insert(values), words);
        let replace = insert(values).replace("INSERT", "INSERT OR REPLACE");
        refuses(&file, &replace, words);
    }
}

#[test]
fn what_is_handed_on_never_changes() {
    let file = handed();
    for change in [
        "id = 'h-2'",
        "type = 'OTHER'",
        "item = 'B'",
        "from_session = 's3'",
        "to_session = 's3'",
        "to_session = NULL",
        "epoch = 2",
    ] {
        refuses(
            &file,
            &format!("UPDATE handoffs SET {change}"),
            "never changes",
        );
    }
}

#[test]
fn an_item_that_did_not_move_was_not_accepted() {
    let file = handed();
    let accept = |who: &str| format!("UPDATE handoffs SET status = 'accepted', decided_by = {who}");
    for who in ["'s2'", "'s3'", "NULL"] {
        refuses(&file, &accept(who), "holds its item");
    }
    file.sql("UPDATE work_items SET holder = 's3' WHERE key = 'A'");
    refuses(&file, &accept("'s3'"), "addressed to");
    file.sql("UPDATE work_items SET holder = 's2' WHERE key = 'A'");
    file.sql(&accept("'s2'"));
    let row = |sql: &str| -> i64 { file.stranger().query_row(sql, [], |r| r.get(0)).unwrap() };
    assert_eq!(row("SELECT decided_at IS NOT NULL FROM handoffs"), 1);
    assert_eq!(row("SELECT revision FROM handoffs"), 2);
    let said = "SELECT count(*) FROM events WHERE entity = 'handoff' AND actor = 'sql'";
    assert_eq!(row(said), 2, "made and accepted");
}

#[test]
fn a_rejection_says_who_and_why_and_stays() {
    let file = handed();
    for change in [
        "status = 'rejected'",
        "status = 'rejected', decided_by = 's2'",
        "status = 'rejected', decided_by = 's2', reject_reason = ''",
        "status = 'rejected', reject_reason = 'no'",
    ] {
        refuses(
            &file,
            &format!("UPDATE handoffs SET {change}"),
            "by whom, and why",
        );
    }
    file.sql("UPDATE handoffs SET status = 'rejected', decided_by = 's2', reject_reason = 'no'");
    for change in ["reject_reason = 'yes'", "decided_by = 's3'"] {
        refuses(&file, &format!("UPDATE handoffs SET {change}"), "made once");
    }
}

#[test]
fn the_schema_and_the_code_have_the_same_legal_changes() {
    for from in HandoffStatus::ALL {
        for to in HandoffStatus::ALL {
            let file = handed();
            let connection = file.stranger();
            let set = |status: HandoffStatus| {
                if status == HandoffStatus::Accepted {
                    file.sql("UPDATE work_items SET holder = 's2' WHERE key = 'A'");
                }
                let decided = matches!(status, HandoffStatus::Accepted | HandoffStatus::Rejected);
                let who = decided.then_some("s2");
                let why = (status == HandoffStatus::Rejected).then_some("no");
                connection.execute(
                    "UPDATE handoffs SET status = ?1, decided_by = ?2, reject_reason = ?3",
                    params![status.as_str(), who, why],
                )
            };
            set(from).unwrap();
            assert_eq!(set(to).is_ok(), from.may_become(to), "{from} -> {to}");
        }
    }
}

#[test]
fn only_what_can_no_longer_be_accepted_is_forgotten() {
    let file = handed();
    refuses(&file, "DELETE FROM handoffs", "stays");
    file.sql("UPDATE work_items SET holder = 's3' WHERE key = 'A'");
    file.sql("DELETE FROM handoffs");
    file.sql("UPDATE work_items SET holder = 's1' WHERE key = 'A'");
    file.sql(&MADE.replace("'s2', 1)", "'s2', 3)"));
    file.sql("UPDATE handoffs SET status = 'rejected', decided_by = 's2', reject_reason = 'no'");
    file.sql("DELETE FROM handoffs");
}

#[test]
fn of_many_that_accept_at_once_one_gets_the_item() {
    let file = handed();
    file.sql(
        &MADE
            .replace("'h-1'", "'h-2'")
            .replace("'s2', 1)", "NULL, 1)"),
    );
    let answers = at_once(&file.path(), |n, store| {
        let name = format!("taker-{n}");
        register(store, &name);
        let acceptance = HandoffAcceptance {
            id: "h-2".parse().unwrap(),
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
