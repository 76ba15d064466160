//! `trueup queue`: the subcommands on the phases of items.

mod add;
mod list;
pub(super) mod render;
mod step;

use clap::Subcommand;
use trueup_core::model::phase::PhaseStep;
use trueup_core::model::{ItemKey, ItemStatus, QueueId};
use trueup_core::store::PhaseFilter;

use self::add::QueueAddArgs;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::number_argument::parse_natural;

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
        #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_natural)]
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
        #[arg(long, value_name = "TEXT", value_parser = parse_nonempty_text)]
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
        #[arg(long, value_name = "R", value_parser = parse_nonempty_text)]
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
        #[arg(long, value_name = "R", value_parser = parse_nonempty_text)]
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
        #[arg(long, value_name = "R", value_parser = parse_nonempty_text)]
        reason: String,
    },
}

pub(super) fn cmd_queue(context: &CommandContext, command: QueueCommand) -> CommandResult {
    match command {
        QueueCommand::Add(arguments) => add::cmd_add(context, arguments),
        QueueCommand::List { item, status } => {
            list::cmd_list(context, &PhaseFilter { item, status, page: None })
        }
        QueueCommand::Next => list::cmd_next(context),
        QueueCommand::Start { id } => step::cmd_start(context, id),
        QueueCommand::Complete { id, pr } => {
            step::cmd_step(context, id, PhaseStep::Complete { pr_number: pr })
        }
        QueueCommand::Fail { id, error } => step::cmd_step(context, id, PhaseStep::Fail { error }),
        QueueCommand::Block { id, reason } => {
            step::cmd_step(context, id, PhaseStep::Block { reason })
        }
        QueueCommand::Reopen { id, reason } => {
            step::cmd_step(context, id, PhaseStep::Reopen { reason })
        }
        QueueCommand::Cancel { id, reason } => {
            step::cmd_step(context, id, PhaseStep::Cancel { reason })
        }
    }
}

/// Parses text that must not be blank.
fn parse_nonempty_text(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    Ok(text.to_owned())
}
