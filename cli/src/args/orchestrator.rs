//! `trueup orchestrator`

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;
use trueup_core::model::OrchestratorId;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum OrchestratorCommand {
    /// Run a command as the only orchestrator of a plan
    ///
    /// The command gets TRUEUP_ORCHESTRATOR_ID and TRUEUP_PLAN, this terminal and its signals;
    /// its exit code or signal is passed on. When this process dies, so does the command.
    /// With --json its stdout goes to stderr.
    ///
    /// Example: trueup orchestrator start docs/plans/sync.md -- ./run-plan.sh --all
    #[command(verbatim_doc_comment)]
    Start {
        /// The plan: its id or its file
        #[arg(value_parser = super::path_text())]
        plan: String,
        /// The command
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
    /// Record the process that runs this command as the orchestrator of a plan
    ///
    /// The plan is free again when that process is gone, or says so with stop.
    ///
    /// Example: trueup orchestrator register sync
    #[command(verbatim_doc_comment)]
    Register {
        /// The plan: its id or its file
        #[arg(value_parser = super::path_text())]
        plan: String,
    },
    /// Give a sign of life of an orchestrator that registered itself
    ///
    /// Example: trueup orchestrator heartbeat orch-0a1b2c3d4e5f
    #[command(verbatim_doc_comment)]
    Heartbeat {
        /// The orchestrator
        id: OrchestratorId,
    },
    /// Record the end of an orchestrator, or end one that start runs
    ///
    /// Example: trueup orchestrator stop orch-0a1b2c3d4e5f --reason "plan is done"
    #[command(verbatim_doc_comment)]
    Stop {
        /// The orchestrator
        id: OrchestratorId,
        /// Why, for the log
        #[arg(long, value_name = "R")]
        reason: Option<String>,
    },
    /// List orchestrators, those at work first
    ///
    /// Example: trueup orchestrator list
    #[command(verbatim_doc_comment)]
    List {
        /// List all, not those at work and the latest hundred that ended
        #[arg(long)]
        all: bool,
    },
    /// Run a command that does not outlive this process's parent
    #[command(hide = true)]
    Guard {
        /// The parent's number
        parent: u32,
        /// What is locked as long as anything of the command lives
        lock: PathBuf,
        /// The command
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
    /// Bind this process to its parent's life, then become a command
    #[command(hide = true)]
    Exec {
        /// The parent's number
        parent: u32,
        /// The command
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
}

impl OrchestratorCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Start { .. } | Self::Guard { .. } | Self::Exec { .. } => "orchestrator start",
            Self::Register { .. } => "orchestrator register",
            Self::Heartbeat { .. } => "orchestrator heartbeat",
            Self::Stop { .. } => "orchestrator stop",
            Self::List { .. } => "orchestrator list",
        }
    }
}
