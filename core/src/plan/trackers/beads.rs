//! Reads beads: `.beads/issues.jsonl` and what `bd export` prints, one issue a line or one array.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::elements::{LineCounter, elements};
use super::fields;
use super::record::{
    RecordList, RecordStatus, SourceFile, TrackerError, TrackerFile, TrackerFormat, TrackerRecord,
    shorten,
};
use crate::model::ItemStatus;
use crate::text::lenient_json;

/// The longest line that is read, in bytes.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// The kinds of links for which an issue waits.
pub(super) const BLOCKING_KINDS: [&str; 3] = ["blocks", "conditional-blocks", "waits-for"];

/// The kinds of open issues that are no work for anybody.
const NO_WORK_KINDS: [&str; 2] = ["gate", "message"];

/// The flags of open issues that are no work for anybody.
const NO_WORK_FLAGS: [&str; 3] = ["pinned", "is_template", "ephemeral"];

/// Tells whether an issue was deleted: nothing waits for it.
pub(super) fn is_deleted(record: &Map<String, Value>) -> bool {
    status_word(record) == Some("tombstone")
}

pub(super) fn read(files: &[SourceFile<'_>]) -> Result<TrackerFile, TrackerError> {
    let mut list = RecordList::default();
    for (file, source) in files.iter().enumerate() {
        let bytes = source.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source.bytes);
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => read_array(&mut list, file, source.path, bytes)?,
            _ => read_lines(&mut list, file, bytes),
        }
    }
    Ok(list.finish(TrackerFormat::Beads))
}

fn read_lines(list: &mut RecordList, file: usize, bytes: &[u8]) {
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let number = index + 1;
        if line.len() > MAX_LINE_BYTES {
            let reason = format!("longer than {} MiB", MAX_LINE_BYTES / 1024 / 1024);
            list.skip(file, number, &start_of(line), reason);
            continue;
        }
        match lenient_json::from_slice::<Value>(line) {
            Ok(value) => add_value(list, file, number, value, || start_of(line).into_owned()),
            Err(error) => {
                list.skip(
                    file,
                    number,
                    &start_of(line),
                    format!("does not parse: {}", lenient_json::describe_line_error(&error)),
                );
            }
        }
    }
}

fn start_of(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(line.get(..line.len().min(400)).unwrap_or_default())
}

fn read_array(
    list: &mut RecordList,
    file: usize,
    path: &str,
    bytes: &[u8],
) -> Result<(), TrackerError> {
    let text = String::from_utf8_lossy(bytes);
    let text = lenient_json::without_lone_surrogates(&text);
    let syntax = |source| TrackerError::Syntax { path: path.to_owned(), source };
    serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(syntax)?;
    let mut lines = LineCounter::new(&text);
    for raw in elements(&text) {
        let line = lines.line_of(raw);
        match serde_json::from_str(raw) {
            Ok(value) => add_value(list, file, line, value, || raw.chars().take(200).collect()),
            Err(error) => list.skip(file, line, raw, format!("does not parse: {error}")),
        }
    }
    Ok(())
}

fn add_value(
    list: &mut RecordList,
    file: usize,
    line: usize,
    value: Value,
    text: impl FnOnce() -> String,
) {
    let Value::Object(fields) = value else {
        return list.skip(file, line, &text(), "not an object");
    };
    if let Some(other) = fields::text(&fields, "_type").filter(|kind| *kind != "issue") {
        let reason = format!("a record of type {other}, which is no issue");
        return list.skip(file, line, &text(), reason);
    }
    let Some(id) = fields.get("id").and_then(fields::id) else {
        return list.skip(file, line, &text(), "no id");
    };
    let mut record = parse_issue(id, fields);
    (record.file, record.line) = (file, line);
    report_odd_fields(list, &record);
    list.add(record);
}

/// Reads an issue. It always succeeds: a field that is not understood is as if it were absent.
pub(super) fn parse_issue(id: String, fields: Map<String, Value>) -> TrackerRecord {
    let title = fields::owned_text(&fields, "title").unwrap_or_else(|| id.clone());
    let status = parse_status(fields::text(&fields, "status")).unwrap_or(RecordStatus::Waiting);
    let mut record = TrackerRecord::new(id, title);
    record.description = fields::owned_text(&fields, "description");
    record.kind = fields::owned_text(&fields, "issue_type");
    record.status = status;
    record.status_reason = fields::owned_text(&fields, "close_reason")
        .or_else(|| fields::owned_text(&fields, "delete_reason"))
        .or_else(|| (status_word(&fields) == Some("deferred")).then(|| "deferred".to_owned()));
    set_aside(&mut record, &fields);
    record.priority = parse_priority(&fields);
    record.priority_word = record.priority.map(|rank| rank.to_string());
    for dependency in dependencies(&fields) {
        match dependency.kind {
            "parent-child" => {
                record.parent.get_or_insert(dependency.on);
            }
            kind if BLOCKING_KINDS.contains(&kind) => record.depends_on.push(dependency.on),
            _ => {}
        }
    }
    record.parent = record.parent.or_else(|| fields.get("parent").and_then(fields::id));
    record.created_at = fields::time(&fields, "created_at");
    record.closed_at = fields::time(&fields, "closed_at");
    record.original = fields;
    record
}

/// Blocks an open issue that `bd ready` does not offer, and says why.
fn set_aside(record: &mut TrackerRecord, fields: &Map<String, Value>) {
    if record.status != RecordStatus::Waiting {
        return;
    }
    let is_set = |name: &&str| fields.get(*name) == Some(&Value::Bool(true));
    let flag = NO_WORK_FLAGS.iter().copied().find(is_set);
    let kind = || fields::text(fields, "issue_type").filter(|kind| NO_WORK_KINDS.contains(kind));
    let pinned = || status_word(fields).filter(|word| *word == "pinned");
    let why = flag.or_else(kind).or_else(pinned).map(|word| format!("{word} in beads"));
    let until = || fields::time(fields, "defer_until");
    let Some(why) = why.or_else(|| {
        record.deferred_until = until();
        record.deferred_until.map(|until| format!("deferred until {until}"))
    }) else {
        return;
    };
    record.status = RecordStatus::Blocked;
    record.status_reason = Some(why);
}

fn status_word(fields: &Map<String, Value>) -> Option<&str> {
    fields::text(fields, "status")
}

/// Reads a status. `None` stands for a word that is not known.
fn parse_status(word: Option<&str>) -> Option<RecordStatus> {
    match word {
        None | Some("open" | "pinned") => Some(RecordStatus::Waiting),
        Some("in_progress" | "hooked") => Some(RecordStatus::Active),
        Some("blocked" | "deferred") => Some(RecordStatus::Blocked),
        Some("closed") => Some(RecordStatus::Done),
        Some("tombstone") => Some(RecordStatus::Cancelled),
        Some(other) => other.parse::<ItemStatus>().ok().map(RecordStatus::from),
    }
}

fn parse_priority(fields: &Map<String, Value>) -> Option<u8> {
    let rank = match fields.get("priority")? {
        Value::Number(rank) => rank.as_u64().and_then(|rank| u8::try_from(rank).ok())?,
        Value::String(word) => match word.trim().parse() {
            Ok(rank) => rank,
            Err(_) => fields::rank_of_word(word)?,
        },
        _ => return None,
    };
    (rank <= 4).then_some(rank)
}

/// A dependency as an issue lists it.
pub(super) struct BeadsDependency<'a> {
    pub(super) on: String,
    pub(super) kind: &'a str,
}

/// Lists the dependencies of an issue. Commands that print single issues name the other issue `id`
/// and the type `dependency_type`.
pub(super) fn dependencies(
    fields: &Map<String, Value>,
) -> impl Iterator<Item = BeadsDependency<'_>> {
    let list = fields.get("dependencies").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(parse_dependency)
}

/// Reads a dependency.
pub(super) fn parse_dependency(value: &Value) -> Option<BeadsDependency<'_>> {
    match value {
        Value::Object(entry) => {
            let on = entry.get("depends_on_id").or_else(|| entry.get("id"))?;
            let kind = fields::text(entry, "type")
                .or_else(|| fields::text(entry, "dependency_type"))
                .unwrap_or("blocks");
            Some(BeadsDependency { on: fields::id(on)?, kind })
        }
        other => Some(BeadsDependency { on: fields::id(other)?, kind: "blocks" }),
    }
}

/// Reports fields of an imported issue that have no meaning here.
fn report_odd_fields(list: &mut RecordList, record: &TrackerRecord) {
    let mut report = |reason: String| {
        list.skip_field(record.file, record.line, &record.title, reason);
    };
    let fields = &record.original;
    if let Some(word) = status_word(fields).filter(|word| parse_status(Some(word)).is_none()) {
        report(format!("status {} is not known; it counts as open", shorten(word)));
    }
    let has_priority = fields.get("priority").is_some_and(|priority| !priority.is_null());
    if has_priority && record.priority.is_none() {
        report("priority is not one of 0 to 4; it is ignored".to_owned());
    }
    let listed = fields.get("dependencies");
    let list_of = listed.and_then(Value::as_array);
    if listed.is_some_and(|listed| !listed.is_null() && !listed.is_array()) {
        report("dependencies are no list; they are ignored".to_owned());
    }
    let unreadable =
        list_of.into_iter().flatten().filter(|entry| parse_dependency(entry).is_none());
    let count = unreadable.count();
    if count > 0 {
        report(format!("{count} of its dependencies name no issue; ignored"));
    }
    let parents = dependencies(fields).filter(|dependency| dependency.kind == "parent-child");
    if parents.count() > 1 {
        report("more than one parent; the first one counts".to_owned());
    }
}
