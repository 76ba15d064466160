//! `trueup queue remove`: removing phases that were added by mistake.

use serde_json::json;
use trueup_core::model::phase::PhaseRefusal;
use trueup_core::model::{EventKind, Phase, QueueId};
use trueup_core::store::{PhaseRemovalOutcome, PhaseRemovalRequest};

use super::render::phase_views;
use super::step::build_refusal_error;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, PhaseCase};
use crate::output::Output;

pub(super) fn cmd_remove(
    context: &CommandContext,
    id: QueueId,
    with_all: bool,
    reason: Option<&str>,
) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let actor = context.resolve_actor(store)?;
    let provenance = context.provenance(&actor, reason.unwrap_or("queue remove"));
    if let Some(event) = context.find_replay(store, "phase", None, &[EventKind::Removed])? {
        let text = format!("this operation removed {} at {}", event.key, event.at);
        return Ok(Output::new(vec![text], json!({"rows": []})));
    }
    let mover = context.find_active_session(store)?.map(|session| session.id);
    let request = PhaseRemovalRequest { id, with_all, mover, provenance };
    match store.remove_phases(&request)? {
        PhaseRemovalOutcome::Removed(phases) => {
            let text = phases.iter().map(render_removed_phase).collect();
            Ok(Output::new(text, json!({"rows": phase_views(&phases)})))
        }
        PhaseRemovalOutcome::Refused(refusal) => {
            let phase = store.load_phase(&request.id)?;
            Err(build_removal_error(&request.id, &refusal, phase.as_ref()))
        }
    }
}

fn render_removed_phase(phase: &Phase) -> String {
    format!("removed {} ({}), which was {}", phase.id, phase.name, phase.status)
}

fn build_removal_error(
    id: &QueueId,
    refusal: &PhaseRefusal,
    phase: Option<&Phase>,
) -> CommandError {
    match (refusal, phase) {
        (PhaseRefusal::Running { phase: running }, _) => {
            let case = PhaseCase::PhaseRunning { phase: running.into() };
            CommandError::new(case, format!("{running} is running and cannot be removed"))
        }
        (PhaseRefusal::DependedOn { dependents }, Some(phase)) => {
            let names: Vec<&str> = dependents.iter().map(QueueId::as_str).collect();
            let depend = if names.len() == 1 { "depends" } else { "depend" };
            let text = format!("{id} cannot be removed: {} {depend} on it", names.join(", "));
            CommandError::new(PhaseCase::PhaseInUse { phase: (&phase.id).into() }, text)
        }
        _ => build_refusal_error(id, refusal, phase),
    }
}
