//! What must be completed before what. Triggers count what is open.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::json;

use super::errors::from_sqlite;
use super::{NOW, execute_cached, items, moves, was_done};
use crate::model::{Item, ItemKey, ItemStatus, Waits, circle, drawn, settled};
use crate::store::{Depend, Result, StoreError};

/// Whatever waits for an item: what depends on it, and the parent, which is finished after its
/// children. `CROSS` keeps the planner from reading a whole table for the few that wait.
pub(super) const WAITING_FOR: &str = "WITH RECURSIVE waiting (key) AS (
         VALUES (?1)
         UNION SELECT d.item FROM waiting CROSS JOIN item_dependencies d ON d.depends_on = waiting.key
         UNION SELECT i.parent FROM waiting CROSS JOIN work_items i ON i.key = waiting.key
               WHERE i.parent IS NOT NULL)
     SELECT d.item, d.depends_on FROM waiting CROSS JOIN item_dependencies d ON d.depends_on = waiting.key
     UNION SELECT i.parent, i.key FROM waiting CROSS JOIN work_items i ON i.key = waiting.key
           WHERE i.parent IS NOT NULL";

/// What an item waits for.
pub(super) const OPEN: &str = "SELECT w.key, w.status
     FROM item_dependencies d JOIN work_items w ON w.key = d.depends_on
     WHERE d.item = ?1 AND w.status <> 'completed' ORDER BY d.depends_on LIMIT ?2";

pub(super) fn waiting_for(connection: &Connection, key: &ItemKey) -> Result<Vec<Waits>> {
    let mut statement = connection
        .prepare_cached(WAITING_FOR)
        .map_err(from_sqlite)?;
    let pairs: Vec<(String, String)> = statement
        .query_map([key.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    pairs
        .iter()
        .map(|(item, on)| {
            let (item, on) = (parsed(item)?, parsed(on)?);
            Ok(Waits { item, on })
        })
        .collect()
}

fn parsed(key: &str) -> Result<ItemKey> {
    key.parse()
        .map_err(|error| StoreError::Corrupt(format!("a dependency: {error}")))
}

/// Returns what an item waits for, at most so many; 0 is no limit.
pub(super) fn open(
    connection: &Connection,
    key: &ItemKey,
    limit: u32,
) -> Result<Vec<(ItemKey, ItemStatus)>> {
    let limit = if limit == 0 { -1 } else { i64::from(limit) };
    let mut statement = connection.prepare(OPEN).map_err(from_sqlite)?;
    let rows: Vec<(String, String)> = statement
        .query_map(params![key.as_str(), limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    rows.iter()
        .map(|(key, status)| {
            let status = status.parse();
            let status = status.map_err(|e| StoreError::Corrupt(format!("item {key}: {e}")))?;
            Ok((parsed(key)?, status))
        })
        .collect()
}

/// Checks new dependencies of an item for which `waits` wait; returns whether all of them are
/// completed already.
pub(super) fn admit(
    tx: &Transaction<'_>,
    item: &ItemKey,
    on: &[ItemKey],
    waits: &[Waits],
) -> Result<bool> {
    let mut completed = !on.is_empty();
    for on in on {
        if let Some(circle) = circle(item, on, waits) {
            let drawn = drawn(&circle);
            return Err(StoreError::Denied(format!("circular dependency: {drawn}")));
        }
        let status: Option<String> = tx
            .prepare_cached("SELECT status FROM work_items WHERE key = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([on.as_str()], |row| row.get(0))
                    .optional()
            })
            .map_err(from_sqlite)?;
        let Some(status) = status else {
            return Err(StoreError::Denied(format!("item {on} does not exist")));
        };
        completed &= status == ItemStatus::Completed.as_str();
    }
    Ok(completed)
}

pub(super) fn insert(tx: &Transaction<'_>, item: &ItemKey, on: &[ItemKey]) -> Result<()> {
    for on in on {
        execute_cached(
            tx,
            "INSERT OR IGNORE INTO item_dependencies (item, depends_on) VALUES (?1, ?2)",
            [item.as_str(), on.as_str()],
        )?;
    }
    Ok(())
}

pub(super) fn depend(tx: &Transaction<'_>, request: &Depend) -> Result<Item> {
    let by = &request.provenance;
    let before = items::load(tx, &request.item)?
        .ok_or_else(|| StoreError::Denied(format!("item {} does not exist", request.item)))?;
    if was_done(tx, by)? {
        return Ok(before);
    }
    if request.remove {
        for on in &request.on {
            execute_cached(
                tx,
                "DELETE FROM item_dependencies WHERE item = ?1 AND depends_on = ?2",
                [request.item.as_str(), on.as_str()],
            )?;
        }
    } else {
        admit(
            tx,
            &request.item,
            &request.on,
            &waiting_for(tx, &request.item)?,
        )?;
        insert(tx, &request.item, &request.on)?;
    }
    let after = items::existing(tx, &request.item)?;
    if after.depends_on == before.depends_on {
        return Ok(after);
    }
    execute_cached(
        tx,
        &format!(
            "UPDATE work_items SET revision = revision + 1, updated_at = {NOW} WHERE key = ?1"
        ),
        [request.item.as_str()],
    )?;
    // The dependencies are rows of another table, so no trigger of the item tells of them.
    execute_cached(
        tx,
        "INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
         VALUES (?1, 'item', ?2, 'dependencies', ?3, ?4, ?5, ?6)",
        params![
            by.actor,
            request.item.as_str(),
            json!({"depends_on": before.depends_on}).to_string(),
            json!({"depends_on": after.depends_on}).to_string(),
            by.reason,
            by.op_id,
        ],
    )?;
    let status = settled(
        after.status,
        after.depends_on.len(),
        after.open_dependencies,
    );
    if let Some(status) = status {
        moves::settle(tx, &after, status, by)?;
    }
    items::existing(tx, &request.item)
}
