//! Plans: parsing and editing their files, and working on their tasks.
//!
//! Invariants:
//! - Parsing is pure and never panics.
//! - Every line that looks like a task is a task of the result, or is listed as skipped with its
//!   number and the reason.
//! - An edit of a file changes the bytes that it is about and no others.

mod checkbox;
mod dependencies;
mod dependency_lists;
mod findings;
mod formats;
mod indentation;
mod legend;
mod line_rules;
mod outline;
mod plan_draft;
mod reopened;
mod source_lines;
mod status_export;
mod status_file;
mod status_mark;
mod summary_check;
mod task_box;
mod task_details;
mod task_field;
mod task_ids;
mod task_line;
mod task_step;
#[cfg(test)]
mod tests;
mod text_edit;
pub mod trackers;
mod written_id;

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Map, Value};

use crate::model::{NewPlan, NewPlanTask, PlanId, PlanTaskId, PlanTaskStatus};
use crate::text::redact::{RedactedText, redact_json};

pub use checkbox::{
    Checkbox, CheckboxRelation, Checkboxes, LineColumn, clear_checkbox, compare_checkboxes,
    has_only_opened_boxes,
};
pub use findings::{
    PlanFile, checkbox_findings, import_findings, skipped_findings, status_file_findings,
    summary_findings, task_findings,
};
pub use formats::{
    PlanFormat, UnknownPlanFormat, decided_format, format_of_plan, keep_decided_format,
    read_markdown, read_tracker_plans, recognise_format,
};
pub use reopened::find_reopened_tasks;
pub use status_export::render_status_file;
pub use status_file::{StatusFileError, parse_status_file};
pub use summary_check::{StatusFileCheck, SummaryProblem, WrongSummaryCount, check_status_file};
pub use task_ids::{id_edits, missing_ids};
pub use task_step::{TaskStepOutcome, apply_task_step};
pub use text_edit::{TextEdit, apply_edits};

/// The most tasks of a plan. A file with more is something else.
const MAX_TASKS: usize = 10_000;

/// The longest excerpt of a skipped line, in characters.
const MAX_EXCERPT_CHARS: usize = 200;

/// The content of a plan's file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedPlan {
    /// The format that it was read as.
    pub format: PlanFormat,
    /// The title.
    pub title: Option<String>,
    /// The path of the plan that a status file is about.
    pub plan_path: Option<String>,
    /// The path of the plan below its repository, where an export names it.
    pub repo_path: Option<String>,
    /// The other top-level fields of a status file, value for value.
    pub extra: Map<String, Value>,
    /// The number of headings of phases.
    pub phases: usize,
    /// The tasks in the order of the file. No id occurs twice.
    pub tasks: Vec<ParsedTask>,
    /// The status of every entry in the list of a status file, whether it became a task or not;
    /// `None` where it cannot be read. Empty for Markdown.
    pub entry_statuses: Vec<Option<PlanTaskStatus>>,
    /// Lines that look like a task, or a part of one, and were skipped; in the order of the file.
    pub skipped: Vec<SkippedLine>,
}

/// A task, and where it is in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedTask {
    /// The content of the task.
    pub task: NewPlanTask,
    /// The line, from 1.
    pub line: usize,
    /// The byte range between the brackets of its checkbox, into which a later status is written;
    /// `None` in files without checkboxes.
    pub checkbox: Option<Range<usize>>,
    /// The offset at which its id is to be inserted, if the file does not have the id yet.
    pub id_insert_at: Option<usize>,
}

/// A line that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedLine {
    /// The line, from 1.
    pub line: usize,
    /// The start of the line.
    pub text: String,
    /// Why it was skipped, for a person.
    pub reason: String,
    /// Whether it is an error, because a task depends on something that does not exist.
    pub is_error: bool,
    /// Whether the task was imported, and only a dependency of it ignored.
    pub is_imported: bool,
}

/// Shortens a text: a line may be as long as the file, and be reported many times.
fn excerpt(text: &str) -> String {
    text.trim().chars().take(MAX_EXCERPT_CHARS).collect()
}

impl SkippedLine {
    fn new(line: usize, text: &str, reason: impl Into<String>) -> Self {
        Self {
            line,
            text: excerpt(text),
            reason: reason.into(),
            is_error: false,
            is_imported: false,
        }
    }

    fn ignored_dependency(line: usize, text: &str, reason: impl Into<String>) -> Self {
        Self { is_imported: true, ..Self::new(line, text, reason) }
    }

    fn error(line: usize, text: &str, reason: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::new(line, text, reason) }
    }
}

impl ParsedPlan {
    /// Makes the request that imports the plan into the store.
    pub fn into_plan(self, id: PlanId, path: String) -> NewPlan {
        NewPlan {
            id,
            path,
            title: self.title.map(redact_text),
            extra: self.extra,
            tasks: self.tasks.into_iter().map(|task| redact_task(task.task)).collect(),
        }
    }
}

/// Redacts a text as the database does, so that importing the file again finds no difference.
fn redact_text(text: String) -> String {
    RedactedText::from(text).into()
}

fn redact_task(mut task: NewPlanTask) -> NewPlanTask {
    let mut extra = Value::Object(task.extra);
    redact_json(&mut extra);
    task.extra = if let Value::Object(extra) = extra { extra } else { Map::new() };
    NewPlanTask {
        title: redact_text(task.title),
        phase_title: task.phase_title.map(redact_text),
        ..task
    }
}

/// The tasks of a file that is being parsed.
#[derive(Debug, Default)]
struct PlanBuilder {
    tasks: Vec<UnresolvedTask>,
    ids: BTreeSet<PlanTaskId>,
    skipped: Vec<SkippedLine>,
}

/// A task whose dependencies are not resolved yet.
#[derive(Debug)]
struct UnresolvedTask {
    task: ParsedTask,
    /// The entries of its lists of dependencies; `None` if the file has no list for it.
    depends_on: Option<Vec<String>>,
    /// The task that it is a child of.
    parent: Option<PlanTaskId>,
    /// The start of its line, for the list of skipped lines.
    text: String,
}

impl PlanBuilder {
    /// Adds a task, unless its id is taken.
    fn add_task(&mut self, entry: UnresolvedTask) {
        let id = &entry.task.task.id;
        let reason = if self.ids.contains(id) {
            format!("duplicate id {id}; the first one counts")
        } else if self.tasks.len() >= MAX_TASKS {
            format!("the plan has more than {MAX_TASKS} tasks")
        } else {
            self.ids.insert(id.clone());
            self.tasks.push(entry);
            return;
        };
        self.skip_line(entry.task.line, &entry.text, reason);
    }

    fn skip_line(&mut self, line: usize, text: &str, reason: impl Into<String>) {
        self.skipped.push(SkippedLine::new(line, text, reason));
    }

    /// Resolves the dependencies and completes the plan.
    fn finish(mut self, plan: ParsedPlan) -> ParsedPlan {
        dependencies::resolve_dependencies(&mut self);
        self.skipped.sort_by_key(|skipped| skipped.line);
        ParsedPlan {
            tasks: self.tasks.into_iter().map(|entry| entry.task).collect(),
            skipped: self.skipped,
            ..plan
        }
    }
}
