//! One row that cannot be read, or a rule that forbids, keeps no other write from arriving.

use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::model::{Field, Timestamp, Value};
use trueup_core::outbox::{Origin, Pending, Write};
use trueup_core::store::{Delivered, Newcomer, Store as _, WaitingStore as _};

use crate::fixture::{patience, sqlite};
use crate::request::{id, register, session};

fn task(name: &str, op: &str) -> Pending {
    Pending {
        op_id: op.to_owned(),
        at: Timestamp::from_millis(0),
        session: id(name),
        origin: Some(Origin {
            database: String::new(),
            lineage: None,
            base: None,
            claim: None,
        }),
        write: Write::State {
            changes: [(Field::Task, Value::Text(Some(op.to_owned())))].into(),
            branch: None,
        },
    }
}

fn newcomer() -> Newcomer {
    Newcomer {
        host: None,
        lease_seconds: 900,
    }
}

#[test]
fn a_row_that_cannot_be_read_is_the_trouble_of_its_own_session() {
    let mut file = sqlite();
    for name in ["s1", "s2"] {
        register(&mut file.store, name);
    }
    let stranger = file.stranger();
    stranger
        .execute(
            "UPDATE claude_sessions SET heartbeat_at = 'soon' WHERE session_id = 's1'",
            [],
        )
        .unwrap();
    let (bad, good) = (task("s1", "bad"), task("s2", "good"));
    let answers = file
        .store
        .deliver(&[&bad, &good], &newcomer(), patience())
        .unwrap();
    assert!(
        matches!(&answers[0], Delivered::Refused(why) if why.contains("cannot be read")),
        "{answers:?}"
    );
    assert_eq!(answers[1], Delivered::Written);
}

#[test]
fn what_a_rule_forbids_leaves_no_half_of_itself() {
    let mut file = sqlite();
    register(&mut file.store, "s1");
    let rule = "CREATE TRIGGER no BEFORE UPDATE OF status ON claude_sessions
        WHEN NEW.status = 'ended' BEGIN SELECT RAISE(ABORT, 'nobody leaves'); END";
    file.stranger().execute_batch(rule).unwrap();
    let end = Pending {
        write: Write::End {
            reason: "other".to_owned(),
        },
        ..task("s1", "end")
    };
    let before = session(&mut file.store, "s1").revision;
    let good = task("s1", "good");
    let answers = file
        .store
        .deliver(&[&end, &good], &newcomer(), patience())
        .unwrap();
    assert!(
        matches!(&answers[0], Delivered::Refused(why) if why.contains("nobody leaves")),
        "{answers:?}"
    );
    assert_eq!(answers[1], Delivered::Written);
    assert_eq!(session(&mut file.store, "s1").revision.0, before.0 + 1);
}

#[test]
fn without_time_the_first_alone_is_written_and_without_a_turn_none() {
    let mut file = sqlite();
    register(&mut file.store, "s1");
    let writes: Vec<Pending> = (0..3).map(|n| task("s1", &format!("op-{n}"))).collect();
    let writes: Vec<&Pending> = writes.iter().collect();
    let over = Deadline::after(Duration::ZERO);
    let answers = file.store.deliver(&writes, &newcomer(), over).unwrap();
    assert_eq!(answers, [Delivered::Written]);
    let other = file.stranger();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let locked = file.store.deliver(&writes, &newcomer(), over);
    assert_eq!(locked.unwrap_err().code(), "store_contended");
    other.execute_batch("COMMIT").unwrap();
    // The time of its own writes is as it was.
    let all = file
        .store
        .deliver(&writes, &newcomer(), patience())
        .unwrap();
    assert_eq!(all.len(), 3);
    let now = file.store.session(&id("s1")).unwrap().unwrap();
    assert_eq!(now.execution_state().work.task.as_deref(), Some("op-2"));
}
