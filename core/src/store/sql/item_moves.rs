//! Changes of an item's status, with what follows from them for its dependents.

use super::dependencies::write_dependency_status;
use super::engine::{Tx, args};
use super::statement::statements;
use super::stored_text::stored_optional_text;
use super::{claims, handoffs, items};
use crate::model::{ItemKey, ItemStatus, MoveGrant, decide_dependency_status};
use crate::store::{GrantedMove, MovedItem, Provenance, Result, StoreError};

statements! {
    /// Takes effect only on the revision, holder and epoch that the move was decided on.
    MOVE_ITEM(text, int, text, text, int, int, text, text, text, text, text, int) =
        "UPDATE work_items SET status = ?1, holder = CASE WHEN ?2 <> 0 THEN NULL ELSE holder END,
             evidence = ?3, error_message = ?4, reopened = reopened + ?5, under_epoch = ?6,
             last_actor = ?7, last_reason = ?8, last_op = ?9
         WHERE key = ?10 AND holder IS NOT DISTINCT FROM ?11 AND claim_epoch = ?6
           AND revision = ?12";

    LIST_DEPENDENTS(text) =
        "SELECT w.key, w.status, w.open_dependencies,
             (SELECT count(*) FROM item_dependencies a WHERE a.item = w.key)
         FROM item_dependencies d JOIN work_items w ON w.key = d.item
         WHERE d.depends_on = ?1 ORDER BY d.item";

    LIST_MOVED_DEPENDENTS(text, text) =
        "SELECT key, after ->> 'status' FROM events
         WHERE op_id = ?1 AND entity = 'item' AND kind = 'status' AND key <> ?2 ORDER BY key";
}

/// An item that depends on one that moves.
struct Dependent {
    key: ItemKey,
    status: ItemStatus,
    open_dependencies: u64,
    dependencies: u32,
}

pub(super) fn move_item(tx: &mut impl Tx, request: &GrantedMove) -> Result<MovedItem> {
    let (grant, provenance) = (&request.grant, &request.provenance);
    if !tx.is_replay(provenance)? {
        write_move(tx, grant, provenance)?;
        if let Some(holder) = &grant.expected_holder
            && grant.releases_holder
        {
            claims::clear_current_work(tx, holder, provenance)?;
        }
        let is_finished = grant.to.is_finished();
        if grant.releases_holder || is_finished {
            // Both are read behind the writes, in one request.
            tx.prefetch(&LIST_DEPENDENTS, args![grant.item]);
            handoffs::withdraw_of_moved_item(tx, &grant.item, is_finished, provenance)?;
        }
        let verb = if grant.is_reopening { "reopened" } else { "completed" };
        let because = provenance.because(format!("{} {verb}", grant.item));
        update_dependents(tx, &grant.item, &because)?;
    }
    tx.finish();
    tx.prefetch(&LIST_MOVED_DEPENDENTS, args![provenance.op_id, grant.item]);
    Ok(MovedItem {
        item: items::load_existing_item(tx, &grant.item)?,
        moved_dependents: list_moved_dependents(tx, &grant.item, provenance)?,
    })
}

fn write_move(tx: &mut impl Tx, grant: &MoveGrant, provenance: &Provenance) -> Result<()> {
    tx.change(
        &MOVE_ITEM,
        args![
            grant.to.as_str(),
            grant.releases_holder,
            stored_optional_text(grant.evidence.as_ref()),
            stored_optional_text(grant.error_message.as_ref()),
            grant.is_reopening,
            grant.expected_epoch,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            grant.item,
            grant.expected_holder,
            grant.expected_revision,
        ],
        || StoreError::Conflict(format!("item {} was changed by someone else", grant.item)),
    )
}

/// Gives the dependents of an item that moved the status that their dependencies bring about.
pub(super) fn update_dependents(
    tx: &mut impl Tx,
    key: &ItemKey,
    provenance: &Provenance,
) -> Result<()> {
    let dependents = tx.rows(&LIST_DEPENDENTS, args![key], |row| {
        Ok(Dependent {
            key: row.get(0)?,
            status: row.get(1)?,
            open_dependencies: row.get(2)?,
            dependencies: row.get(3)?,
        })
    })?;
    for dependent in dependents {
        let dependencies = usize::try_from(dependent.dependencies).unwrap_or(usize::MAX);
        let status =
            decide_dependency_status(dependent.status, dependencies, dependent.open_dependencies);
        if let Some(status) = status {
            write_dependency_status(tx, &dependent.key, dependent.status, status, provenance)?;
        }
    }
    Ok(())
}

/// Returns what an operation moved beside the item itself, as its events tell.
fn list_moved_dependents(
    tx: &mut impl Tx,
    item: &ItemKey,
    provenance: &Provenance,
) -> Result<Vec<(ItemKey, ItemStatus)>> {
    let moved = tx.rows(&LIST_MOVED_DEPENDENTS, args![provenance.op_id, item], |row| {
        let moved: (String, Option<String>) = (row.get(0)?, row.get(1)?);
        Ok(moved)
    })?;
    let parse =
        |(key, status): (String, Option<String>)| Some((key.parse().ok()?, status?.parse().ok()?));
    Ok(moved.into_iter().filter_map(parse).collect())
}
