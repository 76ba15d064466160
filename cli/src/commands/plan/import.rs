//! `trueup plan import`: importing a file, and reporting lines that were skipped.

use std::path::Path;

use serde_json::{Value, json};
use trueup_core::model::EventKind;
use trueup_core::plan::SkippedLine;
use trueup_core::store::Store;
use trueup_core::text::{path_from_text, pluralize};
use trueup_core::views::PlanView;

use super::plan_file;
use super::step::resolve_worker;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, PlanCase, REFUSED};
use crate::output::Output;

/// The reason of the events of an import.
const IMPORT_REASON: &str = "plan import";

/// Imports a plan in one transaction, so that an interrupted import changes nothing.
pub(super) fn cmd_import(context: &CommandContext, path: &Path) -> CommandResult {
    let mut plan_read = plan_file::read_plan(context, path)?;
    let skipped: Vec<Value> = plan_read.skipped.iter().map(skipped_line_view).collect();
    if plan_read.plan.tasks.is_empty() {
        let text = format!("{}: no tasks found; nothing was imported", path.display());
        return Err(CommandError::new(PlanCase::NoTasks, text)
            .with_data(json!({"plan": null, "imported": 0, "skipped": skipped})));
    }
    let store = &mut *context.open_for_change()?;
    let worker = resolve_worker(context, store)?;
    check_operation_unused(context, store)?;
    let plan_path = plan_read.plan.path.clone();
    if store.find_plan_by_path(&plan_path)?.is_none()
        && let Some(known_plan) =
            plan_file::find_plan_of_other_checkout(store, &path_from_text(&plan_path))?
    {
        plan_read.plan.path = known_plan.path;
    }
    let provenance = context.provenance(&worker.actor, IMPORT_REASON);
    let imported = store.import_plan(&plan_read.plan, &provenance)?;
    let (state, count) = (&imported.plan_state, plan_read.plan.tasks.len());
    let mut text = vec![format!(
        "imported {} of plan {:?}: {} new, {} changed",
        pluralize(count, "task", "tasks"),
        state.plan.id.as_str(),
        imported.added,
        imported.changed
    )];
    text.extend(plan_read.skipped.iter().map(|skipped| {
        let SkippedLine { line, reason, text, is_error, .. } = skipped;
        let what = match (is_error, skipped.is_imported) {
            (true, _) => "error in line",
            (false, true) => "line",
            (false, false) => "skipped line",
        };
        format!("{what} {line}: {reason}: {text}")
    }));
    let exit_code = if plan_read.errors.is_empty() { 0 } else { REFUSED };
    let warnings =
        imported.tasks_not_in_file.iter().map(|id| format!("task {id} is not in the file; kept"));
    Ok(Output {
        warnings: warnings.collect(),
        divergences: plan_read.errors,
        exit_code,
        ..Output::new(
            text,
            json!({
                "plan": PlanView::new(&state.plan, &state.summary()),
                "imported": count,
                "skipped": skipped,
            }),
        )
    })
}

/// Refuses an operation id of another change. An import may have changed the plan, its tasks or
/// both.
fn check_operation_unused(context: &CommandContext, store: &mut dyn Store) -> CommandResult<()> {
    let kinds = [EventKind::Added, EventKind::Changed, EventKind::Status];
    let of_plan = context.find_replay(store, "plan", None, &kinds);
    let event = match of_plan {
        Ok(event) => event,
        Err(_) => context.find_replay(store, "plan_task", None, &kinds)?,
    };
    match event {
        Some(event) if event.reason.as_deref() != Some(IMPORT_REASON) => {
            let text = format!("this operation changed {} {}", event.entity, event.key);
            Err(CommandError::operation_id_used(text))
        }
        _ => Ok(()),
    }
}

fn skipped_line_view(skipped: &SkippedLine) -> Value {
    json!({"line": skipped.line, "text": skipped.text, "reason": skipped.reason})
}
