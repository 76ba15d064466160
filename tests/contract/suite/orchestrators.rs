//! The registry of orchestrators: one run per plan, and every end is recorded.

use serde_json::json;
use trueup_core::model::{Orchestrator, OrchestratorStatus, PlanTaskStatus, RunEnd};
use trueup_core::store::{EndedRun, RunRegistration, Store};

use super::plans::{apply_plan_step, import_example, load_task, start_task_step};
use crate::fixture::StoreFixture;
use crate::requests::{
    begin_run, expect_refusal, last_event_id, list_event_kinds, list_events, new_provenance,
    new_run, orchestrator_id, provenance_because,
};

on_every_store! {
    a_plan_that_nobody_runs_is_taken
    a_plan_that_somebody_runs_is_refused_with_the_holder
    different_plans_run_side_by_side
    an_id_is_that_of_one_run
    the_epoch_rises_with_each_run_of_a_plan
    a_heartbeat_is_a_sign_of_life_and_no_news
    a_heartbeat_of_nobody_and_of_one_that_ended_is_an_error
    one_that_is_told_to_stop_keeps_its_plan_until_it_ends
    an_end_says_how_and_why
    one_that_ended_cannot_end_again
    one_that_died_leaves_its_plan_to_the_next
    a_sign_of_life_since_the_reading_prevents_a_crash
    one_that_ended_since_the_reading_did_not_crash
    the_latest_are_listed_first_and_the_live_alone
    a_repeated_registration_returns_the_first_answer
    a_repeated_stop_does_not_end_it_twice
    a_refusal_is_not_remembered
    every_change_is_an_event_under_the_epoch
    a_stop_puts_back_what_was_in_progress
    a_crash_puts_back_what_was_in_progress
    a_crash_that_does_not_take_effect_puts_nothing_back
}

fn load_orchestrator(f: &mut impl StoreFixture, id: &str) -> Orchestrator {
    f.store().load_orchestrator(&orchestrator_id(id)).unwrap().unwrap()
}

fn stop_run(store: &mut dyn Store, id: &str) -> Orchestrator {
    let end = RunEnd::default();
    let stopped =
        store.record_orchestrator_stop(&orchestrator_id(id), end, &new_provenance("user"));
    stopped.unwrap().orchestrator
}

fn list_live(f: &mut impl StoreFixture) -> Vec<String> {
    let rows = f.store().list_live_orchestrators().unwrap();
    rows.iter().map(|row| row.id.to_string()).collect()
}

fn a_plan_that_nobody_runs_is_taken(f: &mut impl StoreFixture) {
    let mut new = new_run("o1", "P");
    new.session = Some(crate::requests::session_id("s1"));
    new.supervised = true;
    let RunRegistration::Started(row) = f.store().register_orchestrator(&new).unwrap() else {
        panic!("nobody held it");
    };
    assert_eq!((&row.id, &row.plan, &row.host), (&new.id, &new.plan, &new.host));
    assert_eq!((&row.process, &row.session, row.supervised), (&new.process, &new.session, true));
    assert_eq!((row.status, row.epoch.0), (OrchestratorStatus::Running, 1));
    assert_eq!((row.stopped_at, row.end, &row.reason), (None, RunEnd::default(), &None));
    assert_eq!(load_orchestrator(f, "o1").started_at, row.started_at);
    assert_eq!(list_live(f), ["o1"]);
}

fn a_plan_that_somebody_runs_is_refused_with_the_holder(f: &mut impl StoreFixture) {
    let first = begin_run(f.store(), "o1", "P");
    let before = last_event_id(f.store());
    let RunRegistration::PlanTaken(holder) =
        f.store().register_orchestrator(&new_run("o2", "P")).unwrap()
    else {
        panic!("two run one plan");
    };
    assert_eq!((holder.id, holder.epoch), (first.id, first.epoch));
    assert_eq!(f.store().load_orchestrator(&orchestrator_id("o2")).unwrap(), None);
    assert_eq!(list_event_kinds(f.store(), before), Vec::<String>::new());
}

fn different_plans_run_side_by_side(f: &mut impl StoreFixture) {
    for n in 0..30 {
        begin_run(f.store(), &format!("o{n}"), &format!("P{n}"));
    }
    assert_eq!(list_live(f).len(), 30);
}

fn an_id_is_that_of_one_run(f: &mut impl StoreFixture) {
    begin_run(f.store(), "o1", "P");
    stop_run(f.store(), "o1");
    let before = last_event_id(f.store());
    for plan in ["P", "Q"] {
        let error = expect_refusal(f.store().register_orchestrator(&new_run("o1", plan)), "denied");
        assert_eq!(error.to_string(), "the database refuses: orchestrator o1 already exists");
    }
    assert_eq!(list_event_kinds(f.store(), before), Vec::<String>::new());
}

fn the_epoch_rises_with_each_run_of_a_plan(f: &mut impl StoreFixture) {
    for n in 1..=3 {
        let id = format!("o{n}");
        assert_eq!(begin_run(f.store(), &id, "P").epoch.0, n);
        stop_run(f.store(), &id);
    }
    assert_eq!(begin_run(f.store(), "x1", "other").epoch.0, 1);
}

fn a_heartbeat_is_a_sign_of_life_and_no_news(f: &mut impl StoreFixture) {
    let first = begin_run(f.store(), "o1", "P");
    f.advance_time(100);
    // A busy machine adds what it needs between the steps.
    assert!((100..160).contains(&load_orchestrator(f, "o1").silence_seconds()));
    let before = last_event_id(f.store());
    let after = f.store().record_orchestrator_heartbeat(&orchestrator_id("o1")).unwrap();
    assert!(after.silence_seconds() < 60);
    assert_eq!((after.revision, after.status), (first.revision, first.status));
    assert_eq!(list_event_kinds(f.store(), before), Vec::<String>::new());
}

fn a_heartbeat_of_nobody_and_of_one_that_ended_is_an_error(f: &mut impl StoreFixture) {
    let store = f.store();
    let error =
        expect_refusal(store.record_orchestrator_heartbeat(&orchestrator_id("o1")), "invalid");
    assert_eq!(error.to_string(), "orchestrator o1 does not exist");
    begin_run(store, "o1", "P");
    stop_run(store, "o1");
    let error =
        expect_refusal(store.record_orchestrator_heartbeat(&orchestrator_id("o1")), "conflict");
    assert!(error.to_string().contains("orchestrator o1 stopped at 2"), "{error}");
}

fn one_that_is_told_to_stop_keeps_its_plan_until_it_ends(f: &mut impl StoreFixture) {
    begin_run(f.store(), "o1", "P");
    let id = orchestrator_id("o1");
    let row = f.store().request_orchestrator_stop(&id, &new_provenance("user")).unwrap();
    assert_eq!((row.status, row.stopped_at), (OrchestratorStatus::Stopping, None));
    let before = last_event_id(f.store());
    f.store().request_orchestrator_stop(&id, &new_provenance("user")).unwrap();
    assert_eq!(list_event_kinds(f.store(), before), Vec::<String>::new(), "told once");
    let beat = f.store().record_orchestrator_heartbeat(&id).unwrap();
    assert_eq!(beat.status, OrchestratorStatus::Stopping, "it hears of it");
    let again = f.store().register_orchestrator(&new_run("o2", "P")).unwrap();
    assert!(matches!(again, RunRegistration::PlanTaken(_)));
    stop_run(f.store(), "o1");
    begin_run(f.store(), "o2", "P");
    expect_refusal(f.store().request_orchestrator_stop(&id, &new_provenance("user")), "conflict");
    let nobody = orchestrator_id("o9");
    expect_refusal(
        f.store().request_orchestrator_stop(&nobody, &new_provenance("user")),
        "invalid",
    );
}

fn an_end_says_how_and_why(f: &mut impl StoreFixture) {
    for (id, end) in [
        ("o1", RunEnd { exit_code: Some(3), signal: None }),
        ("o2", RunEnd { exit_code: None, signal: Some(15) }),
    ] {
        begin_run(f.store(), id, "P");
        let provenance = provenance_because("user", "told to");
        let id = orchestrator_id(id);
        let ended = f.store().record_orchestrator_stop(&id, end, &provenance).unwrap();
        let row = ended.orchestrator;
        assert_eq!((row.status, row.end), (OrchestratorStatus::Stopped, end));
        assert_eq!(row.reason.as_deref(), Some("told to"));
        assert!(row.stopped_at.is_some_and(|at| at >= row.started_at));
    }
}

fn one_that_ended_cannot_end_again(f: &mut impl StoreFixture) {
    begin_run(f.store(), "o1", "P");
    let id = orchestrator_id("o1");
    let end = RunEnd { exit_code: Some(0), signal: None };
    f.store().record_orchestrator_stop(&id, end, &new_provenance("user")).unwrap();
    expect_refusal(
        f.store().record_orchestrator_stop(&id, RunEnd::default(), &new_provenance("user")),
        "conflict",
    );
    assert_eq!(load_orchestrator(f, "o1").end, end);
    let nobody = orchestrator_id("o9");
    expect_refusal(
        f.store().record_orchestrator_stop(&nobody, end, &new_provenance("user")),
        "invalid",
    );
}

fn one_that_died_leaves_its_plan_to_the_next(f: &mut impl StoreFixture) {
    begin_run(f.store(), "o1", "P");
    let row = load_orchestrator(f, "o1");
    let provenance = provenance_because("s2", "process 42 is gone");
    let crashed = f.store().record_orchestrator_crash(&row, &provenance).unwrap().unwrap();
    let crashed = crashed.orchestrator;
    assert_eq!(crashed.status, OrchestratorStatus::Crashed);
    assert_eq!(crashed.reason.as_deref(), Some("process 42 is gone"));
    assert!(crashed.stopped_at.is_some());
    assert_eq!(list_live(f), Vec::<String>::new());
    assert_eq!(begin_run(f.store(), "o2", "P").epoch.0, 2);
    let again = f.store().record_orchestrator_crash(&row, &new_provenance("s3")).unwrap();
    assert_eq!(again, None, "it is cleared once");
}

fn a_sign_of_life_since_the_reading_prevents_a_crash(f: &mut impl StoreFixture) {
    begin_run(f.store(), "o1", "P");
    f.advance_time(10_000);
    let row = load_orchestrator(f, "o1");
    f.store().record_orchestrator_heartbeat(&row.id).unwrap();
    assert_eq!(f.store().record_orchestrator_crash(&row, &new_provenance("s2")).unwrap(), None);
    assert_eq!(list_live(f), ["o1"]);
}

fn one_that_ended_since_the_reading_did_not_crash(f: &mut impl StoreFixture) {
    begin_run(f.store(), "o1", "P");
    let row = load_orchestrator(f, "o1");
    stop_run(f.store(), "o1");
    assert_eq!(f.store().record_orchestrator_crash(&row, &new_provenance("s2")).unwrap(), None);
    assert_eq!(load_orchestrator(f, "o1").status, OrchestratorStatus::Stopped);
}

fn the_latest_are_listed_first_and_the_live_alone(f: &mut impl StoreFixture) {
    for (id, plan) in [("o1", "B"), ("o2", "A"), ("o3", "C")] {
        begin_run(f.store(), id, plan);
        f.advance_time(5);
    }
    stop_run(f.store(), "o3");
    let ids = |rows: Vec<Orchestrator>| -> Vec<String> {
        rows.iter().map(|row| row.id.to_string()).collect()
    };
    assert_eq!(ids(f.store().list_orchestrators(0).unwrap()), ["o3", "o2", "o1"]);
    assert_eq!(ids(f.store().list_orchestrators(2).unwrap()), ["o3", "o2"]);
    assert_eq!(list_live(f), ["o2", "o1"], "by plan");
}

fn a_repeated_registration_returns_the_first_answer(f: &mut impl StoreFixture) {
    let request = new_run("o1", "P");
    f.store().register_orchestrator(&request).unwrap();
    let before = last_event_id(f.store());
    let mut repeated = request.clone();
    repeated.id = orchestrator_id("o2");
    let again = f.store().register_orchestrator(&repeated).unwrap();
    assert!(matches!(again, RunRegistration::Started(row) if row.id == request.id));
    assert_eq!(last_event_id(f.store()), before);
}

fn a_repeated_stop_does_not_end_it_twice(f: &mut impl StoreFixture) {
    begin_run(f.store(), "o1", "P");
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", start_task_step(None, Some("o1")));
    let (id, once) = (orchestrator_id("o1"), new_provenance("user"));
    let end = RunEnd { exit_code: Some(0), signal: None };
    let first = f.store().record_orchestrator_stop(&id, end, &once).unwrap();
    let before = last_event_id(f.store());
    let again = f.store().record_orchestrator_stop(&id, end, &once).unwrap();
    assert_eq!(again.orchestrator.end, first.orchestrator.end);
    assert_eq!(again.tasks, first.tasks);
    assert_eq!(first.tasks.len(), 1);
    assert_eq!(last_event_id(f.store()), before);
}

fn a_refusal_is_not_remembered(f: &mut impl StoreFixture) {
    begin_run(f.store(), "o1", "P");
    let late = new_run("o2", "P");
    let held = f.store().register_orchestrator(&late).unwrap();
    assert!(matches!(held, RunRegistration::PlanTaken(_)));
    stop_run(f.store(), "o1");
    let now = f.store().register_orchestrator(&late).unwrap();
    assert!(matches!(now, RunRegistration::Started(row) if row.id == late.id));
}

fn every_change_is_an_event_under_the_epoch(f: &mut impl StoreFixture) {
    begin_run(f.store(), "o1", "P");
    stop_run(f.store(), "o1");
    begin_run(f.store(), "o2", "P");
    let id = orchestrator_id("o2");
    f.store().request_orchestrator_stop(&id, &new_provenance("user")).unwrap();
    let row = load_orchestrator(f, "o2");
    f.store().record_orchestrator_crash(&row, &provenance_because("s9", "gone")).unwrap();
    let all = ["o1 started", "o1 stopped", "o2 started", "o2 stopping", "o2 crashed"];
    assert_eq!(list_event_kinds(f.store(), 0), all);
    let last = list_events(f.store()).pop().unwrap();
    assert_eq!((last.entity.as_str(), last.actor.as_str()), ("orchestrator", "s9"));
    assert_eq!(last.epoch.map(|epoch| epoch.0), Some(2));
    assert_eq!(last.reason.as_deref(), Some("gone"));
    assert!(last.op_id.is_some());
    let mut facts = json!({
        "plan_id": "P", "status": "stopping", "session_id": null, "host": "h1", "pid": 42,
        "exit_code": null, "signal": null, "reason": null,
    });
    assert_eq!(last.before, facts);
    facts["status"] = json!("crashed");
    facts["reason"] = json!("gone");
    assert_eq!(last.after, facts);
}

fn a_stop_puts_back_what_was_in_progress(f: &mut impl StoreFixture) {
    assert_puts_back(f, |store, row| {
        let by = provenance_because("s9", "it ended");
        store.record_orchestrator_stop(&row.id, RunEnd::default(), &by).unwrap()
    });
}

fn a_crash_puts_back_what_was_in_progress(f: &mut impl StoreFixture) {
    assert_puts_back(f, |store, row| {
        let by = provenance_because("s9", "it ended");
        store.record_orchestrator_crash(row, &by).unwrap().unwrap()
    });
}

fn assert_puts_back(
    f: &mut impl StoreFixture,
    end: impl Fn(&mut dyn Store, &Orchestrator) -> EndedRun,
) {
    import_example(f.store());
    begin_run(f.store(), "o1", "p");
    begin_run(f.store(), "o2", "other");
    apply_plan_step(f.store(), "1.1", start_task_step(None, Some("o1")));
    apply_plan_step(f.store(), "1.2", start_task_step(None, Some("o1")));
    apply_plan_step(f.store(), "1.3", start_task_step(None, Some("o2")));
    let before = last_event_id(f.store());
    let row = load_orchestrator(f, "o1");
    let ended = end(f.store(), &row);
    assert_eq!(ended.describe_interrupted(), ["task p/1.1", "task p/1.2"]);
    let word = ended.orchestrator.status;
    let all = ["p/1.1 reopened".to_owned(), "p/1.2 reopened".to_owned(), format!("o1 {word}")];
    assert_eq!(list_event_kinds(f.store(), before), all);
    let put_back = load_task(f.store(), "1.1");
    assert_eq!(put_back.status, PlanTaskStatus::Pending);
    assert_eq!((put_back.orchestrator, put_back.started_at), (None, None));
    let why = format!("interrupted: orchestrator o1 {word}: it ended");
    assert_eq!(put_back.error, Some(why));
    assert_eq!(load_task(f.store(), "1.3").status, PlanTaskStatus::InProgress);
}

fn a_crash_that_does_not_take_effect_puts_nothing_back(f: &mut impl StoreFixture) {
    import_example(f.store());
    begin_run(f.store(), "o1", "p");
    let row = load_orchestrator(f, "o1");
    apply_plan_step(f.store(), "1.1", start_task_step(None, Some("o1")));
    f.advance_time(5);
    f.store().record_orchestrator_heartbeat(&row.id).unwrap();
    assert_eq!(f.store().record_orchestrator_crash(&row, &new_provenance("s9")).unwrap(), None);
    assert_eq!(load_task(f.store(), "1.1").status, PlanTaskStatus::InProgress);
}
