//! Accepting a hand-off moves the item, or refuses.

use trueup_core::model::{
    Epoch, FieldValue, HandoffId, HandoffRefusal, HandoffStatus, ItemStatus, ReceivedWork,
    RepoScope, StateField,
};
use trueup_core::store::{ClaimNextRequest, Store};

use super::{
    acceptance, expect_rejection, hand_off, list_notices, new_handoff_from, register_pair,
};
use crate::fixture::StoreFixture;
use crate::requests::{
    LEASE_SECONDS, add_item, claim_item, item_key, last_event_id, list_event_kinds, load_item,
    load_session, move_item, new_provenance, phase_push, provenance_because, register_session,
    release_request, reopen_item, session_id,
};

on_every_store! {
    accepting_moves_the_item_with_phase_and_task
    accepting_gives_up_what_was_held
    accepting_is_a_sign_of_life
    the_sender_works_on_it_no_more_and_counts_as_not_told
    a_handoff_under_an_old_claim_gives_nothing
    what_changed_since_the_handoff_was_made_wins
    a_repeated_acceptance_answers_the_same
    the_item_of_a_sender_that_died_is_claimed
    a_release_withdraws_the_handoff
    every_other_claim_withdraws_the_handoff
    an_item_that_is_finished_or_reopened_is_handed_off_no_more
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

fn what_changed_since_the_handoff_was_made_wins(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let sender = load_session(f.store(), "s1");
    let mut push = phase_push(&sender, "EXEC");
    push.changes.insert(StateField::Task, FieldValue::Text(Some("check".to_owned())));
    f.store().push_state(&push).unwrap();
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s2"));
    let acceptance = answer.unwrap().unwrap();
    assert_eq!(acceptance.handoff.phase.as_deref(), Some("PLAN"), "what the hand-off said");
    let expected = ReceivedWork { phase: Some("EXEC".to_owned()), task: Some("check".to_owned()) };
    assert_eq!(acceptance.work, expected);
    assert_eq!(ReceivedWork::of_session(&load_session(f.store(), "s2")), expected);
    assert_eq!(load_item(f.store(), "A").phase.as_deref(), Some("EXEC"));
}

fn a_repeated_acceptance_answers_the_same(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let request = acceptance(&handoff.id, "s2");
    let first = f.store().accept_handoff(&request).unwrap().unwrap();
    let session = load_session(f.store(), "s2");
    f.store().push_state(&phase_push(&session, "EXEC")).unwrap();
    let again = f.store().accept_handoff(&request).unwrap().unwrap();
    assert_eq!(again.work, first.work);
}

fn the_item_of_a_sender_that_died_is_claimed(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let sender = load_session(f.store(), "s1");
    let lost = f.store().mark_lost(&sender, &provenance_because("sweep", "dead")).unwrap();
    assert_eq!(lost.unwrap().item, Some(item_key("A")));
    assert_eq!(load_item(f.store(), "A").holder, None);
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s2"));
    let acceptance = answer.unwrap().unwrap();
    assert_eq!((acceptance.item.holder, acceptance.item.epoch), (Some(session_id("s2")), Epoch(2)));
    let work = load_session(f.store(), "s2").execution_state().work;
    assert_eq!(work.task.as_deref(), Some("draft"));
}

/// Returns why a hand-off was withdrawn by its sender.
#[track_caller]
fn withdrawal_reason(store: &mut dyn Store, id: &HandoffId) -> String {
    let handoff = store.load_handoff(id).unwrap().unwrap();
    assert_eq!(handoff.status, HandoffStatus::Rejected);
    assert_eq!(handoff.decided_by, Some(handoff.from));
    handoff.reject_reason.unwrap()
}

fn every_other_claim_withdraws_the_handoff(f: &mut impl StoreFixture) {
    register_pair(f.store());
    for key in ["B", "C", "D"] {
        add_item(f.store(), key);
    }
    let released = "withdrawn: the sender released the item";
    let first = hand_off(f.store(), Some("s2"));
    claim_item(f.store(), "s1", "B");
    assert_eq!(withdrawal_reason(f.store(), &first.id), released);
    assert_eq!(expect_rejection(f.store(), &first.id, "s2"), HandoffRefusal::Decided);

    let second = hand_off(f.store(), Some("s2"));
    assert_eq!(second.item, item_key("B"));
    let next = ClaimNextRequest {
        session: session_id("s1"),
        parent: None,
        scope: RepoScope::All,
        may_release_unfinished: true,
        lease_seconds: LEASE_SECONDS,
        provenance: new_provenance("s1"),
    };
    assert_eq!(f.store().claim_next_item(&next).unwrap().released.unwrap().key, second.item);
    assert_eq!(withdrawal_reason(f.store(), &second.id), released);

    // Accepting another item is one way as well; the hand-off that is accepted is no other.
    let third = hand_off(f.store(), None);
    claim_item(f.store(), "s2", "D");
    let offered = new_handoff_from(f.store(), "s2", Some("s1"));
    let offered = f.store().create_handoff(&offered).unwrap();
    f.store().accept_handoff(&acceptance(&offered.id, "s1")).unwrap().unwrap();
    assert_eq!(withdrawal_reason(f.store(), &third.id), released);
    // Claiming the item that one holds gives nothing up.
    let fourth = hand_off(f.store(), Some("s2"));
    claim_item(f.store(), "s1", "D");
    let kept = f.store().load_handoff(&fourth.id).unwrap().unwrap();
    assert_eq!(kept.status, HandoffStatus::PendingAcceptance);
}

fn an_item_that_is_finished_or_reopened_is_handed_off_no_more(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    move_item(f.store(), "s1", "A", ItemStatus::Blocked);
    let kept = f.store().load_handoff(&handoff.id).unwrap().unwrap();
    assert_eq!(kept.status, HandoffStatus::PendingAcceptance, "its holder keeps it");
    reopen_item(f.store(), "s1", "A");
    let reason = withdrawal_reason(f.store(), &handoff.id);
    assert_eq!(reason, "withdrawn: the sender released the item");
    claim_item(f.store(), "s1", "A");
    let handoff = hand_off(f.store(), Some("s2"));
    let sender = load_session(f.store(), "s1");
    f.store().mark_lost(&sender, &provenance_because("sweep", "dead")).unwrap().unwrap();
    // Whoever finishes it.
    move_item(f.store(), "user", "A", ItemStatus::Completed);
    assert_eq!(withdrawal_reason(f.store(), &handoff.id), "withdrawn: the item is finished");
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
