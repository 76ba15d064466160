//! The phase queue: adding phases, their order, and the effects of a step.

use serde_json::json;
use trueup_core::model::phase::{PhaseName, PhaseRefusal, PhaseStep};
use trueup_core::model::{ItemStatus, Revision};
use trueup_core::store::{KeyPage, PhaseFilter};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, add_queue, apply_step, claim_item, complete_step, expect_refusal,
    expect_step_refusal, fail_step, first_phase_of, item_key, last_event_id, list_event_kinds,
    list_events, new_phases, new_provenance, phase_statuses, register_session, reopen_step,
    session_id, session_step_request, start_step, step_request,
};

on_every_store! {
    phases_are_added_as_said
    phases_of_own_names_go_as_others_do
    an_item_has_its_phases_once_and_has_to_exist
    the_queue_goes_by_priority_then_position_then_number
    completing_1_readies_2_and_not_3
    failing_1_blocks_2_and_3_with_its_message
    reopening_frees_what_was_blocked
    a_block_by_hand_keeps_its_reason
    a_step_stamps_times_by_the_databases_clock
    every_change_is_one_event
    a_step_that_is_no_legal_one_changes_nothing
    a_repeated_step_returns_the_first_answer
    a_fourth_start_within_half_an_hour_is_refused
    an_interruption_frees_what_the_orchestrator_ran
    phases_are_listed_by_item_and_status
}

const PHASE_CHAIN: &[&[u32]] = &[&[], &[1], &[2]];

fn phases_are_added_as_said(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    let mut new = new_phases("A", &[&[], &[], &[1, 2]]);
    new.priority = 10;
    new.issue_number = Some(170);
    new.feature_id = Some(7);
    new.adw_id = Some("77c90e61".to_owned());
    new.data = json!({"k": [1, {"deep": null}]}).as_object().cloned();
    let rows = f.store().add_phases(&new, &new_provenance("user")).unwrap();
    assert_eq!(rows.len(), 3);
    let last = &rows[2];
    assert_eq!((last.id.as_str(), last.number), ("A:3", 3));
    assert_eq!((last.name.clone(), last.status), (PhaseName::Build, ItemStatus::Queued));
    assert_eq!(last.depends_on, [1, 2]);
    assert_eq!((last.priority, last.position), (10, Some(1)));
    assert_eq!((last.issue_number, last.feature_id), (Some(170), Some(7)));
    assert_eq!(last.adw_id.as_deref(), Some("77c90e61"));
    assert_eq!(last.data, new.data);
    assert_eq!(last.revision, Revision(1));
    assert_eq!((last.ready_at, last.started_at, last.completed_at), (None, None, None));
    assert!(rows[0].ready_at.is_some());
    assert_eq!(phase_statuses(f.store(), "A"), "ready ready queued");
    assert_eq!(first_phase_of(f.store(), "A:3"), rows[2]);
    assert_eq!(f.store().load_phase(&"A:4".parse().unwrap()).unwrap(), None);
}

fn phases_of_own_names_go_as_others_do(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    let longest = "z".repeat(32);
    let names = ["security-review", "build", &longest, "a1"];
    let mut new = new_phases("A", &[&[], &[1], &[2], &[3]]);
    for (phase, name) in new.phases.iter_mut().zip(names) {
        phase.name = name.parse().unwrap();
    }
    f.store().add_phases(&new, &new_provenance("user")).unwrap();
    let listed = f.store().list_phases(&PhaseFilter::default()).unwrap();
    let listed: Vec<&str> = listed.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(listed, names);
    apply_step(f.store(), &step_request("A:1", start_step()));
    apply_step(f.store(), &step_request("A:1", complete_step()));
    assert_eq!(phase_statuses(f.store(), "A"), "completed ready queued queued");
    assert_eq!(f.store().find_next_phase(None).unwrap().unwrap().name, PhaseName::Build);
    apply_step(f.store(), &step_request("A:2", complete_step()));
    apply_step(f.store(), &step_request("A:3", fail_step("x")));
    let blocked = first_phase_of(f.store(), "A:4");
    assert_eq!(blocked.error_message, Some(format!("phase 3 ({longest}) failed: x")));
}

fn an_item_has_its_phases_once_and_has_to_exist(f: &mut impl StoreFixture) {
    let first = new_provenance("user");
    expect_refusal(f.store().add_phases(&new_phases("A", PHASE_CHAIN), &first), "denied");
    add_item(f.store(), "A");
    let once = new_provenance("user");
    let rows = f.store().add_phases(&new_phases("A", PHASE_CHAIN), &once).unwrap();
    assert_eq!(f.store().add_phases(&new_phases("A", PHASE_CHAIN), &once).unwrap(), rows);
    let again = new_provenance("user");
    expect_refusal(f.store().add_phases(&new_phases("A", PHASE_CHAIN), &again), "denied");
    assert_eq!(phase_statuses(f.store(), "A"), "ready queued queued");
}

fn the_queue_goes_by_priority_then_position_then_number(f: &mut impl StoreFixture) {
    for (item, priority) in [("LATER", 60), ("FIRST", 50), ("SECOND", 50), ("URGENT", 10)] {
        add_item(f.store(), item);
        let mut new = new_phases(item, &[&[], &[]]);
        new.priority = priority;
        f.store().add_phases(&new, &new_provenance("user")).unwrap();
    }
    let mut order = Vec::new();
    while let Some(next) = f.store().find_next_phase(None).unwrap() {
        order.push(next.id.to_string());
        apply_step(f.store(), &step_request(next.id.as_str(), complete_step()));
    }
    let expected = [
        "URGENT:1", "URGENT:2", "FIRST:1", "FIRST:2", "SECOND:1", "SECOND:2", "LATER:1", "LATER:2",
    ];
    assert_eq!(order, expected);
    let phases = f.store().list_phases(&PhaseFilter::default()).unwrap();
    let ids: Vec<&str> = phases.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, expected);
}

fn completing_1_readies_2_and_not_3(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    let started_phase = apply_step(f.store(), &step_request("A:1", start_step()));
    assert_eq!((started_phase.change.from, started_phase.affected.len()), (ItemStatus::Ready, 0));
    let phase = apply_step(f.store(), &step_request("A:1", complete_step()));
    assert_eq!(phase.change.phase.status, ItemStatus::Completed);
    let affected: Vec<_> = phase
        .affected
        .iter()
        .map(|one| (one.phase.id.as_str(), one.from, one.phase.status))
        .collect();
    assert_eq!(affected, [("A:2", ItemStatus::Queued, ItemStatus::Ready)]);
    assert_eq!(phase_statuses(f.store(), "A"), "completed ready queued");
}

fn failing_1_blocks_2_and_3_with_its_message(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    let phase = apply_step(f.store(), &step_request("A:1", fail_step("no plan")));
    assert_eq!(phase.change.phase.error_message.as_deref(), Some("no plan"));
    assert_eq!(phase.affected.len(), 2);
    for one in &phase.affected {
        assert_eq!(one.phase.status, ItemStatus::Blocked);
        let error_message = one.phase.error_message.as_deref();
        assert_eq!(error_message, Some("phase 1 (plan) failed: no plan"));
        assert_eq!(one.phase.blocked_by, Some("A:1".parse().unwrap()));
    }
    assert_eq!(phase_statuses(f.store(), "A"), "failed blocked blocked");
}

fn reopening_frees_what_was_blocked(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    apply_step(f.store(), &step_request("A:1", fail_step("x")));
    let before = last_event_id(f.store());
    let phases = apply_step(f.store(), &step_request("A:1", reopen_step()));
    assert_eq!(phases.affected.len(), 2);
    assert_eq!(phase_statuses(f.store(), "A"), "ready queued queued");
    let kinds = list_event_kinds(f.store(), before);
    assert_eq!(kinds, ["A:1 reopened", "A:2 reopened", "A:3 reopened"]);
    let all = list_events(f.store());
    let reasons = all.iter().rev().take(3).map(|e| e.reason.as_deref());
    assert!(reasons.into_iter().all(|reason| reason == Some("said so")));
    for text in ["A:1", "A:2", "A:3"] {
        let row = first_phase_of(f.store(), text);
        assert_eq!((row.error_message, row.blocked_by), (None, None));
    }
    apply_step(f.store(), &step_request("A:1", complete_step()));
    let back = apply_step(f.store(), &step_request("A:1", reopen_step()));
    assert_eq!(back.affected[0].phase.status, ItemStatus::Queued);
    assert_eq!(back.affected[0].phase.ready_at, None);
}

fn a_block_by_hand_keeps_its_reason(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    let block = PhaseStep::Block { reason: "lawyers".to_owned() };
    apply_step(f.store(), &step_request("A:2", block));
    for wanted in [fail_step("x"), reopen_step(), complete_step(), reopen_step()] {
        apply_step(f.store(), &step_request("A:1", wanted));
        let row = first_phase_of(f.store(), "A:2");
        assert_eq!(row.status, ItemStatus::Blocked);
        assert_eq!(row.error_message.as_deref(), Some("lawyers"));
    }
    apply_step(f.store(), &step_request("A:2", reopen_step()));
    assert_eq!(phase_statuses(f.store(), "A"), "ready queued queued");
}

fn a_step_stamps_times_by_the_databases_clock(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    f.advance_time(60);
    apply_step(f.store(), &step_request("A:1", start_step()));
    let running = first_phase_of(f.store(), "A:1");
    assert!(running.started_at.unwrap().seconds_since(running.ready_at.unwrap()) >= 60);
    assert_eq!(running.updated_at, running.started_at.unwrap());
    f.advance_time(60);
    apply_step(f.store(), &step_request("A:1", complete_step()));
    let phase = first_phase_of(f.store(), "A:1");
    assert!(phase.completed_at.unwrap().seconds_since(phase.started_at.unwrap()) >= 60);
    assert!(first_phase_of(f.store(), "A:2").ready_at >= phase.completed_at);
    assert_eq!(phase.revision.0, 3);
    apply_step(f.store(), &step_request("A:1", reopen_step()));
    let again = first_phase_of(f.store(), "A:1");
    assert_eq!((again.started_at, again.completed_at), (None, None));
    assert!(again.ready_at >= phase.completed_at);
}

fn every_change_is_one_event(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_queue(f.store(), "A", PHASE_CHAIN);
    claim_item(f.store(), "s1", "A");
    let before = last_event_id(f.store());
    let request = session_step_request("s1", "A:1", complete_step());
    apply_step(f.store(), &request);
    let all = list_events(f.store());
    let events_of_row: Vec<_> = all.iter().filter(|e| e.seq > before).collect();
    assert_eq!(list_event_kinds(f.store(), before), ["A:1 status", "A:2 status"]);
    for event in &events_of_row {
        assert_eq!((event.entity.as_str(), event.actor.as_str()), ("phase", "s1"));
        assert_eq!(event.epoch.map(|epoch| epoch.0), Some(1));
        assert_eq!(event.reason.as_deref(), Some("said so"));
        assert_eq!(event.op_id, Some(request.provenance.op_id.clone()));
    }
    assert_eq!(events_of_row[0].before["status"], "ready");
    assert_eq!(events_of_row[0].after["status"], "completed");
    let added_events: Vec<_> =
        all.iter().filter(|e| e.kind == "added" && e.entity == "phase").collect();
    assert_eq!(added_events.len(), 3);
    assert_eq!(added_events[1].after["depends_on_phases"], json!([1]));
    assert_eq!(added_events[1].after["phase_data"], json!(null));
}

fn a_step_that_is_no_legal_one_changes_nothing(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    let before = last_event_id(f.store());
    for (text, wanted) in [
        ("A:2", start_step()),
        ("A:2", complete_step()),
        ("A:3", fail_step("x")),
        ("A:1", reopen_step()),
    ] {
        let refusal = expect_step_refusal(f.store(), &step_request(text, wanted));
        assert_eq!(refusal.code(), "illegal_transition", "{refusal:?}");
    }
    let refusal = expect_step_refusal(f.store(), &step_request("A:9", start_step()));
    assert_eq!(refusal, PhaseRefusal::NotFound);
    assert_eq!(last_event_id(f.store()), before);
    // A refused step may be repeated under its id.
    let request = step_request("A:2", start_step());
    expect_step_refusal(f.store(), &request);
    apply_step(f.store(), &step_request("A:1", complete_step()));
    apply_step(f.store(), &request);
}

fn a_repeated_step_returns_the_first_answer(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    let request = step_request("A:1", fail_step("x"));
    let first = apply_step(f.store(), &request);
    let before = last_event_id(f.store());
    assert_eq!(apply_step(f.store(), &request), first);
    assert_eq!(last_event_id(f.store()), before);
    let mut other = step_request("A:3", complete_step());
    other.provenance = request.provenance.clone();
    other.provenance.op_id = new_provenance("x").op_id;
    expect_step_refusal(f.store(), &other);
}

fn a_fourth_start_within_half_an_hour_is_refused(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    for _ in 0..3 {
        apply_step(f.store(), &step_request("A:1", start_step()));
        apply_step(f.store(), &step_request("A:1", reopen_step()));
        f.advance_time(60);
    }
    let refusal = expect_step_refusal(f.store(), &step_request("A:1", start_step()));
    let PhaseRefusal::RetryLimit(limit) = refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!(limit.starts, 3);
    assert_eq!(limit.until.seconds_since(limit.since), 1800);
    let now = f.store().database_time().unwrap();
    assert!((180..240).contains(&now.seconds_since(limit.since)));
    f.advance_time(1800 - 181 - 60);
    expect_step_refusal(f.store(), &step_request("A:1", start_step()));
    f.advance_time(62);
    apply_step(f.store(), &step_request("A:1", start_step()));
    // The two after the first still count, and so does the new one.
    apply_step(f.store(), &step_request("A:1", reopen_step()));
    expect_step_refusal(f.store(), &step_request("A:1", start_step()));
}

fn an_interruption_frees_what_the_orchestrator_ran(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_queue(f.store(), "A", &[&[], &[]]);
    add_queue(f.store(), "B", &[&[]]);
    claim_item(f.store(), "s1", "B");
    let of = |name: &str| PhaseStep::Start { orchestrator: Some(name.parse().unwrap()) };
    apply_step(f.store(), &step_request("A:1", of("o-1")));
    apply_step(f.store(), &step_request("A:2", of("o-2")));
    apply_step(f.store(), &session_step_request("s1", "B:1", of("o-1")));
    let (once, gone) = (new_provenance("user"), "o-1".parse().unwrap());
    let store = f.store();
    let phases = store.interrupt_phases(&gone, "its orchestrator died", &once).unwrap();
    let ids: Vec<&str> = phases.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["A:1", "B:1"]);
    for row in &phases {
        assert_eq!(row.status, ItemStatus::Ready);
        assert_eq!(row.error_message.as_deref(), Some("its orchestrator died"));
        assert_eq!((&row.orchestrator, &row.assigned_to), (&None, &None));
    }
    assert_eq!(phase_statuses(store, "A"), "ready running");
    let before = last_event_id(store);
    let again = store.interrupt_phases(&gone, "its orchestrator died", &once).unwrap();
    assert_eq!(again, phases);
    assert_eq!(store.interrupt_phases(&gone, "x", &new_provenance("user")).unwrap(), []);
    assert_eq!(last_event_id(store), before);
    let all = list_events(store);
    let events_of_row = all.iter().rfind(|e| e.key == "B:1").unwrap();
    assert_eq!(events_of_row.kind, "reopened");
    assert_eq!(events_of_row.reason.as_deref(), Some("its orchestrator died"));
}

fn phases_are_listed_by_item_and_status(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    add_queue(f.store(), "B", PHASE_CHAIN);
    let mut phases = |item: Option<&str>, status| {
        let filter = PhaseFilter { item: item.map(item_key), status, page: None };
        let rows = f.store().list_phases(&filter).unwrap();
        let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
        ids.join(" ")
    };
    assert_eq!(phases(Some("B"), None), "B:1 B:2 B:3");
    assert_eq!(phases(None, Some(ItemStatus::Ready)), "A:1 B:1");
    assert_eq!(phases(Some("A"), Some(ItemStatus::Queued)), "A:2 A:3");
    assert_eq!(phases(None, Some(ItemStatus::Failed)), "");
    assert_eq!(phases(None, None).split(' ').count(), 6);
    let mut page = |item: Option<&str>, status, after: &str, limit| {
        let page = Some(KeyPage { after: after.to_owned(), limit });
        let filter = PhaseFilter { item: item.map(item_key), status, page };
        let rows = f.store().list_phases(&filter).unwrap();
        let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
        ids.join(" ")
    };
    assert_eq!(page(None, None, "", 4), "A:1 A:2 A:3 B:1");
    assert_eq!(page(None, None, "B:1", 4), "B:2 B:3");
    assert_eq!(page(Some("B"), None, "B:1", 1), "B:2");
    assert_eq!(page(None, Some(ItemStatus::Ready), "A:1", 4), "B:1");
    assert!(f.store().load_session(&session_id("nobody")).unwrap().is_none());
}
