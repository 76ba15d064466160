//! `trueup queue list` and `trueup queue next`: phases in queue order, and the next to start.

use serde_json::json;
use trueup_core::store::PhaseFilter;
use trueup_core::views::PhaseView;

use super::render::{phase_views, render_phase_line};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::item::lookup::load_item;
use crate::output::Output;

pub(super) fn cmd_list(context: &CommandContext, filter: &PhaseFilter) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    if let Some(item) = &filter.item {
        load_item(store, item)?;
    }
    let phases = store.list_phases(filter)?;
    Ok(Output::table(
        &format!("{:<24} {:<9} {:<10} {:>4}", "PHASE", "NAME", "STATUS", "PRIO"),
        phases.iter().map(render_phase_line),
        "no phases; add those of an item with `trueup queue add ITEM`",
        json!({"rows": phase_views(&phases)}),
    ))
}

pub(super) fn cmd_next(context: &CommandContext) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let session = context.find_viewer_session(store)?;
    let phase = store.find_next_phase(session.as_ref().map(|session| &session.id))?;
    let text = phase.as_ref().map_or_else(
        || "no ready phases; `trueup queue list` shows the waiting ones".to_owned(),
        render_phase_line,
    );
    let row = phase.as_ref().map(PhaseView::from);
    Ok(Output::new(vec![text], json!({"row": row})))
}
