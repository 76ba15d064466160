//! Writes items as the files of Backlog.md.

use std::fmt::Write as _;

use super::backlog::{PATH_FIELD, STATUSES_FIELD, TASK_FOLDER, TEXT_FIELD, place_of, status_word};
use super::backlog_sections::{
    DESCRIPTION, NOTES, append_to_section, line_end, render_section, replace_section,
};
use super::export_item::{ExportedItem, ExportedItems};
use super::fields;
use super::front_matter::{FrontMatter, find_comment, parse_front_matter, render_scalar};
use super::item_changes::ItemChanges;
use super::item_source::ItemSource;
use super::record::RecordStatus;
use crate::model::{Item, ItemKey};
use crate::text::markdown::strip_byte_order_mark;

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacklogFile {
    /// The id of its task.
    pub id: String,
    /// Its path below the folder of Backlog.md, with slashes.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// Returns the file of an item. One that came from Backlog.md is edited line by line, so that what
/// did not change stays byte for byte.
pub fn render_backlog_file(exported: &ExportedItem, items: &ExportedItems) -> BacklogFile {
    let text = exported.source.as_ref().and_then(|source| {
        let text = fields::text(exported.fields_of_file()?, TEXT_FIELD)?;
        Some(update_text(text, &exported.item, source, items))
    });
    let text = text.unwrap_or_else(|| new_text(&exported.item, items));
    let path = exported.source.as_ref().and_then(|source| fields::text(&source.record, PATH_FIELD));
    let path = items.place_of(&exported.item.key).or(path).map(place_of);
    let id = items.id_of(&exported.item.key);
    BacklogFile { id, path: path.unwrap_or_else(|| new_path(&exported.item, items)), text }
}

pub(super) fn new_path(item: &Item, items: &ExportedItems) -> String {
    format!("{TASK_FOLDER}/{}", new_name(item, items))
}

fn new_name(item: &Item, items: &ExportedItems) -> String {
    let id = items.id_of(&item.key).to_lowercase();
    let title = item.title.as_deref().unwrap_or_default();
    let kept = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { ' ' };
    let title: String = title.chars().take(80).map(kept).collect();
    let title = title.split_whitespace().collect::<Vec<_>>().join("-");
    if title.is_empty() { format!("{id}.md") } else { format!("{id} - {title}.md") }
}

/// Returns the columns of the board, as the first task that was imported knows them.
fn board_of(items: &ExportedItems) -> Vec<String> {
    let sources = items.items.iter().filter_map(|exported| exported.source.as_ref());
    let columns = sources.map(|source| fields::ids(&source.record, STATUSES_FIELD)).next();
    columns.unwrap_or_default()
}

fn priority_word(item: &Item) -> &'static str {
    fields::word_of_rank(item.effective_priority().number(), false)
}

fn render_dependencies(item: &Item, items: &ExportedItems) -> String {
    if item.depends_on.is_empty() {
        return "dependencies: []\n".to_owned();
    }
    let ids = item.depends_on.iter().map(|on| render_scalar(&items.id_of(on)));
    ids.fold("dependencies:\n".to_owned(), |text, id| format!("{text}  - {id}\n"))
}

pub(super) fn new_text(item: &Item, items: &ExportedItems) -> String {
    let title = item.title.as_deref().unwrap_or(item.key.as_str());
    let status = RecordStatus::from(item.status);
    let board = board_of(items);
    let column = status_word(status, &board);
    let mut text = format!(
        "---\nid: {}\ntitle: {}\nstatus: {}\nassignee: []\ncreated_date: '{}'\nupdated_date: '{}'\n\
         labels: []\n{}",
        render_scalar(&items.id_of(&item.key)),
        render_scalar(title),
        column,
        item.created_at,
        item.updated_at,
        render_dependencies(item, items),
    );
    if let Some(parent) = &item.parent {
        let _ = writeln!(text, "parent_task_id: {}", render_scalar(&items.id_of(parent)));
    }
    if item.priority.is_some() {
        let _ = writeln!(text, "priority: {}", priority_word(item));
    }
    text += "---\n";
    if let Some(description) = &item.description {
        text += "\n";
        text += &render_section(DESCRIPTION, description);
    }
    if let Some(note) = note_of_end(item, status, column) {
        text = append_to_section(&text, NOTES, &note);
    }
    text
}

/// Returns what tells of an item that it is over without being done, where its column does not.
fn note_of_end(item: &Item, status: RecordStatus, column: &str) -> Option<String> {
    let word = match status {
        RecordStatus::Failed => "failed",
        RecordStatus::Cancelled => "cancelled",
        _ => return None,
    };
    let note = item.error_message.as_deref().map_or(String::new(), |reason| format!(": {reason}"));
    (!column.eq_ignore_ascii_case(word)).then(|| format!("{word}{note}"))
}

fn update_text(text: &str, item: &Item, source: &ItemSource, items: &ExportedItems) -> String {
    let changes = ItemChanges::find(item, source);
    let whole = text;
    let text = strip_byte_order_mark(text);
    let Some(front) = parse_front_matter(text).filter(|_| !changes.is_empty()) else {
        return whole.to_owned();
    };
    let mark = whole.strip_suffix(text).unwrap_or_default();
    // From the end of the file to its beginning, so that offsets stay right.
    let (mut edited, body) = (text.to_owned(), text.get(front.body_start..).unwrap_or_default());
    edited.truncate(front.body_start);
    let mut body = body.to_owned();
    let mut fields: Vec<(&str, String)> = Vec::new();
    if let Some(description) = changes.description {
        body = replace_section(&body, DESCRIPTION, description.unwrap_or_default());
    }
    if let Some(title) = changes.title {
        fields.push(("title", format!("title: {}\n", render_scalar(title))));
    }
    if let Some(status) = changes.status {
        let board = fields::ids(&source.record, STATUSES_FIELD);
        let column = status_word(status, &board);
        fields.push(("status", format!("status: {}\n", render_scalar(column))));
        if let Some(note) = note_of_end(item, status, column) {
            body = append_to_section(&body, NOTES, &note);
        }
    }
    if changes.priority.is_some() {
        let line = item.priority.map(|_| format!("priority: {}\n", priority_word(item)));
        fields.push(("priority", line.unwrap_or_default()));
    }
    if let Some(parent) = changes.parent {
        let line = parent
            .map(|parent| format!("parent_task_id: {}\n", render_scalar(&items.id_of(parent))));
        fields.push(("parent_task_id", line.unwrap_or_default()));
    }
    if changes.has_new_dependencies() {
        let known = front.spans.iter().rfind(|(name, _)| name == "dependencies");
        let known = known.and_then(|(_, span)| text.get(span.clone())).unwrap_or_default();
        let lines = update_dependencies(known, item, source, &changes, items);
        fields.push(("dependencies", lines));
    }
    replace_fields(&mut edited, &front, fields);
    if front.body_start == text.len() {
        body = like_file(&body, text);
    }
    format!("{mark}{edited}{body}")
}

/// Returns a text with the line ends that a file has.
fn like_file(text: &str, file: &str) -> String {
    let plain = text.replace("\r\n", "\n");
    if line_end(file) == "\n" { plain } else { plain.replace('\n', line_end(file)) }
}

/// Returns the field of the dependencies. The lines of those that stay are kept, also of what an
/// import ignored.
fn update_dependencies(
    field: &str,
    item: &Item,
    source: &ItemSource,
    changes: &ItemChanges<'_>,
    items: &ExportedItems,
) -> String {
    let is_named = |id: &str, on: &ItemKey| {
        let (id, known) = (id.to_lowercase(), items.id_of(on).to_lowercase());
        known == id || known == format!("task-{id}")
    };
    let before = fields::ids(&source.record, "dependencies");
    let is_kept = |id: &str| !changes.removed_dependencies.iter().any(|on| is_named(id, on));
    let lines: Vec<&str> = field.lines().skip(1).filter(|line| !line.trim().is_empty()).collect();
    let mut text = "dependencies:\n".to_owned();
    if lines.len() == before.len() {
        let kept = lines.iter().zip(&before).filter(|(_, id)| is_kept(id));
        kept.for_each(|(line, _)| text = format!("{text}{line}\n"));
    } else {
        let kept = before.iter().filter(|id| is_kept(id));
        kept.for_each(|id| text = format!("{text}  - {}\n", render_scalar(id)));
    }
    let indent =
        lines.first().and_then(|line| line.split_once('-')).map_or("  ", |(blank, _)| blank);
    let is_new = |on: &&ItemKey| !before.iter().any(|id| is_named(id, on));
    for on in item.depends_on.iter().filter(is_new) {
        text = format!("{text}{indent}- {}\n", render_scalar(&items.id_of(on)));
    }
    if text.lines().count() == 1 { "dependencies: []\n".to_owned() } else { text }
}

fn replace_fields(text: &mut String, front: &FrontMatter, fields: Vec<(&str, String)>) {
    let end = front.spans.last().map_or(front.body_start, |(_, span)| span.end);
    let mut edits: Vec<_> = fields
        .into_iter()
        .map(|(key, lines)| {
            let known = front.spans.iter().rfind(|(name, _)| name == key);
            let span = known.map_or(end..end, |(_, span)| span.clone());
            let comment = text.get(span.clone()).and_then(find_comment);
            let lines = match (lines.split_once('\n'), comment) {
                (Some((first, rest)), Some(comment)) => format!("{first}{comment}\n{rest}"),
                _ => lines,
            };
            (span, like_file(&lines, text))
        })
        .collect();
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    for (span, line) in edits.into_iter().rev() {
        if text.get(span.clone()).is_some() {
            text.replace_range(span, &line);
        }
    }
}
