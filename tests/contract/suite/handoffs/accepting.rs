//! Accepting a hand-off moves the item, or refuses.

use trueup_core::model::{Epoch, HandoffRefusal, HandoffStatus};

use super::{acceptance, expect_rejection, hand_off, list_notices, register_pair};
use crate::fixture::StoreFixture;
use crate::requests::{
    LEASE_SECONDS, add_item, claim_item, item_key, last_event_id, list_event_kinds, load_item,
    load_session, phase_push, register_session, release_request, session_id,
};

on_every_store! {
    accepting_moves_the_item_with_phase_and_task
    accepting_gives_up_what_was_held
    accepting_is_a_sign_of_life
    the_sender_works_on_it_no_more_and_counts_as_not_told
    a_handoff_under_an_old_claim_gives_nothing
    an_item_that_the_sender_gave_up_is_claimed
    a_release_withdraws_the_handoff
    an_item_that_the_session_holds_already_stays_as_it_is
    its_sender_cannot_accept_it
}

fn accepting_moves_the_item_with_phase_and_task(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s2"));
    let acceptance = answer.unwrap().unwrap();
    assert_eq!(acceptance.handoff.status, HandoffStatus::Accepted);
    assert_eq!(acceptance.handoff.decided_by, Some(session_id("s2")));
    assert!(acceptance.handoff.decided_at.is_some());
    assert_eq!(acceptance.handoff.revision.0, handoff.revision.0 + 1);
    assert_eq!(acceptance.item.holder, Some(session_id("s2")));
    assert_eq!(acceptance.item.epoch, Epoch(2));
    assert_eq!(acceptance.released, None);
    let session = load_session(f.store(), "s2");
    assert_eq!((session.item.clone(), session.epoch), (Some(item_key("A")), Some(Epoch(2))));
    let work = session.execution_state().work;
    assert_eq!(work.item.as_deref(), Some("A"));
    assert_eq!(work.phase.as_deref(), Some("PLAN"));
    assert_eq!(work.task.as_deref(), Some("draft"));
    assert!(work.is_active && !work.was_interrupted);
    assert_eq!(load_item(f.store(), "A").phase.as_deref(), Some("PLAN"));
}

fn accepting_gives_up_what_was_held(f: &mut impl StoreFixture) {
    register_pair(f.store());
    add_item(f.store(), "B");
    claim_item(f.store(), "s2", "B");
    let handoff = hand_off(f.store(), Some("s2"));
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s2"));
    assert_eq!(answer.unwrap().unwrap().released, Some(item_key("B")));
    assert_eq!(load_item(f.store(), "B").holder, None);
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s2")));
}

fn accepting_is_a_sign_of_life(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    f.advance_time(LEASE_SECONDS + 60);
    assert!(load_session(f.store(), "s2").is_lease_expired());
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s2"));
    answer.unwrap().unwrap();
    assert!(!load_session(f.store(), "s2").is_lease_expired());
}

fn the_sender_works_on_it_no_more_and_counts_as_not_told(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let before = load_session(f.store(), "s1").revision;
    f.store().acknowledge_revision(&session_id("s1"), before).unwrap();
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s2"));
    answer.unwrap().unwrap();
    let sender = load_session(f.store(), "s1");
    assert_eq!(sender.item, None);
    let work = sender.execution_state().work;
    assert_eq!((work.item, work.phase, work.task, work.is_active), (None, None, None, false));
    assert!(sender.acknowledged < sender.revision);
}

fn a_handoff_under_an_old_claim_gives_nothing(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    register_session(f.store(), "s3");
    claim_item(f.store(), "s3", "A");
    assert_eq!(expect_rejection(f.store(), &handoff.id, "s2"), HandoffRefusal::StaleEpoch);
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s3")));
    // Free again, but another session worked on it since.
    f.store().release(&release_request("s3", "A")).unwrap();
    assert_eq!(expect_rejection(f.store(), &handoff.id, "s2"), HandoffRefusal::StaleEpoch);
    // Even a new claim of the sender does not make the old hand-off valid again.
    claim_item(f.store(), "s1", "A");
    assert_eq!(expect_rejection(f.store(), &handoff.id, "s2"), HandoffRefusal::StaleEpoch);
    let read = f.store().load_handoff(&handoff.id).unwrap().unwrap();
    assert_eq!(read.status, HandoffStatus::PendingAcceptance);
    assert_eq!(list_notices(f.store(), "s2", true), [], "nobody is told of it any more");
}

fn an_item_that_the_sender_gave_up_is_claimed(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    add_item(f.store(), "B");
    claim_item(f.store(), "s1", "B");
    assert_eq!(load_item(f.store(), "A").holder, None, "it went on to another");
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s2"));
    let acceptance = answer.unwrap().unwrap();
    assert_eq!((acceptance.item.holder, acceptance.item.epoch), (Some(session_id("s2")), Epoch(2)));
    let work = load_session(f.store(), "s2").execution_state().work;
    assert_eq!(work.task.as_deref(), Some("draft"));
}

fn a_release_withdraws_the_handoff(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let start = last_event_id(f.store());
    f.store().release(&release_request("s1", "A")).unwrap();
    let closed = f.store().load_handoff(&handoff.id).unwrap().unwrap();
    assert_eq!(closed.status, HandoffStatus::Rejected);
    assert_eq!(closed.decided_by, Some(session_id("s1")));
    assert!(closed.reject_reason.is_some(), "it says why");
    assert_eq!(expect_rejection(f.store(), &handoff.id, "s2"), HandoffRefusal::Decided);
    let events = list_event_kinds(f.store(), start);
    assert!(events.contains(&format!("{} rejected", handoff.id)), "{events:?}");
    for who in ["s1", "s2"] {
        assert_eq!(list_notices(f.store(), who, true), []);
    }
}

fn an_item_that_the_session_holds_already_stays_as_it_is(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), None);
    claim_item(f.store(), "s2", "A");
    let session = load_session(f.store(), "s2");
    f.store().push_state(&phase_push(&session, "EXEC")).unwrap();
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s2"));
    let acceptance = answer.unwrap().unwrap();
    assert_eq!(acceptance.item.epoch, Epoch(2), "its own claim goes on");
    let work = load_session(f.store(), "s2").execution_state().work;
    assert_eq!(work.phase.as_deref(), Some("EXEC"), "it went on meanwhile");
}

fn its_sender_cannot_accept_it(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), None);
    let start = last_event_id(f.store());
    assert_eq!(expect_rejection(f.store(), &handoff.id, "s1"), HandoffRefusal::OwnHandoff);
    assert_eq!(last_event_id(f.store()), start);
    let still = f.store().load_handoff(&handoff.id).unwrap().unwrap();
    assert_eq!(still.status, HandoffStatus::PendingAcceptance);
}
