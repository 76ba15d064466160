//! Plans and their tasks.

use serde_json::Value as Json;
use trueup_core::model::{
    NewPlan, NewPlanTask, PlanState, PlanSummary, PlanTask, PlanTaskStatus, PlanTaskStep,
    PlanWorker, Revision,
};
use trueup_core::plan::{TaskStepOutcome, apply_task_step};
use trueup_core::store::{ImportedPlan, PlanTaskStepRequest, Provenance, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    begin_run, expect_refusal, last_event_id, list_event_kinds, list_events, new_heartbeat,
    new_provenance, orchestrator_id, register_session, session_id,
};

on_every_store! {
    a_plan_is_imported_as_its_file_says
    the_same_file_is_the_same_plan_and_another_gets_a_number
    importing_again_changes_what_the_file_says_and_nothing_goes_back
    an_import_that_changes_nothing_writes_nothing
    an_import_is_one_operation
    a_step_is_recorded_once_with_who_and_when
    a_step_on_what_moved_on_is_a_conflict
    a_step_that_the_rules_forbid_is_denied
    going_back_empties_the_times_and_is_a_reopening
    a_retry_is_counted_twice_and_no_more
    a_worker_is_a_registered_session
    repeating_an_operation_changes_nothing
    a_step_tells_who_comes_too_late
    an_interruption_puts_back_what_an_orchestrator_had_in_progress
    what_gives_no_sign_of_life_is_failed
    a_sign_of_life_of_the_session_counts_for_its_task
    a_sign_of_life_of_the_orchestrator_counts_for_its_tasks
    plans_are_listed_with_their_counts
    a_failed_task_may_be_left_out
    a_removed_plan_is_gone_with_its_tasks_and_no_other
    a_removal_is_recorded_with_who_and_why
    removing_no_plan_is_a_conflict
    a_repeated_removal_removes_no_successor
}

fn new_task(text: &str, status: PlanTaskStatus) -> NewPlanTask {
    NewPlanTask {
        phase_number: Some(1),
        phase_title: Some("Setup".to_owned()),
        depends_on: Some(Vec::new()),
        ..NewPlanTask::new(text.parse().unwrap(), format!("do {text}"), status)
    }
}

fn new_plan(path: &str, tasks: &[&str]) -> NewPlan {
    NewPlan {
        id: "p".parse().unwrap(),
        path: path.to_owned(),
        title: Some("Plan".to_owned()),
        extra: serde_json::Map::new(),
        tasks: tasks
            .iter()
            .map(|id| new_task(id, PlanTaskStatus::Pending))
            .collect(),
    }
}

fn import_plan(store: &mut dyn Store, plan: &NewPlan) -> ImportedPlan {
    store.import_plan(plan, &new_provenance("user")).unwrap()
}

pub(super) fn import_example(store: &mut dyn Store) {
    import_plan(store, &new_plan("/p.md", &["1.1", "1.2", "1.3"]));
}

fn load_plan_state(store: &mut dyn Store) -> PlanState {
    store.load_plan(&"p".parse().unwrap()).unwrap().unwrap()
}

pub(super) fn load_task(store: &mut dyn Store, text: &str) -> PlanTask {
    let plan = "p".parse().unwrap();
    let task = store.load_plan_task(&plan, &text.parse().unwrap());
    task.unwrap().unwrap()
}

pub(super) fn start_task_step(session: Option<&str>, orchestrator: Option<&str>) -> PlanTaskStep {
    PlanTaskStep::Start(PlanWorker {
        actor: session.unwrap_or("ann").to_owned(),
        session: session.map(session_id),
        orchestrator: orchestrator.map(orchestrator_id),
    })
}

fn fail_task_step() -> PlanTaskStep {
    PlanTaskStep::Fail {
        error: "boom".to_owned(),
        stuck: false,
    }
}

/// A step on the task as it is.
fn task_change(store: &mut dyn Store, text: &str, step: PlanTaskStep) -> PlanTaskStepRequest {
    PlanTaskStepRequest {
        plan: "p".parse().unwrap(),
        task: text.parse().unwrap(),
        expected_revision: load_task(store, text).revision,
        step,
        provenance: new_provenance("user"),
    }
}

#[track_caller]
pub(super) fn apply_plan_step(store: &mut dyn Store, text: &str, step: PlanTaskStep) -> PlanTask {
    let change = task_change(store, text, step);
    store.apply_plan_task_step(&change).unwrap()
}

fn a_plan_is_imported_as_its_file_says(f: &mut impl StoreFixture) {
    let mut plan = new_plan("/a/p.md", &["1.1", "1.2"]);
    plan.extra.insert("createdAt".to_owned(), "x".into());
    plan.tasks[1].status = PlanTaskStatus::Completed;
    plan.tasks[1].depends_on = Some(vec!["1.1".parse().unwrap()]);
    plan.tasks[1].extra.insert("n".to_owned(), 1.into());
    let imported = import_plan(f.store(), &plan);
    assert_eq!((imported.added, imported.changed), (2, 0));
    assert_eq!(imported.plan_state, load_plan_state(f.store()));
    let found = imported.plan_state;
    assert_eq!(found.plan.path, "/a/p.md");
    assert_eq!(found.plan.title.as_deref(), Some("Plan"));
    assert_eq!(found.plan.extra, plan.extra);
    let [first, second] = &found.tasks[..] else {
        panic!("{found:?}")
    };
    assert_eq!(first.key(), "p/1.1");
    assert_eq!((first.position, second.position), (1, 2));
    assert_eq!(first.phase_title.as_deref(), Some("Setup"));
    assert_eq!((first.started_at, first.completed_at), (None, None));
    assert_eq!(second.depends_on, plan.tasks[1].depends_on.clone().unwrap());
    assert_eq!(second.extra, plan.tasks[1].extra);
    assert!(second.completed_at.is_some() && second.started_at.is_none());
    let at = f.store().find_plan_by_path("/a/p.md").unwrap();
    assert_eq!(at.as_ref(), Some(&found.plan.id));
    assert_eq!(f.store().find_plan_by_path("/other").unwrap(), None);
    assert_eq!(f.store().load_plan(&"q".parse().unwrap()).unwrap(), None);
    assert_eq!(f.store().list_plan_ids().unwrap(), [found.plan.id]);
    let kinds = list_event_kinds(f.store(), 0);
    assert_eq!(kinds, ["p added", "p/1.1 added", "p/1.2 added"]);
}

fn the_same_file_is_the_same_plan_and_another_gets_a_number(f: &mut impl StoreFixture) {
    for (path, expected) in [("/a/p.md", "p"), ("/b/p.md", "p-2"), ("/c/p.md", "p-3")] {
        for _ in 0..2 {
            let imported = import_plan(f.store(), &new_plan(path, &["1.1"]));
            assert_eq!(imported.plan_state.plan.id.as_str(), expected);
        }
    }
}

fn importing_again_changes_what_the_file_says_and_nothing_goes_back(f: &mut impl StoreFixture) {
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", PlanTaskStep::Complete);
    apply_plan_step(f.store(), "1.3", start_task_step(None, None));
    let mut plan = new_plan("/p.md", &["1.4", "1.1", "1.3"]);
    plan.title = Some("Renamed".to_owned());
    plan.tasks[1].title = String::from("new words");
    plan.tasks[2].status = PlanTaskStatus::Completed;
    let after = last_event_id(f.store());
    let imported = import_plan(f.store(), &plan);
    assert_eq!((imported.added, imported.changed), (1, 2));
    assert_eq!(imported.tasks_not_in_file, ["1.2".parse().unwrap()]);
    assert_eq!(imported.plan_state.plan.title.as_deref(), Some("Renamed"));
    let first = load_task(f.store(), "1.1");
    assert_eq!(
        (first.title.as_str(), first.status, first.position),
        ("new words", PlanTaskStatus::Completed, 2)
    );
    let third = load_task(f.store(), "1.3");
    assert_eq!(third.status, PlanTaskStatus::Completed);
    assert!(third.completed_at.is_some() && third.started_at.is_some());
    assert_eq!(load_task(f.store(), "1.2").status, PlanTaskStatus::Pending);
    let found = list_event_kinds(f.store(), after);
    let expected = ["p changed", "p/1.4 added", "p/1.1 changed", "p/1.3 status"];
    assert_eq!(found, expected);
}

fn an_import_that_changes_nothing_writes_nothing(f: &mut impl StoreFixture) {
    import_example(f.store());
    let before = (load_plan_state(f.store()), last_event_id(f.store()));
    let imported = import_plan(f.store(), &new_plan("/p.md", &["1.1", "1.2", "1.3"]));
    assert_eq!((imported.added, imported.changed), (0, 0));
    assert_eq!(
        (load_plan_state(f.store()), last_event_id(f.store())),
        before
    );
}

fn an_import_is_one_operation(f: &mut impl StoreFixture) {
    let provenance = Provenance {
        reason: Some("plan import".into()),
        ..new_provenance("user")
    };
    let plan = new_plan("/p.md", &["1.1", "1.2"]);
    f.store().import_plan(&plan, &provenance).unwrap();
    let longer = new_plan("/p.md", &["1.1", "1.2", "1.3"]);
    let again = f.store().import_plan(&longer, &provenance).unwrap();
    assert_eq!(again.plan_state.tasks.len(), 2, "the answer of the first");
    let events = list_events(f.store());
    assert_eq!(events.len(), 3);
    for event in events {
        assert_eq!(event.op_id.as_deref(), Some(provenance.op_id.as_str()));
        assert_eq!(event.reason.as_deref(), provenance.reason.as_deref());
    }
}

fn a_step_is_recorded_once_with_who_and_when(f: &mut impl StoreFixture) {
    import_example(f.store());
    register_session(f.store(), "s1");
    let after = last_event_id(f.store());
    let begun = apply_plan_step(f.store(), "1.1", start_task_step(Some("s1"), Some("o1")));
    assert_eq!(begun.status, PlanTaskStatus::InProgress);
    assert_eq!(
        (begun.session.clone(), begun.revision),
        (Some(session_id("s1")), Revision(2))
    );
    assert_eq!(begun.orchestrator.clone(), Some(orchestrator_id("o1")));
    assert_eq!(begun.started_by.as_deref(), Some("s1"));
    assert!(begun.started_at.is_some() && begun.completed_at.is_none());
    let failed = apply_plan_step(f.store(), "1.1", fail_task_step());
    assert_eq!(failed.error.as_deref(), Some("boom"));
    assert_eq!(failed.started_at, begun.started_at);
    assert!(failed.completed_at >= failed.started_at);
    let reason = "later".to_owned();
    let skipped = apply_plan_step(f.store(), "1.2", PlanTaskStep::Skip { reason });
    assert_eq!(skipped.skip_reason.as_deref(), Some("later"));
    let done = apply_plan_step(f.store(), "1.3", PlanTaskStep::Complete);
    assert!(
        done.started_at.is_none() && done.completed_at.is_some(),
        "never begun is legal"
    );
    let events: Vec<_> = list_events(f.store());
    let steps: Vec<_> = events
        .iter()
        .filter(|e| e.seq > after && e.entity == "plan_task")
        .collect();
    let told: Vec<_> = steps
        .iter()
        .map(|e| {
            (
                e.key.as_str(),
                e.kind.as_str(),
                e.reason.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        ("p/1.1", "status", "plan start"),
        ("p/1.1", "status", "boom"),
        ("p/1.2", "status", "later"),
        ("p/1.3", "status", "plan complete"),
    ];
    assert_eq!(told, expected);
    assert_eq!(steps[1].before, begun.event_facts());
    assert_eq!(steps[1].after, failed.event_facts());
}

fn a_step_on_what_moved_on_is_a_conflict(f: &mut impl StoreFixture) {
    import_example(f.store());
    let late = task_change(f.store(), "1.1", PlanTaskStep::Complete);
    apply_plan_step(f.store(), "1.1", start_task_step(None, None));
    expect_refusal(f.store().apply_plan_task_step(&late), "conflict");
    let unknown = PlanTaskStepRequest {
        task: "7.7".parse().unwrap(),
        ..late
    };
    expect_refusal(f.store().apply_plan_task_step(&unknown), "conflict");
    assert_eq!(
        load_task(f.store(), "1.1").status,
        PlanTaskStatus::InProgress
    );
}

fn a_step_that_the_rules_forbid_is_denied(f: &mut impl StoreFixture) {
    import_example(f.store());
    let done = apply_plan_step(f.store(), "1.1", PlanTaskStep::Complete);
    for step in [
        start_task_step(None, None),
        fail_task_step(),
        PlanTaskStep::Retry,
    ] {
        let change = task_change(f.store(), "1.1", step);
        let error = expect_refusal(f.store().apply_plan_task_step(&change), "denied");
        assert!(error.to_string().contains("p/1.1 is completed"), "{error}");
    }
    assert_eq!(load_task(f.store(), "1.1"), done);
}

fn going_back_empties_the_times_and_is_a_reopening(f: &mut impl StoreFixture) {
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", start_task_step(None, None));
    apply_plan_step(f.store(), "1.1", fail_task_step());
    let after = last_event_id(f.store());
    let retried = apply_plan_step(f.store(), "1.1", PlanTaskStep::Retry);
    assert_eq!((retried.started_at, retried.completed_at), (None, None));
    assert_eq!((retried.error, retried.started_by), (None, None));
    assert_eq!(list_event_kinds(f.store(), after), ["p/1.1 reopened"]);
}

fn a_retry_is_counted_twice_and_no_more(f: &mut impl StoreFixture) {
    import_example(f.store());
    for count in 1..=2 {
        apply_plan_step(f.store(), "1.1", fail_task_step());
        let retried = apply_plan_step(f.store(), "1.1", PlanTaskStep::Retry);
        assert_eq!(retried.retry_count, count);
    }
    apply_plan_step(f.store(), "1.1", fail_task_step());
    let third = task_change(f.store(), "1.1", PlanTaskStep::Retry);
    expect_refusal(f.store().apply_plan_task_step(&third), "denied");
}

fn a_worker_is_a_registered_session(f: &mut impl StoreFixture) {
    import_example(f.store());
    let change = task_change(f.store(), "1.1", start_task_step(Some("s9"), None));
    expect_refusal(f.store().apply_plan_task_step(&change), "denied");
    assert_eq!(load_task(f.store(), "1.1").status, PlanTaskStatus::Pending);
}

fn repeating_an_operation_changes_nothing(f: &mut impl StoreFixture) {
    import_example(f.store());
    let first = task_change(f.store(), "1.1", fail_task_step());
    let failed = f.store().apply_plan_task_step(&first).unwrap();
    assert_eq!(f.store().apply_plan_task_step(&first).unwrap(), failed);
    let retried = apply_plan_step(f.store(), "1.1", PlanTaskStep::Retry);
    let after = last_event_id(f.store());
    assert_eq!(f.store().apply_plan_task_step(&first).unwrap(), retried);
    assert_eq!(last_event_id(f.store()), after);
}

fn a_step_tells_who_comes_too_late(f: &mut impl StoreFixture) {
    import_example(f.store());
    register_session(f.store(), "s1");
    let (plan, first) = ("p".parse().unwrap(), "1.1".parse().unwrap());
    let mut step = |step: &PlanTaskStep| {
        apply_task_step(f.store(), &plan, &first, step, &new_provenance("ann")).unwrap()
    };
    let taken = step(&start_task_step(Some("s1"), None));
    assert!(matches!(
        taken,
        TaskStepOutcome::Changed {
            from: PlanTaskStatus::Pending,
            ..
        }
    ));
    assert!(matches!(
        step(&start_task_step(Some("s1"), None)),
        TaskStepOutcome::Already(_)
    ));
    match step(&start_task_step(None, None)) {
        TaskStepOutcome::Refused { refusal, task } => {
            assert_eq!(refusal.code(), "already_in_progress");
            assert_eq!(task.session, Some(session_id("s1")));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        step(&PlanTaskStep::Complete),
        TaskStepOutcome::Changed { .. }
    ));
    assert!(matches!(
        step(&PlanTaskStep::Complete),
        TaskStepOutcome::Already(_)
    ));
    let none = "9.9".parse().unwrap();
    let unknown = apply_task_step(
        f.store(),
        &plan,
        &none,
        &PlanTaskStep::Complete,
        &new_provenance("ann"),
    )
    .unwrap();
    assert!(matches!(unknown, TaskStepOutcome::Unknown));
}

fn an_interruption_puts_back_what_an_orchestrator_had_in_progress(f: &mut impl StoreFixture) {
    import_example(f.store());
    register_session(f.store(), "s1");
    apply_plan_step(f.store(), "1.1", start_task_step(None, Some("o1")));
    apply_plan_step(f.store(), "1.2", start_task_step(Some("s1"), Some("o1")));
    apply_plan_step(f.store(), "1.3", start_task_step(Some("s1"), Some("o2")));
    let provenance = new_provenance("ann");
    let store = f.store();
    let put_back = store
        .interrupt_plan_tasks(&orchestrator_id("o1"), "the orchestrator died", &provenance)
        .unwrap();
    let ids: Vec<&str> = put_back.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["1.1", "1.2"]);
    for task in &put_back {
        assert_eq!(task.status, PlanTaskStatus::Pending);
        let error = task.error.as_deref();
        assert_eq!(error, Some("interrupted: the orchestrator died"));
        assert_eq!((task.retry_count, task.session.clone()), (0, None));
        assert_eq!((task.orchestrator.clone(), task.started_at), (None, None));
    }
    assert_eq!(
        load_task(f.store(), "1.3").status,
        PlanTaskStatus::InProgress
    );
    let after = last_event_id(f.store());
    let again = f
        .store()
        .interrupt_plan_tasks(&orchestrator_id("o1"), "x", &provenance)
        .unwrap();
    assert_eq!(again, put_back, "the first answer");
    let nothing = f
        .store()
        .interrupt_plan_tasks(&orchestrator_id("o1"), "x", &new_provenance("ann"))
        .unwrap();
    assert_eq!(nothing, []);
    assert_eq!(last_event_id(f.store()), after);
    let begun = apply_plan_step(f.store(), "1.1", start_task_step(None, None));
    assert_eq!(
        begun.error, None,
        "what was interrupted goes on like any other"
    );
}

fn what_gives_no_sign_of_life_is_failed(f: &mut impl StoreFixture) {
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", start_task_step(None, None));
    f.advance_time(3_600);
    apply_plan_step(f.store(), "1.2", start_task_step(None, None));
    f.advance_time(3_700);
    let after = last_event_id(f.store());
    let failed = f
        .store()
        .fail_stuck_plan_tasks(7_200, &new_provenance("ann"))
        .unwrap();
    let [failed] = &failed[..] else {
        panic!("{failed:?}")
    };
    assert_eq!(*failed, load_task(f.store(), "1.1"));
    assert_eq!(
        (failed.status, failed.stuck),
        (PlanTaskStatus::Failed, true)
    );
    let error = failed.error.as_deref().unwrap();
    assert!(error.contains("7200 s"), "{error}");
    assert_eq!(list_event_kinds(f.store(), after), ["p/1.1 status"]);
    let again = f
        .store()
        .fail_stuck_plan_tasks(7_200, &new_provenance("ann"))
        .unwrap();
    assert_eq!(again, []);
    let retried = apply_plan_step(f.store(), "1.1", PlanTaskStep::Retry);
    assert_eq!((retried.stuck, retried.retry_count), (false, 1));
}

fn a_sign_of_life_of_the_session_counts_for_its_task(f: &mut impl StoreFixture) {
    import_example(f.store());
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    apply_plan_step(f.store(), "1.1", start_task_step(Some("s1"), None));
    apply_plan_step(f.store(), "1.2", start_task_step(Some("s2"), None));
    f.advance_time(86_400);
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    let failed = f
        .store()
        .fail_stuck_plan_tasks(7_200, &new_provenance("ann"))
        .unwrap();
    let ids: Vec<&str> = failed.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["1.2"]);
    assert_eq!(
        load_task(f.store(), "1.1").status,
        PlanTaskStatus::InProgress
    );
}

fn a_sign_of_life_of_the_orchestrator_counts_for_its_tasks(f: &mut impl StoreFixture) {
    import_example(f.store());
    for id in ["o1", "o2"] {
        begin_run(f.store(), id, id);
    }
    apply_plan_step(f.store(), "1.1", start_task_step(None, Some("o1")));
    apply_plan_step(f.store(), "1.2", start_task_step(None, Some("o2")));
    apply_plan_step(f.store(), "1.3", start_task_step(None, Some("unknown")));
    f.advance_time(86_400);
    f.store()
        .record_orchestrator_heartbeat(&orchestrator_id("o1"))
        .unwrap();
    let failed = f
        .store()
        .fail_stuck_plan_tasks(7_200, &new_provenance("ann"))
        .unwrap();
    let ids: Vec<&str> = failed.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["1.2", "1.3"]);
}

fn plans_are_listed_with_their_counts(f: &mut impl StoreFixture) {
    assert_eq!(f.store().list_plans().unwrap(), []);
    import_example(f.store());
    import_plan(f.store(), &new_plan("/empty/p.md", &[]));
    apply_plan_step(f.store(), "1.1", PlanTaskStep::Complete);
    apply_plan_step(f.store(), "1.2", start_task_step(None, None));
    let listed = f.store().list_plans().unwrap();
    let ids: Vec<&str> = listed.iter().map(|plan| plan.plan.id.as_str()).collect();
    assert_eq!(ids, ["p", "p-2"]);
    assert_eq!(listed[0].summary, load_plan_state(f.store()).summary());
    let expected = PlanSummary {
        total: 3,
        pending: 1,
        in_progress: 1,
        completed: 1,
        failed: 0,
        skipped: 0,
    };
    assert_eq!(listed[0].summary, expected);
    assert_eq!(listed[1].summary, PlanSummary::default());
}

fn a_failed_task_may_be_left_out(f: &mut impl StoreFixture) {
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", fail_task_step());
    let skip = PlanTaskStep::Skip {
        reason: "not needed".to_owned(),
    };
    let left_out = apply_plan_step(f.store(), "1.1", skip);
    assert_eq!(left_out.status, PlanTaskStatus::Skipped);
    assert_eq!(left_out.skip_reason.as_deref(), Some("not needed"));
    assert_eq!(left_out.error, None);
}

fn a_removed_plan_is_gone_with_its_tasks_and_no_other(f: &mut impl StoreFixture) {
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", start_task_step(None, None));
    apply_plan_step(f.store(), "1.2", PlanTaskStep::Complete);
    let other = import_plan(f.store(), &new_plan("/other/p.md", &["1.1"])).plan_state;
    let plan = "p".parse().unwrap();
    f.store()
        .remove_plan(&plan, &new_provenance("user"))
        .unwrap();
    assert_eq!(f.store().load_plan(&plan).unwrap(), None);
    assert_eq!(f.store().find_plan_by_path("/p.md").unwrap(), None);
    let first = "1.1".parse().unwrap();
    assert_eq!(f.store().load_plan_task(&plan, &first).unwrap(), None);
    assert_eq!(
        f.store().list_plan_ids().unwrap(),
        std::slice::from_ref(&other.plan.id)
    );
    let kept = f.store().load_plan(&other.plan.id).unwrap();
    assert_eq!(kept.as_ref(), Some(&other));
    // The name is free, and what comes of it begins anew.
    import_example(f.store());
    let all = load_plan_state(f.store()).tasks;
    assert!(
        all.iter()
            .all(|task| task.status == PlanTaskStatus::Pending)
    );
}

fn a_removal_is_recorded_with_who_and_why(f: &mut impl StoreFixture) {
    import_example(f.store());
    let facts = load_plan_state(f.store()).plan.event_facts();
    let before = last_event_id(f.store());
    let why = Provenance {
        reason: Some("imported by mistake".into()),
        ..new_provenance("ann")
    };
    f.store().remove_plan(&"p".parse().unwrap(), &why).unwrap();
    assert_eq!(list_event_kinds(f.store(), before), ["p removed"]);
    let event = list_events(f.store()).pop().unwrap();
    assert_eq!(
        (event.entity.as_str(), event.actor.as_str()),
        ("plan", "ann")
    );
    assert_eq!(event.reason.as_deref(), Some("imported by mistake"));
    assert_eq!(event.op_id.as_deref(), Some(why.op_id.as_str()));
    assert_eq!((event.before, event.after), (facts, Json::Null));
}

fn removing_no_plan_is_a_conflict(f: &mut impl StoreFixture) {
    import_example(f.store());
    let before = last_event_id(f.store());
    let none = "q".parse().unwrap();
    expect_refusal(
        f.store().remove_plan(&none, &new_provenance("user")),
        "conflict",
    );
    assert_eq!(last_event_id(f.store()), before);
    assert_eq!(load_plan_state(f.store()).tasks.len(), 3);
}

fn a_repeated_removal_removes_no_successor(f: &mut impl StoreFixture) {
    import_example(f.store());
    let (plan, why) = ("p".parse().unwrap(), new_provenance("user"));
    f.store().remove_plan(&plan, &why).unwrap();
    f.store().remove_plan(&plan, &why).unwrap();
    import_example(f.store());
    f.store().remove_plan(&plan, &why).unwrap();
    assert_eq!(load_plan_state(f.store()).tasks.len(), 3);
}
