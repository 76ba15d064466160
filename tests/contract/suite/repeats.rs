//! A write may have taken effect though its answer was lost: repeating it under its id
//! returns the first answer and does nothing twice.

use serde_json::json;
use trueup_core::model::{Field, Value};
use trueup_core::store::Mark;

use crate::fixture::Fixture;
use crate::request::{
    add, by, change, cursor, holder, id, item, key, kinds, new_item, phase, refused, register,
    release, session, wish,
};

on_every_store! {
    a_repeated_push_counts_once
    a_repeated_push_does_not_undo_what_came_after
    a_push_that_was_refused_is_not_remembered
    a_repeated_merge_does_not_undo_what_came_after
    a_repeated_claim_returns_the_first_answer
    a_repeated_claim_of_an_item_lost_since_is_a_conflict
    a_repeated_release_returns_the_item
    a_repeated_release_does_not_release_a_new_claim
    a_repeated_end_does_not_end_a_session_that_came_back
    a_repeated_second_goodbye_does_not_end_a_session_that_came_back
    a_repeated_claim_is_no_new_sign_of_life
    a_repeated_item_is_the_first_one
    a_repeated_checkpoint_is_one_event
}

fn a_repeated_push_counts_once(f: &mut impl Fixture) {
    let me = register(f.store(), "s1");
    let mut push = change(&me, Field::WasInterrupted, Value::Flag(true));
    push.mark = Some(Mark::Resumed);
    let first = f.store().push(&push).unwrap();
    let before = cursor(f.store());
    let second = f.store().push(&push).unwrap();
    assert_eq!(
        (second.revision, second.metadata),
        (first.revision, first.metadata)
    );
    assert_eq!(kinds(f.store(), before), Vec::<String>::new());
}

fn a_repeated_push_does_not_undo_what_came_after(f: &mut impl Fixture) {
    let me = register(f.store(), "s1");
    let push = phase(&me, "PLAN");
    let me = f.store().push(&push).unwrap();
    f.store().push(&phase(&me, "EXEC")).unwrap();
    let answer = f.store().push(&push).unwrap();
    assert_eq!(answer.execution_state().work.phase.as_deref(), Some("EXEC"));
}

fn a_push_that_was_refused_is_not_remembered(f: &mut impl Fixture) {
    let me = register(f.store(), "s1");
    f.store().push(&phase(&me, "PLAN")).unwrap();
    let mut late = phase(&me, "EXEC");
    refused(f.store().push(&late), "conflict");
    refused(f.store().push(&late), "conflict");
    late.base = session(f.store(), "s1").revision;
    let after = f.store().push(&late).unwrap();
    assert_eq!(after.execution_state().work.phase.as_deref(), Some("EXEC"));
}

fn a_repeated_merge_does_not_undo_what_came_after(f: &mut impl Fixture) {
    let me = register(f.store(), "s1").id;
    let (old, new) = (json!({"a": 1, "auto_proceed": true}), json!({"a": 2}));
    let first = by("s1");
    let store = f.store();
    store
        .merge_metadata(&me, old.as_object().unwrap(), &first)
        .unwrap();
    store
        .merge_metadata(&me, new.as_object().unwrap(), &by("s2"))
        .unwrap();
    let after = store
        .merge_metadata(&me, old.as_object().unwrap(), &first)
        .unwrap();
    assert_eq!(after.metadata["a"], json!(2));
}

fn a_repeated_claim_returns_the_first_answer(f: &mut impl Fixture) {
    holder(f.store());
    add(f.store(), "B");
    let request = wish(f.store(), "s1", "B");
    let first = f.store().claim(&request).unwrap();
    let before = (cursor(f.store()), session(f.store(), "s1").revision);
    assert_eq!(f.store().claim(&request).unwrap(), first);
    assert_eq!(first.released, Some(key("A")));
    assert_eq!(
        (cursor(f.store()), session(f.store(), "s1").revision),
        before
    );
}

fn a_repeated_claim_of_an_item_lost_since_is_a_conflict(f: &mut impl Fixture) {
    register(f.store(), "s1");
    register(f.store(), "s2");
    add(f.store(), "A");
    let request = wish(f.store(), "s1", "A");
    f.store().claim(&request).unwrap();
    crate::request::claim(f.store(), "s2", "A");
    refused(f.store().claim(&request), "conflict");
    assert_eq!(item(f.store(), "A").holder, Some(id("s2")));
}

fn a_repeated_release_returns_the_item(f: &mut impl Fixture) {
    holder(f.store());
    let request = release("s1", "A");
    let first = f.store().release(&request).unwrap();
    let before = cursor(f.store());
    assert_eq!(f.store().release(&request).unwrap(), first);
    assert_eq!(cursor(f.store()), before);
}

fn a_repeated_release_does_not_release_a_new_claim(f: &mut impl Fixture) {
    holder(f.store());
    let request = release("s1", "A");
    f.store().release(&request).unwrap();
    crate::request::claim(f.store(), "s1", "A");
    f.store().release(&request).unwrap();
    assert_eq!(item(f.store(), "A").holder, Some(id("s1")));
}

fn a_repeated_end_does_not_end_a_session_that_came_back(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let goodbye = by("s1");
    f.store().end(&id("s1"), "x", &goodbye).unwrap();
    register(f.store(), "s1");
    let after = f.store().end(&id("s1"), "x", &goodbye).unwrap();
    assert!(after.status.is_present(), "{}", after.status);
}

fn a_repeated_second_goodbye_does_not_end_a_session_that_came_back(f: &mut impl Fixture) {
    register(f.store(), "s1");
    f.store().end(&id("s1"), "x", &by("s1")).unwrap();
    let second = by("s1");
    f.store().end(&id("s1"), "x", &second).unwrap();
    register(f.store(), "s1");
    let after = f.store().end(&id("s1"), "x", &second).unwrap();
    assert!(after.status.is_present(), "{}", after.status);
}

fn a_repeated_claim_is_no_new_sign_of_life(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    let request = wish(f.store(), "s1", "A");
    f.store().claim(&request).unwrap();
    f.store().end(&id("s1"), "x", &by("s1")).unwrap();
    f.advance(1_000);
    f.store().claim(&request).unwrap();
    let after = session(f.store(), "s1");
    assert_eq!(after.status.as_str(), "ended");
    assert!(after.lease_expired());
}

fn a_repeated_item_is_the_first_one(f: &mut impl Fixture) {
    let once = by("user");
    let first = f.store().add_item(&new_item("A"), &once).unwrap();
    assert_eq!(f.store().add_item(&new_item("A"), &once).unwrap(), first);
}

fn a_repeated_checkpoint_is_one_event(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let once = by("s1");
    f.store().checkpoint(&id("s1"), 1, &once).unwrap();
    let before = cursor(f.store());
    f.store().checkpoint(&id("s1"), 1, &once).unwrap();
    assert_eq!(cursor(f.store()), before);
}
