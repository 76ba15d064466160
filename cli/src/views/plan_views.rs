//! JSON views of plans and their tasks.

use serde::Serialize;
use serde_json::{Value, json};
use trueup_core::model::{
    Plan, PlanState, PlanSummary, PlanTask, PlanTaskId, PlanTaskStatus, Revision, Timestamp,
};

/// Builds the view of a plan.
pub(crate) fn plan_view(plan: &Plan, summary: &PlanSummary) -> Value {
    json!({
        "plan_id": plan.id,
        "path": plan.path,
        "title": plan.title,
        "status": summary.status(),
    })
}

/// Builds the view of the task counts of a plan.
pub(crate) fn plan_summary_view(summary: &PlanSummary) -> Value {
    Value::Object(trueup_core::plan::summary_counts(summary))
}

/// The view of a task. It is serialized directly, because a plan may have thousands of tasks.
#[derive(Debug, Serialize)]
pub(crate) struct PlanTaskView<'a> {
    task_id: String,
    id: &'a PlanTaskId,
    title: &'a str,
    status: PlanTaskStatus,
    priority: Option<&'a str>,
    depends_on: &'a [PlanTaskId],
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    error: Option<&'a str>,
    skip_reason: Option<&'a str>,
    retry_count: u8,
    revision: Revision,
}

/// Builds the view of a task.
pub(crate) fn plan_task_view(task: &PlanTask) -> PlanTaskView<'_> {
    PlanTaskView {
        task_id: task.key(),
        id: &task.id,
        title: &task.title,
        status: task.status,
        priority: task.priority.as_deref(),
        depends_on: &task.depends_on,
        started_at: task.started_at,
        completed_at: task.completed_at,
        error: task.error.as_deref(),
        skip_reason: task.skip_reason.as_deref(),
        retry_count: task.retry_count,
        revision: task.revision,
    }
}

/// A plan with its tasks.
#[derive(Debug, Serialize)]
pub(crate) struct PlanStateView<'a> {
    plan: Value,
    summary: Value,
    tasks: Vec<PlanTaskView<'a>>,
}

/// A plan with its tasks.
pub(crate) fn plan_state_view(state: &PlanState) -> PlanStateView<'_> {
    let summary = state.summary();
    PlanStateView {
        plan: plan_view(&state.plan, &summary),
        summary: plan_summary_view(&summary),
        tasks: state.tasks.iter().map(plan_task_view).collect(),
    }
}
