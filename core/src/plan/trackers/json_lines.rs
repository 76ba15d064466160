//! Reads what `trueup export` writes: one object a line, each with its type.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields;
use super::record::{
    RecordList, RecordStatus, SourceFile, TrackerFile, TrackerFormat, TrackerRecord,
};
use crate::model::NewPlanTask;
use crate::model::{ItemStatus, PlanTask};
use crate::plan::{ParsedPlan, ParsedTask, PlanBuilder, SkippedLine, UnresolvedTask, excerpt};
use crate::text::{lenient_json, pluralize};

/// The version of the export, in its first line.
pub const EXPORT_VERSION: u64 = 1;

/// The field of a record that holds its events.
const EVENTS_FIELD: &str = "events";

/// The field of a plan with its path from the root of its repository, by which another machine
/// finds it.
pub const REPO_PATH_FIELD: &str = "repo_path";

/// The types of lines that are not items. `plan import` reads the first two; all of them are
/// known, and none is lost silently.
const OTHER_TYPES: [&str; 5] = ["export", "plan", "plan_task", "phase", "handoff"];

/// The types of lines that no import reads, with their names. Events of items are kept with them.
const UNREAD_TYPES: [(&str, &str, &str); 3] = [
    ("phase", "phase", "phases"),
    ("handoff", "hand-off", "hand-offs"),
    ("event", "event", "events"),
];

/// The fields of an item that an import only keeps with its origin: an item gets them by work.
const UNREAD_FIELDS: [&str; 3] = ["evidence", "error_message", "phase"];

/// A line as parsed, or why it is none.
type ParsedLine = Result<(String, Map<String, Value>), String>;

/// Lists the lines of files that are not empty: the file, the line, its text and its content.
fn parse_lines(
    file: usize,
    bytes: &[u8],
) -> impl Iterator<Item = (usize, usize, &[u8], ParsedLine)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines.filter(|(_, line)| !line.trim_ascii().is_empty()).map(move |(index, line)| {
        let parsed = match lenient_json::from_slice::<Value>(line) {
            Ok(Value::Object(fields)) => match fields::owned_text(&fields, "type") {
                Some(kind) => Ok((kind, fields)),
                None => Err("no type".to_owned()),
            },
            Ok(_) => Err("not an object".to_owned()),
            Err(error) => {
                Err(format!("does not parse: {}", lenient_json::describe_line_error(&error)))
            }
        };
        (file, index + 1, line, parsed)
    })
}

fn text_of(line: &[u8]) -> String {
    String::from_utf8_lossy(line.get(..line.len().min(400)).unwrap_or_default()).into_owned()
}

pub(super) fn read(files: &[SourceFile<'_>]) -> TrackerFile {
    let mut list = RecordList::default();
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut records = Vec::new();
    for (file, source) in files.iter().enumerate() {
        for (file, line, raw, parsed) in parse_lines(file, source.bytes) {
            let (kind, mut fields) = match parsed {
                Ok(parsed) => parsed,
                Err(reason) => {
                    list.skip(file, line, &text_of(raw), reason);
                    continue;
                }
            };
            fields.shift_remove("type");
            let key = fields.get("key").and_then(fields::id);
            match (kind.as_str(), key) {
                ("item", Some(key)) => {
                    let mut record = parse_item(key, fields);
                    (record.file, record.line) = (file, line);
                    records.push(record);
                }
                ("event", Some(key)) => {
                    if fields::text(&fields, "entity") == Some("item") {
                        events.entry(key).or_default().push(without_extra(fields));
                    }
                }
                ("item" | "event", None) => list.skip(file, line, &text_of(raw), "no key"),
                (other, _) if OTHER_TYPES.contains(&other) => {}
                (other, _) => {
                    list.skip(file, line, &text_of(raw), format!("unknown type {other}"));
                }
            }
        }
    }
    for mut record in records {
        if let Some(events) = events.remove(&record.id) {
            record.original.insert(EVENTS_FIELD.to_owned(), Value::Array(events));
        }
        list.add(record);
    }
    list.finish(TrackerFormat::JsonLines)
}

/// Removes the extra fields from an event: the item has them, and they would be kept once more
/// with each export and import.
fn without_extra(mut event: Map<String, Value>) -> Value {
    for side in ["before", "after"] {
        if let Some(Value::Object(facts)) = event.get_mut(side) {
            facts.shift_remove("extra");
        }
    }
    Value::Object(event)
}

/// Reads an item.
pub(super) fn parse_item(key: String, fields: Map<String, Value>) -> TrackerRecord {
    let title = fields::owned_text(&fields, "title").unwrap_or_else(|| key.clone());
    let mut record = TrackerRecord::new(key, title);
    record.description = fields.get("description").and_then(Value::as_str).map(str::to_owned);
    record.kind = fields::owned_text(&fields, "kind");
    let status = fields::text(&fields, "status").and_then(|word| word.parse::<ItemStatus>().ok());
    record.status = status.map_or(RecordStatus::Waiting, RecordStatus::from);
    record.status_reason = fields::owned_text(&fields, "error_message")
        .or_else(|| fields::owned_text(&fields, "evidence"));
    let priority = fields.get("priority").and_then(Value::as_u64);
    record.priority = priority.and_then(|rank| u8::try_from(rank).ok()).filter(|rank| *rank <= 4);
    record.parent = fields::owned_text(&fields, "parent");
    record.depends_on = fields::ids(&fields, "depends_on");
    record.created_at = fields::time(&fields, "created_at");
    record.closed_at = fields::time(&fields, "completed_at");
    record.original = fields;
    record
}

/// Tells whether an item may be completed only with evidence. One that is completed already has
/// its evidence in the record.
pub(super) fn requires_evidence(format: TrackerFormat, record: &TrackerRecord) -> bool {
    let wants = record.original.get("requires_evidence").and_then(Value::as_bool);
    format == TrackerFormat::JsonLines && wants == Some(true) && record.status != RecordStatus::Done
}

/// What of an export no import takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartsLeft {
    /// How much of each, such as `2 phases`.
    pub parts: Vec<String>,
    /// Whether it is nothing but events: those of items are kept with them.
    pub is_history: bool,
}

/// Says how much of an export no import takes, if there is something.
pub fn find_parts_left(bytes: &[u8]) -> Option<PartsLeft> {
    let mut lines = [0_usize; UNREAD_TYPES.len()];
    let mut with_field = [0_usize; UNREAD_FIELDS.len()];
    for (.., parsed) in parse_lines(0, bytes) {
        let Ok((kind, fields)) = parsed else { continue };
        for (count, _) in lines.iter_mut().zip(UNREAD_TYPES).filter(|(_, of)| of.0 == kind) {
            *count += 1;
        }
        let is_set =
            |field: &str| kind == "item" && fields.get(field).is_some_and(|it| !it.is_null());
        for (count, _) in with_field.iter_mut().zip(UNREAD_FIELDS).filter(|(_, it)| is_set(it)) {
            *count += 1;
        }
    }
    let is_history = with_field == [0; UNREAD_FIELDS.len()]
        && lines.iter().zip(UNREAD_TYPES).all(|(count, (kind, ..))| *count == 0 || kind == "event");
    let lines = lines.into_iter().zip(UNREAD_TYPES).filter(|(count, _)| *count > 0);
    let lines = lines.map(|(count, (_, one, many))| pluralize(count, one, many));
    let fields = with_field.into_iter().zip(UNREAD_FIELDS).filter(|(count, _)| *count > 0);
    let fields =
        fields.map(|(count, field)| format!("{field} of {}", pluralize(count, "item", "items")));
    let parts: Vec<String> = lines.chain(fields).collect();
    (!parts.is_empty()).then_some(PartsLeft { parts, is_history })
}

/// Reads the plans of an export, with the path that each has.
pub fn parse_exported_plans(bytes: &[u8]) -> Vec<ParsedPlan> {
    let mut plans: Vec<(String, ParsedPlan, PlanBuilder)> = Vec::new();
    for (_, line, raw, parsed) in parse_lines(0, bytes) {
        let Ok((kind, fields)) = parsed else { continue };
        match kind.as_str() {
            "plan" => {
                let id = fields::owned_text(&fields, "id").unwrap_or_default();
                let extra = fields.get("extra").and_then(Value::as_object);
                let plan = ParsedPlan {
                    title: fields::owned_text(&fields, "title"),
                    plan_path: fields::owned_text(&fields, "path"),
                    repo_path: fields::owned_text(&fields, REPO_PATH_FIELD),
                    extra: extra.cloned().unwrap_or_default(),
                    ..ParsedPlan::default()
                };
                plans.push((id, plan, PlanBuilder::default()));
            }
            "plan_task" => {
                let of_plan = fields::text(&fields, "plan").unwrap_or_default();
                let builder = plans.iter_mut().rfind(|(id, ..)| id == of_plan);
                let Some((.., builder)) = builder else { continue };
                let text = text_of(raw);
                match serde_json::from_value::<PlanTask>(Value::Object(fields)) {
                    Ok(task) => builder.add_task(exported_task(task, line, &text)),
                    Err(error) => {
                        builder.skipped.push(SkippedLine::new(line, &text, error.to_string()));
                    }
                }
            }
            _ => {}
        }
    }
    plans.into_iter().map(|(_, plan, builder)| builder.finish(plan)).collect()
}

fn exported_task(exported: PlanTask, line: usize, text: &str) -> UnresolvedTask {
    let mut task = NewPlanTask::new(exported.id, exported.title, exported.status);
    task.phase_number = exported.phase_number;
    task.phase_title = exported.phase_title;
    task.priority = exported.priority;
    task.error = exported.error;
    task.skip_reason = exported.skip_reason;
    task.started_at = exported.started_at;
    task.completed_at = exported.completed_at;
    task.retry_count = exported.retry_count;
    task.extra = exported.extra;
    let depends_on = exported.depends_on.iter().map(ToString::to_string).collect();
    UnresolvedTask {
        task: ParsedTask { task, line, checkbox: None, id_insert_at: None },
        depends_on: Some(depends_on),
        parent: None,
        text: excerpt(text),
    }
}
