//! Refusals have distinct errors, by what a caller can do about them.

use serde_json::Map;
use trueup_core::model::Revision;
use trueup_core::store::{RetryAdvice, StoreError};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_request, expect_refusal, new_heartbeat, new_provenance, phase_push,
    register_session, session_id,
};

on_every_store! {
    nothing_is_written_for_a_session_that_never_registered
    a_conflict_asks_to_read_again_and_a_denial_does_not
    an_item_that_does_not_exist_cannot_be_claimed
}

fn nothing_is_written_for_a_session_that_never_registered(f: &mut impl StoreFixture) {
    let mut unregistered = register_session(f.store(), "s1");
    unregistered.id = session_id("ghost");
    add_item(f.store(), "A");
    let store = f.store();
    let claim = claim_request(store, "ghost", "A");
    expect_refusal(store.claim(&claim), "invalid");
    expect_refusal(store.record_heartbeat(&new_heartbeat("ghost")), "invalid");
    expect_refusal(store.push_state(&phase_push(&unregistered, "PLAN")), "invalid");
    expect_refusal(
        store.merge_metadata(&unregistered.id, &Map::new(), &new_provenance("x")),
        "invalid",
    );
    expect_refusal(store.acknowledge_revision(&unregistered.id, Revision(1)), "invalid");
    expect_refusal(store.record_checkpoint(&unregistered.id, 1, &new_provenance("x")), "invalid");
    let error =
        expect_refusal(store.end_session(&unregistered.id, "x", &new_provenance("x")), "invalid");
    assert_eq!(error.to_string(), "session ghost is not registered");
    assert_eq!(store.mark_lost(&unregistered, &new_provenance("x")).unwrap(), None);
    assert_eq!(store.load_session(&unregistered.id).unwrap(), None);
}

fn a_conflict_asks_to_read_again_and_a_denial_does_not(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    f.store().push_state(&phase_push(&session, "PLAN")).unwrap();
    let error = expect_refusal(f.store().push_state(&phase_push(&session, "EXEC")), "conflict");
    assert_eq!(error.retry_advice(), RetryAdvice::Reread);
    assert_eq!(
        error.to_string(),
        "the database has changed: it was made from revision 1, but the current one is 2"
    );
    add_item(f.store(), "A");
    let error =
        f.store().add_item(&crate::requests::new_item("A"), &new_provenance("x")).unwrap_err();
    assert!(matches!(error, StoreError::Denied { .. }));
    assert_eq!(error.retry_advice(), RetryAdvice::Permanent);
}

fn an_item_that_does_not_exist_cannot_be_claimed(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    let mut claim = claim_request(f.store(), "s1", "A");
    claim.grant.item = crate::requests::item_key("B");
    expect_refusal(f.store().claim(&claim), "conflict");
}
