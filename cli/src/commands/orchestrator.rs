//! `trueup orchestrator`

use std::ffi::OsString;
use std::os::unix::process::parent_id;
use std::path::PathBuf;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, OrchestratorCase};
use crate::command_line::path_text;
use crate::output::Output;
use crate::supervise::{become_command, run_guard, terminate};
use crate::views;
use clap::Subcommand;
use serde_json::{Value, json};
use trueup_core::liveness;
use trueup_core::model::{
    EventKind, Liveness, LivenessState, Orchestrator, OrchestratorId, OrchestratorStatus, PlanId,
    RunEnd, describe_interrupted,
};
use trueup_core::orchestrators::{StartAnswer, judge_liveness, new_orchestrator_id, start_run};
use trueup_core::store::{NewRun, Store, StoreError};

use super::plan::find_plan_by_name;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum OrchestratorCommand {
    /// Run a command as the only orchestrator of a plan
    ///
    /// The command gets TRUEUP_ORCHESTRATOR_ID, TRUEUP_PLAN, this terminal and its
    /// signals. Its exit code or signal becomes that of this command. If this process
    /// dies, the command is ended. With --json the command's stdout goes to stderr.
    ///
    /// Example: trueup orchestrator start docs/plans/sync.md -- ./run-plan.sh --all
    #[command(verbatim_doc_comment)]
    Start {
        /// Plan, by id or file
        #[arg(value_parser = path_text())]
        plan: String,
        /// Command to run
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
    /// Register the calling process as the orchestrator of a plan
    ///
    /// The plan becomes free when that process ends or runs `trueup orchestrator stop`.
    ///
    /// Example: trueup orchestrator register sync
    #[command(verbatim_doc_comment)]
    Register {
        /// Plan, by id or file
        #[arg(value_parser = path_text())]
        plan: String,
    },
    /// Renew the heartbeat of a registered orchestrator
    ///
    /// Example: trueup orchestrator heartbeat orch-0a1b2c3d4e5f
    #[command(verbatim_doc_comment)]
    Heartbeat {
        /// Orchestrator id
        id: OrchestratorId,
    },
    /// End a registered orchestrator, or stop a running one
    ///
    /// Example: trueup orchestrator stop orch-0a1b2c3d4e5f --reason "plan is done"
    #[command(verbatim_doc_comment)]
    Stop {
        /// Orchestrator id
        id: OrchestratorId,
        /// Reason, for the log
        #[arg(long, value_name = "R")]
        reason: Option<String>,
    },
    /// List orchestrators, running ones first
    ///
    /// Example: trueup orchestrator list
    #[command(verbatim_doc_comment)]
    List {
        /// List all, not just the running ones and the latest 100 that ended
        #[arg(long)]
        all: bool,
    },
    /// Run a command that ends with this process's parent
    #[command(hide = true)]
    Guard {
        /// Process id of the parent
        parent: u32,
        /// Lock file, held while any process of the command runs
        lock: PathBuf,
        /// Command to run
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
    /// Tie this process to its parent, then execute a command
    #[command(hide = true)]
    Exec {
        /// Process id of the parent
        parent: u32,
        /// Command to run
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
}

/// Most ended orchestrators listed without `--all`.
const MAX_ENDED_LISTED: u32 = 100;

pub(super) fn cmd_orchestrator(
    context: &CommandContext,
    command: OrchestratorCommand,
) -> CommandResult {
    match command {
        OrchestratorCommand::Start { plan, command } => {
            super::orchestrator_start::cmd_start(context, &plan, &command)
        }
        OrchestratorCommand::Register { plan } => cmd_register(context, &plan),
        OrchestratorCommand::Heartbeat { id } => cmd_heartbeat(context, &id),
        OrchestratorCommand::Stop { id, reason } => cmd_stop(context, &id, reason.as_deref()),
        OrchestratorCommand::List { all } => cmd_list(context, all),
        OrchestratorCommand::Guard { parent, lock, command } => {
            Err(run_guard(parent, &lock, &command))
        }
        OrchestratorCommand::Exec { parent, command } => Err(become_command(parent, &command)),
    }
}

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
        StartAnswer::Refused { holder, vitality } => Err(build_running_error(&holder, &vitality)),
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
        .with_data(json!({"holder": views::orchestrator_view(holder)}))
}

fn cmd_register(context: &CommandContext, plan: &str) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let plan = find_plan_by_name(context, store, plan)?;
    let orchestrator = match find_replayed_run(context, store, &plan)? {
        Some(row) => row,
        None => begin_run(context, store, plan, parent_id(), false)?,
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
    Output::new(vec![text], json!({"orchestrator": views::orchestrator_view(orchestrator)}))
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

fn cmd_heartbeat(context: &CommandContext, id: &OrchestratorId) -> CommandResult {
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
            .with_data(json!({"orchestrator": views::orchestrator_view(&orchestrator)})))
        }
        Err(error) => Err(error.into()),
    }
}

fn cmd_stop(context: &CommandContext, id: &OrchestratorId, reason: Option<&str>) -> CommandResult {
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

fn cmd_list(context: &CommandContext, all: bool) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let mut rows = store.list_live_orchestrators()?;
    let ended = store.list_orchestrators(if all { 0 } else { MAX_ENDED_LISTED })?;
    rows.extend(ended.into_iter().filter(|row| !row.status.is_live()));
    let mut text = Vec::new();
    let mut objects: Vec<Value> = Vec::new();
    for mut row in rows {
        let Liveness { state: alive, evidence: witness, .. } = judge_liveness(&row, &context.run);
        // A dead run is shown as crashed, which the next change records.
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
    Ok(Output::table(
        &format!("{:<17} {:<24} {:<8} PROCESS", "ORCHESTRATOR", "PLAN", "STATUS"),
        text,
        "no orchestrators; start one with `trueup orchestrator start PLAN -- CMD`",
        json!({"orchestrators": objects}),
    ))
}
