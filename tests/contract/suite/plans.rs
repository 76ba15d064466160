//! Plans and their tasks.

mod import;
mod removal;
mod steps;
mod stuck;

use trueup_core::model::{
    NewPlan, NewPlanTask, PlanState, PlanSummary, PlanTask, PlanTaskStatus, PlanTaskStep,
    PlanWorker,
};
use trueup_core::store::{ImportedPlan, PlanTaskStepRequest, Store};

use crate::fixture::StoreFixture;
use crate::requests::{new_provenance, orchestrator_id, session_id};

on_every_store! {
    plans_are_listed_with_their_counts
    a_failed_task_may_be_left_out
}

fn new_task(text: &str, status: PlanTaskStatus) -> NewPlanTask {
    NewPlanTask {
        phase_number: Some(1),
        phase_title: Some("Setup".to_owned()),
        depends_on: Some(Vec::new()),
        ..NewPlanTask::new(text.parse().unwrap(), format!("do {text}"), status)
    }
}

pub(crate) fn new_plan(path: &str, tasks: &[&str]) -> NewPlan {
    NewPlan {
        id: "p".parse().unwrap(),
        path: path.to_owned(),
        title: Some("Plan".to_owned()),
        extra: serde_json::Map::new(),
        tasks: tasks.iter().map(|id| new_task(id, PlanTaskStatus::Pending)).collect(),
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

pub(crate) fn start_task_step(session: Option<&str>, orchestrator: Option<&str>) -> PlanTaskStep {
    PlanTaskStep::Start(PlanWorker {
        actor: session.unwrap_or("ann").to_owned(),
        session: session.map(session_id),
        orchestrator: orchestrator.map(orchestrator_id),
    })
}

fn fail_task_step() -> PlanTaskStep {
    PlanTaskStep::Fail { error: "boom".to_owned(), stuck: false }
}

/// Builds a step on the task as it is.
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

fn plans_are_listed_with_their_counts(f: &mut impl StoreFixture) {
    assert_eq!(f.store().list_plans().unwrap(), []);
    import_example(f.store());
    import_plan(f.store(), &new_plan("/empty/p.md", &[]));
    apply_plan_step(f.store(), "1.1", PlanTaskStep::Complete);
    apply_plan_step(f.store(), "1.2", start_task_step(None, None));
    let plans = f.store().list_plans().unwrap();
    let ids: Vec<&str> = plans.iter().map(|plan| plan.plan.id.as_str()).collect();
    assert_eq!(ids, ["p", "p-2"]);
    assert_eq!(plans[0].summary, load_plan_state(f.store()).summary());
    let expected =
        PlanSummary { total: 3, pending: 1, in_progress: 1, completed: 1, failed: 0, skipped: 0 };
    assert_eq!(plans[0].summary, expected);
    assert_eq!(plans[1].summary, PlanSummary::default());
}

fn a_failed_task_may_be_left_out(f: &mut impl StoreFixture) {
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", fail_task_step());
    let skip = PlanTaskStep::Skip { reason: "not needed".to_owned() };
    let left_out = apply_plan_step(f.store(), "1.1", skip);
    assert_eq!(left_out.status, PlanTaskStatus::Skipped);
    assert_eq!(left_out.skip_reason.as_deref(), Some("not needed"));
    assert_eq!(left_out.error, None);
}
