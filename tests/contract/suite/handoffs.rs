//! Hand-offs: made from what the database knows, carried out in one transaction, told once.

use serde_json::json;
use trueup_core::model::{
    Epoch, FieldValue, Handoff, HandoffElement, HandoffElements, HandoffId, HandoffNoticeReason,
    HandoffRefusal, HandoffStatus, StateField,
};
use trueup_core::store::{
    AcceptHandoffRequest, HandoffFilter, NewHandoff, RejectHandoffRequest, SessionRegistration,
    Store,
};

use crate::fixture::StoreFixture;
use crate::requests::{
    LEASE_SECONDS, add_item, claim_item, expect_refusal, item_key, last_event_id, list_event_kinds,
    list_events, load_item, load_session, new_provenance, phase_push, register_holder,
    register_session, registration, release_request, session_id,
};

on_every_store! {
    a_handoff_says_what_the_database_knows
    only_who_holds_the_item_hands_it_on
    a_handoff_goes_to_a_registered_session_that_is_another
    an_addressed_session_counts_as_not_told_on_its_own_revision
    accepting_moves_the_item_with_phase_and_task
    accepting_gives_up_what_was_held
    accepting_is_a_sign_of_life
    the_sender_works_on_it_no_more_and_counts_as_not_told
    a_handoff_under_an_old_claim_gives_nothing
    an_item_that_the_sender_gave_up_is_claimed
    a_release_withdraws_the_handoff
    an_item_that_the_session_holds_already_stays_as_it_is
    its_sender_cannot_accept_it
    only_the_addressed_session_decides
    anybody_takes_what_is_for_anybody
    a_decision_is_made_once
    a_rejection_leaves_the_item_and_is_told
    a_sender_withdraws_without_being_told
    what_is_shown_once_is_shown_again_only_at_a_start
    what_is_for_anybody_is_told_in_its_repository
    a_decision_is_told_once
    a_note_of_what_was_decided_meanwhile_counts_for_nothing
    a_successor_gets_the_mail
    handoffs_are_listed_newest_first
    every_change_is_one_event
    repeating_returns_the_first_answer
    a_second_open_handoff_of_an_item_is_denied_and_names_the_first
    a_handoff_of_a_claim_before_gives_way_to_a_new_one
}

fn new_handoff(store: &mut dyn Store, to: Option<&str>) -> NewHandoff {
    new_handoff_from(store, "s1", to)
}

/// A hand-off of what a session holds.
fn new_handoff_from(store: &mut dyn Store, from: &str, to: Option<&str>) -> NewHandoff {
    let from = load_session(store, from);
    let text = |text: &str| Some(text.to_owned());
    NewHandoff {
        id: NewHandoff::fresh_id(),
        kind: "PLAN-TO-EXEC".parse().unwrap(),
        fencing_token: (
            from.item.unwrap_or_else(|| item_key("A")),
            from.epoch.unwrap_or(Epoch(0)),
        ),
        to: to.map(session_id),
        elements: HandoffElements::new([
            (HandoffElement::Summary, text("the plan stands")),
            (HandoffElement::Actions, text("write it")),
        ]),
        provenance: new_provenance(from.id.as_str()),
        from: from.id,
    }
}

/// Lets another session hold an item of its own and hand it on.
fn other_session_hands_off(
    store: &mut dyn Store,
    who: &str,
    text: &str,
    to: Option<&str>,
) -> Handoff {
    if store.load_session(&session_id(who)).unwrap().is_none() {
        register_session(store, who);
    }
    add_item(store, text);
    claim_item(store, who, text);
    let new = new_handoff_from(store, who, to);
    store.create_handoff(&new).unwrap()
}

/// `s1` holds `A` in phase PLAN at a task; `s2` is there.
fn register_pair(store: &mut dyn Store) {
    register_holder(store);
    register_session(store, "s2");
    let me = load_session(store, "s1");
    let mut push = phase_push(&me, "PLAN");
    let task = FieldValue::Text(Some("draft".to_owned()));
    push.changes.insert(StateField::Task, task);
    push.branch = Some("feat/A".to_owned());
    store.push_state(&push).unwrap();
}

fn hand_off(store: &mut dyn Store, to: Option<&str>) -> Handoff {
    let new = new_handoff(store, to);
    store.create_handoff(&new).unwrap()
}

fn acceptance(handoff: &HandoffId, session: &str) -> AcceptHandoffRequest {
    AcceptHandoffRequest {
        id: handoff.clone(),
        session: session_id(session),
        lease_seconds: LEASE_SECONDS,
        provenance: new_provenance(session),
    }
}

fn rejection(handoff: &HandoffId, session: &str) -> RejectHandoffRequest {
    RejectHandoffRequest {
        id: handoff.clone(),
        session: session_id(session),
        reason: "not now".to_owned(),
        provenance: new_provenance(session),
    }
}

#[track_caller]
fn expect_rejection(store: &mut dyn Store, handoff: &HandoffId, session: &str) -> HandoffRefusal {
    let answer = store.accept_handoff(&acceptance(handoff, session)).unwrap();
    answer.unwrap_err()
}

fn list_notices(
    store: &mut dyn Store,
    session: &str,
    starts: bool,
) -> Vec<(HandoffNoticeReason, HandoffId)> {
    let told = store
        .list_handoff_notices(&session_id(session), starts)
        .unwrap();
    told.into_iter().map(|(news, h)| (news, h.id)).collect()
}

fn a_handoff_says_what_the_database_knows(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    assert_eq!(made.status, HandoffStatus::PendingAcceptance);
    assert_eq!((made.item.clone(), made.epoch), (item_key("A"), Epoch(1)));
    assert_eq!(
        (made.from.clone(), made.to.clone()),
        (session_id("s1"), Some(session_id("s2")))
    );
    assert_eq!(made.phase.as_deref(), Some("PLAN"));
    assert_eq!(made.task.as_deref(), Some("draft"));
    assert_eq!(made.branch.as_deref(), Some("feat/A"));
    assert_eq!(made.worktree.as_deref(), Some("/w"));
    assert_eq!(made.elements.get(HandoffElement::Actions), Some("write it"));
    assert_eq!(made.elements.completeness_percent(), 33);
    assert_eq!((made.decided_at, made.decided_by.clone()), (None, None));
    assert_eq!(f.store().load_handoff(&made.id).unwrap(), Some(made));
    assert_eq!(
        load_item(f.store(), "A").holder,
        Some(session_id("s1")),
        "still the sender's"
    );
}

fn only_who_holds_the_item_hands_it_on(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let mut stale = new_handoff(f.store(), None);
    stale.fencing_token.1 = Epoch(0);
    expect_refusal(f.store().create_handoff(&stale), "conflict");
    let mut other = new_handoff(f.store(), None);
    other.from = session_id("s2");
    expect_refusal(f.store().create_handoff(&other), "conflict");
    let mut phantom = new_handoff(f.store(), None);
    phantom.from = session_id("s9");
    expect_refusal(f.store().create_handoff(&phantom), "invalid");
    assert_eq!(
        f.store().list_handoffs(HandoffFilter::default()).unwrap(),
        []
    );
}

fn a_handoff_goes_to_a_registered_session_that_is_another(f: &mut impl StoreFixture) {
    register_pair(f.store());
    for to in ["s9", "s1"] {
        let new = new_handoff(f.store(), Some(to));
        expect_refusal(f.store().create_handoff(&new), "denied");
    }
}

fn an_addressed_session_counts_as_not_told_on_its_own_revision(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let before = load_session(f.store(), "s2").revision;
    f.store()
        .acknowledge_revision(&session_id("s2"), before)
        .unwrap();
    hand_off(f.store(), None);
    assert_eq!(load_session(f.store(), "s2").acknowledged, before);
    other_session_hands_off(f.store(), "s3", "B", Some("s2"));
    let reader = load_session(f.store(), "s2");
    assert!(reader.acknowledged < reader.revision);
    assert_eq!(
        reader.revision, before,
        "an edit of the reader stays a proposal"
    );
}

fn accepting_moves_the_item_with_phase_and_task(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    let answer = f.store().accept_handoff(&acceptance(&made.id, "s2"));
    let accepted = answer.unwrap().unwrap();
    assert_eq!(accepted.handoff.status, HandoffStatus::Accepted);
    assert_eq!(accepted.handoff.decided_by, Some(session_id("s2")));
    assert!(accepted.handoff.decided_at.is_some());
    assert_eq!(accepted.handoff.revision.0, made.revision.0 + 1);
    assert_eq!(accepted.item.holder, Some(session_id("s2")));
    assert_eq!(accepted.item.epoch, Epoch(2));
    assert_eq!(accepted.released, None);
    let me = load_session(f.store(), "s2");
    assert_eq!(
        (me.item.clone(), me.epoch),
        (Some(item_key("A")), Some(Epoch(2)))
    );
    let work = me.execution_state().work;
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
    let made = hand_off(f.store(), Some("s2"));
    let answer = f.store().accept_handoff(&acceptance(&made.id, "s2"));
    assert_eq!(answer.unwrap().unwrap().released, Some(item_key("B")));
    assert_eq!(load_item(f.store(), "B").holder, None);
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s2")));
}

fn accepting_is_a_sign_of_life(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    f.advance_time(LEASE_SECONDS + 60);
    assert!(load_session(f.store(), "s2").is_lease_expired());
    let answer = f.store().accept_handoff(&acceptance(&made.id, "s2"));
    answer.unwrap().unwrap();
    assert!(!load_session(f.store(), "s2").is_lease_expired());
}

fn the_sender_works_on_it_no_more_and_counts_as_not_told(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    let before = load_session(f.store(), "s1").revision;
    f.store()
        .acknowledge_revision(&session_id("s1"), before)
        .unwrap();
    let answer = f.store().accept_handoff(&acceptance(&made.id, "s2"));
    answer.unwrap().unwrap();
    let sender = load_session(f.store(), "s1");
    assert_eq!(sender.item, None);
    let work = sender.execution_state().work;
    assert_eq!(
        (work.item, work.phase, work.task, work.is_active),
        (None, None, None, false)
    );
    assert!(sender.acknowledged < sender.revision);
}

fn a_handoff_under_an_old_claim_gives_nothing(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    register_session(f.store(), "s3");
    claim_item(f.store(), "s3", "A");
    assert_eq!(
        expect_rejection(f.store(), &made.id, "s2"),
        HandoffRefusal::StaleEpoch
    );
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s3")));
    // Free again, but somebody worked on it since.
    f.store().release(&release_request("s3", "A")).unwrap();
    assert_eq!(
        expect_rejection(f.store(), &made.id, "s2"),
        HandoffRefusal::StaleEpoch
    );
    // Not even the sender's new claim makes the old hand-off true again.
    claim_item(f.store(), "s1", "A");
    assert_eq!(
        expect_rejection(f.store(), &made.id, "s2"),
        HandoffRefusal::StaleEpoch
    );
    let read = f.store().load_handoff(&made.id).unwrap().unwrap();
    assert_eq!(read.status, HandoffStatus::PendingAcceptance);
    assert_eq!(
        list_notices(f.store(), "s2", true),
        [],
        "nobody is told of it any more"
    );
}

fn an_item_that_the_sender_gave_up_is_claimed(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    add_item(f.store(), "B");
    claim_item(f.store(), "s1", "B");
    assert_eq!(
        load_item(f.store(), "A").holder,
        None,
        "it went on to another"
    );
    let answer = f.store().accept_handoff(&acceptance(&made.id, "s2"));
    let accepted = answer.unwrap().unwrap();
    assert_eq!(
        (accepted.item.holder, accepted.item.epoch),
        (Some(session_id("s2")), Epoch(2))
    );
    let work = load_session(f.store(), "s2").execution_state().work;
    assert_eq!(work.task.as_deref(), Some("draft"));
}

fn a_release_withdraws_the_handoff(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    let start = last_event_id(f.store());
    f.store().release(&release_request("s1", "A")).unwrap();
    let closed = f.store().load_handoff(&made.id).unwrap().unwrap();
    assert_eq!(closed.status, HandoffStatus::Rejected);
    assert_eq!(closed.decided_by, Some(session_id("s1")));
    assert!(closed.reject_reason.is_some(), "it says why");
    assert_eq!(
        expect_rejection(f.store(), &made.id, "s2"),
        HandoffRefusal::Decided
    );
    let events = list_event_kinds(f.store(), start);
    assert!(
        events.contains(&format!("{} rejected", made.id)),
        "{events:?}"
    );
    for who in ["s1", "s2"] {
        assert_eq!(list_notices(f.store(), who, true), []);
    }
}

fn an_item_that_the_session_holds_already_stays_as_it_is(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), None);
    claim_item(f.store(), "s2", "A");
    let me = load_session(f.store(), "s2");
    f.store().push_state(&phase_push(&me, "EXEC")).unwrap();
    let answer = f.store().accept_handoff(&acceptance(&made.id, "s2"));
    let accepted = answer.unwrap().unwrap();
    assert_eq!(accepted.item.epoch, Epoch(2), "its own claim goes on");
    let work = load_session(f.store(), "s2").execution_state().work;
    assert_eq!(work.phase.as_deref(), Some("EXEC"), "it went on meanwhile");
}

fn its_sender_cannot_accept_it(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), None);
    let start = last_event_id(f.store());
    assert_eq!(
        expect_rejection(f.store(), &made.id, "s1"),
        HandoffRefusal::OwnHandoff
    );
    assert_eq!(last_event_id(f.store()), start);
    let still = f.store().load_handoff(&made.id).unwrap().unwrap();
    assert_eq!(still.status, HandoffStatus::PendingAcceptance);
}

fn only_the_addressed_session_decides(f: &mut impl StoreFixture) {
    register_pair(f.store());
    register_session(f.store(), "s3");
    let made = hand_off(f.store(), Some("s2"));
    assert_eq!(
        expect_rejection(f.store(), &made.id, "s3"),
        HandoffRefusal::NotAddressed
    );
    assert_eq!(
        expect_rejection(f.store(), &made.id, "s1"),
        HandoffRefusal::OwnHandoff
    );
    let answer = f
        .store()
        .reject_handoff(&rejection(&made.id, "s3"))
        .unwrap();
    assert_eq!(answer.unwrap_err(), HandoffRefusal::NotAddressed);
    expect_refusal(
        f.store().accept_handoff(&acceptance(&made.id, "s9")),
        "invalid",
    );
    expect_refusal(
        f.store().reject_handoff(&rejection(&made.id, "s9")),
        "invalid",
    );
    let nobody = HandoffId::from_random(0);
    assert_eq!(
        expect_rejection(f.store(), &nobody, "s2"),
        HandoffRefusal::NotFound
    );
    let answer = f.store().reject_handoff(&rejection(&nobody, "s2")).unwrap();
    assert_eq!(answer.unwrap_err(), HandoffRefusal::NotFound);
}

fn anybody_takes_what_is_for_anybody(f: &mut impl StoreFixture) {
    register_pair(f.store());
    register_session(f.store(), "s3");
    let made = hand_off(f.store(), None);
    let answer = f.store().accept_handoff(&acceptance(&made.id, "s3"));
    assert_eq!(answer.unwrap().unwrap().item.holder, Some(session_id("s3")));
    assert_eq!(
        expect_rejection(f.store(), &made.id, "s2"),
        HandoffRefusal::Decided
    );
}

fn a_decision_is_made_once(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    let answer = f.store().reject_handoff(&rejection(&made.id, "s2"));
    answer.unwrap().unwrap();
    assert_eq!(
        expect_rejection(f.store(), &made.id, "s2"),
        HandoffRefusal::Decided
    );
    let again = f
        .store()
        .reject_handoff(&rejection(&made.id, "s2"))
        .unwrap();
    assert_eq!(again.unwrap_err(), HandoffRefusal::Decided);
}

fn a_rejection_leaves_the_item_and_is_told(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    let sender = load_session(f.store(), "s1");
    f.store()
        .acknowledge_revision(&session_id("s1"), sender.revision)
        .unwrap();
    let answer = f.store().reject_handoff(&rejection(&made.id, "s2"));
    let rejected = answer.unwrap().unwrap();
    assert_eq!(rejected.status, HandoffStatus::Rejected);
    assert_eq!(rejected.decided_by, Some(session_id("s2")));
    assert_eq!(rejected.reject_reason.as_deref(), Some("not now"));
    assert!(rejected.decided_at.is_some());
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s1")));
    let after = load_session(f.store(), "s1");
    assert_eq!((after.item, after.epoch), (sender.item, sender.epoch));
    assert_eq!(after.revision, sender.revision);
    assert!(after.acknowledged < after.revision);
    assert_eq!(
        list_notices(f.store(), "s1", false),
        [(HandoffNoticeReason::Answered, made.id)]
    );
    // A rejection without a reason says nothing.
    let made = hand_off(f.store(), Some("s2"));
    let mut silent = rejection(&made.id, "s2");
    silent.reason.clear();
    expect_refusal(f.store().reject_handoff(&silent), "denied");
}

fn a_sender_withdraws_without_being_told(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    let before = load_session(f.store(), "s1").revision;
    f.store()
        .acknowledge_revision(&session_id("s1"), before)
        .unwrap();
    let answer = f.store().reject_handoff(&rejection(&made.id, "s1"));
    answer.unwrap().unwrap();
    assert_eq!(load_session(f.store(), "s1").acknowledged, before);
    assert_eq!(list_notices(f.store(), "s1", true), []);
    assert_eq!(list_notices(f.store(), "s2", true), []);
}

fn what_is_shown_once_is_shown_again_only_at_a_start(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    let told = [(HandoffNoticeReason::Addressed, made.id.clone())];
    assert_eq!(list_notices(f.store(), "s2", false), told);
    f.store().mark_handoff_shown(&made).unwrap();
    assert_eq!(list_notices(f.store(), "s2", false), []);
    assert_eq!(list_notices(f.store(), "s2", true), told);
    let first = f.store().load_handoff(&made.id).unwrap().unwrap();
    assert!(first.shown_at.is_some());
    f.store().mark_handoff_shown(&made).unwrap();
    let second = f.store().load_handoff(&made.id).unwrap().unwrap();
    assert_eq!(second, first, "only the first time counts");
}

fn place_in_repo(store: &mut dyn Store, session: &str, repo: &str) {
    let registration = SessionRegistration {
        repo: Some(repo.to_owned()),
        ..registration(session)
    };
    store.register_session(&registration).unwrap();
}

fn what_is_for_anybody_is_told_in_its_repository(f: &mut impl StoreFixture) {
    register_pair(f.store());
    for (name, repo) in [("s1", "app"), ("s2", "app"), ("s3", "lib")] {
        place_in_repo(f.store(), name, repo);
    }
    let made = hand_off(f.store(), None);
    assert_eq!(made.repo.as_deref(), Some("app"));
    let told = [(HandoffNoticeReason::Offered, made.id.clone())];
    assert_eq!(list_notices(f.store(), "s2", true), told);
    assert_eq!(list_notices(f.store(), "s2", false), []);
    assert_eq!(list_notices(f.store(), "s3", true), []);
    assert_eq!(list_notices(f.store(), "s1", true), []);
    // What is for the session comes first.
    let mine = other_session_hands_off(f.store(), "s4", "B", Some("s2"));
    let told = [
        (HandoffNoticeReason::Addressed, mine.id),
        (HandoffNoticeReason::Offered, made.id),
    ];
    assert_eq!(list_notices(f.store(), "s2", true), told);
}

fn a_decision_is_told_once(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    let answer = f.store().accept_handoff(&acceptance(&made.id, "s2"));
    let accepted = answer.unwrap().unwrap().handoff;
    let told = [(HandoffNoticeReason::Answered, made.id.clone())];
    for starts in [true, false] {
        assert_eq!(list_notices(f.store(), "s1", starts), told);
    }
    f.store().mark_handoff_shown(&accepted).unwrap();
    for starts in [true, false] {
        assert_eq!(list_notices(f.store(), "s1", starts), []);
    }
}

fn a_note_of_what_was_decided_meanwhile_counts_for_nothing(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let shown = hand_off(f.store(), Some("s2"));
    let answer = f.store().reject_handoff(&rejection(&shown.id, "s2"));
    answer.unwrap().unwrap();
    f.store().mark_handoff_shown(&shown).unwrap();
    assert_eq!(
        list_notices(f.store(), "s1", false).len(),
        1,
        "the decision is still news"
    );
}

fn a_successor_gets_the_mail(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = hand_off(f.store(), Some("s2"));
    f.store()
        .end_session(&session_id("s2"), "clear", &new_provenance("s2"))
        .unwrap();
    let successor = SessionRegistration {
        predecessor: Some(session_id("s2")),
        ..registration("s3")
    };
    f.store().register_session(&successor).unwrap();
    let told = [(HandoffNoticeReason::Addressed, made.id.clone())];
    assert_eq!(list_notices(f.store(), "s3", true), told);
    let answer = f.store().accept_handoff(&acceptance(&made.id, "s3"));
    assert_eq!(answer.unwrap().unwrap().item.holder, Some(session_id("s3")));
}

fn handoffs_are_listed_newest_first(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let made = [
        hand_off(f.store(), None).id,
        other_session_hands_off(f.store(), "s3", "B", None).id,
        other_session_hands_off(f.store(), "s4", "C", None).id,
    ];
    let answer = f.store().reject_handoff(&rejection(&made[1], "s2"));
    answer.unwrap().unwrap();
    let list = |store: &mut dyn Store, open| -> Vec<HandoffId> {
        let found = store
            .list_handoffs(HandoffFilter { only_open: open })
            .unwrap();
        found.into_iter().map(|handoff| handoff.id).collect()
    };
    let [a, b, c] = [&made[0], &made[1], &made[2]].map(Clone::clone);
    assert_eq!(list(f.store(), false), [c.clone(), b, a.clone()]);
    assert_eq!(list(f.store(), true), [c, a]);
}

fn every_change_is_one_event(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let start = last_event_id(f.store());
    let made = hand_off(f.store(), Some("s2"));
    assert_eq!(
        list_event_kinds(f.store(), start),
        [format!("{} created", made.id)]
    );
    let event = list_events(f.store()).pop().unwrap();
    assert_eq!(
        (event.entity.as_str(), event.actor.as_str()),
        ("handoff", "s1")
    );
    assert_eq!(event.epoch, Some(Epoch(1)));
    assert_eq!(event.after["to_session"], json!("s2"));
    assert_eq!(event.after["summary"], json!("the plan stands"));
    let start = last_event_id(f.store());
    f.store().mark_handoff_shown(&made).unwrap();
    assert_eq!(list_event_kinds(f.store(), start), Vec::<String>::new());
    let request = acceptance(&made.id, "s2");
    f.store().accept_handoff(&request).unwrap().unwrap();
    let mut found = list_event_kinds(f.store(), start);
    found.sort();
    let mut expected = [
        "A taken_over".to_owned(),
        format!("{} accepted", made.id),
        "s1 state".to_owned(),
        "s2 state".to_owned(),
    ];
    expected.sort();
    assert_eq!(found, expected);
    let all = list_events(f.store());
    let accepted = all.iter().rfind(|e| e.kind == "accepted").unwrap();
    assert_eq!(accepted.op_id, Some(request.provenance.op_id));
    assert_eq!(accepted.before["status"], json!("pending_acceptance"));
    assert_eq!(accepted.after["decided_by"], json!("s2"));
    let moved = all.iter().rfind(|e| e.kind == "taken_over").unwrap();
    assert_eq!(moved.reason, Some(format!("hand-off {}", made.id)));
    for state in all.iter().filter(|e| e.seq > start) {
        assert_eq!(state.actor, "s2", "{state:?}");
    }
}

fn repeating_returns_the_first_answer(f: &mut impl StoreFixture) {
    register_pair(f.store());
    add_item(f.store(), "B");
    claim_item(f.store(), "s2", "B");
    let new = new_handoff(f.store(), Some("s2"));
    let made = f.store().create_handoff(&new).unwrap();
    let start = last_event_id(f.store());
    assert_eq!(f.store().create_handoff(&new).unwrap(), made);
    let elsewhere = NewHandoff {
        id: NewHandoff::fresh_id(),
        ..new
    };
    let again = f.store().create_handoff(&elsewhere).unwrap();
    assert_eq!(
        again, made,
        "the operation counts, not the id that was made for it"
    );
    assert_eq!(last_event_id(f.store()), start);
    let request = acceptance(&made.id, "s2");
    let first = f.store().accept_handoff(&request).unwrap().unwrap();
    let start = last_event_id(f.store());
    let second = f.store().accept_handoff(&request).unwrap().unwrap();
    assert_eq!(second, first);
    assert_eq!(first.released, Some(item_key("B")));
    assert_eq!(last_event_id(f.store()), start);
    claim_item(f.store(), "s1", "B");
    let mut other = self::new_handoff(f.store(), Some("s2"));
    other.fencing_token.0 = item_key("B");
    let made = f.store().create_handoff(&other).unwrap();
    let request = rejection(&made.id, "s2");
    let first = f.store().reject_handoff(&request).unwrap().unwrap();
    let start = last_event_id(f.store());
    assert_eq!(f.store().reject_handoff(&request).unwrap().unwrap(), first);
    assert_eq!(last_event_id(f.store()), start);
}

fn a_second_open_handoff_of_an_item_is_denied_and_names_the_first(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let first = hand_off(f.store(), Some("s2"));
    let before = last_event_id(f.store());
    for to in [Some("s2"), None] {
        let second = new_handoff(f.store(), to);
        let error = expect_refusal(f.store().create_handoff(&second), "denied");
        assert!(error.to_string().contains(first.id.as_str()), "{error}");
        assert_eq!(f.store().load_handoff(&second.id).unwrap(), None);
    }
    assert_eq!(last_event_id(f.store()), before);
    f.store()
        .reject_handoff(&rejection(&first.id, "s2"))
        .unwrap()
        .unwrap();
    hand_off(f.store(), None);
}

fn a_handoff_of_a_claim_before_gives_way_to_a_new_one(f: &mut impl StoreFixture) {
    register_pair(f.store());
    register_session(f.store(), "s3");
    let first = hand_off(f.store(), Some("s2"));
    // Taken over and taken back: the first was made under a claim that is no more.
    claim_item(f.store(), "s3", "A");
    claim_item(f.store(), "s1", "A");
    let second = hand_off(f.store(), Some("s3"));
    let closed = f.store().load_handoff(&first.id).unwrap().unwrap();
    assert_eq!(closed.status, HandoffStatus::Rejected);
    assert!(closed.reject_reason.is_some(), "it says why");
    let open = f
        .store()
        .list_handoffs(HandoffFilter { only_open: true })
        .unwrap();
    let ids: Vec<_> = open.into_iter().map(|handoff| handoff.id).collect();
    assert_eq!(ids, [second.id]);
}
