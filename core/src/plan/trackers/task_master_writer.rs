//! Writes items as the tasks of task-master.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::export_item::{ExportedItem, ExportedItems};
use super::fields;
use super::given_ids::GivenIds;
use super::item_changes::ItemChanges;
use super::item_source::ItemSource;
use super::record::RecordStatus;
use super::task_master::{
    MAIN_TAG, METADATA_FIELD, TAG_FIELD, TEXT_FIELD, add_item_note, item_note, renew_item_note,
};
use super::task_numbers::number_items;
use super::task_references::{KnownTasks, new_references};
use crate::model::{Item, ItemKey};

/// Returns the file `tasks.json` of items. Tasks that came from task-master have their fields as
/// they were, but for those that changed; a new item gets the next free number.
///
/// What the file had besides lists of tasks, and lists that have none, are kept.
pub fn render_task_master(items: &mut ExportedItems, given: &GivenIds) -> Value {
    number_items(items, given);
    let mut file = render_lists(items, given);
    for (name, other) in &given.others {
        if !file.contains_key("tasks") && !file.contains_key(name) {
            file.insert(name.clone(), other.clone());
        }
    }
    if file.is_empty() {
        return json!({MAIN_TAG: {"tasks": []}});
    }
    for (name, members) in &given.members {
        if let Some(Value::Object(tag)) = file.get_mut(name) {
            order_members(tag, members.iter());
        }
    }
    order_members(&mut file, given.members.iter().map(|(name, _)| name));
    Value::Object(file)
}

/// Puts members that were there before in their old order; new ones go last.
fn order_members<'a>(object: &mut Map<String, Value>, names: impl Iterator<Item = &'a String>) {
    let mut rest = std::mem::take(object);
    for name in names {
        object.extend(rest.shift_remove_entry(name));
    }
    object.extend(rest);
}

fn render_lists(items: &ExportedItems, given: &GivenIds) -> Map<String, Value> {
    let mut children: BTreeMap<Option<&ItemKey>, Vec<&ExportedItem>> = BTreeMap::new();
    let keys: BTreeSet<&ItemKey> = items.items.iter().map(|exported| &exported.item.key).collect();
    for exported in &items.items {
        let parent = exported.item.parent.as_ref().filter(|parent| keys.contains(parent));
        children.entry(parent).or_default().push(exported);
    }
    let tree = TaskTree { items, known: KnownTasks::new(items, given), children };
    let mut tags: Map<String, Value> = Map::new();
    let mut metadata: Map<String, Value> = Map::new();
    let mut has_tags = items.items.iter().all(|exported| exported.source.is_none());
    for exported in tree.children.get(&None).into_iter().flatten() {
        let record = exported.source.as_ref().map(|source| &source.record);
        let tag = record.and_then(|record| fields::text(record, TAG_FIELD));
        has_tags |= tag.is_some();
        let tag = tag.unwrap_or(MAIN_TAG);
        let of_record = record.and_then(|record| record.get(METADATA_FIELD));
        if let Some(of_tag) = given.metadata.get(tag).or(of_record) {
            metadata.insert(tag.to_owned(), of_tag.clone());
        }
        let tasks = tags.entry(tag.to_owned()).or_insert_with(|| json!([]));
        if let Value::Array(tasks) = tasks {
            tasks.push(render_task(exported, tasks.len() + 1, &tree, 0));
        }
    }
    let mut file = Map::new();
    for (tag, tasks) in tags {
        let mut of_tag = Map::new();
        of_tag.insert("tasks".to_owned(), tasks);
        if let Some(Value::Object(others)) = metadata.shift_remove(&tag) {
            of_tag.extend(others);
        }
        if has_tags {
            file.insert(tag, Value::Object(of_tag));
        } else {
            file.extend(of_tag);
        }
    }
    file
}

/// The deepest level of subtasks that is written; the store refuses cycles of parents.
const MAX_DEPTH: usize = 32;

/// What the tasks of a file are written from.
struct TaskTree<'a> {
    items: &'a ExportedItems,
    known: KnownTasks<'a>,
    children: BTreeMap<Option<&'a ItemKey>, Vec<&'a ExportedItem>>,
}

/// Renders the task at a place of its list, counted from 1.
fn render_task(exported: &ExportedItem, place: usize, tree: &TaskTree<'_>, depth: usize) -> Value {
    let TaskTree { items, known, children } = tree;
    let item = &exported.item;
    let mut task = match exported.fields_of_file() {
        Some(fields) => fields.clone(),
        None => new_task(item, items),
    };
    task.shift_remove(TAG_FIELD);
    task.shift_remove(METADATA_FIELD);
    let is_text = task.shift_remove(TEXT_FIELD).is_some();
    if let Some(source) = &exported.source {
        let changes = ItemChanges::find(item, source);
        let is_alone = !children.contains_key(&Some(&item.key));
        // A text has its place as number.
        let is_in_place = own_number(&items.id_of(&item.key)) == json!(place);
        if is_text && changes.is_empty() && is_alone && is_in_place {
            return task.shift_remove("title").unwrap_or_else(|| json!(item.title));
        }
        update_task(&mut task, item, &changes);
        renumber_task(&mut task, item, source, items);
        if let Some(references) = known.update(item, source, &changes, items) {
            task.insert("dependencies".to_owned(), references);
        }
    }
    let below = children.get(&Some(&item.key)).filter(|_| depth < MAX_DEPTH);
    let subtasks: Vec<Value> = below
        .into_iter()
        .flatten()
        .zip(1..)
        .map(|(child, place)| render_task(child, place, tree, depth + 1))
        .collect();
    if !subtasks.is_empty() {
        task.insert("subtasks".to_owned(), Value::Array(subtasks));
    }
    Value::Object(task)
}

/// Returns the id of an item as its own list has it: the last number.
fn own_number(id: &str) -> Value {
    let number = id.rsplit(['.', ':']).next().unwrap_or(id);
    number.parse::<u64>().map_or_else(|_| json!(number), |number| json!(number))
}

pub(super) fn new_task(item: &Item, items: &ExportedItems) -> Map<String, Value> {
    let mut task = Map::new();
    let title = item.title.as_deref().unwrap_or(item.key.as_str());
    let mut put = |key: &str, value: Value| task.insert(key.to_owned(), value);
    put("id", own_number(&items.id_of(&item.key)));
    put("title", json!(title));
    put("description", json!(item.description.as_deref().unwrap_or_default()));
    put("status", json!(status_word(RecordStatus::from(item.status))));
    put("dependencies", new_references(item, items));
    put("priority", json!(fields::word_of_rank(item.effective_priority().number(), true)));
    put("details", json!(""));
    put("testStrategy", json!(""));
    put("subtasks", json!([]));
    task.extend([item_note(item)]);
    task
}

fn update_task(task: &mut Map<String, Value>, item: &Item, changes: &ItemChanges<'_>) {
    if let Some(title) = changes.title {
        task.insert("title".to_owned(), json!(title));
    }
    if let Some(description) = changes.description {
        task.insert("description".to_owned(), json!(description.unwrap_or_default()));
    }
    if changes.priority.is_some() {
        let word = fields::word_of_rank(item.effective_priority().number(), true);
        task.insert("priority".to_owned(), json!(word));
    }
    if let Some(status) = changes.status {
        task.insert("status".to_owned(), json!(status_word(status)));
    }
    if !changes.is_empty() {
        if task.contains_key("updatedAt") {
            task.insert("updatedAt".to_owned(), json!(item.updated_at));
        }
        renew_item_note(task, item);
    }
}

/// Writes the number that a task has in its list now, and of which item it is: an import of a copy
/// knows it again by that.
fn renumber_task(
    task: &mut Map<String, Value>,
    item: &Item,
    source: &ItemSource,
    items: &ExportedItems,
) {
    let id = items.id_of(&item.key);
    if id == source.id {
        return;
    }
    let number = own_number(&id);
    let is_text = task.get("id").is_some_and(Value::is_string);
    let number = if is_text { fields::id(&number).map_or(number, Value::String) } else { number };
    task.insert("id".to_owned(), number);
    add_item_note(task, item);
}

const fn status_word(status: RecordStatus) -> &'static str {
    match status {
        RecordStatus::Waiting => "pending",
        RecordStatus::Active => "in-progress",
        RecordStatus::Blocked => "blocked",
        RecordStatus::Done => "done",
        RecordStatus::Failed | RecordStatus::Cancelled => "cancelled",
    }
}
