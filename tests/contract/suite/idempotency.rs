//! A write whose answer was lost is repeated under its id: the replay returns the first answer and
//! changes nothing.

use serde_json::json;
use trueup_core::model::{FieldValue, StateField};
use trueup_core::store::InterruptionMark;

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_request, expect_refusal, field_push, item_key, last_event_id, list_event_kinds,
    load_item, load_session, new_item, new_provenance, phase_push, register_holder,
    register_session, release_request, session_id,
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

fn a_repeated_push_counts_once(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    let mut push = field_push(&session, StateField::WasInterrupted, FieldValue::Flag(true));
    push.mark = Some(InterruptionMark::Resumed);
    let first = f.store().push_state(&push).unwrap();
    let before = last_event_id(f.store());
    let second = f.store().push_state(&push).unwrap();
    assert_eq!((second.revision, second.metadata), (first.revision, first.metadata));
    assert_eq!(list_event_kinds(f.store(), before), Vec::<String>::new());
}

fn a_repeated_push_does_not_undo_what_came_after(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    let push = phase_push(&session, "PLAN");
    let session = f.store().push_state(&push).unwrap();
    f.store().push_state(&phase_push(&session, "EXEC")).unwrap();
    let answer = f.store().push_state(&push).unwrap();
    assert_eq!(answer.execution_state().work.phase.as_deref(), Some("EXEC"));
}

fn a_push_that_was_refused_is_not_remembered(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    f.store().push_state(&phase_push(&session, "PLAN")).unwrap();
    let mut late = phase_push(&session, "EXEC");
    expect_refusal(f.store().push_state(&late), "conflict");
    expect_refusal(f.store().push_state(&late), "conflict");
    late.base = load_session(f.store(), "s1").revision;
    let after = f.store().push_state(&late).unwrap();
    assert_eq!(after.execution_state().work.phase.as_deref(), Some("EXEC"));
}

fn a_repeated_merge_does_not_undo_what_came_after(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1").id;
    let (old, new) = (json!({"a": 1, "auto_proceed": true}), json!({"a": 2}));
    let first = new_provenance("s1");
    let store = f.store();
    store.merge_metadata(&session, old.as_object().unwrap(), &first).unwrap();
    store.merge_metadata(&session, new.as_object().unwrap(), &new_provenance("s2")).unwrap();
    let after = store.merge_metadata(&session, old.as_object().unwrap(), &first).unwrap();
    assert_eq!(after.metadata["a"], json!(2));
}

fn a_repeated_claim_returns_the_first_answer(f: &mut impl StoreFixture) {
    register_holder(f.store());
    add_item(f.store(), "B");
    let request = claim_request(f.store(), "s1", "B");
    let first = f.store().claim(&request).unwrap();
    let before = (last_event_id(f.store()), load_session(f.store(), "s1").revision);
    assert_eq!(f.store().claim(&request).unwrap(), first);
    assert_eq!(first.released, Some(item_key("A")));
    assert_eq!((last_event_id(f.store()), load_session(f.store(), "s1").revision), before);
}

fn a_repeated_claim_of_an_item_lost_since_is_a_conflict(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    add_item(f.store(), "A");
    let request = claim_request(f.store(), "s1", "A");
    f.store().claim(&request).unwrap();
    crate::requests::claim_item(f.store(), "s2", "A");
    expect_refusal(f.store().claim(&request), "conflict");
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s2")));
}

fn a_repeated_release_returns_the_item(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let request = release_request("s1", "A");
    let first = f.store().release(&request).unwrap();
    let before = last_event_id(f.store());
    assert_eq!(f.store().release(&request).unwrap(), first);
    assert_eq!(last_event_id(f.store()), before);
}

fn a_repeated_release_does_not_release_a_new_claim(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let request = release_request("s1", "A");
    f.store().release(&request).unwrap();
    crate::requests::claim_item(f.store(), "s1", "A");
    f.store().release(&request).unwrap();
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s1")));
}

fn a_repeated_end_does_not_end_a_session_that_came_back(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let goodbye = new_provenance("s1");
    f.store().end_session(&session_id("s1"), "x", &goodbye).unwrap();
    register_session(f.store(), "s1");
    let after = f.store().end_session(&session_id("s1"), "x", &goodbye).unwrap();
    assert!(after.status.is_present(), "{}", after.status);
}

fn a_repeated_second_goodbye_does_not_end_a_session_that_came_back(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    f.store().end_session(&session_id("s1"), "x", &new_provenance("s1")).unwrap();
    let second = new_provenance("s1");
    f.store().end_session(&session_id("s1"), "x", &second).unwrap();
    register_session(f.store(), "s1");
    let after = f.store().end_session(&session_id("s1"), "x", &second).unwrap();
    assert!(after.status.is_present(), "{}", after.status);
}

fn a_repeated_claim_is_no_new_sign_of_life(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    let request = claim_request(f.store(), "s1", "A");
    f.store().claim(&request).unwrap();
    f.store().end_session(&session_id("s1"), "x", &new_provenance("s1")).unwrap();
    f.advance_time(1_000);
    f.store().claim(&request).unwrap();
    let after = load_session(f.store(), "s1");
    assert_eq!(after.status.as_str(), "ended");
    assert!(after.is_lease_expired());
}

fn a_repeated_item_is_the_first_one(f: &mut impl StoreFixture) {
    let once = new_provenance("user");
    let first = f.store().add_item(&new_item("A"), &once).unwrap();
    assert_eq!(f.store().add_item(&new_item("A"), &once).unwrap(), first);
}

fn a_repeated_checkpoint_is_one_event(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let once = new_provenance("s1");
    f.store().record_checkpoint(&session_id("s1"), 1, &once).unwrap();
    let before = last_event_id(f.store());
    f.store().record_checkpoint(&session_id("s1"), 1, &once).unwrap();
    assert_eq!(last_event_id(f.store()), before);
}
