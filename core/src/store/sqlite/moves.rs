//! Changes of an item's status, with what follows from them.

use rusqlite::{Transaction, params};

use super::errors::from_sqlite;
use super::free::free_option;
use super::sessions::signed;
use super::{claims, items, was_done};
use crate::model::{Item, ItemKey, ItemStatus, MoveGrant, SessionId, settled};
use crate::store::{ItemMove, ItemMoved, Provenance, Result, StoreError};

pub(super) fn move_item(tx: &Transaction<'_>, request: &ItemMove) -> Result<ItemMoved> {
    let (grant, by) = (&request.grant, &request.provenance);
    if was_done(tx, by)? {
        return Ok(ItemMoved {
            item: items::existing(tx, &grant.item)?,
            followed: followed(tx, &grant.item, by)?,
        });
    }
    carry_out(tx, grant, by)?;
    if let Some(holder) = grant.expected_holder.as_ref().filter(|_| grant.releases) {
        claims::end_work(tx, holder, by)?;
    }
    let reason = if grant.back { "reopened" } else { "completed" };
    let because = Provenance {
        reason: Some(format!("{} {reason}", grant.item).into()),
        ..by.clone()
    };
    for dependent in dependents(tx, &grant.item)? {
        let status = settled(
            dependent.status,
            dependent.depends_on.len(),
            dependent.open_dependencies,
        );
        if let Some(status) = status {
            settle(tx, &dependent, status, &because)?;
        }
    }
    Ok(ItemMoved {
        item: items::existing(tx, &grant.item)?,
        followed: followed(tx, &grant.item, by)?,
    })
}

fn carry_out(tx: &Transaction<'_>, grant: &MoveGrant, by: &Provenance) -> Result<()> {
    let changed = tx
        .execute(
            "UPDATE work_items SET status = ?1, holder = iif(?2, NULL, holder), evidence = ?3,
                 error_message = ?4, reopened = reopened + ?5, under_epoch = ?6,
                 last_actor = ?7, last_reason = ?8, last_op = ?9
             WHERE key = ?10 AND holder IS ?11 AND claim_epoch = ?6 AND revision = ?12",
            params![
                grant.to.as_str(),
                grant.releases,
                free_option(grant.evidence.as_ref()),
                free_option(grant.error_message.as_ref()),
                grant.back,
                signed(grant.expected_epoch.0),
                by.actor,
                by.reason,
                by.op_id,
                grant.item.as_str(),
                grant.expected_holder.as_ref().map(SessionId::as_str),
                signed(grant.expected_revision.0),
            ],
        )
        .map_err(from_sqlite)?;
    if changed == 0 {
        return Err(StoreError::Conflict(format!(
            "item {} was changed by someone else",
            grant.item
        )));
    }
    Ok(())
}

fn dependents(tx: &Transaction<'_>, key: &ItemKey) -> Result<Vec<Item>> {
    let mut statement = tx
        .prepare("SELECT item FROM item_dependencies WHERE depends_on = ?1 ORDER BY item")
        .map_err(from_sqlite)?;
    let keys: Vec<String> = statement
        .query_map([key.as_str()], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    let mut dependents = Vec::with_capacity(keys.len());
    for key in keys.iter().filter_map(|key| key.parse().ok()) {
        dependents.extend(items::load(tx, &key)?);
    }
    Ok(dependents)
}

/// Gives an item that nobody holds the status its dependencies bring about.
pub(super) fn settle(
    tx: &Transaction<'_>,
    item: &Item,
    status: ItemStatus,
    by: &Provenance,
) -> Result<()> {
    tx.execute(
        "UPDATE work_items SET status = ?1, last_actor = ?2, last_reason = ?3, last_op = ?4
         WHERE key = ?5 AND holder IS NULL AND status = ?6",
        params![
            status.as_str(),
            by.actor,
            by.reason,
            by.op_id,
            item.key.as_str(),
            item.status.as_str(),
        ],
    )
    .map_err(from_sqlite)?;
    Ok(())
}

/// Returns what an operation moved beside the item itself.
fn followed(
    tx: &Transaction<'_>,
    item: &ItemKey,
    by: &Provenance,
) -> Result<Vec<(ItemKey, ItemStatus)>> {
    let mut statement = tx
        .prepare(
            "SELECT key, after ->> 'status' FROM events
             WHERE op_id = ?1 AND entity = 'item' AND kind = 'status' AND key <> ?2 ORDER BY key",
        )
        .map_err(from_sqlite)?;
    let rows: Vec<(String, String)> = statement
        .query_map([by.op_id.as_str(), item.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    let pair = |(key, status): &(String, String)| Some((key.parse().ok()?, status.parse().ok()?));
    Ok(rows.iter().filter_map(pair).collect())
}
