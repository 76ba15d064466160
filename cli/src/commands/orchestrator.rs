//! `trueup orchestrator`

use std::os::unix::process::parent_id;

use serde_json::{Value, json};
use trueup_core::liveness::{self, Liveness, LivenessState};
use trueup_core::model::{Orchestrator, OrchestratorId, OrchestratorStatus, PlanId, RunEnd};
use trueup_core::orchestrators::{
    StartAnswer, describe_interrupted, judge_liveness, new_orchestrator_id, start_run,
};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{NewRun, OrchestratorStore as _, PlanStore as _, StoreError};

use super::plan::find_plan_by_name;
use crate::args::OrchestratorCommand;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;
use crate::supervise::{become_command, run_guard, terminate};
use crate::views;

/// Orchestrators listed unless all are asked for, beside those at work.
const MAX_ENDED_LISTED: u32 = 100;

pub(super) fn cmd_orchestrator(
    context: &CommandContext,
    command: OrchestratorCommand,
) -> Result<Output, CommandError> {
    match command {
        OrchestratorCommand::Start { plan, command } => {
            super::orchestrator_start::cmd_start(context, &plan, &command)
        }
        OrchestratorCommand::Register { plan } => cmd_register(context, &plan),
        OrchestratorCommand::Heartbeat { id } => cmd_heartbeat(context, &id),
        OrchestratorCommand::Stop { id, reason } => cmd_stop(context, &id, reason.as_deref()),
        OrchestratorCommand::List { all } => cmd_list(context, all),
        OrchestratorCommand::Guard {
            parent,
            lock,
            command,
        } => Err(run_guard(parent, &lock, &command)),
        OrchestratorCommand::Exec { parent, command } => Err(become_command(parent, &command)),
    }
}

/// Returns the run that this command began before, under its `--op-id`.
pub(super) fn find_replayed_run(
    context: &CommandContext,
    store: &mut SqliteStore,
    plan: &PlanId,
) -> Result<Option<Orchestrator>, CommandError> {
    let Some(event) = context.find_replay(store, "orchestrator", None, &["started"])? else {
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

/// Begins a run of a plan by a process of this machine.
pub(super) fn begin_run(
    context: &CommandContext,
    store: &mut SqliteStore,
    plan: PlanId,
    pid: u32,
    is_supervised: bool,
) -> Result<Orchestrator, CommandError> {
    let new_run = NewRun {
        id: new_orchestrator_id(),
        plan,
        session: context
            .find_active_session(store)?
            .map(|session| session.id),
        host: context.run.host.clone(),
        process: liveness::identify_process(pid),
        supervised: is_supervised,
        provenance: context.provenance(&context.resolve_actor(store)?, ""),
    };
    match start_run(store, &new_run, &context.run)? {
        StartAnswer::Started(orchestrator) => Ok(orchestrator),
        StartAnswer::Refused { holder, vitality } => Err(build_running_error(&holder, &vitality)),
    }
}

/// Refuses a plan that somebody runs.
pub(super) fn build_running_error(holder: &Orchestrator, vitality: &Liveness) -> CommandError {
    let Orchestrator { id, plan, host, .. } = holder;
    let message = format!(
        "plan {plan} is run by {id} (pid {} on {host}) since {}, {} ({})",
        holder.process.pid,
        holder.started_at,
        vitality.state.as_str(),
        vitality.evidence
    );
    CommandError::new(ErrorCase::PlanRunning { run: id.into() }, message)
        .with_data(json!({"holder": views::orchestrator_view(holder)}))
}

fn cmd_register(context: &CommandContext, plan: &str) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let plan = find_plan_by_name(context, &mut store, plan)?;
    let orchestrator = match find_replayed_run(context, &mut store, &plan)? {
        Some(row) => row,
        None => begin_run(context, &mut store, plan, parent_id(), false)?,
    };
    let text = format!(
        "{} now runs plan {} (pid {} on {}, epoch {})",
        orchestrator.id,
        orchestrator.plan,
        orchestrator.process.pid,
        orchestrator.host,
        orchestrator.epoch
    );
    Ok(build_output(text, &orchestrator))
}

fn build_output(text: String, orchestrator: &Orchestrator) -> Output {
    Output::new(
        vec![text],
        json!({"orchestrator": views::orchestrator_view(orchestrator)}),
    )
}

fn not_found_error(id: &OrchestratorId) -> CommandError {
    let message = format!("orchestrator {id} does not exist");
    CommandError::new(ErrorCase::OrchestratorNotFound, message)
}

fn load_orchestrator(
    store: &mut SqliteStore,
    id: &OrchestratorId,
) -> Result<Orchestrator, CommandError> {
    store
        .load_orchestrator(id)?
        .ok_or_else(|| not_found_error(id))
}

/// Tells whether the plan of a run that is over can be begun again.
fn build_ended_case(
    store: &mut SqliteStore,
    orchestrator: &Orchestrator,
) -> Result<ErrorCase, CommandError> {
    let plan_exists = store.list_plan_ids()?.contains(&orchestrator.plan);
    let plan_is_running = store
        .list_live_orchestrators()?
        .iter()
        .any(|run| run.plan == orchestrator.plan);
    Ok(if plan_exists && !plan_is_running {
        let plan = (&orchestrator.plan).into();
        ErrorCase::OrchestratorEnded { plan }
    } else {
        ErrorCase::OrchestratorReplaced
    })
}

/// Says when and why a run ended.
fn describe_end(orchestrator: &Orchestrator) -> String {
    let at_text = orchestrator
        .stopped_at
        .map_or_else(String::new, |at| format!(" at {at}"));
    let reason_text = orchestrator
        .reason
        .as_ref()
        .map_or_else(String::new, |why| format!(": {why}"));
    format!(
        "orchestrator {} {}{at_text}{reason_text}",
        orchestrator.id, orchestrator.status
    )
}

fn cmd_heartbeat(context: &CommandContext, id: &OrchestratorId) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let before = load_orchestrator(&mut store, id)?;
    match store.record_orchestrator_heartbeat(id) {
        Ok(row) => Ok(build_output(
            format!(
                "{id} is already {}; it was {}",
                row.status,
                before.describe_silence()
            ),
            &row,
        )),
        Err(StoreError::Conflict(_)) => {
            let orchestrator = load_orchestrator(&mut store, id)?;
            Err(CommandError::new(
                build_ended_case(&mut store, &orchestrator)?,
                describe_end(&orchestrator),
            )
            .with_data(json!({"orchestrator": views::orchestrator_view(&orchestrator)})))
        }
        Err(error) => Err(error.into()),
    }
}

fn cmd_stop(
    context: &CommandContext,
    id: &OrchestratorId,
    reason: Option<&str>,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let before = load_orchestrator(&mut store, id)?;
    let kinds = ["stopping", "stopped"];
    context.find_replay(&mut store, "orchestrator", Some(id.as_str()), &kinds)?;
    let provenance = context.provenance(
        &context.resolve_actor(&mut store)?,
        reason.unwrap_or("asked to stop"),
    );
    let stopped = if before.supervised {
        // It ends its command first, and then its run itself.
        let stop_requested = store.request_orchestrator_stop(id, &provenance);
        stop_requested.map(|row| (row, Vec::new()))
    } else {
        let ended = store.record_orchestrator_stop(id, RunEnd::default(), &provenance);
        ended.map(|ended| (ended.orchestrator.clone(), ended.describe_interrupted()))
    };
    let (row, interrupted_tasks) = match stopped {
        Ok(stopped) => stopped,
        // Whoever stops wants it stopped, and it is.
        Err(StoreError::Conflict(_)) => {
            let orchestrator = load_orchestrator(&mut store, id)?;
            let mut answer = build_output(
                format!("already {}", describe_end(&orchestrator)),
                &orchestrator,
            );
            answer.data["interrupted"] = json!([]);
            return Ok(answer);
        }
        Err(error) => return Err(error.into()),
    };
    if row.supervised {
        terminate(&row.process, &row.host, &context.run.host);
    }
    let text = format!(
        "{id} of plan {}: {} -> {}",
        row.plan, before.status, row.status
    );
    let mut output = build_output(text, &row);
    output.text.extend(describe_interrupted(&interrupted_tasks));
    output.data["interrupted"] = json!(interrupted_tasks);
    Ok(output)
}

fn cmd_list(context: &CommandContext, all: bool) -> Result<Output, CommandError> {
    let mut store = context.open_for_reading()?;
    let mut rows = store.list_live_orchestrators()?;
    let ended = store.list_orchestrators(if all { 0 } else { MAX_ENDED_LISTED })?;
    rows.extend(ended.into_iter().filter(|row| !row.status.is_live()));
    let mut text = Vec::new();
    let mut objects: Vec<Value> = Vec::new();
    for mut row in rows {
        let Liveness {
            state: alive,
            evidence: witness,
            ..
        } = judge_liveness(&row, &context.run);
        // One that died is told as what the next change makes of it.
        if row.status.is_live() && alive == LivenessState::Dead {
            row.status = OrchestratorStatus::Crashed;
        }
        text.push(format!(
            "{:<17} {:<24} {:<8} pid {} on {} since {} ({})",
            row.id.as_str(),
            row.plan.as_str(),
            row.status.as_str(),
            row.process.pid,
            row.host,
            row.started_at,
            row.reason.as_deref().unwrap_or(&witness)
        ));
        objects.push(views::orchestrator_view(&row));
    }
    if text.is_empty() {
        text.push(
            "no orchestrators; start one with `trueup orchestrator start PLAN -- CMD`".to_owned(),
        );
    }
    let output = Output::new(text, json!({"orchestrators": objects}));
    Ok(if objects.is_empty() {
        output
    } else {
        output.with_columns(&format!(
            "{:<17} {:<24} {:<8} PROCESS",
            "ORCHESTRATOR", "PLAN", "STATUS"
        ))
    })
}
