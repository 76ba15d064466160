//! Reads the client's task lists: a folder with one task a file, `<id>.json`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields;
use super::record::{
    RecordList, RecordStatus, SourceFile, TrackerFile, TrackerFormat, TrackerRecord, shorten,
};
use crate::model::{ItemStatus, PlanTaskId};
use crate::text::lenient_json;

/// The field of a record that names its list.
const LIST_FIELD: &str = "_list";

pub(super) fn read(files: &[SourceFile<'_>]) -> TrackerFile {
    let mut list = RecordList::default();
    let mut records = Vec::new();
    for (file, source) in files.iter().enumerate() {
        match read_task(source.bytes) {
            Ok(mut record) => {
                record.file = file;
                if let Some(list) = list_name(source.path) {
                    record.original.insert(LIST_FIELD.to_owned(), Value::String(list));
                }
                let status = fields::text(&record.original, "status");
                if let Some(word) = status.filter(|word| parse_status(word).is_none()) {
                    let reason =
                        format!("status {} is not known; it counts as pending", shorten(word));
                    list.skip_field(file, 1, &record.title, reason);
                }
                records.push(record);
            }
            Err(reason) => list.skip(file, 1, source.path, reason),
        }
    }
    add_blocked_tasks(&mut records);
    // The names of files sort as text; tasks are numbered.
    records.sort_by(|a, b| PlanTaskId::from_text(&a.id).cmp(&PlanTaskId::from_text(&b.id)));
    for record in records {
        list.add(record);
    }
    list.finish(TrackerFormat::ClientTasks)
}

fn read_task(bytes: &[u8]) -> Result<TrackerRecord, String> {
    let value: Value =
        lenient_json::from_slice(bytes).map_err(|error| format!("does not parse: {error}"))?;
    let Value::Object(fields) = value else {
        return Err("not an object".to_owned());
    };
    let id = fields.get("id").and_then(fields::id).ok_or_else(|| "no id".to_owned())?;
    Ok(parse_task(id, fields))
}

/// Reads a task without what other tasks say of it.
pub(super) fn parse_task(id: String, fields: Map<String, Value>) -> TrackerRecord {
    let title = fields::owned_text(&fields, "subject").unwrap_or_else(|| id.clone());
    let mut record = TrackerRecord::new(id, title);
    record.description = fields::owned_text(&fields, "description");
    let word = fields::text(&fields, "status");
    record.status = word.and_then(parse_status).unwrap_or(RecordStatus::Waiting);
    record.depends_on = fields::ids(&fields, "blockedBy");
    record.original = fields;
    record
}

fn parse_status(word: &str) -> Option<RecordStatus> {
    match word {
        "pending" => Some(RecordStatus::Waiting),
        "deleted" => Some(RecordStatus::Cancelled),
        other => other.parse::<ItemStatus>().ok().map(RecordStatus::from),
    }
}

/// Names the tasks of a list so that no task of another list has the same id: each list begins to
/// count at 1. A plan needs no such names, for it is one list.
pub(super) fn qualify_ids(records: &mut [TrackerRecord]) {
    for record in records {
        let Some(list) = fields::owned_text(&record.original, LIST_FIELD) else { continue };
        let qualify = |id: &mut String| *id = format!("{list}:{id}");
        qualify(&mut record.id);
        record.depends_on.iter_mut().for_each(qualify);
    }
}

/// Returns the name of the list that a file is in: that of its folder. The id of a session is
/// shortened, as everywhere.
fn list_name(path: &str) -> Option<String> {
    let folder = path.rsplit(['/', '\\']).nth(1).filter(|folder| !folder.is_empty())?;
    let is_uuid = folder.len() == 36 && folder.chars().filter(|c| *c == '-').count() == 4;
    Some(folder.chars().take(if is_uuid { 8 } else { 60 }).collect())
}

/// Adds what tasks say of others: one that blocks another is a dependency of it.
fn add_blocked_tasks(records: &mut [TrackerRecord]) {
    let mut blockers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in records.iter() {
        for blocked in fields::ids(&record.original, "blocks") {
            blockers.entry(blocked).or_default().push(record.id.clone());
        }
    }
    for record in records {
        for blocker in blockers.remove(&record.id).into_iter().flatten() {
            if !record.depends_on.contains(&blocker) {
                record.depends_on.push(blocker);
            }
        }
    }
}
