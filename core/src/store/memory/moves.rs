//! Changes of an item's status, with what follows from them.

use super::{MemoryStore, changes, claims, items};
use crate::model::{Entity, Item, ItemKey, ItemStatus, MoveGrant, Step, settled, step};
use crate::store::{ItemMove, ItemMoved, Provenance, Result, StoreError};

pub(super) fn move_item(store: &mut MemoryStore, request: &ItemMove) -> Result<ItemMoved> {
    let (grant, by) = (&request.grant, &request.provenance);
    check(store, grant, by)?;
    let item = changes::item(store, &grant.item, by, |row| {
        row.status = grant.to;
        row.evidence.clone_from(&grant.evidence);
        row.error_message.clone_from(&grant.error_message);
        if grant.releases {
            row.holder = None;
        }
    })?;
    if item.status == ItemStatus::Completed
        && item.requires_evidence
        && item.evidence.as_deref().is_none_or(str::is_empty)
    {
        let text = "the item is completed with evidence only";
        return Err(StoreError::Denied(text.to_owned()));
    }
    if let Some(holder) = grant.expected_holder.as_ref().filter(|_| grant.releases) {
        claims::end_work(store, holder, by)?;
    }
    let reason = if grant.back { "reopened" } else { "completed" };
    let because = Provenance {
        reason: Some(format!("{} {reason}", grant.item).into()),
        ..by.clone()
    };
    let waiting = store.items.values();
    let waiting: Vec<Item> = waiting
        .filter(|other| other.depends_on.contains(&grant.item))
        .cloned()
        .collect();
    for other in waiting {
        let status = settled(
            other.status,
            other.depends_on.len(),
            other.open_dependencies,
        );
        if let Some(status) = status {
            settle(store, &other, status, &because)?;
        }
    }
    first_answer(store, request)
}

/// Refuses a grant that no longer fits the item, and one that contradicts itself.
fn check(store: &MemoryStore, grant: &MoveGrant, by: &Provenance) -> Result<()> {
    let item = store.items.get(&grant.item).filter(|item| {
        item.holder == grant.expected_holder
            && item.epoch == grant.expected_epoch
            && item.revision == grant.expected_revision
    });
    let item = item.ok_or_else(|| {
        StoreError::Conflict(format!("item {} was changed meanwhile", grant.item))
    })?;
    if grant.to.is_finished() && grant.expected_holder.is_some() && !grant.releases {
        return Err(StoreError::Denied(
            "a finished item has no holder".to_owned(),
        ));
    }
    let back = step(Entity::Item, item.status.as_str(), grant.to.as_str()) == Step::Back;
    if back != grant.back || back && by.reason.as_deref().is_none_or(str::is_empty) {
        return Err(StoreError::Denied("no legal change of status".to_owned()));
    }
    Ok(())
}

/// Gives an item that nobody holds the status its dependencies bring about.
pub(super) fn settle(
    store: &mut MemoryStore,
    item: &Item,
    status: ItemStatus,
    by: &Provenance,
) -> Result<()> {
    if item.holder.is_none() {
        changes::item(store, &item.key, by, |row| row.status = status)?;
    }
    Ok(())
}

/// Answers by what the operation left behind.
pub(super) fn first_answer(store: &MemoryStore, request: &ItemMove) -> Result<ItemMoved> {
    let (key, by) = (&request.grant.item, &request.provenance);
    let mut followed: Vec<(ItemKey, ItemStatus)> = store
        .events
        .iter()
        .filter(|e| e.op_id.as_ref() == Some(&by.op_id) && e.entity == "item")
        .filter(|e| e.kind == "status" && e.key != key.as_str())
        .filter_map(|e| {
            Some((
                e.key.parse().ok()?,
                e.after["status"].as_str()?.parse().ok()?,
            ))
        })
        .collect();
    followed.sort();
    Ok(ItemMoved {
        item: items::existing(store, key)?,
        followed,
    })
}
