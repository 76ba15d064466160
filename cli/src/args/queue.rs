//! `trueup queue`, as data.

use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use trueup_core::model::phase::PhaseName;
use trueup_core::model::{ItemKey, ItemStatus, QueueId};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum QueueCommand {
    /// Add phases to an item
    ///
    /// The phases are plan, validate, build, lint, test, review, document, ship,
    /// cleanup and verify. Each depends on the one before it unless --depends is
    /// given.
    ///
    /// Example: trueup queue add SD-002C --phases plan,build,lint,test --depends "4=2,3;3=2"
    #[command(verbatim_doc_comment)]
    Add(QueueAddArgs),
    /// List phases in queue order
    ///
    /// Example: trueup queue list --item SD-002C
    #[command(verbatim_doc_comment)]
    List {
        /// Only phases of this item
        #[arg(long, value_name = "KEY")]
        item: Option<ItemKey>,
        /// Only phases with this status: queued, ready, running, blocked, completed, failed, cancelled
        #[arg(long, value_name = "S")]
        status: Option<ItemStatus>,
    },
    /// Show the next ready phase that this session can start
    ///
    /// Ordered by priority (lowest number first), then by age of the item, then by
    /// phase number.
    ///
    /// Example: trueup queue next --json
    #[command(verbatim_doc_comment)]
    Next,
    /// Start a ready phase
    ///
    /// Example: trueup queue start SD-002C:1
    #[command(verbatim_doc_comment)]
    Start {
        /// Phase id
        id: QueueId,
    },
    /// Complete a phase; phases that waited only for it become ready
    ///
    /// Example: trueup queue complete SD-002C:1
    #[command(verbatim_doc_comment)]
    Complete {
        /// Phase id
        id: QueueId,
        /// Pull request number
        #[arg(long, value_name = "N")]
        pr: Option<i64>,
    },
    /// Mark a phase as failed; phases that depend on it are blocked
    ///
    /// Example: trueup queue fail SD-002C:5 --error "3 tests fail"
    #[command(verbatim_doc_comment)]
    Fail {
        /// Phase id
        id: QueueId,
        /// Error text
        #[arg(long, value_name = "T", value_parser = words)]
        error: String,
    },
    /// Block a phase on something outside the queue
    ///
    /// Example: trueup queue block SD-002C:8 --reason "the release is frozen until Monday"
    #[command(verbatim_doc_comment)]
    Block {
        /// Phase id
        id: QueueId,
        /// Reason
        #[arg(long, value_name = "R", value_parser = words)]
        reason: String,
    },
    /// Reopen a phase; phases that it blocked are unblocked
    ///
    /// Example: trueup queue reopen SD-002C:5 --reason "the tests are fixed"
    #[command(verbatim_doc_comment)]
    Reopen {
        /// Phase id
        id: QueueId,
        /// Reason
        #[arg(long, value_name = "R", value_parser = words)]
        reason: String,
    },
    /// Cancel a phase; phases that depend on it are blocked
    ///
    /// Example: trueup queue cancel SD-002C:7 --reason "nothing to document"
    #[command(verbatim_doc_comment)]
    Cancel {
        /// Phase id
        id: QueueId,
        /// Reason
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
pub(crate) struct QueueAddArgs {
    /// Item key
    pub(crate) item: ItemKey,
    /// Phases, in order [default: all ten]
    #[arg(long, value_name = "P,…", value_delimiter = ',')]
    pub(crate) phases: Vec<PhaseName>,
    /// Dependencies by phase number: 4=1,3 or 4=1,3;5=4; 4= for none
    #[arg(long, value_name = "N=N,…")]
    pub(crate) depends: Vec<String>,
    /// Priority; lower numbers come first, 10 is urgent
    #[arg(long, value_name = "N", default_value_t = trueup_core::model::phase::DEFAULT_PRIORITY, allow_negative_numbers = true)]
    pub(crate) priority: i64,
    /// Workflow id
    #[arg(long, value_name = "ID")]
    pub(crate) adw: Option<String>,
    /// Issue number
    #[arg(long, value_name = "N")]
    pub(crate) issue: Option<i64>,
    /// Parent issue number
    #[arg(long, value_name = "N")]
    pub(crate) parent_issue: Option<i64>,
    /// Data for the scripts of the phases
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub(crate) data: Option<Map<String, Value>>,
}

/// Reads a text that says something.
fn words(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    Ok(text.to_owned())
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}
