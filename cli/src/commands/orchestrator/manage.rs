//! `trueup orchestrator register`, `heartbeat` and `stop`: runs whose process trueup did not start.

use std::os::unix::process::parent_id;

use serde_json::json;
use trueup_core::model::{EventKind, Orchestrator, OrchestratorId, RunEnd, describe_interrupted};
use trueup_core::store::{Store, StoreError};
use trueup_core::views::OrchestratorView;

use super::registration::{begin_run, find_replayed_run};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, OrchestratorCase};
use crate::commands::plan::plan_lookup::find_plan_by_name;
use crate::output::Output;
use crate::supervise::terminate;

pub(super) fn cmd_register(context: &CommandContext, plan: &str) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let plan = find_plan_by_name(context, store, plan)?;
    let orchestrator = match find_replayed_run(context, store, &plan)? {
        Some(row) => row,
        None => begin_run(context, store, plan, parent_id(), false)?,
    };
    let text = format!(
        "{} now runs plan {:?} (pid {} on {}, epoch {})",
        orchestrator.id,
        orchestrator.plan.as_str(),
        orchestrator.process.pid,
        orchestrator.host,
        orchestrator.epoch
    );
    Ok(build_output(text, &orchestrator))
}

fn build_output(text: String, orchestrator: &Orchestrator) -> Output {
    Output::new(vec![text], json!({"orchestrator": OrchestratorView::from(orchestrator)}))
}

fn not_found_error(id: &OrchestratorId) -> CommandError {
    let message = format!("orchestrator {id} does not exist");
    CommandError::new(OrchestratorCase::OrchestratorNotFound, message)
}

fn load_orchestrator(store: &mut dyn Store, id: &OrchestratorId) -> CommandResult<Orchestrator> {
    store.load_orchestrator(id)?.ok_or_else(|| not_found_error(id))
}

/// Builds the error case of an ended run, which depends on whether the plan can be started again.
fn build_ended_case(
    store: &mut dyn Store,
    orchestrator: &Orchestrator,
) -> CommandResult<OrchestratorCase> {
    let plan_exists = store.list_plan_ids()?.contains(&orchestrator.plan);
    let plan_is_running =
        store.list_live_orchestrators()?.iter().any(|run| run.plan == orchestrator.plan);
    Ok(if plan_exists && !plan_is_running {
        let plan = (&orchestrator.plan).into();
        OrchestratorCase::OrchestratorEnded { plan }
    } else {
        OrchestratorCase::OrchestratorReplaced
    })
}

/// Describes when and why a run ended.
fn describe_end(orchestrator: &Orchestrator) -> String {
    let at_text = orchestrator.stopped_at.map_or_else(String::new, |at| format!(" at {at}"));
    let reason_text =
        orchestrator.reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    format!("orchestrator {} {}{at_text}{reason_text}", orchestrator.id, orchestrator.status)
}

pub(super) fn cmd_heartbeat(context: &CommandContext, id: &OrchestratorId) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let before = load_orchestrator(store, id)?;
    match store.record_orchestrator_heartbeat(id) {
        Ok(row) => Ok(build_output(
            format!("{id} is already {}; it was {}", row.status, before.describe_silence()),
            &row,
        )),
        Err(StoreError::Conflict(_)) => {
            let orchestrator = load_orchestrator(store, id)?;
            Err(CommandError::new(
                build_ended_case(store, &orchestrator)?,
                describe_end(&orchestrator),
            )
            .with_data(json!({"orchestrator": OrchestratorView::from(&orchestrator)})))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn cmd_stop(
    context: &CommandContext,
    id: &OrchestratorId,
    reason: Option<&str>,
) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let before = load_orchestrator(store, id)?;
    let kinds = [EventKind::Stopping, EventKind::Stopped];
    context.find_replay(store, "orchestrator", Some(id.as_str()), &kinds)?;
    let provenance =
        context.provenance(&context.resolve_actor(store)?, reason.unwrap_or("asked to stop"));
    let stopped = if before.supervised {
        // The supervisor ends its command first, and then its own run.
        let stop_requested = store.request_orchestrator_stop(id, &provenance);
        stop_requested.map(|row| (row, Vec::new()))
    } else {
        let ended = store.record_orchestrator_stop(id, RunEnd::default(), &provenance);
        ended.map(|ended| (ended.orchestrator.clone(), ended.describe_interrupted()))
    };
    let (row, interrupted_tasks) = match stopped {
        Ok(stopped) => stopped,
        // A run that has ended already satisfies the request.
        Err(StoreError::Conflict(_)) => {
            let orchestrator = load_orchestrator(store, id)?;
            let mut answer =
                build_output(format!("already {}", describe_end(&orchestrator)), &orchestrator);
            answer.data["interrupted"] = json!([]);
            return Ok(answer);
        }
        Err(error) => return Err(error.into()),
    };
    if row.supervised {
        terminate(&row.process, &row.host, &context.run.host);
    }
    let text = format!("{id} of plan {}: {} -> {}", row.plan, before.status, row.status);
    let mut output = build_output(text, &row);
    output.text.extend(describe_interrupted(&interrupted_tasks));
    output.data["interrupted"] = json!(interrupted_tasks);
    Ok(output)
}
