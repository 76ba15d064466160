//! What can be begun: the first rows of an index, and what waits for what.

use std::collections::{BTreeMap, BTreeSet};

use super::dependencies::dependency_from_row;
use super::engine::{Tx, args};
use super::items::{ItemColumn, SELECT_ITEM, item_from_row, load_items, scope_word};
use super::statement::{joined, statements};
use crate::model::{
    Item, ItemKey, RepoScope, count_places, fill_places, list_positioned, measure_unblocking,
    rank_blockers,
};
use crate::store::{MAX_WAITING_ITEMS, ReadyItems, ReadyQuery, Result, UnblockingItem};

const IS_FREE: &str =
    "holder IS NULL AND open_dependencies = 0 AND status IN ('queued', 'ready', 'running') ";
const IS_IN_SCOPE: &str = "AND (?1 = 'all' OR repo = ?2 OR ?1 = 'here' AND repo IS NULL) ";

/// A parent is finished after its children, and what it waits for they wait for as well. An
/// orchestrator is begun before its children.
const NOTHING_BLOCKS: &str = "AND (kind = 'orchestrator' OR NOT EXISTS (
         SELECT 1 FROM work_items c WHERE c.parent = work_items.key
         AND c.status IN ('queued', 'ready', 'running', 'blocked')))
     AND NOT EXISTS (
         WITH RECURSIVE above (key) AS (
             SELECT work_items.parent
             UNION SELECT p.parent FROM above CROSS JOIN work_items p WHERE p.key = above.key)
         SELECT 1 FROM above CROSS JOIN work_items p WHERE p.key = above.key
         AND (p.status = 'blocked'
              OR p.kind = 'orchestrator' AND p.status IN ('queued', 'ready')
              OR p.open_dependencies > 0 AND p.status IN ('queued', 'ready', 'running'))) ";
const URGENT_FIRST: &str = "ORDER BY coalesce(priority, 2), created_at, key LIMIT ?3";
const SELECT_INDEXED: &str =
    joined!("SELECT ", ItemColumn::SQL, " FROM work_items INDEXED BY work_items_ready WHERE ");

const OF_FAMILY: &str =
    "parent IS NOT DISTINCT FROM ?4 AND coalesce(priority, 2) = ?5 AND position IS NOT NULL AND ";
const PG_OF_FAMILY: &str = "coalesce(parent, '') = coalesce(?4, '') \
     AND coalesce(priority, 2) = ?5 AND position IS NOT NULL AND ";
const BY_POSITION: &str = "ORDER BY position, key LIMIT ?3";
const SELECT_SIBLINGS: &str =
    joined!("SELECT ", ItemColumn::SQL, " FROM work_items INDEXED BY work_items_next WHERE ");

const IS_WAITING: &str =
    "open_dependencies > 0 AND status IN ('queued', 'ready', 'running', 'blocked') ";
/// `CROSS` keeps SQLite from reading all dependencies for the few that are wanted.
const OPEN_DEPENDENCIES_OF: &str = ") w
     CROSS JOIN item_dependencies d ON d.item = w.key
     CROSS JOIN work_items b ON b.key = d.depends_on WHERE b.status <> 'completed'";
const PG_OPEN_DEPENDENCIES_OF: &str = ") w
     JOIN item_dependencies d ON d.item = w.key
     JOIN work_items b ON b.key = d.depends_on WHERE b.status <> 'completed'";

statements! {
    LIST_READY(text, text, int) = SELECT_INDEXED, IS_FREE, IS_IN_SCOPE, NOTHING_BLOCKS, URGENT_FIRST
        => postgres SELECT_ITEM, IS_FREE, IS_IN_SCOPE, NOTHING_BLOCKS, URGENT_FIRST;

    /// The first of a family that have a position.
    LIST_READY_SIBLINGS(text, text, int, text, int) =
        SELECT_SIBLINGS, OF_FAMILY, IS_FREE, IS_IN_SCOPE, NOTHING_BLOCKS, BY_POSITION
        => postgres SELECT_ITEM, PG_OF_FAMILY, IS_FREE, IS_IN_SCOPE, NOTHING_BLOCKS, BY_POSITION;

    /// The open dependencies of the most urgent items that wait.
    LIST_OPEN_EDGES(text, text, int) =
        "SELECT d.item, d.depends_on FROM (
             SELECT key FROM work_items INDEXED BY work_items_waiting
             WHERE ", IS_WAITING, IS_IN_SCOPE, URGENT_FIRST, OPEN_DEPENDENCIES_OF
        => postgres
        "SELECT d.item, d.depends_on FROM (
             SELECT key FROM work_items WHERE ", IS_WAITING, IS_IN_SCOPE, URGENT_FIRST,
        PG_OPEN_DEPENDENCIES_OF;
}

/// Most items that are listed without reading all.
const MAX_PLACES: u32 = 500;

/// Says that [`find_first_ready`] will be asked.
pub(super) fn prefetch_first_ready(tx: &mut impl Tx, scope: &RepoScope) {
    tx.prefetch(&LIST_READY, args![scope_word(scope), scope.repo_name(), 1]);
}

/// Finds the item that comes first among those that can be begun.
pub(super) fn find_first_ready(tx: &mut impl Tx, scope: &RepoScope) -> Result<Option<Item>> {
    Ok(list_in_order(tx, scope, 1)?.into_iter().next())
}

/// Returns how many items are read for so many: all, where a family each would be asked for.
const fn places_to_read(limit: u32) -> u32 {
    if limit > MAX_PLACES { u32::MAX } else { limit }
}

/// Lists what can be begun, at most `limit`, in its order.
fn list_in_order(tx: &mut impl Tx, scope: &RepoScope, limit: u32) -> Result<Vec<Item>> {
    let (word, repo) = (scope_word(scope), scope.repo_name());
    let places = places_to_read(limit);
    let by_age = tx.rows(&LIST_READY, args![word, repo, places], item_from_row)?;
    let is_all = u32::try_from(by_age.len()).is_ok_and(|read| read < places);
    let positioned = if is_all {
        list_positioned(&by_age)
    } else {
        let families = count_places(&by_age);
        for (family, places) in &families {
            let args = args![word, repo, *places, family.parent, family.priority];
            tx.prefetch(&LIST_READY_SIBLINGS, args);
        }
        let mut positioned = BTreeMap::new();
        for (family, places) in families {
            let args = args![word, repo, places, family.parent, family.priority];
            let siblings = tx.rows(&LIST_READY_SIBLINGS, args, item_from_row)?;
            positioned.insert(family, siblings);
        }
        positioned
    };
    let mut items = fill_places(by_age, positioned);
    items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(items)
}

pub(super) fn list_ready_items(tx: &mut impl Tx, query: &ReadyQuery) -> Result<ReadyItems> {
    let (scope, repo) = (scope_word(&query.scope), query.scope.repo_name());
    let (one_more, most_waiting) = (query.limit.saturating_add(1), MAX_WAITING_ITEMS + 1);
    let edge_args = args![scope, repo, most_waiting];
    tx.prefetch(&LIST_READY, args![scope, repo, places_to_read(one_more)]);
    tx.prefetch(&LIST_OPEN_EDGES, edge_args);
    let mut items = list_in_order(tx, &query.scope, one_more)?;
    let edges = tx.rows(&LIST_OPEN_EDGES, edge_args, dependency_from_row)?;
    let waiting: BTreeSet<&ItemKey> = edges.iter().map(|edge| &edge.item).collect();
    let is_partial = waiting.len() > MAX_WAITING_ITEMS as usize;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = items.len() > limit;
    items.truncate(limit);
    let unblocking = measure_unblocking(&edges);
    let blocker_limit = usize::try_from(query.blocker_limit).unwrap_or(usize::MAX);
    let ranked = rank_blockers(&unblocking, blocker_limit);
    let blockers = load_items(tx, &ranked)?;
    let with_unblocking = |item: Item| UnblockingItem {
        unblocking: unblocking.get(&item.key).cloned().unwrap_or_default(),
        item,
    };
    Ok(ReadyItems {
        items: items.into_iter().map(with_unblocking).collect(),
        has_more,
        blockers: ranked
            .iter()
            .filter_map(|key| blockers.get(key).cloned())
            .map(with_unblocking)
            .collect(),
        is_partial,
    })
}
