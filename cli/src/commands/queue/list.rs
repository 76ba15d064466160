//! `trueup queue list` and `trueup queue next`: phases in queue order, and the next to start.

use serde_json::json;
use trueup_core::store::PhaseFilter;
use trueup_core::views::PhaseView;

use super::render::{phase_line, phase_table, phase_views};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::item::lookup::load_item;
use crate::output::Output;
use crate::page::Line;

pub(super) fn cmd_list(context: &CommandContext, filter: &PhaseFilter) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    if let Some(item) = &filter.item {
        load_item(store, item)?;
    }
    let phases = store.list_phases(filter)?;
    Ok(Output::table(
        phase_table(&phases),
        "no phases; add those of an item with `trueup queue add ITEM`",
        json!({"rows": phase_views(&phases)}),
    ))
}

pub(super) fn cmd_next(context: &CommandContext) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let session = context.find_viewer_session(store)?;
    let phase = store.find_next_phase(session.as_ref().map(|session| &session.id))?;
    let text = phase.as_ref().map_or_else(
        || Line::from("no ready phases; `trueup queue list` shows the waiting ones"),
        |phase| phase_line("next: ", phase),
    );
    let row = phase.as_ref().map(PhaseView::from);
    Ok(Output::page(vec![text], json!({"row": row})))
}
