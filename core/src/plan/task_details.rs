//! What is written below a task: fields, details, and the rest of a title that is wrapped.

use serde_json::{Value, json};

use super::dependency_lists::DependencyLists;
use super::excerpt;
use super::plan_draft::{NOT_UNDERSTOOD, OpenTask, PlanDraft};
use super::source_lines::SourceLine;
use super::status_mark::{box_content, parse_status_words};
use super::task_box::without_quote;
use super::task_field::{FieldKind, TaskField, WrittenDependencies, parse_field};
use crate::json_spans::byte_offset;
use crate::model::NewPlanTask;

/// The most characters of details that one task keeps.
const MAX_DETAIL_CHARS: usize = 2_000;

impl PlanDraft {
    /// Reads a line below a task: a field, or a detail that is kept.
    pub(super) fn read_detail(
        &mut self,
        line: SourceLine<'_>,
        read_dependency: &dyn Fn(&str) -> Option<String>,
    ) {
        let Some(open) = self.open_task else {
            return;
        };
        // The marks of a quote are no part of what stands below a task in it.
        let is_in_quote = line.is_quoted() && self.is_last_task_quoted();
        let (text, column_of_text) = if is_in_quote {
            (without_quote(line.text).trim_end(), line.depth())
        } else {
            (line.text.trim(), line.indentation())
        };
        if text.is_empty() {
            return;
        }
        let field = parse_field(text);
        match (open.column, field) {
            (Some(column), _) if column_of_text <= column => self.open_task = None,
            (Some(_), _) if text.contains(" | ") && has_known_field(text) => {
                for part in text.split(" | ") {
                    match parse_field(part) {
                        Some(field) if field.kind != FieldKind::Other => {
                            self.apply_field(open, line, &field, read_dependency);
                        }
                        _ => self.add_detail(open.index, part),
                    }
                }
            }
            (Some(_), None) if open.last_line + 1 == line.number && !begins_entry(text) => {
                self.continue_title(open, text, read_dependency);
            }
            (_, Some(field)) => self.apply_field(open, line, &field, read_dependency),
            (Some(_), None) => self.add_detail(open.index, text),
            // What is written below a heading is for people.
            (None, None) => {}
        }
    }

    /// Adds a line to a title that is wrapped.
    fn continue_title(
        &mut self,
        open: OpenTask,
        text: &str,
        read_dependency: &dyn Fn(&str) -> Option<String>,
    ) {
        self.open_task = Some(OpenTask { last_line: open.last_line + 1, ..open });
        let Some(entry) = self.builder.tasks.get_mut(open.index) else {
            return;
        };
        let lists = DependencyLists::split_from(text);
        for list in &lists.lists {
            let found = WrittenDependencies::parse(list, read_dependency);
            entry.depends_on.get_or_insert_default().extend(found.ids);
        }
        // What is left of `*(depends on 1.1)*`.
        let text = lists.rest.trim_end_matches("**").trim();
        let title = &mut entry.task.task.title;
        if title.len() + text.len() > MAX_DETAIL_CHARS {
            return self.add_detail(open.index, text);
        }
        if !text.is_empty() {
            title.push(' ');
            title.push_str(text);
        }
    }

    fn apply_field(
        &mut self,
        open: OpenTask,
        line: SourceLine<'_>,
        field: &TaskField<'_>,
        read_dependency: &dyn Fn(&str) -> Option<String>,
    ) {
        let Some(entry) = self.builder.tasks.get_mut(open.index) else {
            return;
        };
        let task = &mut entry.task.task;
        let value = field.value;
        let mut problem = None;
        match field.kind {
            FieldKind::Status => match parse_status_words(value) {
                Some(status) => {
                    if status.rank() > task.status.rank() {
                        task.status = status;
                    }
                    let mark = box_content(value).unwrap_or(value);
                    let start = line.start + byte_offset(line.text, mark);
                    let range = start..start + mark.len();
                    // Of a heading the words are the mark; a box has its own.
                    if open.column.is_none() && entry.task.checkbox.is_none() {
                        entry.task.checkbox = Some(range);
                    }
                }
                None if value.is_empty() => {}
                None => {
                    task.extra.insert("status_text".to_owned(), json!(value));
                    problem = Some("the status is not understood");
                }
            },
            FieldKind::DependsOn => {
                let found = WrittenDependencies::parse(value, read_dependency);
                entry.depends_on.get_or_insert_default().extend(found.ids);
                if found.has_prose {
                    task.extra.insert("depends_on".to_owned(), json!(value));
                    problem = Some(NOT_UNDERSTOOD);
                }
            }
            FieldKind::Priority if !value.is_empty() => task.priority = Some(excerpt(value)),
            FieldKind::Requirements => {
                let list: Vec<&str> = value.split(',').map(str::trim).collect();
                task.extra.insert("requirements".to_owned(), json!(list));
            }
            FieldKind::Priority | FieldKind::Other if open.column.is_some() => {
                self.add_detail(open.index, without_quote(line.text).trim_end());
            }
            FieldKind::Priority | FieldKind::Other => add_field(task, field.label, value),
        }
        if let Some(problem) = problem {
            self.note(line.number, line.text, problem);
        }
    }

    /// Keeps a value with a name among what is said of the open task.
    pub(super) fn add_field(&mut self, label: &str, value: &str) {
        let open = self.open_task.and_then(|open| self.builder.tasks.get_mut(open.index));
        if let Some(entry) = open {
            add_field(&mut entry.task.task, label, value);
        }
    }

    /// Keeps a line below a task among its details.
    fn add_detail(&mut self, index: usize, text: &str) {
        let Some(entry) = self.builder.tasks.get_mut(index) else {
            return;
        };
        let details = entry.task.task.extra.entry("details").or_insert_with(|| json!([]));
        let Value::Array(details) = details else {
            return;
        };
        let kept: usize = details.iter().filter_map(Value::as_str).map(str::len).sum();
        if kept + text.len() <= MAX_DETAIL_CHARS {
            let bullet = ["- ", "* ", "+ "].into_iter().find_map(|mark| text.strip_prefix(mark));
            details.push(json!(bullet.unwrap_or(text).trim()));
        } else if details.last().is_some_and(|last| last != "…") {
            details.push(json!("…"));
        }
    }
}

/// Keeps a value that has no place of its own.
fn add_field(task: &mut NewPlanTask, label: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    let fields = task.extra.entry("fields").or_insert_with(|| json!({}));
    if let Value::Object(fields) = fields {
        fields.insert(excerpt(label), json!(excerpt(value)));
    }
}

/// Returns whether a line of fields such as `Owner: Y | Depends: 1.1` has one that is known.
fn has_known_field(line: &str) -> bool {
    let mut fields = line.split(" | ").filter_map(parse_field);
    fields.any(|field| field.kind != FieldKind::Other)
}

/// Returns whether a line begins an entry of a list, and so does not go on with a paragraph.
fn begins_entry(text: &str) -> bool {
    let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = after.len() < text.len() && after.starts_with(['.', ')']);
    is_numbered || text.starts_with(['-', '*', '+', '>', '|', '<', '✅'])
}
