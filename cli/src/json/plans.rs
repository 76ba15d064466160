//! Plans and their tasks.

use serde_json::{Value, json};
use trueup_core::model::{Plan, PlanState, PlanSummary, PlanTask};

/// A plan, with where it stands.
pub(crate) fn plan(plan: &Plan, summary: &PlanSummary) -> Value {
    json!({
        "plan_id": plan.id,
        "path": plan.path,
        "title": plan.title,
        "status": summary.status(),
    })
}

/// How many tasks stand where.
pub(crate) fn plan_summary(summary: &PlanSummary) -> Value {
    Value::Object(trueup_core::plan::counts(summary))
}

/// TASK.
pub(crate) fn plan_task(task: &PlanTask) -> Value {
    json!({
        "task_id": task.key(),
        "id": task.id,
        "title": task.title,
        "status": task.status,
        "priority": task.priority,
        "depends_on": task.depends_on,
        "started_at": task.started_at,
        "completed_at": task.completed_at,
        "error": task.error,
        "skip_reason": task.skip_reason,
        "retry_count": task.retry_count,
        "revision": task.revision,
    })
}

/// A plan with its tasks, at one moment.
pub(crate) fn plan_state(state: &PlanState) -> Value {
    let summary = state.summary();
    let tasks: Vec<Value> = state.tasks.iter().map(plan_task).collect();
    json!({
        "plan": plan(&state.plan, &summary),
        "summary": plan_summary(&summary),
        "tasks": tasks,
    })
}
