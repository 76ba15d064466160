//! `trueup queue`: the subcommands on the phases of items.

mod add;
mod list;
mod remove;
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
    /// The usual phases are plan, validate, build, lint, test, review, document, ship,
    /// cleanup and verify. Any other word is a phase of its own: at most 32 small
    /// letters, digits and dashes, such as security-review. Each depends on the one
    /// before it unless --depends is given.
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
    /// Remove a phase that was added by mistake; the log keeps its history
    ///
    /// A phase that runs stays, and so does one that another depends on.
    ///
    /// Example: trueup queue remove SD-002C:3 --all
    #[command(verbatim_doc_comment)]
    Remove {
        /// Phase id
        id: QueueId,
        /// Remove all phases of its item
        #[arg(long)]
        all: bool,
        /// Reason, for the log
        #[arg(long, value_name = "R", value_parser = parse_nonempty_text)]
        reason: Option<String>,
    },
}

pub(super) fn cmd_queue(context: &CommandContext, command: QueueCommand) -> CommandResult {
    match command {
        QueueCommand::Add(arguments) => context.with_full_id(&arguments.item, |item| {
            add::cmd_add(context, QueueAddArgs { item, ..arguments.clone() })
        }),
        QueueCommand::List { item: None, status } => {
            list::cmd_list(context, &PhaseFilter { item: None, status, page: None })
        }
        QueueCommand::List { item: Some(item), status } => context.with_full_id(&item, |item| {
            list::cmd_list(context, &PhaseFilter { item: Some(item), status, page: None })
        }),
        QueueCommand::Next => list::cmd_next(context),
        QueueCommand::Start { id } => context.with_full_id(&id, |id| step::cmd_start(context, id)),
        QueueCommand::Complete { id, pr } => {
            step_phase(context, &id, &PhaseStep::Complete { pr_number: pr })
        }
        QueueCommand::Fail { id, error } => step_phase(context, &id, &PhaseStep::Fail { error }),
        QueueCommand::Block { id, reason } => {
            step_phase(context, &id, &PhaseStep::Block { reason })
        }
        QueueCommand::Reopen { id, reason } => {
            step_phase(context, &id, &PhaseStep::Reopen { reason })
        }
        QueueCommand::Cancel { id, reason } => {
            step_phase(context, &id, &PhaseStep::Cancel { reason })
        }
        QueueCommand::Remove { id, all, reason } => {
            remove::cmd_remove(context, id, all, reason.as_deref())
        }
    }
}

fn step_phase(context: &CommandContext, id: &QueueId, step: &PhaseStep) -> CommandResult {
    context.with_full_id(id, |id| step::cmd_step(context, id, step.clone()))
}

/// Parses text that must not be blank.
fn parse_nonempty_text(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    Ok(text.to_owned())
}
