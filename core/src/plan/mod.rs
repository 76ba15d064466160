//! Plans: reading and writing their files, and working on their tasks.
//!
//! Invariants: reading is pure and never panics; every line that looks like a task is either a
//! task of the result or named in what was skipped, with its line and the reason; what is
//! written back into a file changes the pieces it is about and no other byte.

mod checkbox;
mod dependencies;
mod findings;
mod indentation;
mod markdown_plan;
mod status_export;
mod status_file;
mod summary_check;
mod task_ids;
mod task_line;
mod task_step;
#[cfg(test)]
mod tests;
mod text_edit;

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Map, Value};

use crate::model::{NewPlan, NewPlanTask, PlanId, PlanTaskId, PlanTaskStatus};
use crate::text::redact::RedactedText;

pub use checkbox::{Checkbox, CheckboxRelation, Checkboxes, LineColumn, compare_checkboxes};
pub use findings::{
    PlanFile, checkbox_findings, import_findings, status_file_findings, summary_findings,
    task_findings,
};
pub use markdown_plan::parse_markdown;
pub use status_export::{render_status_file, summary_counts};
pub use status_file::{StatusFileError, parse_status_file};
pub use summary_check::{StatusFileCheck, SummaryProblem, WrongSummaryCount, check_status_file};
pub use task_ids::{id_edits, missing_ids};
pub use task_step::{TaskStepOutcome, apply_task_step};
pub use text_edit::{TextEdit, apply_edits};

/// Most tasks of one plan. Beyond it a file is taken for something else.
const MAX_TASKS: usize = 10_000;

/// Longest excerpt of a line that was skipped, in characters.
const MAX_EXCERPT_CHARS: usize = 200;

/// What a file says of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedPlan {
    /// What it is about.
    pub title: Option<String>,
    /// The plan's own file, where the one that was read is another's.
    pub plan_path: Option<String>,
    /// What else it says of the plan, value for value.
    pub extra: Map<String, Value>,
    /// How many phases it has.
    pub phases: usize,
    /// Its tasks, in their order, no id twice.
    pub tasks: Vec<ParsedTask>,
    /// Where each entry of a status file's list stands, taken in or not; absent where it does not
    /// say so that it can be read. Empty for Markdown.
    pub entry_statuses: Vec<Option<PlanTaskStatus>>,
    /// What looks like a task, or a part of one, and was not taken in, in the order of lines.
    pub skipped: Vec<SkippedLine>,
}

/// A task, and where it stands in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedTask {
    /// What the file says.
    pub task: NewPlanTask,
    /// The line, counted from 1.
    pub line: usize,
    /// The bytes between the brackets of its checkbox, where a later status is written back;
    /// absent where the file has no checkboxes.
    pub checkbox: Option<Range<usize>>,
    /// The byte where its id is to be written in, where the file does not have it yet.
    pub id_insert_at: Option<usize>,
}

/// A line that was not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedLine {
    /// The line, counted from 1.
    pub line: usize,
    /// What stands there, shortened.
    pub text: String,
    /// Why, for a person.
    pub reason: String,
    /// Whether it is an error: a task waits for what is not there.
    pub is_error: bool,
}

/// Shortens what stands in a file: a line may be as long as the file, and be named as often as
/// it has entries.
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
        }
    }

    fn error(line: usize, text: &str, reason: impl Into<String>) -> Self {
        Self {
            is_error: true,
            ..Self::new(line, text, reason)
        }
    }
}

impl ParsedPlan {
    /// Makes what a store takes in.
    pub fn into_plan(self, id: PlanId, path: String) -> NewPlan {
        NewPlan {
            id,
            path,
            title: self.title.map(redact_text),
            extra: self.extra,
            tasks: self
                .tasks
                .into_iter()
                .map(|task| redact_task(task.task))
                .collect(),
        }
    }
}

/// Returns a text as the database has it, so that reading the file again finds nothing new.
fn redact_text(text: String) -> String {
    RedactedText::from(text).into()
}

fn redact_task(task: NewPlanTask) -> NewPlanTask {
    NewPlanTask {
        title: redact_text(task.title),
        phase_title: task.phase_title.map(redact_text),
        ..task
    }
}

/// The tasks found so far.
#[derive(Debug, Default)]
struct PlanBuilder {
    tasks: Vec<UnresolvedTask>,
    ids: BTreeSet<PlanTaskId>,
    skipped: Vec<SkippedLine>,
}

/// A task with what is still to be resolved.
#[derive(Debug)]
struct UnresolvedTask {
    task: ParsedTask,
    /// The parts of its lists of dependencies; absent when the file says nothing of them.
    depends_on: Option<Vec<String>>,
    /// The task it is a child of.
    parent: Option<PlanTaskId>,
    /// What stands in the file, shortened, to name what was skipped.
    text: String,
}

impl PlanBuilder {
    /// Takes a task in, unless its id is taken.
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

    /// Resolves dependencies and fills the plan.
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
