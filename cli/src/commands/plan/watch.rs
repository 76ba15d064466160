//! `trueup plan watch`: printing a plan whenever it changes.

use std::time::Duration;

use serde_json::json;
use trueup_core::model::PlanState;
use trueup_core::views::PlanStateView;

use super::plan_lookup::{load_plan_state, resolve_plan};
use super::selectors::PlanSelector;
use super::show;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;
use crate::page::Page;
use crate::printer::OutputStream;

/// Length of one wait. The next one follows at once.
const WAIT_PATIENCE: Duration = Duration::from_mins(10);

/// Prints every consistent state of the plan until the reader closes the pipe.
pub(super) fn cmd_watch(context: &CommandContext, which: &PlanSelector) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let id = resolve_plan(context, store, which)?;
    let mut stream = OutputStream::new(context.json);
    let mut last_shown: Option<PlanState> = None;
    loop {
        // Taken before reading, so that no write in between is missed.
        let change_mark = store.change_mark()?;
        let state = load_plan_state(store, &id)?;
        if last_shown.as_ref() != Some(&state) {
            let written = stream.print_item(
                || json!(PlanStateView::from(&state)),
                || render_news(last_shown.as_ref(), &state),
            );
            // A closed pipe ends the command.
            if written.is_err() {
                return Ok(Output::default());
            }
            last_shown = Some(state);
        }
        while store.wait_for_change(change_mark, WAIT_PATIENCE)?.is_none() {}
    }
}

/// Renders a state: completely at first, then only its changed tasks.
fn render_news(last_shown: Option<&PlanState>, state: &PlanState) -> Page {
    match last_shown {
        None => show::render_plan(state),
        Some(shown) => {
            let changed = state.tasks.iter().filter(|task| !shown.tasks.contains(task));
            let mut page = Page::from(vec![show::plan_line(&state.plan, &state.summary())]);
            page.push_table(show::tasks_as_table(changed));
            page
        }
    }
}
