//! `trueup orchestrator`: the subcommands on runs of plans.

mod list;
mod manage;
mod registration;
mod start;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;
use trueup_core::model::OrchestratorId;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::path_argument::path_text;
use crate::supervise::{become_command, run_guard};

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

pub(super) fn cmd_orchestrator(
    context: &CommandContext,
    command: OrchestratorCommand,
) -> CommandResult {
    match command {
        OrchestratorCommand::Start { plan, command } => start::cmd_start(context, &plan, &command),
        OrchestratorCommand::Register { plan } => manage::cmd_register(context, &plan),
        OrchestratorCommand::Heartbeat { id } => {
            context.with_full_id(&id, |id| manage::cmd_heartbeat(context, &id))
        }
        OrchestratorCommand::Stop { id, reason } => {
            context.with_full_id(&id, |id| manage::cmd_stop(context, &id, reason.as_deref()))
        }
        OrchestratorCommand::List { all } => list::cmd_list(context, all),
        OrchestratorCommand::Guard { parent, lock, command } => {
            Err(run_guard(parent, &lock, &command))
        }
        OrchestratorCommand::Exec { parent, command } => Err(become_command(parent, &command)),
    }
}
