//! `trueup handoff`

mod create;
mod decide;
mod show;

use serde_json::{Value, json};
use trueup_core::model::{Handoff, SessionId};

use crate::args::HandoffCommand;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;
use crate::report::Answer;

pub(super) fn run(desk: &Desk, command: HandoffCommand) -> Result<Answer, Failure> {
    match command {
        HandoffCommand::Create(arguments) => create::create(desk, *arguments),
        HandoffCommand::Accept { id } => decide::accept(desk, &id),
        HandoffCommand::Reject { id, reason } => decide::reject(desk, &id, reason),
        HandoffCommand::List { all } => show::list(desk, all),
        HandoffCommand::Show { id } => show::show(desk, &id),
    }
}

/// The `data` of a command that is about one hand-off.
fn one(handoff: &Handoff) -> Value {
    json!({"handoff": json::handoff(handoff)})
}

/// Names whom a hand-off is for.
fn addressee(handoff: &Handoff) -> &str {
    handoff.to.as_ref().map_or("any session", SessionId::as_str)
}
