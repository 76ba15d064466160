//! `trueup plan list`, `status`, `next` and `export`: plans and tasks as text.

use serde_json::{Value, json};
use trueup_core::model::{Plan, PlanState, PlanSummary, PlanTask, PlanTaskStatus};
use trueup_core::plan::render_status_file;
use trueup_core::text::one_line;
use trueup_core::views::{PlanOverviewView, PlanStateView, PlanTaskView};

use super::plan_lookup::{load_plan_state, resolve_plan};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;

/// Longest title or reason shown, in characters.
const MAX_TEXT_CHARS: usize = 80;

pub(super) fn cmd_list(context: &CommandContext) -> CommandResult {
    let plans = context.open_for_reading()?.list_plans()?;
    let views: Vec<_> = plans.iter().map(PlanOverviewView::from).collect();
    Ok(Output::table(
        &format!("{:<24} {:<11} TASKS, TITLE", "PLAN", "STATUS"),
        plans.iter().map(|listed| render_plan_line(&listed.plan, &listed.summary)),
        "no plans; import one with `trueup plan import FILE`",
        json!({"plans": views}),
    ))
}

pub(super) fn cmd_status(context: &CommandContext, plan_name: Option<&str>) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let id = resolve_plan(context, store, plan_name)?;
    let state = load_plan_state(store, &id)?;
    // A plan may have thousands of tasks, so only the requested output is built.
    if context.json {
        return Ok(Output::from_serializable(&PlanStateView::from(&state))?);
    }
    Ok(Output::new(render_plan(&state), Value::Null))
}

/// Prints a plan as a status file.
pub(super) fn cmd_export(context: &CommandContext, plan_name: Option<&str>) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let id = resolve_plan(context, store, plan_name)?;
    let file = Value::Object(render_status_file(&load_plan_state(store, &id)?));
    let text = format!("{file:#}").lines().map(str::to_owned).collect();
    Ok(Output::new(text, file))
}

pub(super) fn cmd_next(
    context: &CommandContext,
    plan_name: Option<&str>,
    count: usize,
) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let id = resolve_plan(context, store, plan_name)?;
    let state = load_plan_state(store, &id)?;
    let tasks: Vec<&PlanTask> = state.next_tasks().take(count).collect();
    let mut text: Vec<String> = tasks.iter().map(|task| render_task_line(task)).collect();
    if text.is_empty() {
        let left = state.summary().pending;
        text.push(if left > 0 {
            format!("no ready tasks; {left} pending tasks wait for others")
        } else {
            "no tasks left".to_owned()
        });
    }
    let tasks: Vec<_> = tasks.into_iter().map(PlanTaskView::from).collect();
    Ok(Output::new(text, json!({"tasks": tasks})))
}

/// Renders a plan in one line.
pub(super) fn render_plan_line(plan: &Plan, summary: &PlanSummary) -> String {
    let other_counts = [
        (summary.in_progress, "in progress"),
        (summary.failed, "failed"),
        (summary.skipped, "skipped"),
        (summary.pending, "pending"),
    ];
    let nonzero = other_counts.iter().filter(|(count, _)| *count > 0);
    let count_texts = nonzero.map(|(count, word)| format!("{count} {word}"));
    let completed = format!("{} of {} completed", summary.completed, summary.total);
    let counts: Vec<String> = std::iter::once(completed).chain(count_texts).collect();
    let counts = counts.join(", ");
    let title = plan.title.as_deref();
    let title =
        title.map_or(String::new(), |title| format!("  {}", one_line(title, MAX_TEXT_CHARS)));
    format!("{:<24} {:<11} {counts}{title}", plan.id.as_str(), summary.status().as_str())
}

/// Renders a plan with all its tasks.
pub(super) fn render_plan(state: &PlanState) -> Vec<String> {
    let mut lines = vec![render_plan_line(&state.plan, &state.summary())];
    let mut phase = None;
    for task in &state.tasks {
        let task_phase = Some((task.phase_number, task.phase_title.as_deref()));
        if task_phase != phase {
            lines.push(render_phase_heading(task));
            phase = task_phase;
        }
        lines.push(render_task_line(task));
    }
    lines
}

fn render_phase_heading(task: &PlanTask) -> String {
    let title = task.phase_title.as_deref().map(|t| one_line(t, MAX_TEXT_CHARS));
    match (task.phase_number, title) {
        (Some(number), Some(title)) => format!("Phase {number}: {title}"),
        (Some(number), None) => format!("Phase {number}"),
        (None, title) => title.unwrap_or_else(|| "No phase".to_owned()),
    }
}

/// Renders a task that a sweep marked as failed.
pub(crate) fn render_failed_task(task: &PlanTask) -> String {
    let error = task.error.as_deref().unwrap_or_default();
    format!("failed {}: {}", task.key(), one_line(error, MAX_TEXT_CHARS))
}

/// Renders a task in one line.
pub(super) fn render_task_line(task: &PlanTask) -> String {
    let mark = match task.status {
        PlanTaskStatus::Pending => ' ',
        PlanTaskStatus::InProgress => '>',
        PlanTaskStatus::Completed => 'x',
        PlanTaskStatus::Failed => '!',
        PlanTaskStatus::Skipped => '-',
    };
    let reason = task.error.as_ref().or(task.skip_reason.as_ref());
    let reason_text =
        reason.map_or(String::new(), |why| format!("  ({})", one_line(why, MAX_TEXT_CHARS)));
    let title = one_line(&task.title, MAX_TEXT_CHARS);
    format!("  [{mark}] {:<8} {:<11} {title}{reason_text}", task.id.as_str(), task.status.as_str())
}
