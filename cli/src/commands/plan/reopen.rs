//! `trueup plan reopen`: putting a task back that was done, and opening its box.

use trueup_core::fs::{LockedChange, change_under_lock};
use trueup_core::model::{Plan, PlanTaskId, PlanTaskStep};
use trueup_core::plan::{apply_edits, clear_checkbox, format_of_plan};
use trueup_core::store::Store;
use trueup_core::text::path_from_text;

use super::plan_file::MAX_PLAN_BYTES;
use super::plan_lookup::{load_plan_state, resolve_plan_of_task};
use super::selectors::TaskSelector;
use super::step::cmd_step;
use super::task_lookup::find_task_id;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;

/// Reopens a task. A box that stayed checked would say that it is done, so it is opened where the
/// file of the plan is in reach.
pub(super) fn cmd_reopen(
    context: &CommandContext,
    task: &TaskSelector,
    reason: String,
) -> CommandResult {
    let mut output = cmd_step(context, task, &PlanTaskStep::Reopen { reason })?;
    let store: &mut dyn Store = &mut *context.open_for_reading()?;
    let plan = resolve_plan_of_task(context, store, task.task.plan.as_ref(), &task.which)?;
    let id = find_task_id(store, &plan, &task.task.id)?;
    let plan = load_plan_state(store, &plan)?.plan;
    match open_box(context, &plan, &id) {
        Ok(true) => output.text.push(format!("  opened its box in {}", plan.path)),
        Ok(false) => {}
        Err(problem) => {
            output.warnings.push(format!("the box of {id} was not opened: {problem}"));
        }
    }
    Ok(output)
}

/// Opens the box of a task in the Markdown of its plan. Returns whether the file changed; a file
/// that is not on this machine does not.
fn open_box(
    context: &CommandContext,
    plan: &Plan,
    task: &PlanTaskId,
) -> Result<bool, trueup_core::fs::ChangeError> {
    let path = path_from_text(&plan.path);
    let is_markdown = path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("json"));
    if !is_markdown || !path.is_file() {
        return Ok(false);
    }
    let lock = context.run.settings.paths.lock_of(&path);
    let change = LockedChange { lock: &lock, patience: context.deadline().remaining() };
    change_under_lock(&path, MAX_PLAN_BYTES, change, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return bytes.to_vec();
        };
        let format = format_of_plan(plan, text);
        if !format.is_markdown() {
            return bytes.to_vec();
        }
        apply_edits(text, &clear_checkbox(format, text, task)).into_bytes()
    })
}
