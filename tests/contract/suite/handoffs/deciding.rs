//! Who may accept or reject a hand-off, and that it is decided once.

use trueup_core::model::{HandoffId, HandoffNoticeReason, HandoffRefusal, HandoffStatus};

use super::{acceptance, expect_rejection, hand_off, list_notices, register_pair, rejection};
use crate::fixture::StoreFixture;
use crate::requests::{expect_refusal, load_item, load_session, register_session, session_id};

on_every_store! {
    only_the_addressed_session_decides
    anybody_takes_what_is_for_anybody
    a_decision_is_made_once
    a_rejection_leaves_the_item_and_is_told
    a_sender_withdraws_without_being_told
}

fn only_the_addressed_session_decides(f: &mut impl StoreFixture) {
    register_pair(f.store());
    register_session(f.store(), "s3");
    let handoff = hand_off(f.store(), Some("s2"));
    assert_eq!(expect_rejection(f.store(), &handoff.id, "s3"), HandoffRefusal::NotAddressed);
    assert_eq!(expect_rejection(f.store(), &handoff.id, "s1"), HandoffRefusal::OwnHandoff);
    let answer = f.store().reject_handoff(&rejection(&handoff.id, "s3")).unwrap();
    assert_eq!(answer.unwrap_err(), HandoffRefusal::NotAddressed);
    expect_refusal(f.store().accept_handoff(&acceptance(&handoff.id, "s9")), "invalid");
    expect_refusal(f.store().reject_handoff(&rejection(&handoff.id, "s9")), "invalid");
    let nobody = HandoffId::from_random(0);
    assert_eq!(expect_rejection(f.store(), &nobody, "s2"), HandoffRefusal::NotFound);
    let answer = f.store().reject_handoff(&rejection(&nobody, "s2")).unwrap();
    assert_eq!(answer.unwrap_err(), HandoffRefusal::NotFound);
}

fn anybody_takes_what_is_for_anybody(f: &mut impl StoreFixture) {
    register_pair(f.store());
    register_session(f.store(), "s3");
    let handoff = hand_off(f.store(), None);
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s3"));
    assert_eq!(answer.unwrap().unwrap().item.holder, Some(session_id("s3")));
    assert_eq!(expect_rejection(f.store(), &handoff.id, "s2"), HandoffRefusal::Decided);
}

fn a_decision_is_made_once(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let answer = f.store().reject_handoff(&rejection(&handoff.id, "s2"));
    answer.unwrap().unwrap();
    assert_eq!(expect_rejection(f.store(), &handoff.id, "s2"), HandoffRefusal::Decided);
    let again = f.store().reject_handoff(&rejection(&handoff.id, "s2")).unwrap();
    assert_eq!(again.unwrap_err(), HandoffRefusal::Decided);
}

fn a_rejection_leaves_the_item_and_is_told(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let sender = load_session(f.store(), "s1");
    f.store().acknowledge_revision(&session_id("s1"), sender.revision).unwrap();
    let answer = f.store().reject_handoff(&rejection(&handoff.id, "s2"));
    let rejected_handoff = answer.unwrap().unwrap();
    assert_eq!(rejected_handoff.status, HandoffStatus::Rejected);
    assert_eq!(rejected_handoff.decided_by, Some(session_id("s2")));
    assert_eq!(rejected_handoff.reject_reason.as_deref(), Some("not now"));
    assert!(rejected_handoff.decided_at.is_some());
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s1")));
    let after = load_session(f.store(), "s1");
    assert_eq!((after.item, after.epoch), (sender.item, sender.epoch));
    assert_eq!(after.revision, sender.revision);
    assert!(after.acknowledged < after.revision);
    assert_eq!(list_notices(f.store(), "s1", false), [(HandoffNoticeReason::Answered, handoff.id)]);
    // A rejection without a reason has none in its event either.
    let handoff = hand_off(f.store(), Some("s2"));
    let mut silent = rejection(&handoff.id, "s2");
    silent.reason.clear();
    expect_refusal(f.store().reject_handoff(&silent), "denied");
}

fn a_sender_withdraws_without_being_told(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let before = load_session(f.store(), "s1").revision;
    f.store().acknowledge_revision(&session_id("s1"), before).unwrap();
    let answer = f.store().reject_handoff(&rejection(&handoff.id, "s1"));
    answer.unwrap().unwrap();
    assert_eq!(load_session(f.store(), "s1").acknowledged, before);
    assert_eq!(list_notices(f.store(), "s1", true), []);
    assert_eq!(list_notices(f.store(), "s2", true), []);
}
