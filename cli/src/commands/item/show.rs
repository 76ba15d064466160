//! `trueup item show`: an item with its dependencies and latest events.

use serde_json::json;
use trueup_core::model::{EventFilter, Item, ItemKey};
use trueup_core::store::Store;
use trueup_core::text::one_line;
use trueup_core::views::{EventView, ItemView};

use super::lookup::load_item;
use super::render::{MAX_TITLE_CHARS, item_line, join_keys, join_keys_with_status};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::log::Story;
use crate::output::Output;
use crate::page::Line;

/// Most events shown with an item.
const MAX_EVENTS_SHOWN: u32 = 20;

pub(super) fn cmd_show(context: &CommandContext, key: &ItemKey) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let item = load_item(store, key)?;
    let events = store.list_events(&EventFilter {
        item: Some(key.to_string()),
        limit: MAX_EVENTS_SHOWN,
        ..EventFilter::default()
    })?;
    let mut text = vec![item_line("", &item)];
    text.extend(render_item_details(store, &item)?.into_iter().map(Line::from));
    let mut teller = Story::new(context, false);
    text.extend(teller.tell_all(&events));
    let events: Vec<_> = events.iter().map(EventView::from).collect();
    Ok(Output::page(text, json!({"item": ItemView::from(&item), "events": events})))
}

/// Renders further details of an item, where there are any.
fn render_item_details(store: &mut dyn Store, item: &Item) -> CommandResult<Vec<String>> {
    let mut text = Vec::new();
    if let Some(description) = &item.description {
        text.extend(description.lines().map(|line| format!("  {line}")));
    }
    if let Some(parent) = &item.parent {
        let position = item.position.map_or_else(|| "none".to_owned(), |p| p.to_string());
        text.push(format!("  belongs to {parent}, position {position}"));
    }
    let children = store.count_children(&item.key)?;
    if children.total > 0 {
        let (all, unfinished) = (children.total, children.unfinished);
        text.push(format!("  children: {all}, {unfinished} unfinished"));
    }
    if !item.depends_on.is_empty() {
        text.push(format!("  depends on {}", join_keys(&item.depends_on)));
    }
    if item.open_dependencies > 0 {
        let open_dependencies = store.list_open_dependencies(&item.key)?;
        text.push(format!("  waits for {}", join_keys_with_status(&open_dependencies)));
    }
    if let Some(error) = &item.error_message {
        text.push(format!("  {}: {}", item.status, one_line(error, MAX_TITLE_CHARS)));
    }
    match &item.evidence {
        Some(evidence) => text.push(format!("  evidence: {}", one_line(evidence, MAX_TITLE_CHARS))),
        None if item.requires_evidence => {
            text.push("  needs --evidence to be completed".to_owned());
        }
        None => {}
    }
    Ok(text)
}
