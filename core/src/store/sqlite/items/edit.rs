//! Editing and removing items.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::super::dependencies::list_waiting_items;
use super::super::errors::from_sqlite;
use super::super::events::record_event;
use super::super::stored_text::stored_optional_text;
use super::super::{is_replay, next};
use super::{load_existing_item, load_item};
use crate::model::{Item, ItemKey};
use crate::store::event_draft::EventDraft;
use crate::store::{ItemEditRequest, ItemUse, Provenance, Result, StoreError};

fn unknown_item_error(key: &ItemKey) -> StoreError {
    StoreError::Denied(format!("item {key} does not exist"))
}

pub(super) fn edit_item(tx: &Transaction<'_>, edit: &ItemEditRequest) -> Result<Item> {
    let (key, provenance) = (&edit.item, &edit.provenance);
    let before = load_item(tx, key)?.ok_or_else(|| unknown_item_error(key))?;
    if is_replay(tx, provenance)? {
        return Ok(before);
    }
    if let Some(parent) = &edit.parent {
        load_item(tx, parent)?.ok_or_else(|| unknown_item_error(parent))?;
        // The parent would wait for the item, so the item must not wait for it.
        let waits = list_waiting_items(tx, parent)?;
        if parent == key || waits.iter().any(|waits| waits.item == *key) {
            let text = format!(
                "circular dependency: {key} waits for {parent}, which would wait for its child {key}"
            );
            return Err(StoreError::Denied(text));
        }
    }
    tx.execute(
        "UPDATE work_items SET title = coalesce(?2, title), kind = coalesce(?3, kind),
             parent = coalesce(?4, parent), position = coalesce(?5, position),
             last_actor = ?6, last_reason = ?7, last_op = ?8
         WHERE key = ?1",
        params![
            key.as_str(),
            stored_optional_text(edit.title.as_ref()),
            edit.kind,
            edit.parent.as_ref().map(ItemKey::as_str),
            edit.position,
            provenance.actor,
            provenance.reason,
            provenance.op_id
        ],
    )
    .map_err(from_sqlite)?;
    load_existing_item(tx, key)
}

pub(super) fn find_item_use(connection: &Connection, key: &ItemKey) -> Result<Option<ItemUse>> {
    let item = load_item(connection, key)?.ok_or_else(|| unknown_item_error(key))?;
    if let Some(holder) = item.holder {
        return Ok(Some(ItemUse::Held(holder)));
    }
    let children = next::count_children(connection, key)?.total;
    if children > 0 {
        return Ok(Some(ItemUse::Children(children)));
    }
    let depends = "SELECT item FROM item_dependencies WHERE depends_on = ?1 ORDER BY item LIMIT 1";
    let other: Option<String> = connection
        .query_row(depends, [key.as_str()], |row| row.get(0))
        .optional()
        .map_err(from_sqlite)?;
    if let Some(other) = other.and_then(|other| other.parse().ok()) {
        return Ok(Some(ItemUse::DependedOn(other)));
    }
    for (table, item_use) in [
        ("phase_queue", ItemUse::Phases),
        ("workplan_links", ItemUse::Workplan),
    ] {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE item = ?1)");
        let is_used = connection.query_row(&sql, [key.as_str()], |row| row.get(0));
        if is_used.map_err(from_sqlite)? {
            return Ok(Some(item_use));
        }
    }
    Ok(None)
}

pub(super) fn remove_item(
    tx: &Transaction<'_>,
    key: &ItemKey,
    provenance: &Provenance,
) -> Result<()> {
    if is_replay(tx, provenance)? {
        return Ok(());
    }
    if let Some(item_use) = find_item_use(tx, key)? {
        return Err(StoreError::Denied(format!(
            "item {key} cannot be removed: {item_use}"
        )));
    }
    let facts: String = tx
        .query_row(
            "SELECT facts FROM work_items WHERE key = ?1",
            [key.as_str()],
            |row| row.get(0),
        )
        .map_err(from_sqlite)?;
    for step in [
        "INSERT INTO trueup_meta (key, value) VALUES ('removing_item', ?1)",
        "DELETE FROM item_dependencies WHERE item = ?1",
        "DELETE FROM work_items WHERE key = ?1",
        "DELETE FROM trueup_meta WHERE key = 'removing_item' AND value = ?1",
    ] {
        tx.execute(step, [key.as_str()]).map_err(from_sqlite)?;
    }
    let facts = serde_json::from_str(&facts).unwrap_or_default();
    record_event(tx, provenance, &EventDraft::of_removed_item(key, facts))
}
