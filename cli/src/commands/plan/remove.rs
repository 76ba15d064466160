//! `trueup plan remove`: removing a plan that nothing runs.

use serde_json::json;
use trueup_core::model::EventKind;
use trueup_core::text::pluralize;
use trueup_core::views::{OrchestratorView, PlanView};

use super::plan_lookup::{find_plan_by_name, load_plan_state};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, OrchestratorCase};
use crate::output::Output;

/// Removes a plan with its tasks from the database, but not its file.
pub(super) fn cmd_remove(context: &CommandContext, plan_name: &str) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let provenance = context.provenance(&context.resolve_actor(store)?, "plan remove");
    if let Some(event) = context.find_replay(store, "plan", None, &[EventKind::Removed])? {
        let text = format!("this operation removed {} at {}", event.key, event.at);
        return Ok(Output::new(vec![text], json!({"plan": null})));
    }
    let id = find_plan_by_name(context, store, plan_name)?;
    let running = store.list_live_orchestrators()?;
    if let Some(run) = running.iter().find(|run| run.plan == id) {
        let text = format!("plan {id} is run by {}", run.id);
        let run_id = (&run.id).into();
        return Err(CommandError::new(OrchestratorCase::PlanRunning { run: run_id }, text)
            .with_data(json!({"holder": OrchestratorView::from(run)})));
    }
    let state = load_plan_state(store, &id)?;
    store.remove_plan(&id, &provenance)?;
    let text = format!(
        "removed plan {id} with {}; its file is kept",
        pluralize(state.tasks.len(), "task", "tasks")
    );
    let summary = state.summary();
    let in_progress = usize::try_from(summary.in_progress).unwrap_or(usize::MAX);
    let warning = (in_progress > 0)
        .then(|| format!("{} still in progress", pluralize(in_progress, "task was", "tasks were")));
    let plan = PlanView::new(&state.plan, &summary);
    Ok(Output::new(vec![text], json!({"plan": plan})).with_warnings(warning))
}
