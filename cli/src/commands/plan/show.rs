//! `trueup plan list`, `status` and `next`

use serde_json::{Value, json};
use trueup_core::model::{Plan, PlanId, PlanState, PlanSummary, PlanTask, PlanTaskStatus};
use trueup_core::plan::status_file;
use trueup_core::store::PlanStore as _;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::one_line;

use super::{find, not_found};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;
use crate::report::Answer;

/// Longest title or reason shown, in characters.
const LONGEST: usize = 80;

pub(super) fn list(desk: &Desk) -> Result<Answer, Failure> {
    let plans = desk.open()?.plans()?;
    let mut text: Vec<String> = plans
        .iter()
        .map(|listed| head(&listed.plan, &listed.summary))
        .collect();
    if text.is_empty() {
        text.push("no plans; import one with `trueup plan import FILE`".to_owned());
    }
    let rows: Vec<Value> = plans
        .iter()
        .map(|listed| {
            let mut row = json::plan(&listed.plan, &listed.summary);
            row["summary"] = json::plan_summary(&listed.summary);
            row
        })
        .collect();
    let answer = Answer::new(text, json!({"plans": rows}));
    Ok(if plans.is_empty() {
        answer
    } else {
        answer.columns(&format!("{:<24} {:<11} TASKS, TITLE", "PLAN", "STATUS"))
    })
}

pub(super) fn status(desk: &Desk, named: Option<&str>) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let id = find(desk, &mut store, named)?;
    let state = state(&mut store, &id)?;
    // A plan may have thousands of tasks, so only what is printed is made.
    if desk.json {
        return Answer::long(&json::plan_state(&state));
    }
    Ok(Answer::new(whole(&state), Value::Null))
}

/// Prints a plan as a status file: the text is the file.
pub(super) fn export(desk: &Desk, named: Option<&str>) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let id = find(desk, &mut store, named)?;
    let file = Value::Object(status_file(&state(&mut store, &id)?));
    let text = format!("{file:#}").lines().map(str::to_owned).collect();
    Ok(Answer::new(text, file))
}

pub(super) fn next(desk: &Desk, named: Option<&str>, count: usize) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let id = find(desk, &mut store, named)?;
    let state = state(&mut store, &id)?;
    let tasks: Vec<&PlanTask> = state.next().take(count).collect();
    let mut text: Vec<String> = tasks.iter().map(|task| line(task)).collect();
    if text.is_empty() {
        let left = state.summary().pending;
        text.push(if left > 0 {
            format!("no ready tasks; {left} pending tasks wait for others")
        } else {
            "no tasks left".to_owned()
        });
    }
    let tasks: Vec<_> = tasks.into_iter().map(json::plan_task).collect();
    Ok(Answer::new(text, json!({"tasks": tasks})))
}

/// Reads a plan that was found.
pub(super) fn state(store: &mut SqliteStore, id: &PlanId) -> Result<PlanState, Failure> {
    match store.plan(id)? {
        Some(state) => Ok(state),
        None => Err(not_found(store, id.as_str())?),
    }
}

/// Shows a plan in one line.
pub(super) fn head(plan: &Plan, summary: &PlanSummary) -> String {
    let others = [
        (summary.in_progress, "in progress"),
        (summary.failed, "failed"),
        (summary.skipped, "skipped"),
        (summary.pending, "pending"),
    ];
    let others = others.iter().filter(|(count, _)| *count > 0);
    let others = others.map(|(count, word)| format!("{count} {word}"));
    let completed = format!("{} of {} completed", summary.completed, summary.total);
    let counts: Vec<String> = std::iter::once(completed).chain(others).collect();
    let counts = counts.join(", ");
    let title = plan.title.as_deref();
    let title = title.map_or(String::new(), |title| {
        format!("  {}", one_line(title, LONGEST))
    });
    format!(
        "{:<24} {:<11} {counts}{title}",
        plan.id.as_str(),
        summary.status().as_str()
    )
}

/// Shows a plan with all its tasks.
pub(super) fn whole(state: &PlanState) -> Vec<String> {
    let mut lines = vec![head(&state.plan, &state.summary())];
    let mut phase = None;
    for task in &state.tasks {
        let own = Some((task.phase_number, task.phase_title.as_deref()));
        if own != phase {
            lines.push(phase_head(task));
            phase = own;
        }
        lines.push(line(task));
    }
    lines
}

fn phase_head(task: &PlanTask) -> String {
    let title = task.phase_title.as_deref().map(|t| one_line(t, LONGEST));
    match (task.phase_number, title) {
        (Some(number), Some(title)) => format!("Phase {number}: {title}"),
        (Some(number), None) => format!("Phase {number}"),
        (None, title) => title.unwrap_or_else(|| "No phase".to_owned()),
    }
}

/// Shows a task that a sweep failed.
pub(in crate::commands) fn failure(task: &PlanTask) -> String {
    let error = task.error.as_deref().unwrap_or_default();
    format!("failed {}: {}", task.key(), one_line(error, LONGEST))
}

/// Shows a task in one line.
pub(super) fn line(task: &PlanTask) -> String {
    let mark = match task.status {
        PlanTaskStatus::Pending => ' ',
        PlanTaskStatus::InProgress => '>',
        PlanTaskStatus::Completed => 'x',
        PlanTaskStatus::Failed => '!',
        PlanTaskStatus::Skipped => '-',
    };
    let why = task.error.as_ref().or(task.skip_reason.as_ref());
    let why = why.map_or(String::new(), |why| {
        format!("  ({})", one_line(why, LONGEST))
    });
    let title = one_line(&task.title, LONGEST);
    format!(
        "  [{mark}] {:<8} {:<11} {title}{why}",
        task.id.as_str(),
        task.status.as_str()
    )
}
