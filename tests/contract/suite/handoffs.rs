//! Hand-offs: created from the database's state, carried out in one transaction, shown once.

mod accepting;
mod deciding;
mod notices;

use serde_json::json;
use trueup_core::model::{
    Epoch, FieldValue, Handoff, HandoffElement, HandoffElements, HandoffId, HandoffNoticeReason,
    HandoffRefusal, HandoffStatus, StateField,
};
use trueup_core::store::{
    AcceptHandoffRequest, HandoffFilter, NewHandoff, RejectHandoffRequest, Store,
};

use crate::fixture::StoreFixture;
use crate::requests::{
    LEASE_SECONDS, add_item, claim_item, expect_refusal, item_key, last_event_id, list_event_kinds,
    list_events, load_item, load_session, new_provenance, phase_push, register_holder,
    register_session, session_id,
};

on_every_store! {
    a_handoff_says_what_the_database_knows
    only_who_holds_the_item_hands_it_on
    a_handoff_goes_to_a_registered_session_that_is_another
    an_addressed_session_counts_as_not_told_on_its_own_revision
    handoffs_are_listed_newest_first
    every_change_is_one_event
    repeating_returns_the_first_answer
    a_second_open_handoff_of_an_item_is_denied_and_names_the_first
    a_handoff_of_a_claim_before_gives_way_to_a_new_one
}

pub(crate) fn new_handoff(store: &mut dyn Store, to: Option<&str>) -> NewHandoff {
    new_handoff_from(store, "s1", to)
}

/// Builds a hand-off of the item that a session holds.
fn new_handoff_from(store: &mut dyn Store, from: &str, to: Option<&str>) -> NewHandoff {
    let from = load_session(store, from);
    let text = |text: &str| Some(text.to_owned());
    NewHandoff {
        id: NewHandoff::fresh_id(),
        kind: "PLAN-TO-EXEC".parse().unwrap(),
        fencing_token: (from.item.unwrap_or_else(|| item_key("A")), from.epoch.unwrap_or(Epoch(0))),
        to: to.map(session_id),
        elements: HandoffElements::new([
            (HandoffElement::Summary, text("the plan stands")),
            (HandoffElement::Actions, text("write it")),
        ]),
        provenance: new_provenance(from.id.as_str()),
        from: from.id,
    }
}

/// Lets another session claim an item and hand it off.
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

/// Registers `s1`, which holds `A` in phase PLAN with a task, and `s2`.
fn register_pair(store: &mut dyn Store) {
    register_holder(store);
    register_session(store, "s2");
    let session = load_session(store, "s1");
    let mut push = phase_push(&session, "PLAN");
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
    let notices = store.list_handoff_notices(&session_id(session), starts).unwrap();
    notices.into_iter().map(|(news, h)| (news, h.id)).collect()
}

fn a_handoff_says_what_the_database_knows(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    assert_eq!(handoff.status, HandoffStatus::PendingAcceptance);
    assert_eq!((handoff.item.clone(), handoff.epoch), (item_key("A"), Epoch(1)));
    assert_eq!(
        (handoff.from.clone(), handoff.to.clone()),
        (session_id("s1"), Some(session_id("s2")))
    );
    assert_eq!(handoff.phase.as_deref(), Some("PLAN"));
    assert_eq!(handoff.task.as_deref(), Some("draft"));
    assert_eq!(handoff.branch.as_deref(), Some("feat/A"));
    assert_eq!(handoff.worktree.as_deref(), Some("/w"));
    assert_eq!(handoff.elements.get(HandoffElement::Actions), Some("write it"));
    assert_eq!(handoff.elements.completeness_percent(), 33);
    assert_eq!((handoff.decided_at, handoff.decided_by.clone()), (None, None));
    assert_eq!(f.store().load_handoff(&handoff.id).unwrap(), Some(handoff));
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s1")), "still the sender's");
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
    assert_eq!(f.store().list_handoffs(HandoffFilter::default()).unwrap(), []);
}

fn a_handoff_goes_to_a_registered_session_that_is_another(f: &mut impl StoreFixture) {
    register_pair(f.store());
    for (to, words) in [
        ("s9", "the receiver of a hand-off must be registered"),
        ("s1", "session s1 cannot hand off its item to itself"),
    ] {
        let new = new_handoff(f.store(), Some(to));
        let error = expect_refusal(f.store().create_handoff(&new), "denied");
        assert_eq!(error.to_string(), format!("the database refuses: {words}"));
    }
}

fn an_addressed_session_counts_as_not_told_on_its_own_revision(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let before = load_session(f.store(), "s2").revision;
    f.store().acknowledge_revision(&session_id("s2"), before).unwrap();
    hand_off(f.store(), None);
    assert_eq!(load_session(f.store(), "s2").acknowledged, before);
    other_session_hands_off(f.store(), "s3", "B", Some("s2"));
    let reader = load_session(f.store(), "s2");
    assert!(reader.acknowledged < reader.revision);
    assert_eq!(reader.revision, before, "an edit of the reader stays a proposal");
}

fn handoffs_are_listed_newest_first(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let first_handoff = [
        hand_off(f.store(), None).id,
        other_session_hands_off(f.store(), "s3", "B", None).id,
        other_session_hands_off(f.store(), "s4", "C", None).id,
    ];
    let answer = f.store().reject_handoff(&rejection(&first_handoff[1], "s2"));
    answer.unwrap().unwrap();
    let list = |store: &mut dyn Store, open| -> Vec<HandoffId> {
        let found = store.list_handoffs(HandoffFilter { only_open: open }).unwrap();
        found.into_iter().map(|handoff| handoff.id).collect()
    };
    let [a, b, c] = [&first_handoff[0], &first_handoff[1], &first_handoff[2]].map(Clone::clone);
    assert_eq!(list(f.store(), false), [c.clone(), b, a.clone()]);
    assert_eq!(list(f.store(), true), [c, a]);
}

fn every_change_is_one_event(f: &mut impl StoreFixture) {
    register_pair(f.store());
    let start = last_event_id(f.store());
    let handoff = hand_off(f.store(), Some("s2"));
    assert_eq!(list_event_kinds(f.store(), start), [format!("{} created", handoff.id)]);
    let event = list_events(f.store()).pop().unwrap();
    assert_eq!((event.entity.as_str(), event.actor.as_str()), ("handoff", "s1"));
    assert_eq!(event.epoch, Some(Epoch(1)));
    assert_eq!(event.after["to_session"], json!("s2"));
    assert_eq!(event.after["summary"], json!("the plan stands"));
    let start = last_event_id(f.store());
    f.store().mark_handoff_shown(&handoff).unwrap();
    assert_eq!(list_event_kinds(f.store(), start), Vec::<String>::new());
    let request = acceptance(&handoff.id, "s2");
    f.store().accept_handoff(&request).unwrap().unwrap();
    let mut found = list_event_kinds(f.store(), start);
    found.sort();
    let mut expected = [
        "A taken_over".to_owned(),
        format!("{} accepted", handoff.id),
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
    assert_eq!(moved.reason, Some(format!("hand-off {}", handoff.id)));
    for state in all.iter().filter(|e| e.seq > start) {
        assert_eq!(state.actor, "s2", "{state:?}");
    }
}

fn repeating_returns_the_first_answer(f: &mut impl StoreFixture) {
    register_pair(f.store());
    add_item(f.store(), "B");
    claim_item(f.store(), "s2", "B");
    let new = new_handoff(f.store(), Some("s2"));
    let handoff = f.store().create_handoff(&new).unwrap();
    let start = last_event_id(f.store());
    assert_eq!(f.store().create_handoff(&new).unwrap(), handoff);
    let elsewhere = NewHandoff { id: NewHandoff::fresh_id(), ..new };
    let again = f.store().create_handoff(&elsewhere).unwrap();
    assert_eq!(again, handoff, "the operation counts, not the id that was made for it");
    assert_eq!(last_event_id(f.store()), start);
    let request = acceptance(&handoff.id, "s2");
    let first = f.store().accept_handoff(&request).unwrap().unwrap();
    let start = last_event_id(f.store());
    let second = f.store().accept_handoff(&request).unwrap().unwrap();
    assert_eq!(second, first);
    assert_eq!(first.released, Some(item_key("B")));
    assert_eq!(last_event_id(f.store()), start);
    claim_item(f.store(), "s1", "B");
    let mut other = self::new_handoff(f.store(), Some("s2"));
    other.fencing_token.0 = item_key("B");
    let handoff = f.store().create_handoff(&other).unwrap();
    let request = rejection(&handoff.id, "s2");
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
    f.store().reject_handoff(&rejection(&first.id, "s2")).unwrap().unwrap();
    hand_off(f.store(), None);
}

fn a_handoff_of_a_claim_before_gives_way_to_a_new_one(f: &mut impl StoreFixture) {
    register_pair(f.store());
    register_session(f.store(), "s3");
    let first = hand_off(f.store(), Some("s2"));
    // Taken over and taken back: the first hand-off belongs to a claim that is over.
    claim_item(f.store(), "s3", "A");
    claim_item(f.store(), "s1", "A");
    let second = hand_off(f.store(), Some("s3"));
    let closed = f.store().load_handoff(&first.id).unwrap().unwrap();
    assert_eq!(closed.status, HandoffStatus::Rejected);
    assert!(closed.reject_reason.is_some(), "it says why");
    let open = f.store().list_handoffs(HandoffFilter { only_open: true }).unwrap();
    let ids: Vec<_> = open.into_iter().map(|handoff| handoff.id).collect();
    assert_eq!(ids, [second.id]);
}
