//! How tasks of task-master name those that they wait for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::export_item::ExportedItems;
use super::fields;
use super::given_ids::GivenIds;
use super::item_changes::ItemChanges;
use super::item_source::ItemSource;
use super::task_master::{MAIN_TAG, TAG_FIELD, resolve_reference};
use crate::model::{Item, ItemKey};

/// The tasks by the ids that the file has, which new numbers may replace.
pub(super) struct KnownTasks<'a> {
    keys: BTreeMap<&'a str, &'a ItemKey>,
    ids: BTreeSet<&'a str>,
}

impl<'a> KnownTasks<'a> {
    pub(super) fn new(items: &'a ExportedItems, given: &'a GivenIds) -> Self {
        let given_keys = given.ids.iter().map(|(key, id)| (id.as_str(), key));
        let of_sources = items.items.iter().filter_map(|exported| {
            Some((exported.source.as_ref()?.id.as_str(), &exported.item.key))
        });
        let keys: BTreeMap<&str, &ItemKey> = given_keys.chain(of_sources).collect();
        let ids = given.taken.iter().map(String::as_str).chain(keys.keys().copied()).collect();
        Self { keys, ids }
    }

    /// Returns the id that a reference of a record means.
    fn resolve(&self, source: &ItemSource, value: &Value) -> Option<String> {
        let tag = fields::text(&source.record, TAG_FIELD);
        let prefix =
            tag.filter(|tag| *tag != MAIN_TAG).map_or(String::new(), |tag| format!("{tag}:"));
        let id = source.id.strip_prefix(&prefix).unwrap_or(&source.id);
        let has = |id: &str| self.ids.contains(format!("{prefix}{id}").as_str());
        let parent = id.rsplit_once('.').map(|(parent, _)| parent).filter(|parent| has(parent));
        let is_sibling = |id: &str| parent.is_some_and(|parent| has(&format!("{parent}.{id}")));
        resolve_reference(value, (tag, parent), &is_sibling, &has)
    }

    /// Returns the item that a reference names by its id, or by its key where it has no id.
    fn find<'b>(&self, id: &str, value: &Value, source: &'b ItemSource) -> Option<&'b ItemKey>
    where
        'a: 'b,
    {
        let named = || source.depends_on.iter().find(|on| Some(on.as_str()) == value.as_str());
        self.keys.get(id).copied().or_else(named)
    }

    /// Lists the ids that a record waits for and no task has.
    pub(super) fn list_dangling(&self, source: &ItemSource) -> Vec<String> {
        let list = source.record.get("dependencies").and_then(Value::as_array);
        let ids = list.into_iter().flatten().filter_map(|value| self.resolve(source, value));
        ids.filter(|id| !self.ids.contains(id.as_str())).collect()
    }

    /// Returns the references of a task where they change: one that an import ignored stays, and
    /// one to a task that has another number now is written anew, as are those of a task that moved
    /// itself.
    pub(super) fn update(
        &self,
        item: &Item,
        source: &ItemSource,
        changes: &ItemChanges<'_>,
        items: &ExportedItems,
    ) -> Option<Value> {
        let own = items.id_of(&item.key);
        let is_moved = own != source.id;
        let before = source.record.get("dependencies").and_then(Value::as_array);
        let mut listed: BTreeSet<&ItemKey> = BTreeSet::new();
        let mut after: Vec<Value> = Vec::new();
        for value in before.into_iter().flatten() {
            let Some(id) = self.resolve(source, value) else {
                after.push(value.clone());
                continue;
            };
            let on = self.find(&id, value, source);
            if on.is_some_and(|on| changes.removed_dependencies.contains(on)) {
                continue;
            }
            listed.extend(on);
            let now = on.map_or_else(|| id.clone(), |on| items.id_of(on));
            // An id without a tag means the same from anywhere in the main tag alone.
            let is_named_so = Some(now.as_str()) == value.as_str() && split_tag(&own).0 == MAIN_TAG;
            let is_same = now == id && !is_moved || is_named_so;
            let is_missing = on.is_none() && !self.ids.contains(id.as_str());
            after.push(if is_same {
                value.clone()
            } else if is_missing {
                write_missing(&own, &now)
            } else {
                write_reference(&own, &now)
            });
        }
        if changes.has_new_dependencies() {
            let added = item.depends_on.iter().filter(|on| !listed.contains(on));
            after.extend(added.map(|on| write_reference(&own, &items.id_of(on))));
        }
        (before.map_or(&[][..], Vec::as_slice) != after).then_some(Value::Array(after))
    }
}

/// Returns the ids of the tasks that a new one waits for.
pub(super) fn new_references(item: &Item, items: &ExportedItems) -> Value {
    let own = items.id_of(&item.key);
    let ids = item.depends_on.iter().map(|on| write_reference(&own, &items.id_of(on)));
    Value::Array(ids.collect())
}

/// Names a task in another one: without the tag where that is its own. A number in a subtask means
/// the subtask beside it, so that a task is named by a text there.
fn write_reference(own: &str, on: &str) -> Value {
    let (own_tag, own_id) = split_tag(own);
    let (tag, id) = split_tag(on);
    if tag != own_tag {
        return json!(format!("{tag}:{id}"));
    }
    let number = id.parse::<u64>().ok().filter(|_| !own_id.contains('.'));
    number.map_or_else(|| json!(id), |number| json!(number))
}

/// Names a task that is not there: in a subtask, an id without tag would be that of one beside it.
fn write_missing(own: &str, on: &str) -> Value {
    let (tag, id) = split_tag(on);
    let is_ambiguous = split_tag(own).1.contains('.') && !id.contains('.');
    if is_ambiguous { json!(format!("{tag}:{id}")) } else { write_reference(own, on) }
}

/// Returns the tag of an id, and the rest.
fn split_tag(id: &str) -> (&str, &str) {
    id.rsplit_once(':').unwrap_or((MAIN_TAG, id))
}
