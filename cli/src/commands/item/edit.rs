//! `trueup item edit` and `trueup item remove`

use serde_json::{Value, json};
use trueup_core::model::{DependencyEdge, Item, ItemKey};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ItemEditRequest, ItemStore as _};

use super::load_item;
use crate::args::ItemEditArgs;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::commands::render_json_value;
use crate::output::Output;
use crate::views;

pub(super) fn cmd_edit(
    context: &CommandContext,
    arguments: ItemEditArgs,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let provenance = context.provenance(&context.resolve_actor(&mut store)?, "item edit");
    let key = arguments.key;
    if let Some(event) =
        context.find_replay(&mut store, "item", Some(key.as_str()), &["changed"])?
    {
        let item = load_item(&mut store, &key)?;
        let text = format!("this operation changed {key} at {}", event.at);
        return Ok(Output::new(
            vec![text],
            json!({"item": views::item_view(&item)}),
        ));
    }
    let before = load_item(&mut store, &key)?;
    if let Some(parent) = &arguments.parent {
        check_new_parent(&mut store, &key, parent)?;
    }
    let item = store.edit_item(&ItemEditRequest {
        item: key,
        title: arguments.title,
        kind: arguments.kind,
        parent: arguments.parent,
        position: arguments.position,
        provenance,
    })?;
    Ok(Output::new(
        render_changes(&before, &item),
        json!({"item": views::item_view(&item)}),
    ))
}

/// Refuses a parent that is not there or waits for the item, with a code of its own.
fn check_new_parent(
    store: &mut SqliteStore,
    key: &ItemKey,
    parent: &ItemKey,
) -> Result<(), CommandError> {
    load_item(store, parent)?;
    let waits = store.list_waiting_items(parent)?;
    let is_key = |waits: &DependencyEdge| waits.item == *key;
    if parent == key || waits.iter().any(is_key) {
        let text = format!(
            "circular dependency: {key} waits for {parent}, which would wait for its child {key}"
        );
        let item = key.into();
        return Err(CommandError::new(ErrorCase::ParentCycle { item }, text));
    }
    Ok(())
}

/// Says what changed, from what, to what.
fn render_changes(before: &Item, after: &Item) -> Vec<String> {
    let (old, new) = (before.event_facts(), after.event_facts());
    let fields = ["title", "kind", "parent", "position"];
    let fields = fields.into_iter().filter(|field| old[field] != new[field]);
    let mut text: Vec<String> = fields
        .map(|field| {
            let (from, to): (&Value, &Value) = (&old[field], &new[field]);
            format!(
                "{} {field}: {} -> {}",
                after.key,
                render_json_value(from),
                render_json_value(to)
            )
        })
        .collect();
    if text.is_empty() {
        text.push("nothing changed".to_owned());
    }
    text
}

pub(super) fn cmd_remove(
    context: &CommandContext,
    key: &ItemKey,
    reason: Option<&str>,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let provenance = context.provenance(
        &context.resolve_actor(&mut store)?,
        reason.unwrap_or("item remove"),
    );
    if let Some(event) =
        context.find_replay(&mut store, "item", Some(key.as_str()), &["removed"])?
    {
        let text = format!("this operation removed {key} at {}", event.at);
        return Ok(Output::new(vec![text], json!({"item": null})));
    }
    let item = load_item(&mut store, key)?;
    if let Some(used) = store.find_item_use(key)? {
        let text = format!("{key} cannot be removed: {used}");
        let active_session = context
            .find_active_session(&mut store)?
            .map(|session| session.id);
        let is_free = item.holder.is_none() || item.holder == active_session;
        let case = if is_free && !item.status.is_finished() {
            ErrorCase::ItemInUse { item: key.into() }
        } else {
            ErrorCase::ItemStays { item: key.into() }
        };
        return Err(CommandError::new(case, text));
    }
    store.remove_item(key, &provenance)?;
    let text = format!("removed {key}, which was {}", item.status);
    Ok(Output::new(
        vec![text],
        json!({"item": views::item_view(&item)}),
    ))
}
