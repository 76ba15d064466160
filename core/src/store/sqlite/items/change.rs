//! Editing and removing items.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::super::dependencies::waiting_for;
use super::super::errors::from_sqlite;
use super::super::events::record;
use super::super::free::free_option;
use super::super::{next, was_done};
use super::{existing, load};
use crate::model::{Item, ItemKey};
use crate::store::news::News;
use crate::store::{InUse, ItemEdit, Provenance, Result, StoreError};

fn unknown(key: &ItemKey) -> StoreError {
    StoreError::Denied(format!("item {key} does not exist"))
}

pub(super) fn edit(tx: &Transaction<'_>, edit: &ItemEdit) -> Result<Item> {
    let (key, by) = (&edit.item, &edit.provenance);
    let before = load(tx, key)?.ok_or_else(|| unknown(key))?;
    if was_done(tx, by)? {
        return Ok(before);
    }
    if let Some(parent) = &edit.parent {
        load(tx, parent)?.ok_or_else(|| unknown(parent))?;
        // The parent would wait for the item, so the item must not wait for it.
        let waits = waiting_for(tx, parent)?;
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
            free_option(edit.title.as_ref()),
            edit.kind,
            edit.parent.as_ref().map(ItemKey::as_str),
            edit.position,
            by.actor,
            by.reason,
            by.op_id
        ],
    )
    .map_err(from_sqlite)?;
    existing(tx, key)
}

pub(super) fn use_of(connection: &Connection, key: &ItemKey) -> Result<Option<InUse>> {
    let item = load(connection, key)?.ok_or_else(|| unknown(key))?;
    if let Some(holder) = item.holder {
        return Ok(Some(InUse::Held(holder)));
    }
    let children = next::children(connection, key)?.all;
    if children > 0 {
        return Ok(Some(InUse::Children(children)));
    }
    let depends = "SELECT item FROM item_dependencies WHERE depends_on = ?1 ORDER BY item LIMIT 1";
    let other: Option<String> = connection
        .query_row(depends, [key.as_str()], |row| row.get(0))
        .optional()
        .map_err(from_sqlite)?;
    if let Some(other) = other.and_then(|other| other.parse().ok()) {
        return Ok(Some(InUse::DependedOn(other)));
    }
    for (table, used) in [
        ("phase_queue", InUse::Phases),
        ("workplan_links", InUse::Workplan),
    ] {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE item = ?1)");
        let is_used = connection.query_row(&sql, [key.as_str()], |row| row.get(0));
        if is_used.map_err(from_sqlite)? {
            return Ok(Some(used));
        }
    }
    Ok(None)
}

pub(super) fn remove(tx: &Transaction<'_>, key: &ItemKey, by: &Provenance) -> Result<()> {
    if was_done(tx, by)? {
        return Ok(());
    }
    if let Some(used) = use_of(tx, key)? {
        return Err(StoreError::Denied(format!(
            "item {key} cannot be removed: {used}"
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
    record(tx, by, &News::of_removed_item(key, facts))
}
