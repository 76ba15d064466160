//! Which hand-offs an agent is shown, and when again.

use trueup_core::model::HandoffNoticeReason;
use trueup_core::store::{SessionRegistration, Store};

use super::{
    acceptance, hand_off, list_notices, other_session_hands_off, register_pair, rejection,
};
use crate::fixture::StoreFixture;
use crate::requests::{new_provenance, registration, session_id};

on_every_store! {
    what_is_shown_once_is_shown_again_only_at_a_start
    what_is_for_anybody_is_told_in_its_repository
    a_decision_is_told_once
    a_note_of_what_was_decided_meanwhile_counts_for_nothing
    a_successor_gets_the_mail
}

fn what_is_shown_once_is_shown_again_only_at_a_start(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let notices = [(HandoffNoticeReason::Addressed, handoff.id.clone())];
    assert_eq!(list_notices(f.store(), "s2", false), notices);
    f.store().mark_handoff_shown(&handoff).unwrap();
    assert_eq!(list_notices(f.store(), "s2", false), []);
    assert_eq!(list_notices(f.store(), "s2", true), notices);
    let first = f.store().load_handoff(&handoff.id).unwrap().unwrap();
    assert!(first.shown_at.is_some());
    f.store().mark_handoff_shown(&handoff).unwrap();
    let second = f.store().load_handoff(&handoff.id).unwrap().unwrap();
    assert_eq!(second, first, "only the first time counts");
}

fn place_in_repo(store: &mut dyn Store, session: &str, repo: &str) {
    let registration = SessionRegistration { repo: Some(repo.to_owned()), ..registration(session) };
    store.register_session(&registration).unwrap();
}

fn what_is_for_anybody_is_told_in_its_repository(f: &mut impl StoreFixture) {
    register_pair(f.store());
    for (name, repo) in [("s1", "app"), ("s2", "app"), ("s3", "lib")] {
        place_in_repo(f.store(), name, repo);
    }
    let handoff = hand_off(f.store(), None);
    assert_eq!(handoff.repo.as_deref(), Some("app"));
    let notices = [(HandoffNoticeReason::Offered, handoff.id.clone())];
    assert_eq!(list_notices(f.store(), "s2", true), notices);
    assert_eq!(list_notices(f.store(), "s2", false), []);
    assert_eq!(list_notices(f.store(), "s3", true), []);
    assert_eq!(list_notices(f.store(), "s1", true), []);
    // Hand-offs for the session come first.
    let mine = other_session_hands_off(f.store(), "s4", "B", Some("s2"));
    let notices =
        [(HandoffNoticeReason::Addressed, mine.id), (HandoffNoticeReason::Offered, handoff.id)];
    assert_eq!(list_notices(f.store(), "s2", true), notices);
}

fn a_decision_is_told_once(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let first_handoff = hand_off(f.store(), Some("s2"));
    let answer = f.store().accept_handoff(&acceptance(&first_handoff.id, "s2"));
    let handoff = answer.unwrap().unwrap().handoff;
    let notices = [(HandoffNoticeReason::Answered, first_handoff.id.clone())];
    for starts in [true, false] {
        assert_eq!(list_notices(f.store(), "s1", starts), notices);
    }
    f.store().mark_handoff_shown(&handoff).unwrap();
    for starts in [true, false] {
        assert_eq!(list_notices(f.store(), "s1", starts), []);
    }
}

fn a_note_of_what_was_decided_meanwhile_counts_for_nothing(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    let answer = f.store().reject_handoff(&rejection(&handoff.id, "s2"));
    answer.unwrap().unwrap();
    f.store().mark_handoff_shown(&handoff).unwrap();
    assert_eq!(list_notices(f.store(), "s1", false).len(), 1, "the decision is still news");
}

fn a_successor_gets_the_mail(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    f.store().end_session(&session_id("s2"), "clear", &new_provenance("s2")).unwrap();
    let successor =
        SessionRegistration { predecessor: Some(session_id("s2")), ..registration("s3") };
    f.store().register_session(&successor).unwrap();
    let notices = [(HandoffNoticeReason::Addressed, handoff.id.clone())];
    assert_eq!(list_notices(f.store(), "s3", true), notices);
    let answer = f.store().accept_handoff(&acceptance(&handoff.id, "s3"));
    assert_eq!(answer.unwrap().unwrap().item.holder, Some(session_id("s3")));
}
