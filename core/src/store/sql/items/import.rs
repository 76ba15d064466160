//! Importing items from another tracker.

use std::collections::{BTreeMap, BTreeSet};

use super::super::dependencies::{
    LIST_DEPENDENCIES, delete_dependencies, insert_dependencies, record_dependency_change,
};
use super::super::engine::{Tx, args};
use super::super::item_moves::update_dependents;
use super::super::statement::statements;
use super::edit::{StatusEdit, write_edit};
use super::insert::insert_row;
use super::load::load_items;
use crate::model::{Item, ItemKey, ItemStatus, NewItem, decide_dependency_status, find_cycle};
use crate::store::{ImportedItems, ItemImport, Provenance, ReimportedItem, Result, StoreError};

statements! {
    LIST_ALL_PARENTS() =
        "SELECT parent, key FROM work_items WHERE parent IS NOT NULL ORDER BY parent, key";
}

pub(in super::super) fn import_items(
    tx: &mut impl Tx,
    import: &ItemImport,
) -> Result<ImportedItems> {
    let counts = ImportedItems {
        added: import.added.len().try_into().unwrap_or(u64::MAX),
        changed: import.changed.len().try_into().unwrap_or(u64::MAX),
    };
    // All is read before the first is written.
    tx.prefetch(&LIST_DEPENDENCIES, args![]);
    tx.prefetch(&LIST_ALL_PARENTS, args![]);
    if tx.is_replay(&import.provenance)? {
        return Ok(counts);
    }
    let facts = ImportFacts::read(tx, import)?;
    facts.check(import)?;
    for added in &import.added {
        let reason = added.reason.as_ref();
        let provenance = reason.map(|reason| import.provenance.because(reason.clone()));
        let provenance = provenance.as_ref().unwrap_or(&import.provenance);
        insert_row(tx, &added.item, facts.status_of_new(&added.item), provenance)?;
    }
    for added in &import.added {
        insert_dependencies(tx, &added.item.key, &added.item.depends_on)?;
    }
    change_items(tx, &facts, import)?;
    Ok(counts)
}

/// What an import is checked against.
struct ImportFacts {
    /// The items that are there, of those that the import names.
    existing: BTreeMap<ItemKey, Item>,
    /// What each item waits for: its dependencies and its children.
    waits_for: BTreeMap<ItemKey, Vec<ItemKey>>,
    /// The statuses that the import gives to items.
    statuses: BTreeMap<ItemKey, ItemStatus>,
}

impl ImportFacts {
    fn read(tx: &mut impl Tx, import: &ItemImport) -> Result<Self> {
        let existing = load_items(tx, named_keys(import))?;
        let mut waits_for: BTreeMap<ItemKey, Vec<ItemKey>> = BTreeMap::new();
        for statement in [&LIST_DEPENDENCIES, &LIST_ALL_PARENTS] {
            for (item, on) in tx.rows(statement, args![], |row| Ok((row.get(0)?, row.get(1)?)))? {
                waits_for.entry(item).or_default().push(on);
            }
        }
        for NewItem { key, parent, depends_on, .. } in import.added.iter().map(|new| &new.item) {
            waits_for.entry(key.clone()).or_default().extend(depends_on.iter().cloned());
            if let Some(parent) = parent {
                waits_for.entry(parent.clone()).or_default().push(key.clone());
            }
        }
        for changed in &import.changed {
            let waits = waits_for.entry(changed.edit.item.clone()).or_default();
            waits.retain(|key| !changed.removed_dependencies.contains(key));
            waits.extend(changed.added_dependencies.iter().cloned());
            if let Some(parent) = &changed.edit.parent {
                let item = changed.edit.item.clone();
                waits_for.entry(parent.clone()).or_default().push(item);
            }
        }
        let of_new = import.added.iter().filter_map(|new| Some((&new.item.key, new.item.status?)));
        let of_changed =
            import.changed.iter().filter_map(|item| Some((&item.edit.item, item.status?)));
        let statuses = of_new.chain(of_changed).map(|(key, status)| (key.clone(), status));
        Ok(Self { existing, waits_for, statuses: statuses.collect() })
    }

    /// Refuses items that are there already or are missing, and cycles.
    fn check(&self, import: &ItemImport) -> Result<()> {
        let denied = |text: String| Err(StoreError::denied(text));
        let mut known: BTreeSet<&ItemKey> = self.existing.keys().collect();
        for NewItem { key, parent, .. } in import.added.iter().map(|added| &added.item) {
            if let Some(parent) = parent.as_ref().filter(|parent| !known.contains(parent)) {
                return denied(format!("parent {parent} does not exist"));
            }
            if !known.insert(key) {
                return denied(format!("item {key} already exists"));
            }
        }
        let of_new = import.added.iter().flat_map(|added| &added.item.depends_on);
        let of_changed = import.changed.iter().flat_map(|changed| &changed.added_dependencies);
        let items = import.changed.iter().map(|changed| &changed.edit.item);
        if let Some(key) = of_new.chain(of_changed).chain(items).find(|key| !known.contains(key)) {
            return denied(format!("item {key} does not exist"));
        }
        let next = |key| self.waits_for.get(key).into_iter().flatten();
        match find_cycle(self.waits_for.keys(), next) {
            None => Ok(()),
            Some(cycle) => {
                let first = cycle.first().copied();
                let names = cycle.into_iter().chain(first).map(ItemKey::as_str);
                let names = names.collect::<Vec<_>>().join(" -> ");
                denied(format!("circular dependency: {names}"))
            }
        }
    }

    fn is_completed(&self, key: &ItemKey) -> bool {
        let status = self.statuses.get(key).copied();
        let status = status.or_else(|| self.existing.get(key).map(|item| item.status));
        status == Some(ItemStatus::Completed)
    }

    fn knows(&self, key: &ItemKey) -> bool {
        self.existing.contains_key(key)
    }

    /// Returns the status that an import gives to an item that is there.
    fn status_given(&self, changed: &ReimportedItem) -> Option<StatusEdit> {
        let before = self.existing.get(&changed.edit.item)?;
        let may_move =
            |to: &ItemStatus| before.holder.is_none() && to.rank() > before.status.rank();
        let to = changed.status.filter(may_move)?;
        Some(StatusEdit { from: before.status, to })
    }

    /// Tells whether the dependencies of a changed item may bring another status about.
    fn may_follow(&self, changed: &ReimportedItem, moved: &BTreeSet<&ItemKey>) -> bool {
        let item = self.existing.get(&changed.edit.item);
        !changed.added_dependencies.is_empty()
            || !changed.removed_dependencies.is_empty()
            || item.is_some_and(|item| item.depends_on.iter().any(|on| moved.contains(on)))
    }

    /// Returns the status of a new item: its own, or the one that its dependencies give it.
    fn status_of_new(&self, item: &NewItem) -> ItemStatus {
        let depends_on = &item.depends_on;
        let is_ready = !depends_on.is_empty() && depends_on.iter().all(|on| self.is_completed(on));
        item.status.unwrap_or(if is_ready { ItemStatus::Ready } else { ItemStatus::Queued })
    }
}

fn named_keys(import: &ItemImport) -> BTreeSet<&ItemKey> {
    let of_new = import.added.iter().flat_map(|added| {
        let NewItem { key, parent, depends_on, .. } = &added.item;
        [Some(key), parent.as_ref()].into_iter().flatten().chain(depends_on)
    });
    let of_changed = import
        .changed
        .iter()
        .flat_map(|changed| [&changed.edit.item].into_iter().chain(&changed.added_dependencies));
    of_new.chain(of_changed).collect()
}

/// Changes items. Each of them is written once, with the status that it gets: the statuses that the
/// import gives come first, since those of others follow from them.
fn change_items(tx: &mut impl Tx, facts: &ImportFacts, import: &ItemImport) -> Result<()> {
    for changed in &import.changed {
        change_dependencies(tx, facts, changed, &import.provenance)?;
    }
    let (given, others): (Vec<&ReimportedItem>, Vec<&ReimportedItem>) =
        import.changed.iter().partition(|changed| facts.status_given(changed).is_some());
    for changed in &given {
        write_edit(tx, &changed.edit, facts.status_given(changed).as_ref())?;
    }
    let moved: BTreeSet<&ItemKey> = given.iter().map(|changed| &changed.edit.item).collect();
    let may_follow = others.iter().filter(|changed| facts.may_follow(changed, &moved));
    let keys: Vec<&ItemKey> = may_follow.map(|changed| &changed.edit.item).collect();
    let followers = load_items(tx, keys)?;
    for changed in others.into_iter().filter(|changed| facts.knows(&changed.edit.item)) {
        let status = followers.get(&changed.edit.item).and_then(status_that_follows);
        write_edit(tx, &changed.edit, status.as_ref())?;
    }
    for changed in given {
        let key = &changed.edit.item;
        let because = import.provenance.because(format!("{key} changed by an import"));
        update_dependents(tx, key, &because)?;
    }
    Ok(())
}

/// Returns the status that the dependencies of an item bring about.
fn status_that_follows(item: &Item) -> Option<StatusEdit> {
    let to = decide_dependency_status(item.status, item.depends_on.len(), item.open_dependencies)?;
    Some(StatusEdit { from: item.status, to })
}

fn change_dependencies(
    tx: &mut impl Tx,
    facts: &ImportFacts,
    changed: &ReimportedItem,
    provenance: &Provenance,
) -> Result<()> {
    let Some(before) = facts.existing.get(&changed.edit.item) else {
        return Ok(());
    };
    let mut after = before.depends_on.clone();
    after.retain(|key| !changed.removed_dependencies.contains(key));
    after.extend(changed.added_dependencies.iter().cloned());
    after.sort();
    after.dedup();
    if after == before.depends_on {
        return Ok(());
    }
    delete_dependencies(tx, &before.key, &changed.removed_dependencies)?;
    insert_dependencies(tx, &before.key, &changed.added_dependencies)?;
    record_dependency_change(tx, &before.key, &before.depends_on, &after, provenance)
}
