//! Work items.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::errors::from_sqlite;
use super::{rows, was_done};
use crate::model::{Item, ItemKey, NewItem};
use crate::store::{ItemFilter, Provenance, Result, StoreError};

pub(super) fn load(connection: &Connection, key: &ItemKey) -> Result<Option<Item>> {
    let sql = format!("SELECT {} FROM work_items WHERE key = ?1", rows::ITEM);
    connection
        .query_row(&sql, [key.as_str()], rows::item)
        .optional()
        .map_err(from_sqlite)
}

pub(super) fn list(connection: &Connection, filter: &ItemFilter) -> Result<Vec<Item>> {
    let held = if filter.held {
        "AND holder IS NOT NULL"
    } else {
        ""
    };
    let parent = if filter.parent.is_some() {
        "AND parent = ?1"
    } else {
        "AND ?1 IS NULL"
    };
    let sql = format!(
        "SELECT {} FROM work_items WHERE 1 {held} {parent} ORDER BY parent, position, key",
        rows::ITEM
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map([filter.parent.as_ref().map(ItemKey::as_str)], rows::item)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

pub(super) fn known(connection: &Connection, keys: &[&str]) -> Result<Vec<String>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let marks = vec!["?"; keys.len()].join(", ");
    let sql = format!("SELECT key FROM work_items WHERE key IN ({marks}) ORDER BY key");
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(rusqlite::params_from_iter(keys), |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

pub(super) fn add(tx: &Transaction<'_>, item: &NewItem, provenance: &Provenance) -> Result<Item> {
    let existing = load(tx, &item.key)?;
    if let Some(existing) = &existing
        && was_done(tx, provenance)?
    {
        return Ok(existing.clone());
    }
    if existing.is_some() {
        return Err(StoreError::Denied(format!(
            "item {} exists already",
            item.key
        )));
    }
    if let Some(parent) = &item.parent
        && load(tx, parent)?.is_none()
    {
        return Err(StoreError::Denied(format!(
            "parent {parent} does not exist"
        )));
    }
    tx.execute(
        "INSERT INTO work_items (key, title, kind, parent, position, repo, last_actor, last_reason,
             last_op)
         VALUES (?1, ?2, coalesce(?3, 'task'), ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            item.key.as_str(),
            item.title,
            item.kind,
            item.parent.as_ref().map(ItemKey::as_str),
            item.position,
            item.repo,
            provenance.actor,
            provenance.reason,
            provenance.op_id
        ],
    )
    .map_err(from_sqlite)?;
    load(tx, &item.key)?.ok_or_else(|| StoreError::Conflict(format!("item {} vanished", item.key)))
}
