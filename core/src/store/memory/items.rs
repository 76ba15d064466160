//! Work items.

use serde_json::Value as Json;

use super::MemoryStore;
use super::events::record;
use crate::model::{Epoch, Item, ItemKey, ItemStatus, NewItem, Revision};
use crate::store::news::News;
use crate::store::{ItemFilter, Provenance, Result, StoreError};

pub(super) fn existing(store: &MemoryStore, key: &ItemKey) -> Result<Item> {
    store
        .items
        .get(key)
        .cloned()
        .ok_or_else(|| StoreError::Conflict(format!("item {key} vanished")))
}

pub(super) fn add(store: &mut MemoryStore, new: &NewItem, by: &Provenance) -> Result<Item> {
    let denied = |text: String| Err(StoreError::Denied(text));
    if store.items.contains_key(&new.key) {
        return denied(format!("item {} exists already", new.key));
    }
    if let Some(parent) = new.parent.as_ref().filter(|p| !store.items.contains_key(p)) {
        return denied(format!("parent {parent} does not exist"));
    }
    let item = Item {
        key: new.key.clone(),
        title: new.title.clone(),
        kind: new.kind.clone().unwrap_or_else(|| "task".to_owned()),
        parent: new.parent.clone(),
        position: new.position,
        repo: new.repo.clone(),
        status: ItemStatus::Queued,
        phase: None,
        holder: None,
        epoch: Epoch(0),
        claimed_at: None,
        error_message: None,
        evidence: None,
        revision: Revision(1),
        created_at: store.now,
        updated_at: store.now,
        completed_at: None,
    };
    let after = item.facts();
    let news = News {
        entity: "item",
        key: item.key.as_str(),
        kind: "added",
        before: Json::Null,
        after,
        epoch: None,
    };
    record(store, by, news);
    store.items.insert(item.key.clone(), item.clone());
    Ok(item)
}

pub(super) fn list(store: &MemoryStore, filter: &ItemFilter) -> Vec<Item> {
    let mut found: Vec<Item> = store
        .items
        .values()
        .filter(|i| filter.parent.is_none() || i.parent == filter.parent)
        .filter(|i| !filter.held || i.holder.is_some())
        .cloned()
        .collect();
    found.sort_by(|a, b| (&a.parent, a.position, &a.key).cmp(&(&b.parent, b.position, &b.key)));
    found
}

pub(super) fn known(store: &MemoryStore, keys: &[&str]) -> Vec<String> {
    store
        .items
        .keys()
        .map(ItemKey::as_str)
        .filter(|key| keys.contains(key))
        .map(str::to_owned)
        .collect()
}
