//! Reads task-master: `.taskmaster/tasks/tasks.json`, with tags or, as older versions wrote it,
//! without.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::elements::{LineCounter, elements, member};
use super::fields;
use super::record::{
    RecordList, RecordStatus, SourceFile, TrackerError, TrackerFile, TrackerFormat, TrackerRecord,
    shorten,
};
use crate::json_spans::list_members;
use crate::model::{Item, ItemKey, ItemStatus, Timestamp};
use crate::text::lenient_json;

/// The tag whose tasks keep their plain ids.
pub(super) const MAIN_TAG: &str = "master";

/// The field of a record that names its tag.
pub(super) const TAG_FIELD: &str = "_tag";

/// The field of a record of a subtask that was written as a text.
pub(super) const TEXT_FIELD: &str = "_text";

/// The field of the first task of a tag that holds what the tag has besides its tasks.
pub(super) const METADATA_FIELD: &str = "_metadata";

/// The field of a task that other tools leave alone, and what an export says there of the item
/// that it wrote.
const NOTES_FIELD: &str = "metadata";
const ITEM_NOTE: &str = "trueup";

/// Returns what tells an import which item a task was written from, and as of when.
pub(super) fn item_note(item: &Item) -> (String, Value) {
    let note = json!({ITEM_NOTE: {"item": item.key, "updated_at": item.updated_at}});
    (NOTES_FIELD.to_owned(), note)
}

/// Names the item in its task beside what others note there.
pub(super) fn add_item_note(task: &mut Map<String, Value>, item: &Item) {
    let (field, note) = item_note(item);
    match (task.get_mut(&field), note) {
        (Some(Value::Object(notes)), Value::Object(note)) => notes.extend(note),
        (_, note) => {
            task.insert(field, note);
        }
    }
}

/// Writes anew as of when a task says what is here, if it names its item.
pub(super) fn renew_item_note(task: &mut Map<String, Value>, item: &Item) {
    let notes = task.get_mut(NOTES_FIELD).and_then(|notes| notes.get_mut(ITEM_NOTE));
    if let Some(Value::Object(note)) = notes {
        note.insert("updated_at".to_owned(), json!(item.updated_at));
    }
}

fn read_item_note(task: &Map<String, Value>) -> Option<&Map<String, Value>> {
    task.get(NOTES_FIELD)?.get(ITEM_NOTE)?.as_object()
}

/// Returns the item that a task was written from.
pub(super) fn written_item(task: &Map<String, Value>) -> Option<ItemKey> {
    fields::text(read_item_note(task)?, "item")?.parse().ok()
}

/// Returns when the item that a task was written from had changed last.
pub(super) fn written_as_of(task: &Map<String, Value>) -> Option<Timestamp> {
    fields::time(read_item_note(task)?, "updated_at")
}

/// How deep subtasks are read.
const MAX_DEPTH: usize = 8;

pub(super) fn read(files: &[SourceFile<'_>]) -> Result<TrackerFile, TrackerError> {
    let mut list = RecordList::default();
    for (file, source) in files.iter().enumerate() {
        read_file(&mut list, file, source)?;
    }
    Ok(list.finish(TrackerFormat::TaskMaster))
}

fn read_file(
    list: &mut RecordList,
    file: usize,
    source: &SourceFile<'_>,
) -> Result<(), TrackerError> {
    let bytes = source.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source.bytes);
    let text = String::from_utf8_lossy(bytes);
    let text = lenient_json::without_lone_surrogates(&text);
    let path = || source.path.to_owned();
    // This bounds the depth too, so that the rest may recurse.
    serde_json::from_str::<Map<String, Value>>(&text)
        .map_err(|source| TrackerError::Syntax { path: path(), source })?;
    let tags = list_tags(&text);
    if tags.is_empty() {
        let problem = "no list of tasks, with or without tags";
        return Err(TrackerError::Shape { path: path(), problem });
    }
    let mut reader = TaskReader { list, file, lines: LineCounter::new(&text) };
    for tag in tags {
        reader.read_tag(&tag);
    }
    Ok(())
}

/// A tag as written. A file without tags has one without a name.
struct Tag<'a> {
    name: Option<String>,
    tasks: &'a str,
    /// What it has besides its tasks.
    others: Map<String, Value>,
}

fn list_tags(text: &str) -> Vec<Tag<'_>> {
    let read_tag =
        |name: Option<String>, object: &'_ str| -> Option<(Option<String>, Map<String, Value>)> {
            let mut others: Map<String, Value> = serde_json::from_str(object).ok()?;
            others.shift_remove("tasks").filter(Value::is_array)?;
            Some((name, others))
        };
    let with_tasks = |name, object| {
        let (name, others) = read_tag(name, object)?;
        Some(Tag { name, tasks: member(object, "tasks")?, others })
    };
    if let Some(tag) = with_tasks(None, text) {
        return vec![tag];
    }
    let members = list_members(text).unwrap_or_default();
    members.into_iter().filter_map(|(name, value)| with_tasks(Some(name), value.get())).collect()
}

/// Where a task is in its file.
#[derive(Clone, Copy)]
struct TaskPlace<'a> {
    tag: Option<&'a str>,
    /// The full id of the task above, for a subtask.
    parent: Option<&'a str>,
    /// The full ids of the tasks of the tag that are not subtasks.
    top_ids: &'a BTreeSet<String>,
    /// The ids beside it, as they are written.
    sibling_ids: &'a BTreeSet<String>,
    depth: usize,
}

struct TaskReader<'a> {
    list: &'a mut RecordList,
    file: usize,
    lines: LineCounter<'a>,
}

impl TaskReader<'_> {
    fn read_tag(&mut self, tag: &Tag<'_>) {
        let elements = elements(tag.tasks);
        let ids = written_ids(&elements);
        let place = TaskPlace {
            tag: tag.name.as_deref(),
            parent: None,
            top_ids: &ids,
            sibling_ids: &ids,
            depth: 0,
        };
        let first = self.list.len();
        for raw in elements {
            self.read_task(raw, place);
        }
        let others = Value::Object(tag.others.clone());
        if let Some(task) = self.list.get_mut(first) {
            task.original.insert(METADATA_FIELD.to_owned(), others);
        } else {
            let line = self.lines.line_of(tag.tasks);
            let name = tag.name.as_deref().unwrap_or_default();
            self.list.skip_field(self.file, line, name, "a list without tasks");
        }
    }

    fn read_task(&mut self, raw: &str, place: TaskPlace<'_>) {
        let line = self.lines.line_of(raw);
        let text: String = raw.split_whitespace().take(40).collect::<Vec<_>>().join(" ");
        let Ok(Value::Object(mut fields)) = serde_json::from_str(raw) else {
            return self.list.skip(self.file, line, &text, "not an object");
        };
        let Some(own_id) = fields.get("id").and_then(fields::id) else {
            return self.list.skip(self.file, line, &text, "no id");
        };
        let id = full_id(place.parent, &own_id);
        // The subtasks are records of their own.
        if let Some(subtasks) = fields.get_mut("subtasks").filter(|subtasks| subtasks.is_array()) {
            *subtasks = Value::Array(Vec::new());
        }
        if let Some(tag) = place.tag {
            fields.insert(TAG_FIELD.to_owned(), Value::String(tag.to_owned()));
        }
        let mut record = parse_task(tagged_id(place.tag, &id), fields);
        (record.file, record.line) = (self.file, line);
        record.parent = place.parent.map(|parent| tagged_id(place.tag, parent));
        record.depends_on = resolve_dependencies(&record.original, place);
        self.report_odd_fields(&record);
        let is_finished = matches!(record.status, RecordStatus::Done | RecordStatus::Cancelled);
        let finished = fields::owned_text(&record.original, "status").filter(|_| is_finished);
        self.list.add(record);
        let Some(subtasks) = member(raw, "subtasks") else { return };
        let subtasks = elements(subtasks);
        if place.depth >= MAX_DEPTH && !subtasks.is_empty() {
            let reason = format!("subtasks more than {MAX_DEPTH} levels deep");
            return self.list.skip(self.file, line, &text, reason);
        }
        let sibling_ids = written_ids(&subtasks);
        let below = TaskPlace {
            parent: Some(&id),
            sibling_ids: &sibling_ids,
            depth: place.depth + 1,
            ..place
        };
        for (index, raw) in subtasks.into_iter().enumerate() {
            match serde_json::from_str::<Value>(raw) {
                Ok(Value::String(text)) if !text.trim().is_empty() => {
                    let subtask = text_subtask(index + 1, &text, finished.as_deref());
                    let line = self.lines.line_of(raw);
                    self.add_text_subtask(line, subtask, below);
                }
                _ => self.read_task(raw, below),
            }
        }
    }

    /// Adds a subtask that is written as a text.
    fn add_text_subtask(
        &mut self,
        line: usize,
        mut fields: Map<String, Value>,
        place: TaskPlace<'_>,
    ) {
        let own_id = fields.get("id").and_then(fields::id).unwrap_or_default();
        if let Some(tag) = place.tag {
            fields.insert(TAG_FIELD.to_owned(), Value::String(tag.to_owned()));
        }
        let id = full_id(place.parent, &own_id);
        let mut record = parse_task(tagged_id(place.tag, &id), fields);
        (record.file, record.line) = (self.file, line);
        record.parent = place.parent.map(|parent| tagged_id(place.tag, parent));
        self.list.add(record);
    }

    fn report_odd_fields(&mut self, record: &TrackerRecord) {
        let fields = &record.original;
        let status = fields::text(fields, "status");
        if let Some(word) = status.filter(|word| parse_status(word).is_none()) {
            let reason = format!("status {} is not known; it counts as pending", shorten(word));
            self.list.skip_field(self.file, record.line, &record.title, reason);
        }
        if let Some(word) = record.priority_word.as_deref().filter(|_| record.priority.is_none()) {
            let reason = format!("priority {} is not known; it is ignored", shorten(word));
            self.list.skip_field(self.file, record.line, &record.title, reason);
        }
    }
}

/// Makes the fields of a subtask that is written as a text. It has no status of its own; it ended
/// with the task above it.
fn text_subtask(number: usize, text: &str, finished: Option<&str>) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(number));
    fields.insert("title".to_owned(), json!(text));
    fields.extend(finished.map(|status| ("status".to_owned(), json!(status))));
    fields.insert(TEXT_FIELD.to_owned(), json!(true));
    fields
}

fn written_ids(tasks: &[&str]) -> BTreeSet<String> {
    let ids = tasks.iter().filter_map(|raw| {
        let id: Value = serde_json::from_str(member(raw, "id")?).ok()?;
        fields::id(&id)
    });
    ids.collect()
}

/// Returns the id of a subtask among all tasks, such as `1.2`. Some files write it in full.
pub(super) fn full_id(parent: Option<&str>, own_id: &str) -> String {
    match parent {
        Some(parent) => {
            let is_full = own_id.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.'));
            if is_full { own_id.to_owned() } else { format!("{parent}.{own_id}") }
        }
        None => own_id.to_owned(),
    }
}

/// Returns the id among all tags.
pub(super) fn tagged_id(tag: Option<&str>, id: &str) -> String {
    match tag {
        None | Some(MAIN_TAG) => id.to_owned(),
        Some(tag) => format!("{tag}:{id}"),
    }
}

/// Reads a task without what its place decides.
pub(super) fn parse_task(id: String, fields: Map<String, Value>) -> TrackerRecord {
    let title = fields::owned_text(&fields, "title");
    let title = title.or_else(|| fields::owned_text(&fields, "description"));
    let mut record = TrackerRecord::new(id.clone(), title.unwrap_or(id));
    record.description = fields::owned_text(&fields, "description");
    let word = fields::text(&fields, "status");
    record.status = word.and_then(parse_status).unwrap_or(RecordStatus::Waiting);
    record.status_reason = (word == Some("deferred")).then(|| "deferred".to_owned());
    record.priority_word = fields::owned_text(&fields, "priority");
    record.priority = record.priority_word.as_deref().and_then(fields::rank_of_word);
    record.created_at = fields::time(&fields, "createdAt");
    record.closed_at = fields::time(&fields, "completedAt");
    record.original = fields;
    record
}

fn parse_status(word: &str) -> Option<RecordStatus> {
    match word.trim() {
        "pending" => Some(RecordStatus::Waiting),
        "review" => Some(RecordStatus::Active),
        "deferred" => Some(RecordStatus::Blocked),
        other => other.parse::<ItemStatus>().ok().map(RecordStatus::from),
    }
}

fn resolve_dependencies(fields: &Map<String, Value>, place: TaskPlace<'_>) -> Vec<String> {
    let list = fields.get("dependencies").and_then(Value::as_array);
    let is_sibling = |id: &str| place.sibling_ids.contains(id);
    let is_top = |id: &str| place.top_ids.contains(id);
    let ids = list.into_iter().flatten().filter_map(|value| {
        resolve_reference(value, (place.tag, place.parent), &is_sibling, &is_top)
    });
    ids.collect()
}

/// Returns the id among all tags that a dependency of a task means. In a subtask a bare number is
/// one of its siblings; an id with a dot, or one that no sibling has, is a task of the whole tag.
pub(super) fn resolve_reference(
    value: &Value,
    (tag, parent): (Option<&str>, Option<&str>),
    is_sibling: &dyn Fn(&str) -> bool,
    is_top: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let id = fields::id(value)?;
    let full = match parent {
        Some(parent) if !id.contains(['.', ':']) => {
            // A number is a sibling where there is one, a text is a task where there is one.
            let prefers_sibling = value.is_number() || !is_top(&id);
            if is_sibling(&id) && prefers_sibling || !is_top(&id) {
                full_id(Some(parent), &id)
            } else {
                id
            }
        }
        _ => id,
    };
    // A dependency on a task of another tag names the tag.
    Some(match full.split_once(':') {
        Some((MAIN_TAG, id)) => id.to_owned(),
        Some(_) => full,
        None => tagged_id(tag, &full),
    })
}
