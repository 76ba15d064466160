//! Refusals are told apart by what a caller can do about them.

use serde_json::Map;
use trueup_core::model::Revision;
use trueup_core::store::{StoreError, Transience};

use crate::fixture::Fixture;
use crate::request::{add, beat, by, id, phase, refused, register, wish};

on_every_store! {
    nothing_is_written_for_a_session_that_never_registered
    a_conflict_asks_to_read_again_and_a_denial_does_not
    an_item_that_does_not_exist_cannot_be_claimed
}

fn nothing_is_written_for_a_session_that_never_registered(f: &mut impl Fixture) {
    let mut ghost = register(f.store(), "s1");
    ghost.id = id("ghost");
    add(f.store(), "A");
    let store = f.store();
    let claim = wish(store, "ghost", "A");
    refused(store.claim(&claim), "invalid");
    refused(store.heartbeat(&beat("ghost")), "invalid");
    refused(store.push(&phase(&ghost, "PLAN")), "invalid");
    refused(
        store.merge_metadata(&ghost.id, &Map::new(), &by("x")),
        "invalid",
    );
    refused(store.acknowledge(&ghost.id, Revision(1)), "invalid");
    refused(store.checkpoint(&ghost.id, 1, &by("x")), "invalid");
    let error = refused(store.end(&ghost.id, "x", &by("x")), "invalid");
    assert_eq!(error.to_string(), "session ghost is not registered");
    assert_eq!(store.park(&ghost, &by("x")).unwrap(), None);
    assert_eq!(store.session(&ghost.id).unwrap(), None);
}

fn a_conflict_asks_to_read_again_and_a_denial_does_not(f: &mut impl Fixture) {
    let me = register(f.store(), "s1");
    f.store().push(&phase(&me, "PLAN")).unwrap();
    let error = refused(f.store().push(&phase(&me, "EXEC")), "conflict");
    assert_eq!(error.transience(), Transience::Reread);
    assert_eq!(
        error.to_string(),
        "the database has changed: it was made from revision 1, now is 2"
    );
    add(f.store(), "A");
    let error = f
        .store()
        .add_item(&crate::request::new_item("A"), &by("x"))
        .unwrap_err();
    assert!(matches!(error, StoreError::Denied(_)));
    assert_eq!(error.transience(), Transience::Permanent);
}

fn an_item_that_does_not_exist_cannot_be_claimed(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    let mut claim = wish(f.store(), "s1", "A");
    claim.grant.item = crate::request::key("B");
    refused(f.store().claim(&claim), "conflict");
}
