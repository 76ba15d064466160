//! `trueup blame`: for each field of an item, the event that set its present value.

use clap::Args;
use serde_json::json;
use trueup_core::model::{Blame, BlamedField, EventFilter, ItemKey, blame_item};
use trueup_core::text::one_line;
use trueup_core::views::BlameView;

use super::log::render_author;
use super::value_text::render_json_value;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct BlameArgs {
    /// The item
    pub(crate) key: ItemKey,
    /// A single field: title, kind, parent, position, repo, status, phase, holder, error_message or
    /// evidence
    pub(crate) field: Option<BlamedField>,
}

/// Longest value or reason shown, in characters.
const MAX_VALUE_CHARS: usize = 80;

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
    Ok(Output {
        header: Some(format!("{:<13} {:<20} SINCE, BY", "FIELD", "VALUE")),
        ..Output::new(
            blames.iter().map(render_blame_line).collect(),
            json!({"item": key, "fields": fields}),
        )
    })
}

fn render_blame_line(blame: &Blame<'_>) -> String {
    let value = one_line(&render_json_value(&blame.value), MAX_VALUE_CHARS);
    let author = match blame.event {
        None => "no event recorded".to_owned(),
        Some(event) => {
            let reason = event
                .reason
                .as_deref()
                .map_or(String::new(), |r| format!(" ({})", one_line(r, MAX_VALUE_CHARS)));
            let epoch = event.epoch.map_or(String::new(), |epoch| format!(", epoch {epoch}"));
            format!("{} by {}{reason}{epoch}, event {}", event.at, render_author(event), event.seq)
        }
    };
    format!("{:<13} {value:<20} {author}", blame.field)
}
