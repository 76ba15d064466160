//! Which item must be completed before which. Triggers count the open dependencies of an item.

use std::collections::BTreeMap;

use serde_json::json;

use super::engine::{Tx, args};
use super::events::record_event;
use super::row::Row;
use super::statement::statements;
use super::{NOW, items};
use crate::model::EventKind;
use crate::model::{
    DependencyEdge, Item, ItemKey, ItemStatus, decide_dependency_status, find_dependency_cycle,
    render_cycle,
};
use crate::store::event_draft::EventDraft;
use crate::store::{DependencyChange, Provenance, Result, StoreError};

statements! {
    LIST_DEPENDENCIES() =
        "SELECT item, depends_on FROM item_dependencies ORDER BY item, depends_on";

    /// Every item that waits for an item: its dependents, and the parent, which is finished after
    /// its children. `CROSS` keeps SQLite from reading a whole table for the few that wait.
    LIST_WAITING_ITEMS(text) = @repeated
        "WITH RECURSIVE waiting (key) AS (
             VALUES (?1)
             UNION SELECT d.item FROM waiting CROSS JOIN item_dependencies d ON d.depends_on = waiting.key
             UNION SELECT i.parent FROM waiting CROSS JOIN work_items i ON i.key = waiting.key
                   WHERE i.parent IS NOT NULL)
         SELECT d.item, d.depends_on FROM waiting CROSS JOIN item_dependencies d ON d.depends_on = waiting.key
         UNION SELECT i.parent, i.key FROM waiting CROSS JOIN work_items i ON i.key = waiting.key
               WHERE i.parent IS NOT NULL
         ORDER BY 1, 2"
        => postgres
        "WITH RECURSIVE waiting (key) AS (
             VALUES (CAST(?1 AS bytewise_text))
             UNION SELECT next.key FROM waiting CROSS JOIN LATERAL (
                 SELECT d.item AS key FROM item_dependencies d WHERE d.depends_on = waiting.key
                 UNION SELECT i.parent FROM work_items i
                       WHERE i.key = waiting.key AND i.parent IS NOT NULL) AS next)
         SELECT d.item, d.depends_on FROM waiting JOIN item_dependencies d ON d.depends_on = waiting.key
         UNION SELECT i.parent, i.key FROM waiting JOIN work_items i ON i.key = waiting.key
               WHERE i.parent IS NOT NULL
         ORDER BY 1, 2";

    LIST_OPEN_DEPENDENCIES(text, int) =
        "SELECT w.key, w.status
         FROM item_dependencies d JOIN work_items w ON w.key = d.depends_on
         WHERE d.item = ?1 AND w.status <> 'completed' ORDER BY d.depends_on LIMIT ?2";

    LOAD_ITEM_STATUS(text) = @repeated "SELECT status FROM work_items WHERE key = ?1";

    INSERT_DEPENDENCY(text, text) = @repeated
        "INSERT INTO item_dependencies (item, depends_on) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    DELETE_DEPENDENCY(text, text) = @repeated
        "DELETE FROM item_dependencies WHERE item = ?1 AND depends_on = ?2";

    /// An item that is held follows its holder, not its dependencies.
    WRITE_DEPENDENCY_STATUS(text, text, text, text, text, text) =
        "UPDATE work_items SET status = ?1, last_actor = ?2, last_reason = ?3, last_op = ?4
         WHERE key = ?5 AND holder IS NULL AND status = ?6";

    RAISE_ITEM_REVISION(text) = @repeated
        "UPDATE work_items SET revision = revision + 1, updated_at = ", NOW, " WHERE key = ?1";
}

pub(super) fn list_waiting_items(tx: &mut impl Tx, key: &ItemKey) -> Result<Vec<DependencyEdge>> {
    tx.rows(&LIST_WAITING_ITEMS, args![key], dependency_from_row)
}

/// Reads an item and what it waits for.
pub(super) fn dependency_from_row(row: &dyn Row) -> Result<DependencyEdge> {
    Ok(DependencyEdge { item: row.get(0)?, on: row.get(1)? })
}

/// Says that [`list_waiting_items`] will be asked.
pub(super) fn prefetch_waiting_items(tx: &mut impl Tx, key: &ItemKey) {
    tx.prefetch(&LIST_WAITING_ITEMS, args![key]);
}

/// Says that the statuses of items will be read.
pub(super) fn prefetch_statuses(tx: &mut impl Tx, keys: &[ItemKey]) {
    for key in keys {
        tx.prefetch(&LOAD_ITEM_STATUS, args![key]);
    }
}

/// Returns the dependencies of an item that are not completed, at most so many; 0 is no limit.
pub(super) fn list_open_dependencies(
    tx: &mut impl Tx,
    key: &ItemKey,
    limit: u32,
) -> Result<Vec<(ItemKey, ItemStatus)>> {
    let limit = if limit == 0 { i64::MAX } else { i64::from(limit) };
    tx.rows(&LIST_OPEN_DEPENDENCIES, args![key, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Says that all dependencies of an item that are not completed will be read.
pub(super) fn prefetch_open_dependencies(tx: &mut impl Tx, key: &ItemKey) {
    tx.prefetch(&LIST_OPEN_DEPENDENCIES, args![key, i64::MAX]);
}

/// Reads the statuses of items; one that does not exist has none.
pub(super) fn load_statuses<'k>(
    tx: &mut impl Tx,
    keys: impl IntoIterator<Item = &'k ItemKey>,
) -> Result<BTreeMap<ItemKey, ItemStatus>> {
    let mut statuses = BTreeMap::new();
    for key in keys {
        if !statuses.contains_key(key)
            && let Some(status) = tx.row(&LOAD_ITEM_STATUS, args![key], |row| row.get(0))?
        {
            statuses.insert(key.clone(), status);
        }
    }
    Ok(statuses)
}

/// Checks new dependencies of an item that the items of `waiting` wait for; returns whether all
/// of them are completed already.
pub(super) fn check_new_dependencies(
    item: &ItemKey,
    dependencies: &[ItemKey],
    waiting: &[DependencyEdge],
    statuses: &BTreeMap<ItemKey, ItemStatus>,
) -> Result<bool> {
    let mut all_completed = !dependencies.is_empty();
    for dependency in dependencies {
        if let Some(cycle) = find_dependency_cycle(item, dependency, waiting) {
            let cycle = render_cycle(&cycle);
            return Err(StoreError::denied(format!("circular dependency: {cycle}")));
        }
        let Some(status) = statuses.get(dependency) else {
            return Err(StoreError::denied(format!("item {dependency} does not exist")));
        };
        all_completed &= *status == ItemStatus::Completed;
    }
    Ok(all_completed)
}

pub(super) fn insert_dependencies(
    tx: &mut impl Tx,
    item: &ItemKey,
    dependencies: &[ItemKey],
) -> Result<()> {
    for dependency in dependencies {
        tx.execute(&INSERT_DEPENDENCY, args![item, dependency])?;
    }
    Ok(())
}

pub(super) fn delete_dependencies(
    tx: &mut impl Tx,
    item: &ItemKey,
    dependencies: &[ItemKey],
) -> Result<()> {
    for dependency in dependencies {
        tx.execute(&DELETE_DEPENDENCY, args![item, dependency])?;
    }
    Ok(())
}

/// Records a change of dependencies: they are rows of another table, so no trigger of the item
/// does.
pub(super) fn record_dependency_change(
    tx: &mut impl Tx,
    item: &ItemKey,
    before: &[ItemKey],
    after: &[ItemKey],
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(&RAISE_ITEM_REVISION, args![item])?;
    let draft = EventDraft {
        entity: "item",
        key: item.as_str(),
        kind: EventKind::Dependencies,
        before: json!({"depends_on": before}),
        after: json!({"depends_on": after}),
        epoch: None,
    };
    record_event(tx, provenance, &draft)
}

/// What decides about changes of dependencies. All of it is read before the first change is
/// written, and kept in step with what is written.
struct DependencyFacts {
    items: BTreeMap<ItemKey, Item>,
    statuses: BTreeMap<ItemKey, ItemStatus>,
    waiting: Vec<DependencyEdge>,
    /// Which of the changes were made before.
    replays: Vec<bool>,
}

impl DependencyFacts {
    fn read(tx: &mut impl Tx, requests: &[DependencyChange]) -> Result<Self> {
        for request in requests {
            items::prefetch_item(tx, &request.item);
            prefetch_statuses(tx, &request.dependencies);
            if !request.remove {
                prefetch_waiting_items(tx, &request.item);
            }
        }
        let (mut items, mut waiting, mut replays) = (BTreeMap::new(), Vec::new(), Vec::new());
        for request in requests {
            replays.push(tx.is_replay(&request.provenance)?);
            if !items.contains_key(&request.item)
                && let Some(item) = items::load_item(tx, &request.item)?
            {
                items.insert(request.item.clone(), item);
            }
            if !request.remove {
                waiting.extend(list_waiting_items(tx, &request.item)?);
            }
        }
        let dependencies = requests.iter().flat_map(|request| &request.dependencies);
        Ok(Self { items, statuses: load_statuses(tx, dependencies)?, waiting, replays })
    }

    /// Returns an item as the triggers will leave it.
    fn item_after(&self, before: &Item, request: &DependencyChange) -> Item {
        let mut after = before.clone();
        for dependency in &request.dependencies {
            let place = after.depends_on.binary_search(dependency);
            let is_open = self.statuses.get(dependency) != Some(&ItemStatus::Completed);
            match (request.remove, place) {
                (true, Ok(place)) => {
                    after.depends_on.remove(place);
                    after.open_dependencies =
                        after.open_dependencies.saturating_sub(u64::from(is_open));
                }
                (false, Err(place)) => {
                    after.depends_on.insert(place, dependency.clone());
                    after.open_dependencies += u64::from(is_open);
                }
                (true, Err(_)) | (false, Ok(_)) => {}
            }
        }
        after
    }

    /// Takes over a change that was written.
    fn note_change(&mut self, after: Item, request: &DependencyChange) {
        for on in &request.dependencies {
            let edge = DependencyEdge { item: request.item.clone(), on: on.clone() };
            self.waiting.retain(|known| *known != edge);
            if !request.remove {
                self.waiting.push(edge);
            }
        }
        self.items.insert(after.key.clone(), after);
    }
}

pub(super) fn change_dependencies(tx: &mut impl Tx, request: &DependencyChange) -> Result<Item> {
    let mut facts = DependencyFacts::read(tx, std::slice::from_ref(request))?;
    let is_replay = facts.replays.contains(&true);
    write_change(tx, &mut facts, request, is_replay)?;
    tx.finish();
    items::load_existing_item(tx, &request.item)
}

pub(super) fn change_dependencies_of_each(
    tx: &mut impl Tx,
    requests: &[DependencyChange],
) -> Result<Vec<Result<Item>>> {
    let mut facts = DependencyFacts::read(tx, requests)?;
    let replays = facts.replays.clone();
    let mut outcomes = Vec::with_capacity(requests.len());
    for (request, is_replay) in requests.iter().zip(replays) {
        match tx.attempt(|tx| write_change(tx, &mut facts, request, is_replay)) {
            Err(error) if !matches!(error, StoreError::Denied { .. }) => return Err(error),
            outcome => outcomes.push(outcome),
        }
    }
    tx.finish();
    for (request, _) in requests.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
        items::prefetch_item(tx, &request.item);
    }
    let changed = requests.iter().zip(outcomes).map(|(request, outcome)| match outcome {
        Ok(()) => items::load_existing_item(tx, &request.item).map(Ok),
        Err(error) => Ok(Err(error)),
    });
    changed.collect()
}

/// Writes one change, as far as it changes anything.
fn write_change(
    tx: &mut impl Tx,
    facts: &mut DependencyFacts,
    request: &DependencyChange,
    is_replay: bool,
) -> Result<()> {
    let provenance = &request.provenance;
    let before = facts.items.get(&request.item);
    let before = before
        .ok_or_else(|| StoreError::denied(format!("item {} does not exist", request.item)))?;
    if is_replay {
        return Ok(());
    }
    if !request.remove {
        let (waiting, statuses) = (&facts.waiting, &facts.statuses);
        check_new_dependencies(&request.item, &request.dependencies, waiting, statuses)?;
    }
    let mut after = facts.item_after(before, request);
    if after.depends_on == before.depends_on {
        return Ok(());
    }
    if request.remove {
        delete_dependencies(tx, &request.item, &request.dependencies)?;
    } else {
        insert_dependencies(tx, &request.item, &request.dependencies)?;
    }
    record_dependency_change(tx, &request.item, &before.depends_on, &after.depends_on, provenance)?;
    let status =
        decide_dependency_status(after.status, after.depends_on.len(), after.open_dependencies);
    if let Some(status) = status {
        write_dependency_status(tx, &after.key, after.status, status, provenance)?;
        if after.holder.is_none() {
            after.status = status;
        }
    }
    facts.note_change(after, request);
    Ok(())
}

/// Gives an item that nobody holds the status that its dependencies bring about.
pub(super) fn write_dependency_status(
    tx: &mut impl Tx,
    key: &ItemKey,
    from: ItemStatus,
    to: ItemStatus,
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(
        &WRITE_DEPENDENCY_STATUS,
        args![
            to.as_str(),
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            key,
            from.as_str(),
        ],
    )?;
    Ok(())
}
