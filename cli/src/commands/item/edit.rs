//! `trueup item edit` and `trueup item remove`

use serde_json::{Value, json};
use trueup_core::model::{Item, ItemKey, Waits};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ItemEdit, ItemStore as _};

use super::known;
use crate::args::ItemEditArgs;
use crate::commands::plain;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

pub(super) fn edit(desk: &Desk, arguments: ItemEditArgs) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let by = desk.provenance(&desk.actor(&mut store)?, "item edit");
    let key = arguments.key;
    if let Some(event) = desk.carried_out(&mut store, "item", Some(key.as_str()), &["changed"])? {
        let item = known(&mut store, &key)?;
        let text = format!("this operation changed {key} at {}", event.at);
        return Ok(Answer::new(vec![text], json!({"item": json::item(&item)})));
    }
    let before = known(&mut store, &key)?;
    if let Some(parent) = &arguments.parent {
        admit_parent(&mut store, &key, parent)?;
    }
    let item = store.edit_item(&ItemEdit {
        item: key,
        title: arguments.title,
        kind: arguments.kind,
        parent: arguments.parent,
        position: arguments.position,
        provenance: by,
    })?;
    Ok(Answer::new(
        changed(&before, &item),
        json!({"item": json::item(&item)}),
    ))
}

/// Refuses a parent that is not there or waits for the item, with a code of its own.
fn admit_parent(store: &mut SqliteStore, key: &ItemKey, parent: &ItemKey) -> Result<(), Failure> {
    known(store, parent)?;
    let waits = store.waiting_for(parent)?;
    let is_key = |waits: &Waits| waits.item == *key;
    if parent == key || waits.iter().any(is_key) {
        let text = format!(
            "circular dependency: {key} waits for {parent}, which would wait for its child {key}"
        );
        let item = key.into();
        return Err(Failure::new(ErrorCase::ParentCycle { item }, text));
    }
    Ok(())
}

/// Says what changed, from what, to what.
fn changed(before: &Item, after: &Item) -> Vec<String> {
    let (old, new) = (before.facts(), after.facts());
    let fields = ["title", "kind", "parent", "position"];
    let fields = fields.into_iter().filter(|field| old[field] != new[field]);
    let mut text: Vec<String> = fields
        .map(|field| {
            let (from, to): (&Value, &Value) = (&old[field], &new[field]);
            format!("{} {field}: {} -> {}", after.key, plain(from), plain(to))
        })
        .collect();
    if text.is_empty() {
        text.push("nothing changed".to_owned());
    }
    text
}

pub(super) fn remove(desk: &Desk, key: &ItemKey, reason: Option<&str>) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let by = desk.provenance(&desk.actor(&mut store)?, reason.unwrap_or("item remove"));
    if let Some(event) = desk.carried_out(&mut store, "item", Some(key.as_str()), &["removed"])? {
        let text = format!("this operation removed {key} at {}", event.at);
        return Ok(Answer::new(vec![text], json!({"item": null})));
    }
    let item = known(&mut store, key)?;
    if let Some(used) = store.use_of_item(key)? {
        let text = format!("{key} cannot be removed: {used}");
        let speaker = desk.mover(&mut store)?.map(|session| session.id);
        let is_free = item.holder.is_none() || item.holder == speaker;
        let case = if is_free && !item.status.is_finished() {
            ErrorCase::ItemInUse { item: key.into() }
        } else {
            ErrorCase::ItemStays { item: key.into() }
        };
        return Err(Failure::new(case, text));
    }
    store.remove_item(key, &by)?;
    let text = format!("removed {key}, which was {}", item.status);
    Ok(Answer::new(vec![text], json!({"item": json::item(&item)})))
}
