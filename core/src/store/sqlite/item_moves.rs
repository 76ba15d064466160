//! Changes of an item's status, with what follows from them.

use rusqlite::{Transaction, params};

use super::errors::from_sqlite;
use super::sessions::to_signed;
use super::stored_text::stored_optional_text;
use super::{claims, is_replay, items};
use crate::model::{Item, ItemKey, ItemStatus, MoveGrant, SessionId, decide_dependency_status};
use crate::store::{GrantedMove, MovedItem, Provenance, Result, StoreError};

pub(super) fn move_item(tx: &Transaction<'_>, request: &GrantedMove) -> Result<MovedItem> {
    let (grant, provenance) = (&request.grant, &request.provenance);
    if is_replay(tx, provenance)? {
        return Ok(MovedItem {
            item: items::load_existing_item(tx, &grant.item)?,
            moved_dependents: list_moved_dependents(tx, &grant.item, provenance)?,
        });
    }
    update_item_status(tx, grant, provenance)?;
    if let Some(holder) = grant
        .expected_holder
        .as_ref()
        .filter(|_| grant.releases_holder)
    {
        claims::clear_current_work(tx, holder, provenance)?;
    }
    let verb = if grant.is_reopening {
        "reopened"
    } else {
        "completed"
    };
    let dependent_provenance = Provenance {
        reason: Some(format!("{} {verb}", grant.item).into()),
        ..provenance.clone()
    };
    for dependent in load_dependents(tx, &grant.item)? {
        let status = decide_dependency_status(
            dependent.status,
            dependent.depends_on.len(),
            dependent.open_dependencies,
        );
        if let Some(status) = status {
            apply_dependency_status(tx, &dependent, status, &dependent_provenance)?;
        }
    }
    Ok(MovedItem {
        item: items::load_existing_item(tx, &grant.item)?,
        moved_dependents: list_moved_dependents(tx, &grant.item, provenance)?,
    })
}

fn update_item_status(
    tx: &Transaction<'_>,
    grant: &MoveGrant,
    provenance: &Provenance,
) -> Result<()> {
    let changed = tx
        .execute(
            "UPDATE work_items SET status = ?1, holder = iif(?2, NULL, holder), evidence = ?3,
                 error_message = ?4, reopened = reopened + ?5, under_epoch = ?6,
                 last_actor = ?7, last_reason = ?8, last_op = ?9
             WHERE key = ?10 AND holder IS ?11 AND claim_epoch = ?6 AND revision = ?12",
            params![
                grant.to.as_str(),
                grant.releases_holder,
                stored_optional_text(grant.evidence.as_ref()),
                stored_optional_text(grant.error_message.as_ref()),
                grant.is_reopening,
                to_signed(grant.expected_epoch.0),
                provenance.actor,
                provenance.reason,
                provenance.op_id,
                grant.item.as_str(),
                grant.expected_holder.as_ref().map(SessionId::as_str),
                to_signed(grant.expected_revision.0),
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

fn load_dependents(tx: &Transaction<'_>, key: &ItemKey) -> Result<Vec<Item>> {
    let mut statement = tx
        .prepare("SELECT item FROM item_dependencies WHERE depends_on = ?1 ORDER BY item")
        .map_err(from_sqlite)?;
    let keys: Vec<String> = statement
        .query_map([key.as_str()], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    let mut dependents = Vec::with_capacity(keys.len());
    for key in keys.iter().filter_map(|key| key.parse().ok()) {
        dependents.extend(items::load_item(tx, &key)?);
    }
    Ok(dependents)
}

/// Gives an item that nobody holds the status its dependencies bring about.
pub(super) fn apply_dependency_status(
    tx: &Transaction<'_>,
    item: &Item,
    status: ItemStatus,
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(
        "UPDATE work_items SET status = ?1, last_actor = ?2, last_reason = ?3, last_op = ?4
         WHERE key = ?5 AND holder IS NULL AND status = ?6",
        params![
            status.as_str(),
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            item.key.as_str(),
            item.status.as_str(),
        ],
    )
    .map_err(from_sqlite)?;
    Ok(())
}

/// Returns what an operation moved beside the item itself.
fn list_moved_dependents(
    tx: &Transaction<'_>,
    item: &ItemKey,
    provenance: &Provenance,
) -> Result<Vec<(ItemKey, ItemStatus)>> {
    let mut statement = tx
        .prepare(
            "SELECT key, after ->> 'status' FROM events
             WHERE op_id = ?1 AND entity = 'item' AND kind = 'status' AND key <> ?2 ORDER BY key",
        )
        .map_err(from_sqlite)?;
    let rows: Vec<(String, String)> = statement
        .query_map([provenance.op_id.as_str(), item.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    let parse_pair =
        |(key, status): &(String, String)| Some((key.parse().ok()?, status.parse().ok()?));
    Ok(rows.iter().filter_map(parse_pair).collect())
}
