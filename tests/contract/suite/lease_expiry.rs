//! Sessions with an expired lease, and marking the dead ones lost.

use trueup_core::model::{Session, SessionStatus};
use trueup_core::store::{HeartbeatRequest, Provenance, ReleasedClaim};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, item_key, load_item, load_session, new_heartbeat, new_provenance,
    register_holder, register_session, release_request, session_id,
};

on_every_store! {
    those_whose_lease_is_over_are_listed_oldest_first
    an_ended_session_is_listed_while_it_holds_something
    a_parked_session_holds_nothing_and_keeps_its_state
    a_sign_of_life_since_the_reading_prevents_parking
    an_ended_session_keeps_its_claim_until_it_is_parked
    a_session_parked_once_is_not_parked_again
    a_parked_session_that_comes_back_is_active
    a_lost_session_stays_lost_until_a_status_is_given
}

fn list_expired(f: &mut impl StoreFixture, limit: u32) -> Vec<String> {
    let now = f.store().database_time().unwrap();
    let found = f.store().sessions_with_expired_lease(now, limit).unwrap();
    found.iter().map(|s| s.id.to_string()).collect()
}

fn dead_provenance() -> Provenance {
    new_provenance("s9").because("process_gone")
}

fn mark_lost(f: &mut impl StoreFixture, session: &Session) -> Option<ReleasedClaim> {
    f.store().mark_lost(session, &dead_provenance()).unwrap()
}

fn those_whose_lease_is_over_are_listed_oldest_first(f: &mut impl StoreFixture) {
    for name in ["s2", "s1", "s3"] {
        register_session(f.store(), name);
        f.advance_time(100);
    }
    assert_eq!(list_expired(f, 0), Vec::<String>::new());
    f.advance_time(650);
    assert_eq!(list_expired(f, 9), ["s2"]);
    f.advance_time(1_000);
    assert_eq!(list_expired(f, 9), ["s2", "s1", "s3"]);
    assert_eq!(list_expired(f, 2), ["s2", "s1"]);
    f.store().record_heartbeat(&new_heartbeat("s2")).unwrap();
    assert_eq!(list_expired(f, 9), ["s1", "s3"]);
}

fn an_ended_session_is_listed_while_it_holds_something(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    f.store().end_session(&session_id("s1"), "x", &new_provenance("s1")).unwrap();
    register_session(f.store(), "s2");
    add_item(f.store(), "A");
    claim_item(f.store(), "s2", "A");
    f.store().end_session(&session_id("s2"), "x", &new_provenance("s2")).unwrap();
    assert_eq!(list_expired(f, 9), ["s2"], "its process may be gone");
    f.advance_time(1_000);
    assert_eq!(list_expired(f, 9), ["s2"]);
    f.store().release(&release_request("s2", "A")).unwrap();
    assert_eq!(list_expired(f, 9), Vec::<String>::new());
}

fn a_parked_session_holds_nothing_and_keeps_its_state(f: &mut impl StoreFixture) {
    let token = register_holder(f.store());
    f.advance_time(1_000);
    let read = load_session(f.store(), "s1");
    let released_claim = mark_lost(f, &read).unwrap();
    assert_eq!(released_claim.session, session_id("s1"));
    assert_eq!(released_claim.item, Some(item_key("A")));
    assert_eq!(released_claim.reason, "process_gone");
    let after = load_session(f.store(), "s1");
    assert_eq!(after.status, SessionStatus::Lost);
    assert_eq!(after.item, None);
    assert_eq!(after.metadata, read.metadata);
    assert_eq!(after.revision.0, read.revision.0 + 1);
    let item = load_item(f.store(), "A");
    assert_eq!((item.holder, item.epoch), (None, token));
    assert_eq!(list_expired(f, 9), Vec::<String>::new());
}

fn a_sign_of_life_since_the_reading_prevents_parking(f: &mut impl StoreFixture) {
    register_holder(f.store());
    f.advance_time(1_000);
    let read = load_session(f.store(), "s1");
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    assert_eq!(mark_lost(f, &read), None);
    let after = load_session(f.store(), "s1");
    assert_eq!(after.status, SessionStatus::Active);
    assert_eq!(after.item, Some(item_key("A")));
}

fn an_ended_session_keeps_its_claim_until_it_is_parked(f: &mut impl StoreFixture) {
    register_holder(f.store());
    f.store().end_session(&session_id("s1"), "logout", &new_provenance("s1")).unwrap();
    f.advance_time(1_000);
    let read = load_session(f.store(), "s1");
    assert_eq!(read.item, Some(item_key("A")));
    assert_eq!(mark_lost(f, &read).unwrap().item, Some(item_key("A")));
    let after = load_session(f.store(), "s1");
    assert_eq!((after.status, after.item), (SessionStatus::Ended, None));
    assert_eq!(after.ended_reason.as_deref(), Some("logout"));
}

fn a_session_parked_once_is_not_parked_again(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    f.advance_time(1_000);
    let read = load_session(f.store(), "s1");
    assert_eq!(mark_lost(f, &read).unwrap().item, None);
    assert_eq!(mark_lost(f, &read), None);
}

fn a_parked_session_that_comes_back_is_active(f: &mut impl StoreFixture) {
    register_holder(f.store());
    f.advance_time(1_000);
    let read = load_session(f.store(), "s1");
    mark_lost(f, &read);
    let back = register_session(f.store(), "s1");
    assert_eq!((back.status, back.item), (SessionStatus::Active, None));
    f.advance_time(1_000);
    assert_eq!(list_expired(f, 9), ["s1"]);
}

fn a_lost_session_stays_lost_until_a_status_is_given(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    f.advance_time(1_000);
    let read = load_session(f.store(), "s1");
    mark_lost(f, &read);
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    assert_eq!(load_session(f.store(), "s1").status, SessionStatus::Lost);
    let works = HeartbeatRequest { status: Some(SessionStatus::Active), ..new_heartbeat("s1") };
    f.store().record_heartbeat(&works).unwrap();
    assert_eq!(load_session(f.store(), "s1").status, SessionStatus::Active);
}
