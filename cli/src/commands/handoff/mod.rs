//! `trueup handoff`: the subcommands on hand-offs.

mod create;
mod decide;
mod list_and_show;
mod render;

use clap::Subcommand;
use trueup_core::model::HandoffId;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::handoff::create::HandoffCreateArgs;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum HandoffCommand {
    /// Hand off the claimed item, with notes for the receiver
    ///
    /// Item, phase, task, branch and worktree come from the database. This session
    /// keeps the item until the hand-off is accepted. Refused while the cache and the
    /// database disagree.
    ///
    /// Example: trueup handoff create PLAN-TO-EXEC --summary "the plan stands" --actions "write it"
    #[command(verbatim_doc_comment)]
    Create(Box<HandoffCreateArgs>),
    /// Accept a hand-off and take its item; an item held before is released
    ///
    /// Example: trueup handoff accept h-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Accept {
        /// Hand-off id
        id: HandoffId,
    },
    /// Reject a hand-off; the sender keeps the item and is told why
    ///
    /// Example: trueup handoff reject h-0a1b2c3d4e --reason "tests fail"
    #[command(verbatim_doc_comment)]
    Reject {
        /// Hand-off id
        id: HandoffId,
        /// Reason, shown to the sender
        #[arg(long, value_name = "R", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// List open hand-offs, newest first
    ///
    /// Example: trueup handoff list --all
    #[command(verbatim_doc_comment)]
    List {
        /// List closed hand-offs too
        #[arg(long)]
        all: bool,
    },
    /// Show a hand-off with all its notes
    ///
    /// Example: trueup handoff show h-0a1b2c3d4e
    #[command(verbatim_doc_comment)]
    Show {
        /// Hand-off id
        id: HandoffId,
    },
}

pub(super) fn cmd_handoff(context: &CommandContext, command: HandoffCommand) -> CommandResult {
    match command {
        HandoffCommand::Create(arguments) => create::cmd_create(context, *arguments),
        HandoffCommand::Accept { id } => {
            context.with_full_id(&id, |id| decide::cmd_accept(context, &id))
        }
        HandoffCommand::Reject { id, reason } => {
            context.with_full_id(&id, |id| decide::cmd_reject(context, &id, &reason))
        }
        HandoffCommand::List { all } => list_and_show::cmd_list(context, all),
        HandoffCommand::Show { id } => {
            context.with_full_id(&id, |id| list_and_show::cmd_show(context, &id))
        }
    }
}
