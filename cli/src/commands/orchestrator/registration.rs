//! Registering a run of a plan.

use serde_json::json;
use trueup_core::liveness;
use trueup_core::model::{EventKind, Liveness, Orchestrator, PlanId};
use trueup_core::orchestrators::{StartAnswer, new_orchestrator_id, start_run};
use trueup_core::store::{NewRun, Store};
use trueup_core::views::OrchestratorView;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, OrchestratorCase};

/// Finds the run that an earlier run of this command started with the same `--op-id`.
pub(super) fn find_replayed_run(
    context: &CommandContext,
    store: &mut dyn Store,
    plan: &PlanId,
) -> CommandResult<Option<Orchestrator>> {
    let Some(event) = context.find_replay(store, "orchestrator", None, &[EventKind::Started])?
    else {
        return Ok(None);
    };
    let id = event.key.parse().ok();
    let orchestrator = id.map_or(Ok(None), |id| store.load_orchestrator(&id))?;
    match orchestrator {
        Some(row) if row.plan != *plan => {
            let message = format!("this operation started {} of plan {}", row.id, row.plan);
            Err(CommandError::operation_id_used(message))
        }
        row => Ok(row),
    }
}

/// Registers a run of a plan by a process of this machine.
pub(super) fn begin_run(
    context: &CommandContext,
    store: &mut dyn Store,
    plan: PlanId,
    pid: u32,
    is_supervised: bool,
) -> CommandResult<Orchestrator> {
    let new_run = NewRun {
        id: new_orchestrator_id(),
        plan,
        session: context.find_active_session(store)?.map(|session| session.id),
        host: context.run.host.clone(),
        process: liveness::identify_process(pid),
        supervised: is_supervised,
        provenance: context.provenance(&context.resolve_actor(store)?, ""),
    };
    match start_run(store, &new_run, &context.run)? {
        StartAnswer::Started(orchestrator) => Ok(orchestrator),
        StartAnswer::Refused { holder, liveness } => Err(build_running_error(&holder, &liveness)),
    }
}

/// Builds the error of a plan that another orchestrator runs.
pub(super) fn build_running_error(holder: &Orchestrator, vitality: &Liveness) -> CommandError {
    let Orchestrator { id, plan, host, .. } = holder;
    let message = format!(
        "plan {plan} is run by {id} (pid {} on {host}) since {}, {} ({})",
        holder.process.pid,
        holder.started_at,
        vitality.state.as_str(),
        vitality.evidence
    );
    CommandError::new(OrchestratorCase::PlanRunning { run: id.into() }, message)
        .with_data(json!({"holder": OrchestratorView::from(holder)}))
}
