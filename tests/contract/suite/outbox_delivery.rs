//! Delivery of writes from the outbox: revision and origin decide what they may change, in order.

use trueup_core::model::{
    EventKind, FieldValue, Revision, SessionId, SessionStatus, StateField, Timestamp,
};
use trueup_core::outbox::{PendingChange, PendingWrite, WriteOrigin};
use trueup_core::reconcile::RejectionReason;
use trueup_core::store::{DeliveryOutcome, DeliverySource, Store};

use crate::fixture::{StoreFixture, test_deadline};
use crate::requests::{
    claim_item, field_push, item_key, list_events, load_session, new_heartbeat, provenance_because,
    register_holder, register_session, session_id,
};

on_every_store! {
    own_earlier_writes_are_nothing_newer
    what_another_outbox_wrote_is_a_change_by_somebody_else
    the_change_of_another_after_the_base_wins_whatever_the_clocks_say
    the_change_of_another_before_the_base_is_known_and_overwritten
    what_is_lost_makes_nothing_of_what_follows
    a_write_made_on_a_revision_that_never_was_overwrites_nothing
    a_write_that_knows_nothing_overwrites_nothing
    the_word_for_what_waited_is_nobodys_passport
    what_was_seen_under_a_claim_holds_under_that_one
    twice_sent_is_once_written
    what_is_so_already_is_not_written_again
    a_session_unheard_of_is_registered
    an_end_ends_and_what_was_resumed_lives
    tasks_are_resolved_when_they_arrive
    a_checkpoint_is_recorded_once
    an_older_version_knew_the_time_alone
}

fn deliver_all(f: &mut impl StoreFixture, waiting: &[&PendingWrite]) -> Vec<DeliveryOutcome> {
    deliver_from(f, "outbox", waiting)
}

fn deliver_from(
    f: &mut impl StoreFixture,
    outbox: &str,
    waiting: &[&PendingWrite],
) -> Vec<DeliveryOutcome> {
    let source = DeliverySource { outbox: Some(outbox.to_owned()), host: None, lease_seconds: 900 };
    f.store().deliver_pending(waiting, &source, test_deadline()).unwrap()
}

/// Builds a write that is based on the session's present state.
fn pending_write(
    f: &mut impl StoreFixture,
    name: &str,
    op: &str,
    write: PendingChange,
) -> PendingWrite {
    let now = load_session(f.store(), name);
    PendingWrite {
        op_id: op.to_owned(),
        at: now.read_at,
        session: session_id(name),
        origin: Some(WriteOrigin {
            database: String::new(),
            address: None,
            lineage: Some(now.lineage),
            base: Some(now.revision),
            base_lineage: None,
            claim: now.item.zip(now.epoch),
        }),
        write,
    }
}

fn task_write(text: &str) -> PendingChange {
    PendingChange::State {
        changes: [(StateField::Task, FieldValue::Text(Some(text.to_owned())))].into(),
        branch: None,
    }
}

fn load_task(store: &mut dyn Store, name: &str) -> Option<String> {
    load_session(store, name).execution_state().work.task
}

/// Changes the task as another writer.
fn change_task(store: &mut dyn Store, name: &str, text: &str) {
    let now = load_session(store, name);
    let push = field_push(&now, StateField::Task, FieldValue::Text(Some(text.to_owned())));
    store.push_state(&push).unwrap();
}

#[track_caller]
fn assert_lost(answer: &DeliveryOutcome, because: RejectionReason, text: &str) {
    let DeliveryOutcome::Superseded(lost) = answer else { panic!("{answer:?}") };
    assert_eq!(lost.reason, because);
    let value = FieldValue::Text(Some(text.to_owned()));
    assert_eq!(lost.fields, [(StateField::Task, value)].into());
}

fn own_earlier_writes_are_nothing_newer(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let all: Vec<PendingWrite> = ["first", "second", "third", "fourth"]
        .iter()
        .map(|text| pending_write(f, "s1", text, task_write(text)))
        .collect();
    // In one batch or one by one, as the deadline allows.
    assert_eq!(
        deliver_all(f, &[&all[0], &all[1]]),
        [DeliveryOutcome::Written, DeliveryOutcome::Written]
    );
    assert_eq!(deliver_all(f, &[&all[2]]), [DeliveryOutcome::Written]);
    f.advance_time(3_600);
    assert_eq!(deliver_all(f, &[&all[3]]), [DeliveryOutcome::Written]);
    assert_eq!(load_task(f.store(), "s1").as_deref(), Some("fourth"));
    assert_eq!(load_session(f.store(), "s1").revision, Revision(5));
}

fn what_another_outbox_wrote_is_a_change_by_somebody_else(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let write = |f: &mut _, text: &str| pending_write(f, "s1", text, task_write(text));
    let old = ["away 1", "away 2"].map(|text| write(f, text));
    let first = write(f, "present");
    assert_eq!(deliver_from(f, "a", &[&first]), [DeliveryOutcome::Written]);
    // Both are lost, whether they come at once or one behind the other.
    for answer in deliver_from(f, "b", &[&old[0], &old[1]]) {
        assert!(matches!(answer, DeliveryOutcome::Superseded(_)), "{answer:?}");
    }
    assert_eq!(load_task(f.store(), "s1").as_deref(), Some("present"));
    // Who knows of it goes on, and then the first one knows of nothing.
    let later = ["away 3", "away 4"].map(|text| write(f, text));
    let written = deliver_from(f, "b", &[&later[0], &later[1]]);
    assert_eq!(written, [DeliveryOutcome::Written, DeliveryOutcome::Written]);
    let late = PendingWrite { op_id: "late".to_owned(), ..first };
    assert_lost(&deliver_from(f, "a", &[&late])[0], RejectionReason::DatabaseMovedOn, "present");
    assert_eq!(load_task(f.store(), "s1").as_deref(), Some("away 4"));
}

fn the_change_of_another_after_the_base_wins_whatever_the_clocks_say(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    for (n, skew) in [-3_600_000_i64, 0, 3_600_000].into_iter().enumerate() {
        let mut old = pending_write(f, "s1", &format!("op-old-{n}"), task_write("old"));
        old.at = Timestamp::from_millis(old.at.as_millis() + skew);
        change_task(f.store(), "s1", &format!("newer {n}"));
        let answer = deliver_all(f, &[&old]);
        assert_lost(&answer[0], RejectionReason::DatabaseMovedOn, "old");
        let now = load_task(f.store(), "s1");
        assert_eq!(now, Some(format!("newer {n}")), "{skew}");
    }
}

fn the_change_of_another_before_the_base_is_known_and_overwritten(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    change_task(f.store(), "s1", "older");
    let mut new = pending_write(f, "s1", "new", task_write("new"));
    new.at = Timestamp::from_millis(0);
    assert_eq!(deliver_all(f, &[&new]), [DeliveryOutcome::Written]);
    assert_eq!(load_task(f.store(), "s1").as_deref(), Some("new"));
}

fn what_is_lost_makes_nothing_of_what_follows(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let before = pending_write(f, "s1", "before", task_write("before"));
    change_task(f.store(), "s1", "between");
    let after = pending_write(f, "s1", "after", task_write("after"));
    let answer = deliver_all(f, &[&before, &after]);
    assert_lost(&answer[0], RejectionReason::DatabaseMovedOn, "before");
    assert_eq!(answer[1], DeliveryOutcome::Written);
    assert_eq!(load_task(f.store(), "s1").as_deref(), Some("after"));
}

fn a_write_made_on_a_revision_that_never_was_overwrites_nothing(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    change_task(f.store(), "s1", "right");
    let mut odd = pending_write(f, "s1", "odd", task_write("odd"));
    odd.origin.as_mut().unwrap().base = Some(Revision(99_999));
    let answer = deliver_all(f, &[&odd]);
    assert_lost(&answer[0], RejectionReason::DatabaseMovedOn, "odd");
    assert_eq!(load_task(f.store(), "s1").as_deref(), Some("right"));
}

fn a_write_that_knows_nothing_overwrites_nothing(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let blind = |f: &mut _, op: &str| {
        let mut write = pending_write(f, "s1", op, task_write(op));
        write.origin.as_mut().unwrap().base = None;
        write
    };
    let first = blind(f, "first");
    assert_eq!(deliver_all(f, &[&first]), [DeliveryOutcome::Written]);
    change_task(f.store(), "s1", "theirs");
    let second = blind(f, "second");
    let answer = deliver_all(f, &[&second]);
    assert_lost(&answer[0], RejectionReason::DatabaseMovedOn, "second");
}

fn the_word_for_what_waited_is_nobodys_passport(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let old = pending_write(f, "s1", "old", task_write("old"));
    let now = load_session(f.store(), "s1");
    let mut push = field_push(&now, StateField::Task, FieldValue::Text(Some("new".to_owned())));
    push.provenance = provenance_because("s1", "outbox");
    f.store().push_state(&push).unwrap();
    let answer = deliver_all(f, &[&old]);
    assert_lost(&answer[0], RejectionReason::DatabaseMovedOn, "old");
}

fn what_was_seen_under_a_claim_holds_under_that_one(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let held = pending_write(f, "s1", "held", task_write("held"));
    register_session(f.store(), "s2");
    claim_item(f.store(), "s2", "A");
    let answer = deliver_all(f, &[&held]);
    assert_lost(&answer[0], RejectionReason::ClaimLost, "held");
}

fn twice_sent_is_once_written(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let write = pending_write(f, "s1", "op", task_write("once"));
    let end = pending_write(f, "s1", "bye", end_write());
    assert_eq!(deliver_all(f, &[&write]), [DeliveryOutcome::Written]);
    change_task(f.store(), "s1", "later");
    assert_eq!(deliver_all(f, &[&write, &end]).len(), 2);
    assert_eq!(load_task(f.store(), "s1").as_deref(), Some("later"));
    let before = list_events(f.store()).len();
    assert_eq!(deliver_all(f, &[&write, &end, &write]).len(), 3);
    assert_eq!(list_events(f.store()).len(), before);
}

fn what_is_so_already_is_not_written_again(f: &mut impl StoreFixture) {
    register_holder(f.store());
    // Each pair is one batch, which has one time on a server; the text is a secret by its form.
    for (text, raised) in
        [("", 0), ("same", 1), ("token ghp_0123456789abcdefghijABCDEFGHIJ012345", 1)]
    {
        let before = load_session(f.store(), "s1").revision;
        let pair = ["first", "second"]
            .map(|op| pending_write(f, "s1", &format!("{op} {text}"), task_write(text)));
        let outcomes = deliver_all(f, &[&pair[0], &pair[1]]);
        assert_eq!(outcomes, vec![DeliveryOutcome::Written; 2]);
        let after = load_session(f.store(), "s1").revision;
        assert_eq!(after, Revision(before.0 + raised), "{text:?}");
    }
    let before = load_session(f.store(), "s1").revision;
    let ends = ["bye", "again"].map(|op| pending_write(f, "s1", op, end_write()));
    let outcomes = deliver_all(f, &[&ends[0], &ends[1]]);
    assert_eq!(outcomes, vec![DeliveryOutcome::Written; 2]);
    let ended = load_session(f.store(), "s1");
    assert_eq!(ended.revision, Revision(before.0 + 1));
    assert!(ended.execution_state().work.was_interrupted);
}

fn end_write() -> PendingChange {
    PendingChange::End { reason: "other".to_owned() }
}

fn a_session_unheard_of_is_registered(f: &mut impl StoreFixture) {
    let write = PendingWrite {
        op_id: "op".to_owned(),
        at: Timestamp::from_millis(0),
        session: session_id("new"),
        origin: Some(WriteOrigin {
            database: "somewhere".to_owned(),
            address: None,
            lineage: None,
            base: None,
            base_lineage: None,
            claim: None,
        }),
        write: task_write("begun"),
    };
    assert_eq!(deliver_all(f, &[&write]), [DeliveryOutcome::Written]);
    assert_eq!(load_task(f.store(), "new").as_deref(), Some("begun"));
}

fn an_end_ends_and_what_was_resumed_lives(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let end = pending_write(f, "s1", "end", end_write());
    // A later change of the state is no sign that the session continued.
    change_task(f.store(), "s1", "noted by another");
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    assert_eq!(deliver_all(f, &[&end]), [DeliveryOutcome::Written]);
    let ended = load_session(f.store(), "s1");
    assert_eq!(ended.status, SessionStatus::Ended);
    assert!(ended.execution_state().work.was_interrupted);
    assert_eq!(ended.item, Some(item_key("A")));
    let again = pending_write(f, "s1", "resumed", PendingChange::Resumed);
    assert_eq!(deliver_all(f, &[&again]), [DeliveryOutcome::Written]);
    assert_eq!(load_session(f.store(), "s1").status, SessionStatus::Active);
}

fn tasks_are_resolved_when_they_arrive(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let named = |task: &str, subject: &str| PendingChange::Task {
        task: task.to_owned(),
        subject: subject.to_owned(),
    };
    let started = |task: &str| PendingChange::TaskStarted { task: task.to_owned() };
    let finished = |task: &str| PendingChange::TaskFinished { task: task.to_owned() };
    let steps = [
        (named("1", "build"), None),
        (started("9"), None),
        (started("1"), Some("build")),
        (finished("9"), Some("build")),
        (finished("1"), None),
    ];
    for (n, (write, expected)) in steps.into_iter().enumerate() {
        let write = pending_write(f, "s1", &format!("op-{n}"), write);
        assert_eq!(deliver_all(f, &[&write]), [DeliveryOutcome::Written]);
        assert_eq!(load_task(f.store(), "s1").as_deref(), expected, "step {n}");
    }
}

fn a_checkpoint_is_recorded_once(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let change = PendingChange::Checkpoint { operations: 15, reason: "operations".to_owned() };
    let write = pending_write(f, "s1", "op", change);
    for _ in 0..2 {
        assert_eq!(deliver_all(f, &[&write]), [DeliveryOutcome::Written]);
    }
    let events = list_events(f.store());
    let found: Vec<_> = events.iter().filter(|it| it.is_kind(EventKind::Checkpoint)).collect();
    let [event] = found[..] else { panic!("{events:?}") };
    assert_eq!(event.after["operations"], 15);
    assert_eq!(event.reason.as_deref(), Some("operations"));
}

fn an_older_version_knew_the_time_alone(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    change_task(f.store(), "s1", "theirs");
    let old = |f: &mut _, op: &str, skew: i64| PendingWrite {
        op_id: op.to_owned(),
        at: Timestamp::from_millis(read_clock(f) + skew),
        session: "s1".parse::<SessionId>().unwrap(),
        origin: None,
        write: task_write(op),
    };
    // An earlier write is superseded; one dated in the future has no known time.
    for (op, skew) in [("early", -60_000), ("ahead", 600_000)] {
        let old = old(f, op, skew);
        let answer = deliver_all(f, &[&old]);
        assert_lost(&answer[0], RejectionReason::DatabaseMovedOn, op);
    }
    f.age_events(60);
    let later = [old(f, "first", -30_000), old(f, "second", -30_000)];
    let waits: Vec<&PendingWrite> = later.iter().collect();
    assert_eq!(deliver_all(f, &waits), vec![DeliveryOutcome::Written; 2]);
    assert_eq!(load_task(f.store(), "s1").as_deref(), Some("second"));
}

fn read_clock(f: &mut impl StoreFixture) -> i64 {
    load_session(f.store(), "s1").read_at.as_millis()
}
