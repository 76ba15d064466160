//! `trueup blame`: for each field of an item, the event that set its present value.

use clap::Args;
use serde_json::json;
use trueup_core::model::{Blame, BlamedField, EventFilter, ItemKey, blame_item};
use trueup_core::text::one_line;
use trueup_core::views::BlameView;

use super::log::render_author;
use super::value_text::summarize_value;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult};
use crate::output::Output;
use crate::page::{Cell, Column, Table};

#[derive(Debug, Clone, Args)]
pub(crate) struct BlameArgs {
    /// The item
    pub(crate) key: ItemKey,
    /// A single field: title, kind, parent, position, repo, status, phase, holder, error_message,
    /// evidence, priority, description or extra
    pub(crate) field: Option<BlamedField>,
}

/// Longest value or reason shown, in characters.
const MAX_VALUE_CHARS: usize = 500;

pub(super) fn cmd_blame(context: &CommandContext, arguments: &BlameArgs) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let key = &arguments.key;
    let Some(item) = store.load_item(key)? else {
        return Err(CommandError::item_not_found(key));
    };
    let events = store.list_events(&EventFilter {
        item: Some(key.to_string()),
        entity: Some("item".to_owned()),
        ..EventFilter::default()
    })?;
    let mut blames = blame_item(&item, &events);
    blames.retain(|blame| arguments.field.is_none_or(|field| field == blame.field));
    let fields: Vec<_> = blames.iter().map(BlameView::from).collect();
    let columns = [
        Column::word("FIELD"),
        Column::text("VALUE"),
        Column::word("SINCE"),
        Column::id("BY"),
        Column::text("REASON"),
    ];
    let table = Table::new(columns, blames.iter().map(|blame| blame_row(context, blame)));
    Ok(Output::page(table, json!({"item": key, "fields": fields})))
}

fn blame_row(context: &CommandContext, blame: &Blame<'_>) -> [Cell; 5] {
    let value = one_line(&summarize_value(&blame.value), MAX_VALUE_CHARS);
    let (field, value) = (blame.field.to_string().into(), value.into());
    let Some(event) = blame.event else {
        return [field, value, Cell::faint("no event"), Cell::absent(), Cell::absent()];
    };
    let reason = event.reason.as_deref().map(|reason| one_line(reason, MAX_VALUE_CHARS));
    [
        field,
        value,
        Cell::faint(context.times.render(event.at)),
        Cell::faint(render_author(event)),
        Cell::optional(reason),
    ]
}
