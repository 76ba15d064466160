//! `trueup queue`, as data.

use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use trueup_core::model::phase::PhaseName;
use trueup_core::model::{ItemKey, ItemStatus, QueueId};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum QueueCommand {
    /// Give an item its phases
    ///
    /// The phases are plan, validate, build, lint, test, review, document, ship, cleanup and
    /// verify. Each waits for the one before it unless --depends says otherwise.
    ///
    /// Example: trueup queue add SD-002C --phases plan,build,lint,test --depends "4=2,3;3=2"
    #[command(verbatim_doc_comment)]
    Add(QueueAdd),
    /// List phases in the order of the queue
    ///
    /// Example: trueup queue list --item SD-002C
    #[command(verbatim_doc_comment)]
    List {
        /// Only phases of this item
        #[arg(long, value_name = "KEY")]
        item: Option<ItemKey>,
        /// Only phases that stand so: queued, ready, running, blocked, completed, failed, cancelled
        #[arg(long, value_name = "S")]
        status: Option<ItemStatus>,
    },
    /// Show the next ready phase that this session may start
    ///
    /// Lowest priority number first, then the item added first, then the lowest phase number.
    ///
    /// Example: trueup queue next --json
    #[command(verbatim_doc_comment)]
    Next,
    /// Begin a ready phase
    ///
    /// Example: trueup queue start SD-002C:1
    #[command(verbatim_doc_comment)]
    Start {
        /// The phase
        id: QueueId,
    },
    /// Record that a phase is done; what waited for it alone is ready
    ///
    /// Example: trueup queue complete SD-002C:1
    #[command(verbatim_doc_comment)]
    Complete {
        /// The phase
        id: QueueId,
        /// The pull request it made
        #[arg(long, value_name = "N")]
        pr: Option<i64>,
    },
    /// Record that a phase went wrong; what waits for it is blocked
    ///
    /// Example: trueup queue fail SD-002C:5 --error "3 tests fail"
    #[command(verbatim_doc_comment)]
    Fail {
        /// The phase
        id: QueueId,
        /// How it went wrong
        #[arg(long, value_name = "T", value_parser = words)]
        error: String,
    },
    /// Let a phase wait for something that is no phase
    ///
    /// Example: trueup queue block SD-002C:8 --reason "the release is frozen until Monday"
    #[command(verbatim_doc_comment)]
    Block {
        /// The phase
        id: QueueId,
        /// For what it waits
        #[arg(long, value_name = "R", value_parser = words)]
        reason: String,
    },
    /// Have a phase done again, or after all; what it blocked is free
    ///
    /// Example: trueup queue reopen SD-002C:5 --reason "the tests are mended"
    #[command(verbatim_doc_comment)]
    Reopen {
        /// The phase
        id: QueueId,
        /// Why
        #[arg(long, value_name = "R", value_parser = words)]
        reason: String,
    },
    /// Record that a phase will not be done; what waits for it is blocked
    ///
    /// Example: trueup queue cancel SD-002C:7 --reason "nothing to document"
    #[command(verbatim_doc_comment)]
    Cancel {
        /// The phase
        id: QueueId,
        /// Why
        #[arg(long, value_name = "R", value_parser = words)]
        reason: String,
    },
}

impl QueueCommand {
    /// Returns the name for reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "queue add",
            Self::List { .. } => "queue list",
            Self::Next => "queue next",
            Self::Start { .. } => "queue start",
            Self::Complete { .. } => "queue complete",
            Self::Fail { .. } => "queue fail",
            Self::Block { .. } => "queue block",
            Self::Reopen { .. } => "queue reopen",
            Self::Cancel { .. } => "queue cancel",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct QueueAdd {
    /// The item
    pub(crate) item: ItemKey,
    /// The phases, in order [default: all ten]
    #[arg(long, value_name = "P,…", value_delimiter = ',')]
    pub(crate) phases: Vec<PhaseName>,
    /// What phases wait for, by number: 4=1,3 or 4=1,3;5=4; 4= for nothing
    #[arg(long, value_name = "N=N,…")]
    pub(crate) depends: Vec<String>,
    /// The lower, the sooner; 10 is urgent
    #[arg(long, value_name = "N", default_value_t = trueup_core::model::phase::USUAL_PRIORITY, allow_negative_numbers = true)]
    pub(crate) priority: i64,
    /// The workflow that works on it
    #[arg(long, value_name = "ID")]
    pub(crate) adw: Option<String>,
    /// The issue worked on
    #[arg(long, value_name = "N")]
    pub(crate) issue: Option<i64>,
    /// The issue's parent
    #[arg(long, value_name = "N")]
    pub(crate) parent_issue: Option<i64>,
    /// Whatever the phases' scripts keep here
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub(crate) data: Option<Map<String, Value>>,
}

/// Reads a text that says something.
fn words(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(text.to_owned())
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("it is no JSON object: {error}"))
}
