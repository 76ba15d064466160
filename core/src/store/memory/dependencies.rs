//! What must be completed before what.

use std::collections::BTreeSet;

use serde_json::json;

use super::events::record;
use super::{MemoryStore, changes, items, moves};
use crate::model::{Item, ItemKey, ItemStatus, Waits, circle, drawn, settled};
use crate::store::news::News;
use crate::store::{Depend, Result, StoreError};

pub(super) fn waiting_for(store: &MemoryStore, key: &ItemKey) -> Vec<Waits> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::from([key.clone()]);
    let mut left = vec![key.clone()];
    while let Some(on) = left.pop() {
        let depending = store.items.values().filter(|i| i.depends_on.contains(&on));
        let parent = store.items.get(&on).and_then(|i| i.parent.clone());
        for item in depending.map(|i| i.key.clone()).chain(parent) {
            if seen.insert(item.clone()) {
                left.push(item.clone());
            }
            let on = on.clone();
            found.insert(Waits { item, on });
        }
    }
    found.into_iter().collect()
}

pub(super) fn admit(
    store: &MemoryStore,
    item: &ItemKey,
    on: &[ItemKey],
    waits: &[Waits],
) -> Result<()> {
    for on in on {
        if let Some(circle) = circle(item, on, waits) {
            let drawn = drawn(&circle);
            return Err(StoreError::Denied(format!("a circle: {drawn}")));
        }
        if !store.items.contains_key(on) {
            return Err(StoreError::Denied(format!("item {on} does not exist")));
        }
    }
    Ok(())
}

/// Returns those that are not completed.
pub(super) fn open(store: &MemoryStore, on: &[ItemKey]) -> Vec<(ItemKey, ItemStatus)> {
    let known = on.iter().filter_map(|on| store.items.get(on));
    known
        .filter(|item| item.status != ItemStatus::Completed)
        .map(|item| (item.key.clone(), item.status))
        .collect()
}

pub(super) fn depend(store: &mut MemoryStore, request: &Depend) -> Result<Item> {
    let (key, by) = (&request.item, &request.provenance);
    let unknown = || StoreError::Denied(format!("item {key} does not exist"));
    let before = store.items.get(key).cloned().ok_or_else(unknown)?;
    let mut on: BTreeSet<ItemKey> = before.depends_on.iter().cloned().collect();
    if request.remove {
        on.retain(|on| !request.on.contains(on));
    } else {
        admit(store, key, &request.on, &waiting_for(store, key))?;
        on.extend(request.on.iter().cloned());
    }
    let on: Vec<ItemKey> = on.into_iter().collect();
    if on == before.depends_on {
        return Ok(before);
    }
    let now = store.now;
    if let Some(row) = store.items.get_mut(key) {
        row.depends_on.clone_from(&on);
        row.revision.0 += 1;
        row.updated_at = now;
    }
    changes::count_open(store);
    let news = News {
        entity: "item",
        key: key.as_str(),
        kind: "dependencies",
        before: json!({"depends_on": before.depends_on}),
        after: json!({"depends_on": on}),
        epoch: None,
    };
    record(store, by, news);
    let after = items::existing(store, key)?;
    if let Some(status) = settled(after.status, on.len(), after.open_dependencies) {
        moves::settle(store, &after, status, by)?;
    }
    items::existing(store, key)
}
