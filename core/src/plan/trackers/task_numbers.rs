//! Which number each task of task-master has: its own list decides, and the tasks in it.

use std::collections::{BTreeMap, BTreeSet};

use super::export_item::{ExportedItem, ExportedItems};
use super::fields;
use super::given_ids::GivenIds;
use super::item_source::ItemSource;
use super::task_master::{MAIN_TAG, TAG_FIELD, full_id, tagged_id};
use super::task_references::KnownTasks;
use crate::model::ItemKey;

/// Gives new items numbers: behind the tasks of the main tag, or behind the subtasks of a parent.
/// An item keeps the number that the file has for it; others are numbered in the order in which
/// they were added, so that a later one moves none.
pub(super) fn number_new_items(items: &mut ExportedItems, given: &GivenIds) {
    let is_new = |exported: &&ExportedItem| exported.source.is_none();
    let ids = find_numbers(items, items.items.iter().filter(is_new).collect(), given);
    for (key, id) in ids {
        items.set_id(key, id);
    }
}

/// Gives numbers to new items, and to those that moved to another list.
pub(super) fn number_items(items: &mut ExportedItems, given: &GivenIds) {
    for (key, id) in find_all_numbers(items, given) {
        items.set_id(key, id);
    }
}

/// Returns the id that each item will have.
pub(super) fn find_all_numbers(
    items: &ExportedItems,
    given: &GivenIds,
) -> BTreeMap<ItemKey, String> {
    find_numbers(items, items.items.iter().collect(), given)
}

/// Splits an id into its list, with the mark that ends it, and the number there.
fn split_list(id: &str) -> (&str, &str) {
    let tag_end = id.rfind(':').map_or(0, |at| at + 1);
    let list_end = id.rfind('.').filter(|at| *at >= tag_end).map_or(tag_end, |at| at + 1);
    id.split_at(list_end)
}

/// The numbers of the lists.
struct Numbers<'a> {
    /// The highest number of each list.
    highest: BTreeMap<String, u64>,
    used: BTreeSet<String>,
    /// Ids that tasks wait for although nothing has them: they would come to mean something else.
    dangling: BTreeSet<String>,
    given: &'a GivenIds,
}

impl<'a> Numbers<'a> {
    fn new(items: &ExportedItems, given: &'a GivenIds) -> Self {
        let tasks = KnownTasks::new(items, given);
        let mut highest: BTreeMap<String, u64> = BTreeMap::new();
        let sources = || items.items.iter().filter_map(|exported| exported.source.as_ref());
        for id in sources().map(|source| &source.id).chain(&given.taken) {
            let (list, number) = split_list(id);
            let known = highest.entry(list.to_owned()).or_default();
            *known = number.parse::<u64>().unwrap_or_default().max(*known);
        }
        let dangling = sources().flat_map(|source| tasks.list_dangling(source)).collect();
        Self { highest, used: BTreeSet::new(), dangling, given }
    }

    /// Returns the id of an item in a list: the one it has there, if it is free, or a new one.
    fn give_id(&mut self, exported: &ExportedItem, list: &str) -> String {
        let given = self.given.ids.get(&exported.item.key).map(String::as_str);
        let given = given.filter(|id| split_list(id).0 == list).map(str::to_owned);
        let own = exported.source.as_ref().and_then(|source| id_in_list(source, list));
        let same = own.or_else(|| {
            let source = exported.source.as_ref()?;
            let is_same = exported.item.parent.is_some() && exported.item.parent == source.parent;
            is_same.then(|| format!("{list}{}", split_list(&source.id).1))
        });
        let kept = same.into_iter().chain(given).find(|id| !self.used.contains(id));
        let id = kept.unwrap_or_else(|| self.next_of(list));
        self.used.insert(id.clone());
        let (_, number) = split_list(&id);
        let known = self.highest.entry(list.to_owned()).or_default();
        *known = number.parse::<u64>().unwrap_or_default().max(*known);
        id
    }

    fn next_of(&self, list: &str) -> String {
        let known = self.highest.get(list).copied().unwrap_or_default();
        let mut free = (known + 1..).map(|number| format!("{list}{number}"));
        let is_free = |id: &String| !self.dangling.contains(id) && !self.used.contains(id);
        free.find(is_free).unwrap_or_default()
    }
}

/// Returns the id of a record, if that is what an import reads of it in a list.
fn id_in_list(source: &ItemSource, list: &str) -> Option<String> {
    let own = source.record.get("id").and_then(fields::id)?;
    let tag = fields::text(&source.record, TAG_FIELD).filter(|tag| *tag != MAIN_TAG);
    let id = match list.strip_suffix('.') {
        Some(parent) => {
            let (tag_of_list, untagged) = match parent.rsplit_once(':') {
                Some((tag, id)) => (Some(tag), id),
                None => (None, parent),
            };
            if tag_of_list != tag {
                return None;
            }
            tagged_id(tag, &full_id(Some(untagged), &own))
        }
        None => tagged_id(tag, &own),
    };
    (id == source.id).then_some(id)
}

fn find_numbers(
    items: &ExportedItems,
    mut pending: Vec<&ExportedItem>,
    given: &GivenIds,
) -> BTreeMap<ItemKey, String> {
    let mut numbers = Numbers::new(items, given);
    let keys: BTreeSet<&ItemKey> = items.items.iter().map(|exported| &exported.item.key).collect();
    let mut found: BTreeMap<ItemKey, String> = BTreeMap::new();
    // Those that stay with their parent go first, then those that moved, then new ones.
    pending.sort_by_key(|exported| {
        let rank = match &exported.source {
            Some(source) if source.parent == exported.item.parent => 0,
            Some(_) => 1,
            None => 2,
        };
        let added = (rank == 2).then_some((exported.item.created_at, &exported.item.key));
        (rank, added)
    });
    let waiting: BTreeSet<&ItemKey> = pending.iter().map(|exported| &exported.item.key).collect();
    let settled = items.items.iter().filter(|exported| !waiting.contains(&exported.item.key));
    numbers.used.extend(settled.map(|exported| items.id_of(&exported.item.key)));
    // Parents are listed before their children, but not always.
    while !pending.is_empty() {
        let unnamed: BTreeSet<&ItemKey> =
            pending.iter().map(|exported| &exported.item.key).collect();
        let count = pending.len();
        pending.retain(|exported| {
            let parent = exported.item.parent.as_ref().filter(|parent| keys.contains(parent));
            if parent.is_some_and(|parent| unnamed.contains(parent)) {
                return true;
            }
            let list = match parent {
                Some(parent) => {
                    let id = found.get(parent).cloned();
                    format!("{}.", id.unwrap_or_else(|| items.id_of(parent)))
                }
                None => list_of_tag(exported),
            };
            found.insert(exported.item.key.clone(), numbers.give_id(exported, &list));
            false
        });
        if pending.len() == count {
            break;
        }
    }
    found
}

/// Returns the list of an item that has no parent.
fn list_of_tag(exported: &ExportedItem) -> String {
    let record = exported.source.as_ref().map(|source| &source.record);
    match record.and_then(|record| fields::text(record, TAG_FIELD)) {
        None | Some(MAIN_TAG) => String::new(),
        Some(tag) => format!("{tag}:"),
    }
}
