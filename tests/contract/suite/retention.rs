//! Pruning: old rows that are done are removed in batches and recorded; what is still needed stays.

use std::collections::BTreeSet;

use serde_json::json;
use trueup_core::model::{
    EndedSession, EventSubject, ItemStatus, KeepReason, PrunableEvent, PruneCounts, RetentionRules,
    SessionTie, Timestamp,
};
use trueup_core::store::{NewRun, ReservePortRequest, SessionRegistration, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, add_queue, apply_step, claim_item, complete_step, last_event_id, list_event_kinds,
    list_events, load_session, new_provenance, new_run, register_session, registration,
    release_request, session_id, session_step_request, start_step, step_request, task_note,
};

on_every_store! {
    sessions_that_ended_are_listed_the_youngest_first_and_in_pages
    an_ended_session_goes_with_its_tasks
    a_session_is_looked_at_again_in_the_transaction_that_removes_it
    a_session_that_holds_or_was_parked_is_tied
    who_gave_an_item_up_is_tied_until_another_takes_it
    ports_and_runs_tie_a_session
    a_phase_at_work_ties_a_session
    predecessors_go_with_their_successors_in_one_batch
    events_are_about_what_stands_now
    old_events_of_what_is_done_go_and_others_stay
    what_went_is_noted_once
    numbers_of_events_are_never_given_again
}

fn later_time(f: &mut impl StoreFixture) -> Timestamp {
    let now = f.store().database_time().unwrap();
    Timestamp::from_millis(now.as_millis() + 1000)
}

/// Makes everything up to now count as old.
fn expire_everything(f: &mut impl StoreFixture) -> RetentionRules {
    RetentionRules { before: later_time(f), named: BTreeSet::new() }
}

fn end_session(store: &mut dyn Store, name: &str) {
    store.end_session(&session_id(name), "x", &new_provenance(name)).unwrap();
}

fn list_ended(f: &mut impl StoreFixture) -> Vec<EndedSession> {
    let before = later_time(f);
    f.store().list_ended_sessions(before, None, 100).unwrap()
}

fn session_names(found: &[EndedSession]) -> Vec<&str> {
    found.iter().map(|s| s.id.as_str()).collect()
}

fn find_remains(f: &mut impl StoreFixture, name: &str) -> EndedSession {
    let found = list_ended(f);
    found.into_iter().find(|s| s.id == session_id(name)).unwrap()
}

fn sessions_that_ended_are_listed_the_youngest_first_and_in_pages(f: &mut impl StoreFixture) {
    for name in ["a", "b", "c"] {
        register_session(f.store(), name);
        end_session(f.store(), name);
        f.advance_time(10);
    }
    register_session(f.store(), "lives");
    let all = list_ended(f);
    assert_eq!(session_names(&all), ["c", "b", "a"]);
    let (mut paged, mut cursor) = (Vec::new(), None);
    let before = later_time(f);
    while let Some(one) = f.store().list_ended_sessions(before, cursor.as_ref(), 1).unwrap().pop() {
        cursor = Some((one.heartbeat_at, one.id.clone()));
        paged.push(one);
    }
    assert_eq!(paged, all);
    let old = f.store().list_ended_sessions(all[1].heartbeat_at, None, 9).unwrap();
    assert_eq!(session_names(&old), ["a"]);
}

fn an_ended_session_goes_with_its_tasks(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    for session in ["s1", "s2"] {
        f.store().upsert_task(&session_id(session), &task_note("1", "t")).unwrap();
    }
    f.store().upsert_task(&session_id("s1"), &task_note("2", "t")).unwrap();
    end_session(f.store(), "s1");
    assert_eq!(find_remains(f, "s1").tasks, 2);
    let before = last_event_id(f.store());
    let rule = expire_everything(f);
    let removed = f.store().remove_sessions(&[session_id("s1")], &rule).unwrap();
    assert_eq!(removed, [session_id("s1")]);
    assert_eq!(f.store().load_session(&session_id("s1")).unwrap(), None);
    assert_eq!(f.store().load_task(&session_id("s1"), "1").unwrap(), None);
    assert!(f.store().load_task(&session_id("s2"), "1").unwrap().is_some());
    assert_eq!(list_event_kinds(f.store(), before), Vec::<String>::new(), "noted later, as one");
}

fn a_session_is_looked_at_again_in_the_transaction_that_removes_it(f: &mut impl StoreFixture) {
    for name in ["lives", "young", "named", "parked"] {
        register_session(f.store(), name);
    }
    add_item(f.store(), "A");
    claim_item(f.store(), "parked", "A");
    for name in ["named", "parked"] {
        end_session(f.store(), name);
    }
    f.advance_time(100);
    let rule = RetentionRules {
        before: f.store().database_time().unwrap(),
        named: [session_id("named")].into(),
    };
    register_session(f.store(), "young");
    end_session(f.store(), "young");
    let all = ["lives", "young", "named", "parked", "unknown"].map(session_id);
    let removed = f.store().remove_sessions(&all, &rule).unwrap();
    assert_eq!(removed, []);
    for name in &all[..4] {
        assert!(f.store().load_session(name).unwrap().is_some(), "{name}");
    }
}

fn a_session_that_holds_or_was_parked_is_tied(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    claim_item(f.store(), "s1", "A");
    end_session(f.store(), "s1");
    assert_eq!(find_remains(f, "s1").ties, [SessionTie::Holder].into());
    let session = load_session(f.store(), "s1");
    f.store().mark_lost(&session, &new_provenance("sweep")).unwrap();
    assert_eq!(find_remains(f, "s1").ties, [SessionTie::InterruptedWork].into());
    let rule = expire_everything(f);
    let reason = rule.keep_reason(&find_remains(f, "s1"), &BTreeSet::new());
    assert_eq!(reason, Some(KeepReason::Tied(SessionTie::InterruptedWork)));
}

fn who_gave_an_item_up_is_tied_until_another_takes_it(f: &mut impl StoreFixture) {
    for name in ["s1", "s2"] {
        register_session(f.store(), name);
    }
    add_item(f.store(), "A");
    claim_item(f.store(), "s1", "A");
    f.store().release(&release_request("s1", "A")).unwrap();
    end_session(f.store(), "s1");
    assert_eq!(find_remains(f, "s1").ties, [SessionTie::InterruptedWork].into());
    claim_item(f.store(), "s2", "A");
    assert_eq!(find_remains(f, "s1").ties, BTreeSet::new());
    f.store().release(&release_request("s2", "A")).unwrap();
    assert_eq!(find_remains(f, "s1").ties, BTreeSet::new(), "the last one alone");
}

fn ports_and_runs_tie_a_session(f: &mut impl StoreFixture) {
    for name in ["p", "r"] {
        register_session(f.store(), name);
        end_session(f.store(), name);
    }
    let owner = trueup_core::model::PortOwner { session: Some(session_id("p")), process: None };
    let ports = ReservePortRequest {
        id: "w".parse().unwrap(),
        host: "h".to_owned(),
        slot: trueup_core::model::PortSlot::all().next().unwrap(),
        owner,
        provenance: new_provenance("p"),
    };
    f.store().reserve_port(&ports).unwrap();
    let run = NewRun { session: Some(session_id("r")), ..new_run("o1", "plan") };
    f.store().register_orchestrator(&run).unwrap();
    assert_eq!(find_remains(f, "p").ties, [SessionTie::Ports].into());
    assert_eq!(find_remains(f, "r").ties, [SessionTie::Run].into());
}

fn a_phase_at_work_ties_a_session(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_queue(f.store(), "A", &[&[]]);
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    end_session(f.store(), "s1");
    assert_eq!(find_remains(f, "s1").ties, [SessionTie::Task].into());
    apply_step(f.store(), &step_request("A:1", complete_step()));
    assert_eq!(find_remains(f, "s1").ties, BTreeSet::new());
}

fn predecessors_go_with_their_successors_in_one_batch(f: &mut impl StoreFixture) {
    register_session(f.store(), "first");
    f.advance_time(10);
    for (name, before) in [("second", "first"), ("third", "second")] {
        let next =
            SessionRegistration { predecessor: Some(session_id(before)), ..registration(name) };
        f.store().register_session(&next).unwrap();
        f.advance_time(10);
    }
    for name in ["first", "second"] {
        end_session(f.store(), name);
    }
    let rule = expire_everything(f);
    let all = ["second", "first"].map(session_id);
    let removed = f.store().remove_sessions(&all, &rule).unwrap();
    assert_eq!(removed, [], "the third goes on");
    end_session(f.store(), "third");
    let found = list_ended(f);
    assert_eq!(session_names(&found), ["third", "second", "first"]);
    assert_eq!(found[2].successors, [session_id("second")].into());
    let all: Vec<_> = found.into_iter().map(|s| s.id).collect();
    let removed = f.store().remove_sessions(&all, &rule).unwrap();
    assert_eq!(removed, all);
}

fn list_event_remains(f: &mut impl StoreFixture) -> Vec<PrunableEvent> {
    f.store().list_event_remains(0, 1000).unwrap()
}

fn events_are_about_what_stands_now(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    claim_item(f.store(), "s1", "A");
    let held = EventSubject::Item { status: ItemStatus::Running, held: true };
    let session = EventSubject::Session(session_id("s1"));
    let found: Vec<EventSubject> = list_event_remains(f).into_iter().map(|e| e.subject).collect();
    assert_eq!(found, [session.clone(), held.clone(), held, session]);
    let all = list_events(f.store());
    let seqs: Vec<i64> = list_event_remains(f).iter().map(|e| e.seq).collect();
    assert_eq!(seqs, all.iter().map(|e| e.seq).collect::<Vec<_>>());
    assert_eq!(f.store().list_event_remains(seqs[1], 1).unwrap()[0].seq, seqs[2]);
    f.store().release(&release_request("s1", "A")).unwrap();
    end_session(f.store(), "s1");
    // Its item is unfinished; so the session stays, and the events of both.
    let rule = expire_everything(f);
    let no_names = BTreeSet::new();
    assert!(list_event_remains(f).iter().all(|event| !rule.may_remove_event(event, &no_names)));
    assert_eq!(f.store().remove_events(&seqs, &rule).unwrap(), 0);
    assert_eq!(list_events(f.store())[..all.len()], all);
}

fn old_events_of_what_is_done_go_and_others_stay(f: &mut impl StoreFixture) {
    for name in ["s1", "s2"] {
        register_session(f.store(), name);
        end_session(f.store(), name);
    }
    f.age_events(2 * 24 * 3_600);
    register_session(f.store(), "s3");
    let rule = expire_everything(f);
    f.store().remove_sessions(&[session_id("s1")], &rule).unwrap();
    let all = list_event_remains(f);
    let young = f.store().database_time().unwrap().as_millis() - 24 * 3_600 * 1000;
    let rule = RetentionRules { before: Timestamp::from_millis(young), ..rule };
    let seqs: Vec<i64> = all.iter().map(|e| e.seq).collect();
    assert_eq!(f.store().remove_events(&seqs, &rule).unwrap(), 2);
    let left = ["s2 registered", "s2 ended", "s3 registered"];
    assert_eq!(list_event_kinds(f.store(), 0), left);
}

fn what_went_is_noted_once(f: &mut impl StoreFixture) {
    let before = later_time(f);
    assert_eq!(f.store().record_pruned(before, &new_provenance("user")).unwrap(), None);
    register_session(f.store(), "s1");
    end_session(f.store(), "s1");
    f.store().upsert_task(&session_id("s1"), &task_note("1", "t")).unwrap();
    f.age_events(2 * 24 * 3_600);
    let rule = expire_everything(f);
    f.store().remove_sessions(&[session_id("s1")], &rule).unwrap();
    let rule = RetentionRules {
        before: Timestamp::from_millis(rule.before.as_millis() - 24 * 3_600 * 1000),
        ..rule
    };
    let seqs: Vec<i64> = list_event_remains(f).iter().map(|e| e.seq).collect();
    for seq in &seqs {
        f.store().remove_events(&[*seq], &rule).unwrap();
    }
    let tally = PruneCounts { sessions: 1, tasks: 1, events: 2 };
    let noted = f.store().record_pruned(rule.before, &new_provenance("user")).unwrap();
    assert_eq!(noted, Some(tally));
    assert_eq!(f.store().record_pruned(rule.before, &new_provenance("user")).unwrap(), None);
    let all = list_events(f.store());
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].entity.as_str(), all[0].kind.as_str()), ("database", "pruned"));
    assert_eq!(all[0].actor, "user");
    let after = json!({"sessions": 1, "tasks": 1, "events": 2, "before": rule.before});
    assert_eq!(all[0].after, after);
}

fn numbers_of_events_are_never_given_again(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    end_session(f.store(), "s1");
    f.age_events(2 * 24 * 3_600);
    let rule = expire_everything(f);
    let last = last_event_id(f.store());
    f.store().remove_sessions(&[session_id("s1")], &rule).unwrap();
    f.store()
        .remove_events(
            &[1, 2],
            &RetentionRules {
                before: Timestamp::from_millis(rule.before.as_millis() - 25 * 3_600 * 1000),
                ..rule
            },
        )
        .unwrap();
    assert_eq!(list_events(f.store()), []);
    add_item(f.store(), "A");
    assert!(last_event_id(f.store()) > last);
}
