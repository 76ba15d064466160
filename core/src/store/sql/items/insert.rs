//! Adding items.

use super::super::engine::{Tx, args};
use super::super::statement::statements;
use super::super::stored_text::{stored_object, stored_optional_text};
use super::super::{NOW, dependencies};
use super::load::{load_existing_item, load_item, prefetch_item};
use crate::model::{DependencyEdge, Item, ItemStatus, NewItem};
use crate::store::{Provenance, Result, StoreError};

/// The highest position. A child that is added behind it shares it, and comes after by its key.
const MAX_POSITION: &str = "9223372036854775807";

statements! {
    INSERT_ITEM(
        text, text, text, text, int, text, text, int, text, text, text, int, int, text, text
    ) = @repeated
        "INSERT INTO work_items (key, title, kind, parent, position, repo, status,
             requires_evidence, last_actor, last_reason, last_op, completed_at,
             priority, description, extra)
         VALUES (?1, ?2, coalesce(?3, 'task'), ?4,
             CASE WHEN ?5 IS NOT NULL OR ?4 IS NULL THEN ?5 ELSE
                 (SELECT min(coalesce(max(position), 0), ", MAX_POSITION, " - 1) + 1
                  FROM work_items WHERE parent = ?4) END,
             ?6, ?7, ?8, ?9, ?10, ?11, CASE WHEN ?12 <> 0 THEN ", NOW, " END,
             ?13, ?14, ?15)";
}

pub(in super::super) fn add_item(
    tx: &mut impl Tx,
    item: &NewItem,
    provenance: &Provenance,
) -> Result<Item> {
    prefetch_for_insert(tx, item);
    if let Some(present) = load_item(tx, &item.key)? {
        if tx.is_replay(provenance)? {
            return Ok(present);
        }
        return Err(StoreError::denied(format!("item {} already exists", item.key)));
    }
    insert_item(tx, item, provenance)?;
    tx.finish();
    load_existing_item(tx, &item.key)
}

/// Says what will be read before an item is added.
fn prefetch_for_insert(tx: &mut impl Tx, item: &NewItem) {
    if let Some(parent) = &item.parent {
        prefetch_item(tx, parent);
    }
    if let Some(parent) = item.parent.as_ref().filter(|_| !item.depends_on.is_empty()) {
        dependencies::prefetch_waiting_items(tx, parent);
    }
    dependencies::prefetch_statuses(tx, &item.depends_on);
}

/// Adds an item that is not there.
pub(in super::super) fn insert_item(
    tx: &mut impl Tx,
    item: &NewItem,
    provenance: &Provenance,
) -> Result<()> {
    if let Some(parent) = &item.parent
        && load_item(tx, parent)?.is_none()
    {
        return Err(StoreError::denied(format!("parent {parent} does not exist")));
    }
    insert_below_parent(tx, item, provenance)
}

/// Adds an item that is not there, below a parent that is.
pub(in super::super) fn insert_below_parent(
    tx: &mut impl Tx,
    item: &NewItem,
    provenance: &Provenance,
) -> Result<()> {
    let mut waiting = Vec::new();
    // An item that depends on nothing closes no cycle.
    if let Some(parent) = item.parent.as_ref().filter(|_| !item.depends_on.is_empty()) {
        waiting = dependencies::list_waiting_items(tx, parent)?;
        waiting.push(DependencyEdge { item: parent.clone(), on: item.key.clone() });
    }
    let statuses = dependencies::load_statuses(tx, &item.depends_on)?;
    let is_ready =
        dependencies::check_new_dependencies(&item.key, &item.depends_on, &waiting, &statuses)?;
    let status =
        item.status.unwrap_or(if is_ready { ItemStatus::Ready } else { ItemStatus::Queued });
    insert_row(tx, item, status, provenance)?;
    dependencies::insert_dependencies(tx, &item.key, &item.depends_on)
}

/// Writes a new item without its dependencies.
pub(super) fn insert_row(
    tx: &mut impl Tx,
    item: &NewItem,
    status: ItemStatus,
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(
        &INSERT_ITEM,
        args![
            item.key,
            stored_optional_text(item.title.as_ref()),
            item.kind,
            item.parent,
            item.position,
            item.repo,
            status.as_str(),
            item.requires_evidence,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            status.is_finished(),
            item.priority,
            stored_optional_text(item.description.as_ref()),
            stored_object(&item.extra),
        ],
    )?;
    Ok(())
}
