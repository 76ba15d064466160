//! `trueup plan watch`

use std::time::Duration;

use serde_json::json;
use trueup_core::model::PlanState;

use super::{find, show};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;
use crate::report::{Answer, Stream};

/// How long one wait lasts; the next follows at once.
const WAIT: Duration = Duration::from_mins(10);

/// Prints every state, each as it was at one moment, until nobody reads any more.
pub(super) fn run(desk: &Desk, named: Option<&str>) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let id = find(desk, &mut store, named)?;
    let mut stream = Stream::new(desk.json);
    let mut shown: Option<PlanState> = None;
    loop {
        // Before reading, so that nothing written in between is missed.
        let seen = store.seen()?;
        let state = show::state(&mut store, &id)?;
        if shown.as_ref() != Some(&state) {
            let written = stream.print(
                || json!(json::plan_state(&state)),
                || news(shown.as_ref(), &state),
            );
            // A reader that went away ends the watch.
            if written.is_err() {
                return Ok(Answer::default());
            }
            shown = Some(state);
        }
        while store.wait_for_change(seen, WAIT)?.is_none() {}
    }
}

/// Shows a state: whole at first, then what is new of it.
fn news(shown: Option<&PlanState>, state: &PlanState) -> Vec<String> {
    match shown {
        None => show::whole(state),
        Some(shown) => {
            let changed = state
                .tasks
                .iter()
                .filter(|task| !shown.tasks.contains(task));
            let head = show::head(&state.plan, &state.summary());
            std::iter::once(head)
                .chain(changed.map(show::line))
                .collect()
        }
    }
}
