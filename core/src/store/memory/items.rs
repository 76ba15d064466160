//! Work items.

use serde_json::Value as Json;

use super::events::record;
use super::{MemoryStore, changes, dependencies, moves, next};
use crate::model::{Epoch, Item, ItemKey, ItemStatus, NewItem, Next, Revision, Waits};
use crate::store::news::News;
use crate::store::{
    Children, Depend, InUse, ItemEdit, ItemFilter, ItemMove, ItemMoved, ItemStore, LastHolder,
    NextRequest, NextTaken, NextWish, Provenance, Result, StoreError,
};

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
    let mut waits = Vec::new();
    if let Some(parent) = &new.parent {
        waits = dependencies::waiting_for(store, parent);
        waits.push(Waits {
            item: parent.clone(),
            on: new.key.clone(),
        });
    }
    dependencies::admit(store, &new.key, &new.depends_on, &waits)?;
    let mut depends_on = new.depends_on.clone();
    depends_on.sort();
    depends_on.dedup();
    let open = dependencies::open(store, &depends_on);
    let ready = !depends_on.is_empty() && open.is_empty();
    let siblings = store.items.values().filter(|i| i.parent == new.parent);
    let last = siblings.filter_map(|i| i.position).max().unwrap_or(0);
    let behind = new.parent.as_ref().map(|_| last + 1);
    let status = new.status.unwrap_or(if ready {
        ItemStatus::Ready
    } else {
        ItemStatus::Queued
    });
    let item = Item {
        key: new.key.clone(),
        title: new.title.clone(),
        kind: new.kind.clone().unwrap_or_else(|| "task".to_owned()),
        parent: new.parent.clone(),
        position: new.position.or(behind),
        repo: new.repo.clone(),
        status,
        phase: None,
        holder: None,
        epoch: Epoch(0),
        claimed_at: None,
        error_message: None,
        evidence: None,
        requires_evidence: new.requires_evidence,
        open_dependencies: open.len() as u64,
        depends_on,
        revision: Revision(1),
        created_at: store.now,
        updated_at: store.now,
        completed_at: status.is_finished().then_some(store.now),
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
        .filter(|i| filter.statuses.is_empty() || filter.statuses.contains(&i.status))
        .filter(|i| filter.kind.as_ref().is_none_or(|kind| i.kind == *kind))
        .filter(|i| filter.scope.includes(i.repo.as_deref()))
        .cloned()
        .collect();
    found.sort_by(|a, b| (&a.parent, a.place()).cmp(&(&b.parent, b.place())));
    found
}

pub(super) fn known(store: &MemoryStore, keys: &[&str]) -> Vec<String> {
    store
        .items
        .keys()
        .map(ItemKey::as_str)
        .filter(|key| keys.iter().any(|text| text.eq_ignore_ascii_case(key)))
        .map(str::to_owned)
        .collect()
}

fn change(store: &mut MemoryStore, edit: &ItemEdit) -> Result<Item> {
    let unknown = |key: &ItemKey| StoreError::Denied(format!("item {key} does not exist"));
    let key = &edit.item;
    if !store.items.contains_key(key) {
        return Err(unknown(key));
    }
    if let Some(parent) = &edit.parent {
        if !store.items.contains_key(parent) {
            return Err(unknown(parent));
        }
        let waits = dependencies::waiting_for(store, parent);
        if parent == key || waits.iter().any(|waits| waits.item == *key) {
            let text = format!("{key} waits for {parent}, which would wait for its child");
            return Err(StoreError::Denied(text));
        }
    }
    changes::item(store, key, &edit.provenance, |row| {
        row.title = edit.title.clone().or(row.title.take());
        row.kind = edit.kind.clone().unwrap_or_else(|| row.kind.clone());
        row.parent = edit.parent.clone().or(row.parent.take());
        row.position = edit.position.or(row.position);
    })
}

fn use_of(store: &MemoryStore, key: &ItemKey) -> Result<Option<InUse>> {
    let unknown = || StoreError::Denied(format!("item {key} does not exist"));
    let item = store.items.get(key).ok_or_else(unknown)?;
    let of_parent = |item: &&Item| item.parent.as_ref() == Some(key);
    let children = store.items.values().filter(of_parent).count() as u64;
    let mut others = store.items.values();
    let other = others.find(|other| other.depends_on.contains(key));
    Ok(if let Some(holder) = &item.holder {
        Some(InUse::Held(holder.clone()))
    } else if children > 0 {
        Some(InUse::Children(children))
    } else if let Some(other) = other {
        Some(InUse::DependedOn(other.key.clone()))
    } else if store.phases.values().any(|phase| phase.item == *key) {
        Some(InUse::Phases)
    } else if store.links.contains_key(key) {
        Some(InUse::Workplan)
    } else {
        None
    })
}

impl ItemStore for MemoryStore {
    fn move_item(&mut self, request: &ItemMove) -> Result<ItemMoved> {
        let by = &request.provenance;
        let again = |store: &Self| moves::first_answer(store, request);
        self.write(
            "move_item",
            by,
            |store| moves::move_item(store, request),
            again,
        )
    }

    fn depend(&mut self, request: &Depend) -> Result<Item> {
        let by = &request.provenance;
        let again = |store: &Self| existing(store, &request.item);
        self.write(
            "depend",
            by,
            |store| dependencies::depend(store, request),
            again,
        )
    }

    fn edit_item(&mut self, edit: &ItemEdit) -> Result<Item> {
        let again = |store: &Self| existing(store, &edit.item);
        let work = |store: &mut Self| change(store, edit);
        self.write("edit_item", &edit.provenance, work, again)
    }

    fn use_of_item(&mut self, key: &ItemKey) -> Result<Option<InUse>> {
        use_of(self, key)
    }

    fn remove_item(&mut self, key: &ItemKey, provenance: &Provenance) -> Result<()> {
        let work = |store: &mut Self| {
            if let Some(used) = use_of(store, key)? {
                return Err(StoreError::Denied(format!("item {key} stays: {used}")));
            }
            let before = store.items.remove(key).map(|item| item.facts());
            let news = News::of_removed_item(key, before.unwrap_or_default());
            record(store, provenance, news);
            Ok(())
        };
        self.write("remove_item", provenance, work, |_| Ok(()))
    }

    fn waiting_for(&mut self, key: &ItemKey) -> Result<Vec<Waits>> {
        Ok(dependencies::waiting_for(self, key))
    }

    fn open_dependencies(&mut self, key: &ItemKey) -> Result<Vec<(ItemKey, ItemStatus)>> {
        let item = self.items.get(key);
        Ok(item.map_or_else(Vec::new, |i| dependencies::open(self, &i.depends_on)))
    }

    fn children(&mut self, key: &ItemKey) -> Result<Children> {
        let children = || {
            self.items
                .values()
                .filter(|i| i.parent.as_ref() == Some(key))
        };
        Ok(Children {
            all: children().count() as u64,
            unfinished: children().filter(|i| !i.status.is_finished()).count() as u64,
        })
    }

    fn next_item(&mut self, wish: &NextWish) -> Result<Next> {
        next::next_item(self, wish)
    }

    fn claim_next(&mut self, request: &NextRequest) -> Result<NextTaken> {
        let by = &request.provenance;
        let again = |store: &Self| next::first_answer(store, request);
        let work = |store: &mut Self| next::claim_next(store, request);
        let answer = self.write("claim_next", by, work, again)?;
        if matches!(answer.next, Next::Nothing { .. } | Next::Kept { .. }) {
            // It left nothing behind to be known by, as in a database.
            self.operations.remove(&by.op_id);
        }
        Ok(answer)
    }

    fn last_holder(&mut self, key: &ItemKey) -> Result<Option<LastHolder>> {
        Ok(next::last_holder(self, key))
    }
}
