//! `trueup plan remove`

use serde_json::json;
use trueup_core::store::{OrchestratorStore as _, PlanStore as _};

use super::{find_plan_by_name, show};
use trueup_core::text::pluralize;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;
use crate::views;

/// Removes a plan with its tasks from the database, not its file.
pub(super) fn cmd_remove(
    context: &CommandContext,
    plan_name: &str,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let provenance = context.provenance(&context.resolve_actor(&mut store)?, "plan remove");
    if let Some(event) = context.find_replay(&mut store, "plan", None, &["removed"])? {
        let text = format!("this operation removed {} at {}", event.key, event.at);
        return Ok(Output::new(vec![text], json!({"plan": null})));
    }
    let id = find_plan_by_name(context, &mut store, plan_name)?;
    let running = store.list_live_orchestrators()?;
    if let Some(run) = running.iter().find(|run| run.plan == id) {
        let text = format!("plan {id} is run by {}", run.id);
        let run_id = (&run.id).into();
        return Err(
            CommandError::new(ErrorCase::PlanRunning { run: run_id }, text)
                .with_data(json!({"holder": views::orchestrator_view(run)})),
        );
    }
    let state = show::load_plan_state(&mut store, &id)?;
    store.remove_plan(&id, &provenance)?;
    let text = format!(
        "removed plan {id} with {}; its file is kept",
        pluralize(state.tasks.len(), "task", "tasks")
    );
    let plan = views::plan_view(&state.plan, &state.summary());
    Ok(Output::new(vec![text], json!({"plan": plan})))
}
