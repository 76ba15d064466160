//! Steps of a plan's task.

use trueup_core::model::{PlanTaskStatus, PlanTaskStep, Revision};
use trueup_core::plan::{TaskStepOutcome, apply_task_step};
use trueup_core::store::PlanTaskStepRequest;

use super::{
    apply_plan_step, fail_task_step, import_example, load_task, start_task_step, task_change,
};
use crate::fixture::StoreFixture;
use crate::requests::{
    expect_refusal, last_event_id, list_event_kinds, list_events, new_provenance, orchestrator_id,
    register_session, session_id,
};

on_every_store! {
    a_step_is_recorded_once_with_who_and_when
    a_step_on_what_moved_on_is_a_conflict
    a_step_that_the_rules_forbid_is_denied
    going_back_empties_the_times_and_is_a_reopening
    a_retry_is_counted_twice_and_no_more
    a_worker_is_a_registered_session
    repeating_an_operation_changes_nothing
    a_step_tells_who_comes_too_late
}

fn a_step_is_recorded_once_with_who_and_when(f: &mut impl StoreFixture) {
    import_example(f.store());
    register_session(f.store(), "s1");
    let after = last_event_id(f.store());
    let started_task = apply_plan_step(f.store(), "1.1", start_task_step(Some("s1"), Some("o1")));
    assert_eq!(started_task.status, PlanTaskStatus::InProgress);
    assert_eq!(
        (started_task.session.clone(), started_task.revision),
        (Some(session_id("s1")), Revision(2))
    );
    assert_eq!(started_task.orchestrator.clone(), Some(orchestrator_id("o1")));
    assert_eq!(started_task.started_by.as_deref(), Some("s1"));
    assert!(started_task.started_at.is_some() && started_task.completed_at.is_none());
    let failed_task = apply_plan_step(f.store(), "1.1", fail_task_step());
    assert_eq!(failed_task.error.as_deref(), Some("boom"));
    assert_eq!(failed_task.started_at, started_task.started_at);
    assert!(failed_task.completed_at >= failed_task.started_at);
    let reason = "later".to_owned();
    let skipped = apply_plan_step(f.store(), "1.2", PlanTaskStep::Skip { reason });
    assert_eq!(skipped.skip_reason.as_deref(), Some("later"));
    let task = apply_plan_step(f.store(), "1.3", PlanTaskStep::Complete);
    assert!(task.started_at.is_none() && task.completed_at.is_some(), "never begun is legal");
    let events: Vec<_> = list_events(f.store());
    let steps: Vec<_> =
        events.iter().filter(|e| e.seq > after && e.entity == "plan_task").collect();
    let told: Vec<_> = steps
        .iter()
        .map(|e| (e.key.as_str(), e.kind.as_str(), e.reason.as_deref().unwrap_or_default()))
        .collect();
    let expected = [
        ("p/1.1", "status", "plan start"),
        ("p/1.1", "status", "boom"),
        ("p/1.2", "status", "later"),
        ("p/1.3", "status", "plan complete"),
    ];
    assert_eq!(told, expected);
    assert_eq!(steps[1].before, started_task.event_facts());
    assert_eq!(steps[1].after, failed_task.event_facts());
}

fn a_step_on_what_moved_on_is_a_conflict(f: &mut impl StoreFixture) {
    import_example(f.store());
    let late = task_change(f.store(), "1.1", PlanTaskStep::Complete);
    apply_plan_step(f.store(), "1.1", start_task_step(None, None));
    expect_refusal(f.store().apply_plan_task_step(&late), "conflict");
    let unknown = PlanTaskStepRequest { task: "7.7".parse().unwrap(), ..late };
    expect_refusal(f.store().apply_plan_task_step(&unknown), "conflict");
    assert_eq!(load_task(f.store(), "1.1").status, PlanTaskStatus::InProgress);
}

fn a_step_that_the_rules_forbid_is_denied(f: &mut impl StoreFixture) {
    import_example(f.store());
    let task = apply_plan_step(f.store(), "1.1", PlanTaskStep::Complete);
    for step in [start_task_step(None, None), fail_task_step(), PlanTaskStep::Retry] {
        let change = task_change(f.store(), "1.1", step);
        let error = expect_refusal(f.store().apply_plan_task_step(&change), "denied");
        assert!(error.to_string().contains("p/1.1 is completed"), "{error}");
    }
    assert_eq!(load_task(f.store(), "1.1"), task);
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
    let task = f.store().apply_plan_task_step(&first).unwrap();
    assert_eq!(f.store().apply_plan_task_step(&first).unwrap(), task);
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
    let started_task = step(&start_task_step(Some("s1"), None));
    assert!(matches!(started_task, TaskStepOutcome::Changed { from: PlanTaskStatus::Pending, .. }));
    assert!(matches!(step(&start_task_step(Some("s1"), None)), TaskStepOutcome::Already(_)));
    match step(&start_task_step(None, None)) {
        TaskStepOutcome::Refused { refusal, task } => {
            assert_eq!(refusal.code(), "already_in_progress");
            assert_eq!(task.session, Some(session_id("s1")));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(step(&PlanTaskStep::Complete), TaskStepOutcome::Changed { .. }));
    assert!(matches!(step(&PlanTaskStep::Complete), TaskStepOutcome::Already(_)));
    let unknown_task = "9.9".parse().unwrap();
    let unknown = apply_task_step(
        f.store(),
        &plan,
        &unknown_task,
        &PlanTaskStep::Complete,
        &new_provenance("ann"),
    )
    .unwrap();
    assert!(matches!(unknown, TaskStepOutcome::Unknown));
}
