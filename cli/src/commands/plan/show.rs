//! `trueup plan list`, `status`, `next` and `export`: plans and tasks as text.

use serde_json::{Value, json};
use trueup_core::model::{Plan, PlanState, PlanSummary, PlanTask, PlanTaskStatus};
use trueup_core::plan::render_status_file;
use trueup_core::store::PlanOverview;
use trueup_core::text::one_line;
use trueup_core::views::{PlanOverviewView, PlanStateView, PlanTaskView};

use super::plan_lookup::{load_plan_state, resolve_plan};
use super::plan_scope::PlanScope;
use super::selectors::PlanSelector;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::cells;
use crate::output::Output;
use crate::page::{Cell, Column, Line, Page, Table, Tone};

/// Longest title or reason shown, in characters.
const MAX_TEXT_CHARS: usize = 500;

pub(super) fn cmd_list(context: &CommandContext, all_repos: bool) -> CommandResult {
    let scope = PlanScope::find(context, all_repos);
    let mut plans = context.open_for_reading()?.list_plans()?;
    let total = plans.len();
    plans.retain(|listed| scope.includes(&listed.plan));
    let if_empty = match total {
        0 => "no plans; import one with `trueup plan import FILE`".to_owned(),
        others => format!("no plans here; use --all-repos to see {others} in other repositories"),
    };
    let views: Vec<_> = plans.iter().map(PlanOverviewView::from).collect();
    Ok(Output::table(plan_table(&plans), &if_empty, json!({"plans": views})))
}

pub(super) fn cmd_status(context: &CommandContext, which: &PlanSelector) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let id = resolve_plan(context, store, which)?;
    let state = load_plan_state(store, &id)?;
    // A plan may have thousands of tasks, so only the requested output is built.
    if context.json {
        return Ok(Output::from_serializable(&PlanStateView::from(&state))?);
    }
    Ok(Output::page(render_plan(&state), Value::Null))
}

/// Prints a plan as a status file.
pub(super) fn cmd_export(context: &CommandContext, which: &PlanSelector) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let id = resolve_plan(context, store, which)?;
    let file = Value::Object(render_status_file(&load_plan_state(store, &id)?));
    let text: Vec<Line> = format!("{file:#}").lines().map(Line::verbatim).collect();
    Ok(Output::page(text, file))
}

pub(super) fn cmd_next(
    context: &CommandContext,
    which: &PlanSelector,
    count: usize,
) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let id = resolve_plan(context, store, which)?;
    let state = load_plan_state(store, &id)?;
    let tasks: Vec<&PlanTask> = state.next_tasks().take(count).collect();
    let if_empty = match state.summary().pending {
        0 => "no tasks left".to_owned(),
        left => format!("no ready tasks; {left} pending tasks wait for others"),
    };
    let table = tasks_as_table(tasks.iter().copied());
    let tasks: Vec<_> = tasks.into_iter().map(PlanTaskView::from).collect();
    Ok(Output::table(table, &if_empty, json!({"tasks": tasks})))
}

fn plan_table(plans: &[PlanOverview]) -> Table<4> {
    let columns = [
        Column::text("PLAN"),
        Column::word("STATUS"),
        Column::text("TASKS"),
        Column::text("TITLE"),
    ];
    let row = |listed: &PlanOverview| {
        let status = listed.summary.status();
        [
            listed.plan.id.as_str().into(),
            Cell::toned(cells::task_tone(status), status.as_str()),
            describe_counts(&listed.summary).into(),
            Cell::optional(listed.plan.title.as_deref().map(|t| one_line(t, MAX_TEXT_CHARS))),
        ]
    };
    Table::new(columns, plans.iter().map(row))
}

/// Describes how many tasks of a plan have which status.
fn describe_counts(summary: &PlanSummary) -> String {
    let other_counts = [
        (summary.in_progress, "in progress"),
        (summary.failed, "failed"),
        (summary.skipped, "skipped"),
        (summary.pending, "pending"),
    ];
    let nonzero = other_counts.iter().filter(|(count, _)| *count > 0);
    let count_texts = nonzero.map(|(count, word)| format!("{count} {word}"));
    let completed = format!("{} of {} completed", summary.completed, summary.total);
    std::iter::once(completed).chain(count_texts).collect::<Vec<_>>().join(", ")
}

/// Renders a plan in one line.
pub(super) fn plan_line(plan: &Plan, summary: &PlanSummary) -> Line {
    let status = summary.status();
    let mut line = Line::new(Tone::Head, plan.id.as_str());
    if let Some(title) = &plan.title {
        line = line.and(format!("  {}", one_line(title, MAX_TEXT_CHARS)));
    }
    line = line.and("  (").with(cells::task_tone(status), status.as_str());
    line.and(format!(", {})", describe_counts(summary)))
}

/// Renders a plan with all its tasks.
pub(super) fn render_plan(state: &PlanState) -> Page {
    let mut page = Page::from(vec![plan_line(&state.plan, &state.summary())]);
    let mut table = task_table();
    let mut phase = None;
    for task in &state.tasks {
        let task_phase = Some((task.phase_number, task.phase_title.as_deref()));
        if task_phase != phase {
            table.push_line(Line::new(Tone::Head, render_phase_heading(task)));
            phase = task_phase;
        }
        table.push(task_row(task));
    }
    page.push_table(table);
    page
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

/// Makes a table of tasks without rows.
fn task_table() -> Table<5> {
    let columns = [
        Column::word(""),
        Column::word("TASK"),
        Column::word("STATUS"),
        Column::text("TITLE"),
        Column::text("REASON"),
    ];
    Table::new(columns, []).indented(2)
}

/// Makes a table of tasks.
pub(super) fn tasks_as_table<'a>(tasks: impl IntoIterator<Item = &'a PlanTask>) -> Table<5> {
    let mut table = task_table();
    for task in tasks {
        table.push(task_row(task));
    }
    table
}

fn task_row(task: &PlanTask) -> [Cell; 5] {
    let mark = match task.status {
        PlanTaskStatus::Pending => "[ ]",
        PlanTaskStatus::InProgress => "[>]",
        PlanTaskStatus::Completed => "[x]",
        PlanTaskStatus::Failed => "[!]",
        PlanTaskStatus::Skipped => "[-]",
    };
    let tone = cells::task_tone(task.status);
    let reason = task.error.as_ref().or(task.skip_reason.as_ref());
    [
        Cell::toned(tone, mark),
        task.id.as_str().into(),
        Cell::toned(tone, task.status.as_str()),
        one_line(&task.title, MAX_TEXT_CHARS).into(),
        reason.map_or_else(Cell::nothing, |why| one_line(why, MAX_TEXT_CHARS).into()),
    ]
}
