//! `trueup` alone: where the caller stands, who else works here, and the one command to go on with.

mod handoff_command;
mod next_command;
mod reading;
mod render;

use serde_json::json;
use trueup_core::views::{ItemView, PhaseView, PlanTaskView, SessionView};

use self::next_command::{Advice, choose_next_command};
use self::reading::{Standing, read_standing};
use self::render::{render_beginning, render_standing};
use crate::command_context::CommandContext;
use crate::command_error::{CommandResult, DatabaseCase};
use crate::output::Output;
use crate::views;

pub(super) fn cmd_standing(context: &CommandContext) -> CommandResult {
    context.hurry_in_outage();
    let mut store = match context.open_for_reading() {
        Err(error) if error.is(&DatabaseCase::DatabaseMissing) => {
            return Ok(show_beginning(context));
        }
        opened => opened?,
    };
    let standing = read_standing(context, &mut *store)?;
    let advice = choose_next_command(&standing);
    let data = build_data(context, &standing, &advice);
    Ok(Output::page(render_standing(context, &standing, &advice), data))
}

/// Shows how to begin, where there is no database yet.
fn show_beginning(context: &CommandContext) -> Output {
    let command = "trueup db migrate";
    let data = json!({
        "database": false, "session": null, "item": null, "phase": null, "next": null,
        "plan_task": null,
        "others": [], "needs_me": [], "command": command,
    });
    Output::page(render_beginning(context, command), data)
}

fn build_data(context: &CommandContext, standing: &Standing, advice: &Advice) -> serde_json::Value {
    let session = standing.session.as_ref().map(|session| {
        let vitality = views::assess_liveness(session, &context.run);
        json!(SessionView::new(session, &vitality))
    });
    json!({
        "database": true,
        "session": session,
        "item": standing.item.as_ref().map(ItemView::from),
        "phase": standing.phase.as_ref().map(PhaseView::from),
        "next": standing.next.as_ref().map(ItemView::from),
        "plan_task": standing.plan_task.as_ref().map(PlanTaskView::from),
        "others": standing.others,
        "needs_me": standing.needs,
        "command": advice.command,
    })
}
