//! `trueup plan remove`

use serde_json::json;
use trueup_core::store::{OrchestratorStore as _, PlanStore as _};

use super::{by_name, show};
use trueup_core::text::counted;

use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

/// Removes a plan with its tasks from the database, not its file.
pub(super) fn run(desk: &Desk, named: &str) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let by = desk.provenance(&desk.actor(&mut store)?, "plan remove");
    if let Some(event) = desk.carried_out(&mut store, "plan", None, &["removed"])? {
        let text = format!("this operation removed {} at {}", event.key, event.at);
        return Ok(Answer::new(vec![text], json!({"plan": null})));
    }
    let id = by_name(desk, &mut store, named)?;
    let running = store.live_orchestrators()?;
    if let Some(run) = running.iter().find(|run| run.plan == id) {
        let text = format!("plan {id} is run by {}", run.id);
        let run_id = (&run.id).into();
        return Err(Failure::new(ErrorCase::PlanRunning { run: run_id }, text)
            .data(json!({"holder": json::orchestrator(run)})));
    }
    let state = show::state(&mut store, &id)?;
    store.remove_plan(&id, &by)?;
    let text = format!(
        "removed plan {id} with {}; its file is kept",
        counted(state.tasks.len(), "task", "tasks")
    );
    let plan = json::plan(&state.plan, &state.summary());
    Ok(Answer::new(vec![text], json!({"plan": plan})))
}
