//! Writes that waited: what they may change is decided by revision and origin, in their order.

use trueup_core::model::{Field, Revision, SessionId, SessionStatus, Timestamp, Value};
use trueup_core::outbox::{Origin, Pending, Write};
use trueup_core::reconcile::LostReason;
use trueup_core::store::{Delivered, Newcomer, Store};

use crate::fixture::{Fixture, patience};
use crate::request::{beat, because, change, claim, events, holder, id, key, register, session};

on_every_store! {
    own_earlier_writes_are_nothing_newer
    the_change_of_another_after_the_base_wins_whatever_the_clocks_say
    the_change_of_another_before_the_base_is_known_and_overwritten
    what_is_lost_makes_nothing_of_what_follows
    a_write_made_on_a_revision_that_never_was_overwrites_nothing
    a_write_that_knows_nothing_overwrites_nothing
    the_word_for_what_waited_is_nobodys_passport
    what_was_seen_under_a_claim_holds_under_that_one
    twice_sent_is_once_written
    a_session_unheard_of_is_registered
    an_end_ends_and_what_was_resumed_lives
    tasks_are_resolved_when_they_arrive
    an_older_version_knew_the_time_alone
}

fn delivered(f: &mut impl Fixture, waiting: &[&Pending]) -> Vec<Delivered> {
    let newcomer = Newcomer {
        host: None,
        lease_seconds: 900,
    };
    let store = f.store();
    store.deliver(waiting, &newcomer, patience()).unwrap()
}

/// A write made on what the database says of a session now.
fn waiting(f: &mut impl Fixture, name: &str, op: &str, write: Write) -> Pending {
    let now = session(f.store(), name);
    Pending {
        op_id: op.to_owned(),
        at: now.read_at,
        session: id(name),
        origin: Some(Origin {
            database: String::new(),
            lineage: Some(now.lineage),
            base: Some(now.revision),
            claim: now.item.zip(now.epoch),
        }),
        write,
    }
}

fn task(text: &str) -> Write {
    Write::State {
        changes: [(Field::Task, Value::Text(Some(text.to_owned())))].into(),
        branch: None,
    }
}

fn task_of(store: &mut dyn Store, name: &str) -> Option<String> {
    session(store, name).execution_state().work.task
}

/// Changes the task as another does.
fn set(store: &mut dyn Store, name: &str, text: &str) {
    let now = session(store, name);
    let push = change(&now, Field::Task, Value::Text(Some(text.to_owned())));
    store.push(&push).unwrap();
}

#[track_caller]
fn assert_lost(answer: &Delivered, because: LostReason, text: &str) {
    let Delivered::Lost(lost) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(lost.reason, because);
    let value = Value::Text(Some(text.to_owned()));
    assert_eq!(lost.fields, [(Field::Task, value)].into());
}

fn own_earlier_writes_are_nothing_newer(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let all: Vec<Pending> = ["first", "second", "third", "fourth"]
        .iter()
        .map(|text| waiting(f, "s1", text, task(text)))
        .collect();
    // Whether together or one by one, as the time allows.
    assert_eq!(
        delivered(f, &[&all[0], &all[1]]),
        [Delivered::Written, Delivered::Written]
    );
    assert_eq!(delivered(f, &[&all[2]]), [Delivered::Written]);
    f.advance(3_600);
    assert_eq!(delivered(f, &[&all[3]]), [Delivered::Written]);
    assert_eq!(task_of(f.store(), "s1").as_deref(), Some("fourth"));
    assert_eq!(session(f.store(), "s1").revision, Revision(5));
}

fn the_change_of_another_after_the_base_wins_whatever_the_clocks_say(f: &mut impl Fixture) {
    register(f.store(), "s1");
    for (n, skew) in [-3_600_000_i64, 0, 3_600_000].into_iter().enumerate() {
        let mut old = waiting(f, "s1", &format!("op-old-{n}"), task("old"));
        old.at = Timestamp::from_millis(old.at.as_millis() + skew);
        set(f.store(), "s1", &format!("newer {n}"));
        let answer = delivered(f, &[&old]);
        assert_lost(&answer[0], LostReason::DatabaseMovedOn, "old");
        let now = task_of(f.store(), "s1");
        assert_eq!(now, Some(format!("newer {n}")), "{skew}");
    }
}

fn the_change_of_another_before_the_base_is_known_and_overwritten(f: &mut impl Fixture) {
    register(f.store(), "s1");
    set(f.store(), "s1", "older");
    let mut new = waiting(f, "s1", "new", task("new"));
    new.at = Timestamp::from_millis(0);
    assert_eq!(delivered(f, &[&new]), [Delivered::Written]);
    assert_eq!(task_of(f.store(), "s1").as_deref(), Some("new"));
}

fn what_is_lost_makes_nothing_of_what_follows(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let before = waiting(f, "s1", "before", task("before"));
    set(f.store(), "s1", "between");
    let after = waiting(f, "s1", "after", task("after"));
    let answer = delivered(f, &[&before, &after]);
    assert_lost(&answer[0], LostReason::DatabaseMovedOn, "before");
    assert_eq!(answer[1], Delivered::Written);
    assert_eq!(task_of(f.store(), "s1").as_deref(), Some("after"));
}

fn a_write_made_on_a_revision_that_never_was_overwrites_nothing(f: &mut impl Fixture) {
    register(f.store(), "s1");
    set(f.store(), "s1", "right");
    let mut odd = waiting(f, "s1", "odd", task("odd"));
    odd.origin.as_mut().unwrap().base = Some(Revision(99_999));
    let answer = delivered(f, &[&odd]);
    assert_lost(&answer[0], LostReason::DatabaseMovedOn, "odd");
    assert_eq!(task_of(f.store(), "s1").as_deref(), Some("right"));
}

fn a_write_that_knows_nothing_overwrites_nothing(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let blind = |f: &mut _, op: &str| {
        let mut write = waiting(f, "s1", op, task(op));
        write.origin.as_mut().unwrap().base = None;
        write
    };
    let first = blind(f, "first");
    assert_eq!(delivered(f, &[&first]), [Delivered::Written]);
    set(f.store(), "s1", "theirs");
    let second = blind(f, "second");
    let answer = delivered(f, &[&second]);
    assert_lost(&answer[0], LostReason::DatabaseMovedOn, "second");
}

fn the_word_for_what_waited_is_nobodys_passport(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let old = waiting(f, "s1", "old", task("old"));
    let now = session(f.store(), "s1");
    let mut push = change(&now, Field::Task, Value::Text(Some("new".to_owned())));
    push.provenance = because("s1", "outbox");
    f.store().push(&push).unwrap();
    let answer = delivered(f, &[&old]);
    assert_lost(&answer[0], LostReason::DatabaseMovedOn, "old");
}

fn what_was_seen_under_a_claim_holds_under_that_one(f: &mut impl Fixture) {
    holder(f.store());
    let held = waiting(f, "s1", "held", task("held"));
    register(f.store(), "s2");
    claim(f.store(), "s2", "A");
    let answer = delivered(f, &[&held]);
    assert_lost(&answer[0], LostReason::ClaimLost, "held");
}

fn twice_sent_is_once_written(f: &mut impl Fixture) {
    holder(f.store());
    let write = waiting(f, "s1", "op", task("once"));
    let end = waiting(f, "s1", "bye", ending());
    assert_eq!(delivered(f, &[&write]), [Delivered::Written]);
    set(f.store(), "s1", "later");
    assert_eq!(delivered(f, &[&write, &end]).len(), 2);
    assert_eq!(task_of(f.store(), "s1").as_deref(), Some("later"));
    let before = events(f.store()).len();
    assert_eq!(delivered(f, &[&write, &end, &write]).len(), 3);
    assert_eq!(events(f.store()).len(), before);
}

fn ending() -> Write {
    Write::End {
        reason: "other".to_owned(),
    }
}

fn a_session_unheard_of_is_registered(f: &mut impl Fixture) {
    let write = Pending {
        op_id: "op".to_owned(),
        at: Timestamp::from_millis(0),
        session: id("new"),
        origin: Some(Origin {
            database: "somewhere".to_owned(),
            lineage: None,
            base: None,
            claim: None,
        }),
        write: task("begun"),
    };
    assert_eq!(delivered(f, &[&write]), [Delivered::Written]);
    assert_eq!(task_of(f.store(), "new").as_deref(), Some("begun"));
}

fn an_end_ends_and_what_was_resumed_lives(f: &mut impl Fixture) {
    holder(f.store());
    let end = waiting(f, "s1", "end", ending());
    // What the state says since is no sign that the session went on.
    set(f.store(), "s1", "noted by another");
    f.store().heartbeat(&beat("s1")).unwrap();
    assert_eq!(delivered(f, &[&end]), [Delivered::Written]);
    let ended = session(f.store(), "s1");
    assert_eq!(ended.status, SessionStatus::Ended);
    assert!(ended.execution_state().work.was_interrupted);
    assert_eq!(ended.item, Some(key("A")));
    let again = waiting(f, "s1", "resumed", Write::Resumed);
    assert_eq!(delivered(f, &[&again]), [Delivered::Written]);
    assert_eq!(session(f.store(), "s1").status, SessionStatus::Active);
}

fn tasks_are_resolved_when_they_arrive(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let named = |task: &str, subject: &str| Write::Task {
        task: task.to_owned(),
        subject: subject.to_owned(),
    };
    let started = |task: &str| Write::TaskStarted {
        task: task.to_owned(),
    };
    let finished = |task: &str| Write::TaskFinished {
        task: task.to_owned(),
    };
    let steps = [
        (named("1", "build"), None),
        (started("9"), None),
        (started("1"), Some("build")),
        (finished("9"), Some("build")),
        (finished("1"), None),
    ];
    for (n, (write, expected)) in steps.into_iter().enumerate() {
        let write = waiting(f, "s1", &format!("op-{n}"), write);
        assert_eq!(delivered(f, &[&write]), [Delivered::Written]);
        assert_eq!(task_of(f.store(), "s1").as_deref(), expected, "step {n}");
    }
}

fn an_older_version_knew_the_time_alone(f: &mut impl Fixture) {
    register(f.store(), "s1");
    set(f.store(), "s1", "theirs");
    let old = |f: &mut _, op: &str, skew: i64| Pending {
        op_id: op.to_owned(),
        at: Timestamp::from_millis(read_at(f) + skew),
        session: "s1".parse::<SessionId>().unwrap(),
        origin: None,
        write: task(op),
    };
    // One made earlier lost; one from a time that is not over knows no time.
    for (op, skew) in [("early", -60_000), ("ahead", 600_000)] {
        let old = old(f, op, skew);
        let answer = delivered(f, &[&old]);
        assert_lost(&answer[0], LostReason::DatabaseMovedOn, op);
    }
    f.age_events(60);
    let later = [old(f, "first", -30_000), old(f, "second", -30_000)];
    let waits: Vec<&Pending> = later.iter().collect();
    assert_eq!(delivered(f, &waits), vec![Delivered::Written; 2]);
    assert_eq!(task_of(f.store(), "s1").as_deref(), Some("second"));
}

fn read_at(f: &mut impl Fixture) -> i64 {
    session(f.store(), "s1").read_at.as_millis()
}
