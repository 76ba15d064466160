//! `trueup plan watch`

use std::time::Duration;

use serde_json::json;
use trueup_core::model::PlanState;

use super::{resolve_plan, show};
use crate::command_context::CommandContext;
use crate::command_error::CommandError;
use crate::output::{Output, OutputStream};
use crate::views;

/// How long one wait lasts; the next follows at once.
const WAIT_PATIENCE: Duration = Duration::from_mins(10);

/// Prints every state, each as it was at one moment, until nobody reads any more.
pub(super) fn cmd_watch(
    context: &CommandContext,
    plan_name: Option<&str>,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_reading()?;
    let id = resolve_plan(context, &mut store, plan_name)?;
    let mut stream = OutputStream::new(context.json);
    let mut last_shown: Option<PlanState> = None;
    loop {
        // Before reading, so that nothing written in between is missed.
        let change_mark = store.data_version()?;
        let state = show::load_plan_state(&mut store, &id)?;
        if last_shown.as_ref() != Some(&state) {
            let written = stream.print_item(
                || json!(views::plan_state_view(&state)),
                || render_news(last_shown.as_ref(), &state),
            );
            // A reader that went away ends the watch.
            if written.is_err() {
                return Ok(Output::default());
            }
            last_shown = Some(state);
        }
        while store.wait_for_change(change_mark, WAIT_PATIENCE)?.is_none() {}
    }
}

/// Shows a state: whole at first, then what is new of it.
fn render_news(last_shown: Option<&PlanState>, state: &PlanState) -> Vec<String> {
    match last_shown {
        None => show::render_plan(state),
        Some(shown) => {
            let changed = state
                .tasks
                .iter()
                .filter(|task| !shown.tasks.contains(task));
            let head = show::render_plan_line(&state.plan, &state.summary());
            std::iter::once(head)
                .chain(changed.map(show::render_task_line))
                .collect()
        }
    }
}
