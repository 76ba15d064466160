//! `trueup plan`

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use trueup_core::model::{PlanId, PlanTaskId};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum PlanCommand {
    /// Import a plan from a Markdown file or a status.json
    ///
    /// Tasks are lines such as `- [ ] 1.2 Title (depends: 1.1)`, below a
    /// heading such as `## Phase 1: Name`. Importing again adds new tasks and updates
    /// titles and dependencies; a status never goes back. Lines that look like tasks
    /// but are not are listed. A task that depends on a missing task is imported but
    /// stays blocked, and the exit code is 1.
    ///
    /// Example: trueup plan import docs/plans/fix-sync.md
    #[command(verbatim_doc_comment)]
    Import {
        /// Plan file
        file: PathBuf,
    },
    /// Remove a plan and its tasks from the database; the file is kept
    ///
    /// Example: trueup plan remove fix-sync
    #[command(verbatim_doc_comment)]
    Remove {
        /// Plan, by id or file
        #[arg(value_parser = super::path_text())]
        plan: String,
    },
    /// List plans and their progress
    ///
    /// Example: trueup plan list
    #[command(verbatim_doc_comment)]
    List,
    /// Show a plan and its tasks
    ///
    /// Example: trueup plan status fix-sync
    #[command(verbatim_doc_comment)]
    Status {
        /// Plan, by id or file
        #[arg(conflicts_with = "plan", value_parser = super::path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: PlanSelector,
    },
    /// Show the next tasks: those in progress, then those that are ready
    ///
    /// Example: trueup plan next 3
    #[command(verbatim_doc_comment)]
    Next {
        /// Maximum number of tasks
        #[arg(value_name = "N", default_value_t = 5)]
        count: usize,
        #[command(flatten)]
        which: PlanSelector,
    },
    /// Start a task; refused if it is in progress elsewhere
    ///
    /// Example: trueup plan start 1.2
    #[command(verbatim_doc_comment)]
    Start(TaskSelector),
    /// Complete a task
    ///
    /// Example: trueup plan complete 1.2
    #[command(verbatim_doc_comment)]
    Complete(TaskSelector),
    /// Mark a task as failed
    ///
    /// Example: trueup plan fail 1.2 --error "tests fail"
    #[command(verbatim_doc_comment)]
    Fail {
        #[command(flatten)]
        task: TaskSelector,
        /// Error text
        #[arg(long, value_name = "E", value_parser = NonEmptyStringValueParser::new())]
        error: String,
    },
    /// Skip a task; tasks that depend on it no longer wait
    ///
    /// Example: trueup plan skip 1.2 --reason "done elsewhere"
    #[command(verbatim_doc_comment)]
    Skip {
        #[command(flatten)]
        task: TaskSelector,
        /// Reason
        #[arg(long, value_name = "R", value_parser = NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// Retry a failed task, at most twice
    ///
    /// Example: trueup plan retry 1.2
    #[command(verbatim_doc_comment)]
    Retry(TaskSelector),
    /// Check a plan's file against its tasks and the database
    ///
    /// For a status.json the summary is recounted; for Markdown the checkboxes are
    /// compared with the database. Nothing is changed without --fix.
    ///
    /// Exit codes: 0 no findings or only warnings, 1 findings, 3 a file could not be
    /// read.
    ///
    /// Example: trueup plan validate docs/plans/status.json --fix
    #[command(verbatim_doc_comment)]
    Validate(PlanValidateArgs),
    /// Print a plan as a status.json; unknown keys are kept
    ///
    /// Example: trueup plan export fix-sync > status.json
    #[command(verbatim_doc_comment)]
    Export {
        /// Plan, by id or file
        #[arg(conflicts_with = "plan", value_parser = super::path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: PlanSelector,
    },
    /// Print the plan whenever it changes; --json prints one object per line
    ///
    /// Example: trueup plan watch
    #[command(verbatim_doc_comment)]
    Watch {
        /// Plan, by id or file
        #[arg(conflicts_with = "plan", value_parser = super::path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: PlanSelector,
    },
}

impl PlanCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Import { .. } => "plan import",
            Self::Remove { .. } => "plan remove",
            Self::List => "plan list",
            Self::Status { .. } => "plan status",
            Self::Next { .. } => "plan next",
            Self::Start(_) => "plan start",
            Self::Complete(_) => "plan complete",
            Self::Fail { .. } => "plan fail",
            Self::Skip { .. } => "plan skip",
            Self::Retry(_) => "plan retry",
            Self::Validate(_) => "plan validate",
            Self::Export { .. } => "plan export",
            Self::Watch { .. } => "plan watch",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PlanValidateArgs {
    /// Plan id, or the file of a plan
    #[arg(conflicts_with = "plan", value_parser = super::path_text())]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) which: PlanSelector,
    /// Correct the summary of a status.json and add ids to checkboxes without one; the old file is
    /// kept next to it
    #[arg(long)]
    pub(crate) fix: bool,
    /// Treat warnings as findings
    #[arg(long)]
    pub(crate) strict: bool,
}

// Which plan is meant. What is written with three slashes becomes the help of the commands.
#[derive(Debug, Args)]
pub(crate) struct PlanSelector {
    /// Plan, by id or file [default: $TRUEUP_PLAN, or the only plan]
    #[arg(long, value_name = "PLAN", value_parser = super::path_text())]
    pub(crate) plan: Option<String>,
}

// Which task is meant.
#[derive(Debug, Args)]
pub(crate) struct TaskSelector {
    /// Task, such as 1.2 or fix-sync/1.2
    #[arg(value_name = "T")]
    pub(crate) task: TaskName,
    #[command(flatten)]
    pub(crate) which: PlanSelector,
}

/// A task by its id, with its plan or without.
#[derive(Debug, Clone)]
pub(crate) struct TaskName {
    pub(crate) plan: Option<PlanId>,
    pub(crate) id: PlanTaskId,
}

impl FromStr for TaskName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (plan, id) = match text.rsplit_once('/') {
            None => (None, text),
            Some((plan, id)) => {
                let plan = plan.parse().map_err(|error| format!("{error}"))?;
                (Some(plan), id)
            }
        };
        let id = id.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { plan, id })
    }
}
