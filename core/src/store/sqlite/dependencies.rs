//! What must be completed before what. Triggers count what is open.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::json;

use super::errors::from_sqlite;
use super::{NOW, execute_cached, is_replay, item_moves, items};
use crate::model::{
    DependencyEdge, Item, ItemKey, ItemStatus, decide_dependency_status, find_dependency_cycle,
    render_cycle,
};
use crate::store::{DependencyChange, Result, StoreError};

/// Whatever waits for an item: what depends on it, and the parent, which is finished after its
/// children. `CROSS` keeps the planner from reading a whole table for the few that wait.
pub(super) const WAITING_ITEMS: &str = "WITH RECURSIVE waiting (key) AS (
         VALUES (?1)
         UNION SELECT d.item FROM waiting CROSS JOIN item_dependencies d ON d.depends_on = waiting.key
         UNION SELECT i.parent FROM waiting CROSS JOIN work_items i ON i.key = waiting.key
               WHERE i.parent IS NOT NULL)
     SELECT d.item, d.depends_on FROM waiting CROSS JOIN item_dependencies d ON d.depends_on = waiting.key
     UNION SELECT i.parent, i.key FROM waiting CROSS JOIN work_items i ON i.key = waiting.key
           WHERE i.parent IS NOT NULL";

/// What an item waits for.
pub(super) const OPEN_DEPENDENCIES: &str = "SELECT w.key, w.status
     FROM item_dependencies d JOIN work_items w ON w.key = d.depends_on
     WHERE d.item = ?1 AND w.status <> 'completed' ORDER BY d.depends_on LIMIT ?2";

pub(super) fn list_waiting_items(
    connection: &Connection,
    key: &ItemKey,
) -> Result<Vec<DependencyEdge>> {
    let mut statement = connection
        .prepare_cached(WAITING_ITEMS)
        .map_err(from_sqlite)?;
    let pairs: Vec<(String, String)> = statement
        .query_map([key.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    pairs
        .iter()
        .map(|(item, on)| {
            let (item, on) = (parse_key(item)?, parse_key(on)?);
            Ok(DependencyEdge { item, on })
        })
        .collect()
}

fn parse_key(key: &str) -> Result<ItemKey> {
    key.parse()
        .map_err(|error| StoreError::Corrupt(format!("a dependency: {error}")))
}

/// Returns what an item waits for, at most so many; 0 is no limit.
pub(super) fn list_open_dependencies(
    connection: &Connection,
    key: &ItemKey,
    limit: u32,
) -> Result<Vec<(ItemKey, ItemStatus)>> {
    let limit = if limit == 0 { -1 } else { i64::from(limit) };
    let mut statement = connection.prepare(OPEN_DEPENDENCIES).map_err(from_sqlite)?;
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
            Ok((parse_key(key)?, status))
        })
        .collect()
}

/// Checks new dependencies of an item for which `waits` wait; returns whether all of them are
/// completed already.
pub(super) fn check_new_dependencies(
    tx: &Transaction<'_>,
    item: &ItemKey,
    dependencies: &[ItemKey],
    waiting: &[DependencyEdge],
) -> Result<bool> {
    let mut all_completed = !dependencies.is_empty();
    for on in dependencies {
        if let Some(circle) = find_dependency_cycle(item, on, waiting) {
            let drawn = render_cycle(&circle);
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
        all_completed &= status == ItemStatus::Completed.as_str();
    }
    Ok(all_completed)
}

pub(super) fn insert_dependencies(
    tx: &Transaction<'_>,
    item: &ItemKey,
    dependencies: &[ItemKey],
) -> Result<()> {
    for on in dependencies {
        execute_cached(
            tx,
            "INSERT OR IGNORE INTO item_dependencies (item, depends_on) VALUES (?1, ?2)",
            [item.as_str(), on.as_str()],
        )?;
    }
    Ok(())
}

pub(super) fn change_dependencies(
    tx: &Transaction<'_>,
    request: &DependencyChange,
) -> Result<Item> {
    let provenance = &request.provenance;
    let before = items::load_item(tx, &request.item)?
        .ok_or_else(|| StoreError::Denied(format!("item {} does not exist", request.item)))?;
    if is_replay(tx, provenance)? {
        return Ok(before);
    }
    if request.remove {
        for on in &request.dependencies {
            execute_cached(
                tx,
                "DELETE FROM item_dependencies WHERE item = ?1 AND depends_on = ?2",
                [request.item.as_str(), on.as_str()],
            )?;
        }
    } else {
        check_new_dependencies(
            tx,
            &request.item,
            &request.dependencies,
            &list_waiting_items(tx, &request.item)?,
        )?;
        insert_dependencies(tx, &request.item, &request.dependencies)?;
    }
    let after = items::load_existing_item(tx, &request.item)?;
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
            provenance.actor,
            request.item.as_str(),
            json!({"depends_on": before.depends_on}).to_string(),
            json!({"depends_on": after.depends_on}).to_string(),
            provenance.reason,
            provenance.op_id,
        ],
    )?;
    let status = decide_dependency_status(
        after.status,
        after.depends_on.len(),
        after.open_dependencies,
    );
    if let Some(status) = status {
        item_moves::apply_dependency_status(tx, &after, status, provenance)?;
    }
    items::load_existing_item(tx, &request.item)
}
