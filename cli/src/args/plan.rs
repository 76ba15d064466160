//! `trueup plan`

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use trueup_core::model::{PlanId, PlanTaskId};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum PlanCommand {
    /// Take a plan in from its Markdown file or a status.json
    ///
    /// Tasks are lines such as `- [ ] 1.2 Title (depends: 1.1)` below `## Phase 1: Name`. Importing
    /// again takes new tasks, titles and dependencies; a status never goes back. Lines that look
    /// like tasks and are none are listed. A dependency on what does not exist is an error: its
    /// task is taken in, waits, and the exit code is 1.
    ///
    /// Example: trueup plan import docs/plans/fix-sync.md
    #[command(verbatim_doc_comment)]
    Import {
        /// The file
        file: PathBuf,
    },
    /// Remove a plan with its tasks from the database; its file stays
    ///
    /// Example: trueup plan remove fix-sync
    #[command(verbatim_doc_comment)]
    Remove {
        /// The plan, by id or file
        #[arg(value_parser = super::path_text())]
        plan: String,
    },
    /// List plans and how far they are
    ///
    /// Example: trueup plan list
    #[command(verbatim_doc_comment)]
    List,
    /// Show a plan and its tasks, counted at the same moment
    ///
    /// Example: trueup plan status fix-sync
    #[command(verbatim_doc_comment)]
    Status {
        /// The plan, by id or file
        #[arg(conflicts_with = "plan", value_parser = super::path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Show what to go on with: what is in progress, then what is ready, in order
    ///
    /// Example: trueup plan next 3
    #[command(verbatim_doc_comment)]
    Next {
        /// At most so many
        #[arg(value_name = "N", default_value_t = 5)]
        count: usize,
        #[command(flatten)]
        which: Which,
    },
    /// Begin a task; one that is in progress elsewhere is refused
    ///
    /// Example: trueup plan start 1.2
    #[command(verbatim_doc_comment)]
    Start(Task),
    /// Finish a task
    ///
    /// Example: trueup plan complete 1.2
    #[command(verbatim_doc_comment)]
    Complete(Task),
    /// End a task with an error
    ///
    /// Example: trueup plan fail 1.2 --error "tests fail"
    #[command(verbatim_doc_comment)]
    Fail {
        #[command(flatten)]
        task: Task,
        /// Which error
        #[arg(long, value_name = "E", value_parser = NonEmptyStringValueParser::new())]
        error: String,
    },
    /// Leave a task out; what depends on it need not wait
    ///
    /// Example: trueup plan skip 1.2 --reason "done elsewhere"
    #[command(verbatim_doc_comment)]
    Skip {
        #[command(flatten)]
        task: Task,
        /// Why
        #[arg(long, value_name = "R", value_parser = NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// Put a failed task back, at most twice
    ///
    /// Example: trueup plan retry 1.2
    #[command(verbatim_doc_comment)]
    Retry(Task),
    /// Check a plan's file against its own tasks and the database
    ///
    /// Of a status.json the summary is counted anew; of Markdown the checkboxes are compared with
    /// the database. Nothing is changed without --fix. Exit code 0 when all is well or there are
    /// warnings only, 1 with findings, 3 when a file could not be read.
    ///
    /// Example: trueup plan validate docs/plans/status.json --fix
    #[command(verbatim_doc_comment)]
    Validate(PlanValidate),
    /// Print a plan as a status.json, counted at the same moment; unknown keys are kept
    ///
    /// Example: trueup plan export fix-sync > status.json
    #[command(verbatim_doc_comment)]
    Export {
        /// The plan, by id or file
        #[arg(conflicts_with = "plan", value_parser = super::path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Print every state of a plan from now on, each once; --json prints one object a line
    ///
    /// Example: trueup plan watch
    #[command(verbatim_doc_comment)]
    Watch {
        /// The plan, by id or file
        #[arg(conflicts_with = "plan", value_parser = super::path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: Which,
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
pub(crate) struct PlanValidate {
    /// The plan, by id, or any file of one
    #[arg(conflicts_with = "plan", value_parser = super::path_text())]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Write the right numbers into the summary of a status.json, and ids to checkboxes that have
    /// none; what the file was is kept beside it
    #[arg(long)]
    pub(crate) fix: bool,
    /// Let warnings count as findings
    #[arg(long)]
    pub(crate) strict: bool,
}

// Which plan is meant. What is written with three slashes becomes the help of the commands.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The plan, by id or file [default: $TRUEUP_PLAN, then the only one]
    #[arg(long, value_name = "PLAN", value_parser = super::path_text())]
    pub(crate) plan: Option<String>,
}

// Which task is meant.
#[derive(Debug, Args)]
pub(crate) struct Task {
    /// The task, such as 1.2 or fix-sync/1.2
    #[arg(value_name = "T")]
    pub(crate) task: TaskName,
    #[command(flatten)]
    pub(crate) which: Which,
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
