//! `trueup handoff`

mod create;
mod decide;
mod list_and_show;

use serde_json::{Value, json};
use trueup_core::model::{Handoff, SessionId};

use crate::args::HandoffCommand;
use crate::command_context::CommandContext;
use crate::command_error::CommandError;
use crate::output::Output;
use crate::views;

pub(super) fn cmd_handoff(
    context: &CommandContext,
    command: HandoffCommand,
) -> Result<Output, CommandError> {
    match command {
        HandoffCommand::Create(arguments) => create::cmd_create(context, *arguments),
        HandoffCommand::Accept { id } => decide::cmd_accept(context, &id),
        HandoffCommand::Reject { id, reason } => decide::cmd_reject(context, &id, reason),
        HandoffCommand::List { all } => list_and_show::cmd_list(context, all),
        HandoffCommand::Show { id } => list_and_show::cmd_show(context, &id),
    }
}

/// The `data` of a command that is about one hand-off.
fn handoff_data(handoff: &Handoff) -> Value {
    json!({"handoff": views::handoff_view(handoff)})
}

/// Names whom a hand-off is for.
fn describe_addressee(handoff: &Handoff) -> &str {
    handoff.to.as_ref().map_or("any session", SessionId::as_str)
}
