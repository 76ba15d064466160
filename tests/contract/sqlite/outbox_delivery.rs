//! A row that cannot be read or a write that a rule forbids does not block other writes.

use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::model::{FieldValue, SessionStatus, StateField, Timestamp};
use trueup_core::outbox::{PendingChange, PendingWrite, RefusedWrite, WriteOrigin};
use trueup_core::store::{
    AttentionStore as _, DeliveryOutcome, DeliverySource, HookStore as _, OutboxDeliveryStore as _,
};

use crate::fixture::{new_sqlite, test_deadline};
use crate::requests::{load_session, register_session, session_id};

fn pending_task(name: &str, op: &str) -> PendingWrite {
    PendingWrite {
        op_id: op.to_owned(),
        at: Timestamp::from_millis(0),
        session: session_id(name),
        origin: Some(WriteOrigin {
            database: String::new(),
            address: None,
            lineage: None,
            base: None,
            base_lineage: None,
            claim: None,
        }),
        write: PendingChange::State {
            changes: [(StateField::Task, FieldValue::Text(Some(op.to_owned())))].into(),
            branch: None,
        },
    }
}

fn new_session() -> DeliverySource {
    DeliverySource { outbox: None, host: None, lease_seconds: 900 }
}

#[test]
fn a_row_that_cannot_be_read_is_the_trouble_of_its_own_session() {
    let mut file = new_sqlite();
    for name in ["s1", "s2"] {
        register_session(&mut file.store, name);
    }
    let foreign_connection = file.open_foreign_connection();
    foreign_connection
        .execute("UPDATE claude_sessions SET heartbeat_at = 'soon' WHERE session_id = 's1'", [])
        .unwrap();
    let (bad, good) = (pending_task("s1", "bad"), pending_task("s2", "good"));
    let answers =
        file.store.deliver_pending(&[&bad, &good], &new_session(), test_deadline()).unwrap();
    assert!(
        matches!(&answers[0], DeliveryOutcome::Refused(why) if why.contains("cannot be read")),
        "{answers:?}"
    );
    assert_eq!(answers[1], DeliveryOutcome::Written);
}

#[test]
fn what_a_rule_forbids_leaves_no_half_of_itself() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    let rule = "CREATE TRIGGER no BEFORE UPDATE OF status ON claude_sessions
        WHEN NEW.status = 'ended' BEGIN SELECT RAISE(ABORT, 'nobody leaves'); END";
    file.open_foreign_connection().execute_batch(rule).unwrap();
    let end = PendingWrite {
        write: PendingChange::End { reason: "other".to_owned() },
        ..pending_task("s1", "end")
    };
    let before = load_session(&mut file.store, "s1").revision;
    let good = pending_task("s1", "good");
    let answers =
        file.store.deliver_pending(&[&end, &good], &new_session(), test_deadline()).unwrap();
    assert!(
        matches!(&answers[0], DeliveryOutcome::Refused(why) if why.contains("nobody leaves")),
        "{answers:?}"
    );
    assert_eq!(answers[1], DeliveryOutcome::Written);
    assert_eq!(load_session(&mut file.store, "s1").revision.0, before.0 + 1);
    let id = RefusedWrite::attention_id(&end.op_id);
    let dead = file.store.load_attention(&id).unwrap().unwrap();
    assert!(dead.is_open() && dead.line.contains("nobody leaves"), "{dead:?}");
    // Its report is no sign that the write was carried out.
    file.open_foreign_connection().execute_batch("DROP TRIGGER no").unwrap();
    let answers = file.store.deliver_pending(&[&end], &new_session(), test_deadline()).unwrap();
    assert_eq!(answers, [DeliveryOutcome::Written]);
    assert_eq!(load_session(&mut file.store, "s1").status, SessionStatus::Ended);
}

#[test]
fn without_time_the_first_alone_is_written_and_without_a_turn_none() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    let writes: Vec<PendingWrite> =
        (0..3).map(|n| pending_task("s1", &format!("op-{n}"))).collect();
    let writes: Vec<&PendingWrite> = writes.iter().collect();
    let over = Deadline::after(Duration::ZERO);
    let answers = file.store.deliver_pending(&writes, &new_session(), over).unwrap();
    assert_eq!(answers, [DeliveryOutcome::Written]);
    let other = file.open_foreign_connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let locked = file.store.deliver_pending(&writes, &new_session(), over);
    assert_eq!(locked.unwrap_err().code(), "store_contended");
    other.execute_batch("COMMIT").unwrap();
    // The time of its own writes is as it was.
    let all = file.store.deliver_pending(&writes, &new_session(), test_deadline()).unwrap();
    assert_eq!(all.len(), 3);
    let now = file.store.load_session(&session_id("s1")).unwrap().unwrap();
    assert_eq!(now.execution_state().work.task.as_deref(), Some("op-2"));
}
