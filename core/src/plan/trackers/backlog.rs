//! Reads Backlog.md: one task a Markdown file, with front matter.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::backlog_sections::read_section;
use super::fields;
use super::front_matter::{FrontMatter, parse_front_matter};
use super::record::{
    RecordList, RecordStatus, SourceFile, TrackerFile, TrackerFormat, TrackerRecord, shorten,
};
use crate::model::{ItemStatus, PlanTaskId, Timestamp};
use crate::text::markdown::strip_byte_order_mark;

/// The field of a record that holds its whole file.
pub(super) const TEXT_FIELD: &str = "_text";

/// The folder of the tasks that are neither drafts nor put away.
pub(super) const TASK_FOLDER: &str = "tasks";

/// The field of a record that names its file, from the folder of Backlog.md.
pub(super) const PATH_FIELD: &str = "_path";

/// The field of a record that holds the columns of its board.
pub(super) const STATUSES_FIELD: &str = "_statuses";

/// The name of the configuration, which lists the statuses.
const CONFIG_NAMES: [&str; 2] = ["config.yml", "backlog.config.yml"];

pub(super) fn read(files: &[SourceFile<'_>]) -> TrackerFile {
    let mut list = RecordList::default();
    let statuses = files.iter().find_map(read_statuses).unwrap_or_default();
    let mut records = Vec::new();
    for (file, source) in files.iter().enumerate().filter(|(_, file)| !is_config(file)) {
        let text = String::from_utf8_lossy(source.bytes);
        match parse_task(source.path, &text, &statuses) {
            Ok((mut record, front)) => {
                record.file = file;
                for (line, text, reason) in front.odd_lines {
                    list.skip_field(file, line, &text, reason);
                }
                report_odd_fields(&mut list, &record, &statuses);
                records.push(record);
            }
            Err(reason) => list.skip(file, 1, text.lines().next().unwrap_or_default(), reason),
        }
    }
    records.sort_by(compare_order);
    resolve_case(&mut records);
    for record in records {
        list.add(record);
    }
    list.finish(TrackerFormat::Backlog)
}

fn is_config(file: &SourceFile<'_>) -> bool {
    let name = file.path.rsplit(['/', '\\']).next().unwrap_or_default();
    CONFIG_NAMES.contains(&name)
}

/// Reads the statuses of the configuration, in the order of the board's columns.
fn read_statuses(file: &SourceFile<'_>) -> Option<Vec<String>> {
    if !is_config(file) {
        return None;
    }
    let text = format!("---\n{}\n---\n", String::from_utf8_lossy(file.bytes));
    let front = parse_front_matter(&text)?;
    Some(fields::ids(&front.fields, "statuses"))
}

/// Parses a task.
pub(super) fn parse_task(
    path: &str,
    text: &str,
    statuses: &[String],
) -> Result<(TrackerRecord, FrontMatter), &'static str> {
    let whole = text;
    let text = strip_byte_order_mark(text);
    if text.trim().is_empty() {
        return Err("empty, so no task");
    }
    let mut front = parse_front_matter(text).ok_or("no front matter, so no task")?;
    let fields = std::mem::take(&mut front.fields);
    let id = fields.get("id").and_then(fields::id).ok_or("no id in the front matter")?;
    let title = fields.get("title").and_then(fields::id).unwrap_or_else(|| id.clone());
    let mut record = TrackerRecord::new(id, title);
    let body = text.get(front.body_start..).unwrap_or_default();
    record.description = read_section(body, "Description");
    record.kind = fields::owned_text(&fields, "type");
    let word = fields::text(&fields, "status");
    record.status =
        word.and_then(|word| parse_status(word, statuses)).unwrap_or(RecordStatus::Waiting);
    let place = place_of(path);
    let set_aside = [("archive/", "archived"), ("drafts/", "a draft")]
        .into_iter()
        .find(|(folder, _)| place.starts_with(folder));
    if let Some((_, why)) = set_aside
        && matches!(record.status, RecordStatus::Waiting | RecordStatus::Active)
    {
        record.status = RecordStatus::Blocked;
        record.status_reason = Some(why.to_owned());
    }
    record.priority_word = fields::owned_text(&fields, "priority");
    record.priority = record.priority_word.as_deref().and_then(fields::rank_of_word);
    record.parent = parent_id(&fields);
    record.depends_on = fields::ids(&fields, "dependencies");
    record.created_at = date(&fields, "created_date");
    record.closed_at = date(&fields, "completed_date");
    record.original = fields;
    let criteria = acceptance_criteria(body);
    if !criteria.is_empty() {
        record.original.insert("acceptance_criteria".to_owned(), Value::Array(criteria));
    }
    record.original.insert(PATH_FIELD.to_owned(), json!(place));
    if !statuses.is_empty() {
        record.original.insert(STATUSES_FIELD.to_owned(), json!(statuses));
    }
    record.original.insert(TEXT_FIELD.to_owned(), json!(whole));
    Ok((record, front))
}

/// Returns where a file is below the folder of Backlog.md: its name and the folder of its kind.
pub(super) fn place_of(path: &str) -> String {
    let mut parts = path.rsplit(['/', '\\']);
    let name = parts.next().unwrap_or_default();
    match (parts.next(), parts.next()) {
        (Some(folder @ ("tasks" | "drafts")), Some("archive")) => {
            format!("archive/{folder}/{name}")
        }
        (Some(folder @ ("completed" | "drafts")), _) => format!("{folder}/{name}"),
        _ => format!("{TASK_FOLDER}/{name}"),
    }
}

fn parent_id(fields: &Map<String, Value>) -> Option<String> {
    ["parent_task_id", "parent"].iter().find_map(|key| fields.get(*key).and_then(fields::id))
}

/// Reads a date with or without a time, which Backlog.md writes in UTC.
pub(super) fn date(fields: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    let text = fields::text(fields, key)?.trim();
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).ok()
}

/// Reads a status: by the configuration, whose first column is not started and whose last one is
/// done, else by the usual words.
fn parse_status(word: &str, statuses: &[String]) -> Option<RecordStatus> {
    let usual = || match word {
        // The first column of a board that has no configuration.
        first if first.eq_ignore_ascii_case("to do") => Some(RecordStatus::Waiting),
        other => other.parse::<ItemStatus>().ok().map(RecordStatus::from),
    };
    let place = statuses.iter().position(|known| known.eq_ignore_ascii_case(word));
    match place {
        Some(0) => Some(RecordStatus::Waiting),
        Some(last) if last + 1 == statuses.len() => Some(RecordStatus::Done),
        Some(_) => Some(usual().unwrap_or(RecordStatus::Active)),
        None => usual(),
    }
}

/// Returns the word of a status: the name of a column of the board, where one stands for it.
pub(super) fn status_word(status: RecordStatus, statuses: &[String]) -> &str {
    let usual = match status {
        RecordStatus::Waiting => "To Do",
        RecordStatus::Active => "In Progress",
        RecordStatus::Blocked => "Blocked",
        RecordStatus::Done => "Done",
        RecordStatus::Failed => "Failed",
        RecordStatus::Cancelled => "Cancelled",
    };
    let named = statuses.iter().find(|word| word.eq_ignore_ascii_case(usual));
    let is_same = |word: &&String| parse_status(word, statuses) == Some(status);
    let named = named.filter(is_same).or_else(|| statuses.iter().find(is_same));
    // What is over without being done is in the last column, with a note of what it is.
    let is_over = matches!(status, RecordStatus::Failed | RecordStatus::Cancelled);
    named.or_else(|| statuses.last().filter(|_| is_over)).map_or(usual, String::as_str)
}

/// Reads a task again that was kept as an item's record.
pub(super) fn reread_task(id: String, fields: &Map<String, Value>) -> TrackerRecord {
    let path = fields::text(fields, PATH_FIELD).unwrap_or_default();
    let statuses = fields::ids(fields, STATUSES_FIELD);
    let text = fields::text(fields, TEXT_FIELD).unwrap_or_default();
    match parse_task(path, text, &statuses) {
        Ok((record, _)) => TrackerRecord { id, ..record },
        Err(_) => TrackerRecord::new(id.clone(), id),
    }
}

/// Lists the acceptance criteria with their marks.
fn acceptance_criteria(body: &str) -> Vec<Value> {
    let Some(text) = read_section(body, "Acceptance Criteria") else { return Vec::new() };
    let criteria = text.lines().filter_map(|line| {
        let (mark, criterion) = line.trim().strip_prefix("- [")?.split_once(']')?;
        let is_done = mark.eq_ignore_ascii_case("x");
        Some(json!({"text": criterion.trim(), "done": is_done}))
    });
    criteria.collect()
}

/// Compares the places on the board: by ordinal, those without one last, then by number.
fn compare_order(a: &TrackerRecord, b: &TrackerRecord) -> Ordering {
    let ordinal = |record: &TrackerRecord| {
        record.original.get("ordinal").and_then(Value::as_f64).unwrap_or(f64::INFINITY)
    };
    let number = |record: &TrackerRecord| PlanTaskId::from_text(&record.id);
    ordinal(a).total_cmp(&ordinal(b)).then_with(|| number(a).cmp(&number(b)))
}

/// Spells references like the ids: newer versions write `TASK-1`, older ones `task-1`.
fn resolve_case(records: &mut [TrackerRecord]) {
    let spelled: BTreeMap<String, String> =
        records.iter().map(|record| (record.id.to_lowercase(), record.id.clone())).collect();
    let spell = |id: &mut String| {
        // Some files name tasks by their number alone.
        let lower = id.to_lowercase();
        let known = spelled.get(&lower).or_else(|| spelled.get(&format!("task-{lower}")));
        if let Some(known) = known {
            id.clone_from(known);
        }
    };
    for record in records.iter_mut() {
        record.parent.iter_mut().for_each(spell);
        record.depends_on.iter_mut().for_each(spell);
    }
}

fn report_odd_fields(list: &mut RecordList, record: &TrackerRecord, statuses: &[String]) {
    let mut report = |reason: String| {
        list.skip_field(record.file, record.line, &record.title, reason);
    };
    let status = fields::text(&record.original, "status");
    if let Some(word) = status.filter(|word| parse_status(word, statuses).is_none()) {
        report(format!("status {} is not known; it counts as not started", shorten(word)));
    }
    if let Some(word) = record.priority_word.as_deref().filter(|_| record.priority.is_none()) {
        report(format!("priority {} is not known; it is ignored", shorten(word)));
    }
}
