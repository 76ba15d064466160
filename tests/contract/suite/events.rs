//! Every change is exactly one event, with its actor and reason.

use serde_json::json;
use trueup_core::model::{
    Epoch, Event, EventFilter, EventOrder, NewItem, RepoScope, SessionStatus,
};
use trueup_core::store::{HeartbeatRequest, SessionRegistration};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, item_key, last_event_id, list_event_kinds, list_events, load_session,
    new_heartbeat, new_item, new_phases, new_provenance, phase_push, register_holder,
    register_session, registration, release_request, session_id,
};

on_every_store! {
    every_change_has_its_kind
    an_event_says_who_what_and_under_which_claim
    turns_and_renewals_are_no_news
    a_return_by_a_sign_of_life_is_the_sessions_own
    events_are_filtered
    events_of_other_repositories_are_left_out
    events_of_one_operation
    a_cursor_returns_only_what_is_later
    a_limit_keeps_the_newest_in_order
    a_checkpoint_is_an_event_and_changes_nothing
}

fn every_change_has_its_kind(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    add_item(f.store(), "A");
    add_item(f.store(), "B");
    let all = ["s1 registered", "s2 registered", "A added", "B added"];
    assert_eq!(list_event_kinds(f.store(), 0), all);
    let mut step = |work: &dyn Fn(&mut dyn trueup_core::store::Store), expected: &[&str]| {
        let before = last_event_id(f.store());
        f.advance_time(1);
        work(f.store());
        assert_eq!(list_event_kinds(f.store(), before), expected);
    };
    step(&|s| drop(claim_item(s, "s1", "A")), &["A claimed", "s1 state"]);
    step(&|s| drop(claim_item(s, "s1", "B")), &["A released", "B claimed", "s1 state"]);
    step(&|s| drop(claim_item(s, "s2", "B")), &["B taken_over", "s1 lost", "s2 state"]);
    step(
        &|s| {
            let session = load_session(s, "s2");
            s.push_state(&phase_push(&session, "PLAN")).unwrap();
        },
        &["s2 state", "B changed"],
    );
    step(&|s| drop(s.release(&release_request("s2", "B"))), &["B released", "s2 state"]);
    step(&|s| drop(s.end_session(&session_id("s2"), "x", &new_provenance("s2"))), &["s2 ended"]);
    step(&|s| drop(register_session(s, "s2")), &["s2 active"]);
    let moved = SessionRegistration { branch: Some("next".to_owned()), ..registration("s2") };
    step(&|s| drop(s.register_session(&moved)), &["s2 metadata"]);
    step(
        &|s| {
            claim_item(s, "s1", "A");
            let session = load_session(s, "s1");
            s.mark_lost(&session, &new_provenance("s2")).unwrap();
        },
        &["A claimed", "s1 state", "s1 active", "s1 lost", "A released"],
    );
}

fn last_event(f: &mut impl StoreFixture, kind: &str) -> Event {
    let all = list_events(f.store());
    all.into_iter().rfind(|e| e.kind == kind).unwrap()
}

fn an_event_says_who_what_and_under_which_claim(f: &mut impl StoreFixture) {
    register_holder(f.store());
    register_session(f.store(), "s2");
    let request = crate::requests::claim_request(f.store(), "s2", "A");
    f.store().claim(&request).unwrap();
    let event = last_event(f, "taken_over");
    assert_eq!((event.actor.as_str(), event.entity.as_str()), ("s2", "item"));
    assert_eq!(event.epoch, Some(Epoch(2)));
    assert_eq!(event.reason.as_deref(), Some("holder_dead"));
    assert_eq!(event.op_id, Some(request.provenance.op_id));
    assert_eq!(event.before["holder"], json!("s1"));
    assert_eq!(event.after["holder"], json!("s2"));
    let session = load_session(f.store(), "s2");
    f.store().push_state(&phase_push(&session, "EXEC")).unwrap();
    let event = last_event(f, "state");
    assert_eq!(event.before["execution_state"]["currentPhase"], json!(null));
    assert_eq!(event.after["execution_state"]["currentPhase"], json!("EXEC"));
    assert_eq!(event.epoch, None);
    let event = last_event(f, "registered");
    assert_eq!(event.after["worktree"], json!("/w"));
    f.store().end_session(&session_id("s2"), "logout", &new_provenance("hook")).unwrap();
    let event = last_event(f, "ended");
    assert_eq!((event.actor.as_str(), event.reason.as_deref()), ("hook", Some("logout")));
    assert_eq!(
        (event.before, event.after),
        (json!({"status": "active"}), json!({"status": "ended"}))
    );
}

fn turns_and_renewals_are_no_news(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let before = last_event_id(f.store());
    for status in [None, Some(SessionStatus::Idle), Some(SessionStatus::Active)] {
        f.store().record_heartbeat(&HeartbeatRequest { status, ..new_heartbeat("s1") }).unwrap();
    }
    register_session(f.store(), "s1");
    assert_eq!(list_event_kinds(f.store(), before), Vec::<String>::new());
}

fn a_return_by_a_sign_of_life_is_the_sessions_own(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    f.store().end_session(&session_id("s1"), "x", &new_provenance("s1")).unwrap();
    let works = HeartbeatRequest { status: Some(SessionStatus::Active), ..new_heartbeat("s1") };
    f.store().record_heartbeat(&works).unwrap();
    assert_eq!(last_event(f, "active").actor, "s1");
}

fn events_are_filtered(f: &mut impl StoreFixture) {
    register_holder(f.store());
    register_session(f.store(), "s2");
    add_item(f.store(), "B");
    let mut list = |filter: EventFilter| {
        let found = f.store().list_events(&filter).unwrap();
        found.iter().map(|e| format!("{} {}", e.key, e.kind)).collect::<Vec<_>>()
    };
    let of_item = EventFilter { item: Some("A".to_owned()), ..EventFilter::default() };
    assert_eq!(list(of_item), ["A added", "A claimed"]);
    let of_session = EventFilter { session: Some("s1".to_owned()), ..EventFilter::default() };
    assert_eq!(list(of_session.clone()), ["s1 registered", "A claimed", "s1 state"]);
    let both = EventFilter { item: Some("A".to_owned()), ..of_session };
    assert_eq!(list(both), ["A claimed"]);
    let session = EventFilter { entity: Some("session".to_owned()), ..EventFilter::default() };
    assert_eq!(list(session), ["s1 registered", "s1 state", "s2 registered"]);
    let filter = EventFilter { kind: Some("added".to_owned()), ..EventFilter::default() };
    assert_eq!(list(filter), ["A added", "B added"]);
    let by_user = EventFilter {
        actor: Some("user".to_owned()),
        item: Some("B".to_owned()),
        ..EventFilter::default()
    };
    assert_eq!(list(by_user), ["B added"]);
    let now = f.store().database_time().unwrap();
    let later = EventFilter {
        since: Some(trueup_core::model::Timestamp::from_millis(now.as_millis() + 60_000)),
        ..EventFilter::default()
    };
    assert_eq!(f.store().list_events(&later).unwrap(), []);
}

fn events_of_other_repositories_are_left_out(f: &mut impl StoreFixture) {
    for (repo, number) in [(None, 0), (Some("app"), 1), (Some("web"), 2)] {
        let repo = repo.map(str::to_owned);
        let session =
            SessionRegistration { repo: repo.clone(), ..registration(&format!("s{number}")) };
        f.store().register_session(&session).unwrap();
        // The end of a key is no number of a phase.
        let item = NewItem { repo, ..new_item(&format!("I:{number}")) };
        f.store().add_item(&item, &new_provenance("user")).unwrap();
        let phases = new_phases(&format!("I:{number}"), &[&[]]);
        f.store().add_phases(&phases, &new_provenance("user")).unwrap();
    }
    add_item(f.store(), "GONE");
    f.store().remove_item(&item_key("GONE"), &new_provenance("user")).unwrap();
    let mut list = |scope: RepoScope, order: EventOrder| {
        let filter = EventFilter { scope, order, ..EventFilter::default() };
        let found = f.store().list_events(&filter).unwrap();
        found.iter().map(|event| format!("{} {}", event.entity, event.key)).collect::<Vec<_>>()
    };
    let of_each = |number: u32| {
        let phase = format!("phase I:{number}:1");
        [format!("session s{number}"), format!("item I:{number}"), phase]
    };
    let gone = ["item GONE", "item GONE"].map(str::to_owned);
    let named = |numbers: &[u32]| {
        numbers.iter().flat_map(|number| of_each(*number)).chain(gone.clone()).collect::<Vec<_>>()
    };
    let app = || Some("app".to_owned());
    for (scope, expected) in [
        (RepoScope::All, named(&[0, 1, 2])),
        (RepoScope::Here(app()), named(&[0, 1])),
        (RepoScope::Here(None), named(&[0])),
        (RepoScope::Only("app".to_owned()), named(&[1])),
        (RepoScope::Only("none".to_owned()), named(&[])),
    ] {
        for order in [EventOrder::Newest, EventOrder::Oldest] {
            assert_eq!(list(scope.clone(), order), expected, "{scope:?} {order:?}");
        }
    }
}

fn events_of_one_operation(f: &mut impl StoreFixture) {
    register_holder(f.store());
    add_item(f.store(), "B");
    let request = crate::requests::claim_request(f.store(), "s1", "B");
    f.store().claim(&request).unwrap();
    let filter = EventFilter { op_id: Some(request.provenance.op_id), ..EventFilter::default() };
    let found = f.store().list_events(&filter).unwrap();
    let kinds: Vec<&str> = found.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["released", "claimed", "state"]);
}

fn a_cursor_returns_only_what_is_later(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let all = list_events(f.store());
    assert!(all.is_sorted_by(|a, b| a.seq < b.seq));
    for (at, event) in all.iter().enumerate() {
        let filter = EventFilter { after: event.seq, ..EventFilter::default() };
        assert_eq!(f.store().list_events(&filter).unwrap(), all[at + 1..]);
    }
}

fn a_limit_keeps_the_newest_in_order(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let all = list_events(f.store());
    let filter = EventFilter { limit: 2, ..EventFilter::default() };
    assert_eq!(f.store().list_events(&filter).unwrap(), all[all.len() - 2..]);
}

fn a_checkpoint_is_an_event_and_changes_nothing(f: &mut impl StoreFixture) {
    let before = register_session(f.store(), "s1");
    f.store().record_checkpoint(&session_id("s1"), 10, &new_provenance("s1")).unwrap();
    let event = last_event(f, "checkpoint");
    assert_eq!((event.entity.as_str(), event.key.as_str()), ("session", "s1"));
    assert_eq!(event.after, json!({"operations": 10}));
    assert_eq!(load_session(f.store(), "s1").revision, before.revision);
}
