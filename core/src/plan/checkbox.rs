//! Compares the checkboxes of a plan's Markdown with the database, and finds the bytes that true up
//! the file.
//!
//! A checkbox only tells whether a task is finished; what else the database knows is no difference.
//! Writing back only ever checks a box: no checkbox that a person checked is cleared, unless
//! somebody reopens its task. Only the mark changes, which is the byte between the brackets or what
//! stands in place of a box.

use std::collections::{BTreeMap, BTreeSet};

use super::status_mark::{completed_mark, open_mark};
use super::{ParsedPlan, PlanFormat, TextEdit, apply_edits, read_markdown};
use crate::authority::{self, Authority};
use crate::model::{PlanTask, PlanTaskId, PlanTaskStatus};

/// The relation of a checkbox to the task in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckboxRelation {
    /// They agree, as far as a checkbox can tell.
    Equal,
    /// The box is checked or crossed out, and the task is pending or in progress.
    FileAhead,
    /// The task is completed, and the box is not checked.
    DatabaseAhead,
    /// The box is checked, and the task failed or was skipped, or the box is crossed out, and the
    /// task ended in another way; the database wins.
    DatabaseKeeps,
    /// The box is checked, and somebody reopened the task: the box may be the one that said so
    /// before, so the database wins.
    Reopened,
}

impl CheckboxRelation {
    /// Compares the status that a mark means with the status of its task. A mark of a task that is
    /// in progress is no more than an open box.
    pub fn compare(in_file: PlanTaskStatus, status: PlanTaskStatus) -> Self {
        if !in_file.is_finished() {
            return match status {
                PlanTaskStatus::Completed => Self::DatabaseAhead,
                _ => Self::Equal,
            };
        }
        match authority::of_status(in_file.rank(), status.rank()) {
            Authority::File => Self::FileAhead,
            _ if in_file == status => Self::Equal,
            _ => Self::DatabaseKeeps,
        }
    }

    /// Returns the copy that is right.
    pub const fn authority(self) -> Authority {
        match self {
            Self::FileAhead => Authority::File,
            Self::Equal | Self::DatabaseAhead | Self::DatabaseKeeps | Self::Reopened => {
                Authority::Database
            }
        }
    }
}

/// A position in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

/// The checkbox of a task that the database has too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkbox {
    /// The id of the task.
    pub id: PlanTaskId,
    /// The position of its mark.
    pub position: LineColumn,
    /// The status that the mark means.
    pub in_file: PlanTaskStatus,
    /// The status in the database.
    pub status: PlanTaskStatus,
    /// The result of the comparison.
    pub relation: CheckboxRelation,
}

/// The checkboxes of a plan, compared with the database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkboxes {
    /// The parsed file.
    pub file: ParsedPlan,
    /// The checkboxes of tasks that are in both, in the order of the file.
    pub checkboxes: Vec<Checkbox>,
    /// The edits that check the boxes of completed tasks.
    pub edits: Vec<TextEdit>,
    /// Tasks that are checked in the file and not finished in the database.
    pub ahead_in_file: Vec<PlanTaskId>,
    /// Tasks that only the file has.
    pub not_imported: Vec<(PlanTaskId, LineColumn)>,
    /// Tasks that only the database has.
    pub not_in_file: Vec<PlanTaskId>,
}

impl Checkboxes {
    /// Returns the tasks whose boxes the edits check, in the order of the file.
    pub fn edited_tasks(&self) -> impl Iterator<Item = &PlanTaskId> {
        let is_unchecked = |it: &&Checkbox| it.relation == CheckboxRelation::DatabaseAhead;
        self.checkboxes.iter().filter(is_unchecked).map(|it| &it.id)
    }

    /// Takes the word of the file for tasks that somebody reopened as an old one.
    pub fn mark_reopened(&mut self, reopened: &BTreeSet<PlanTaskId>) {
        self.ahead_in_file.retain(|id| !reopened.contains(id));
        for checkbox in &mut self.checkboxes {
            let is_ahead = checkbox.relation == CheckboxRelation::FileAhead;
            if is_ahead && reopened.contains(&checkbox.id) {
                checkbox.relation = CheckboxRelation::Reopened;
            }
        }
    }
}

/// Compares the checkboxes of a plan with its tasks in the database.
pub fn compare_checkboxes(format: PlanFormat, text: &str, tasks: &[PlanTask]) -> Checkboxes {
    let file = read_markdown(format, text);
    let statuses: BTreeMap<&PlanTaskId, PlanTaskStatus> =
        tasks.iter().map(|task| (&task.id, task.status)).collect();
    let mut comparison = Checkboxes::default();
    let mut seen = BTreeSet::new();
    for parsed in &file.tasks {
        let id = &parsed.task.id;
        seen.insert(id);
        let start = parsed.checkbox.as_ref().map(|checkbox| checkbox.start);
        let column = start.map_or(1, |start| column_at(text, start));
        let position = LineColumn { line: parsed.line, column };
        let Some(status) = statuses.get(id).copied() else {
            comparison.not_imported.push((id.clone(), position));
            continue;
        };
        // A heading may be a task without a mark.
        let Some(checkbox) = parsed.checkbox.clone() else {
            continue;
        };
        let in_file = parsed.task.status;
        let relation = CheckboxRelation::compare(in_file, status);
        match relation {
            CheckboxRelation::DatabaseAhead => {
                let mark = text.get(checkbox.clone()).unwrap_or_default();
                let replacement = completed_mark(mark).to_owned();
                comparison.edits.push(TextEdit { range: checkbox, replacement });
            }
            CheckboxRelation::FileAhead => comparison.ahead_in_file.push(id.clone()),
            CheckboxRelation::Equal
            | CheckboxRelation::DatabaseKeeps
            | CheckboxRelation::Reopened => {}
        }
        let id = id.clone();
        comparison.checkboxes.push(Checkbox { id, position, in_file, status, relation });
    }
    let missing = tasks.iter().filter(|task| !seen.contains(&task.id));
    comparison.not_in_file = missing.map(|task| task.id.clone()).collect();
    comparison.file = file;
    comparison
}

/// Finds the edits that open the box of a task that was reopened; there is none if it is open.
pub fn clear_checkbox(format: PlanFormat, text: &str, task: &PlanTaskId) -> Vec<TextEdit> {
    clear_checkboxes(format, text, |id| id == task)
}

/// Tells whether a file differs from how it was by boxes that were opened, and by nothing else: so
/// does one after tasks were reopened.
pub fn has_only_opened_boxes(format: PlanFormat, before: &str, now: &str) -> bool {
    let tasks = read_markdown(format, now).tasks.into_iter();
    let open = tasks.filter(|parsed| !parsed.task.status.is_finished());
    let open: BTreeSet<PlanTaskId> = open.map(|parsed| parsed.task.id).collect();
    apply_edits(before, &clear_checkboxes(format, before, |id| open.contains(id))) == now
}

fn clear_checkboxes(
    format: PlanFormat,
    text: &str,
    is_reopened: impl Fn(&PlanTaskId) -> bool,
) -> Vec<TextEdit> {
    let file = read_markdown(format, text);
    let finished = file.tasks.into_iter().filter(|parsed| is_reopened(&parsed.task.id));
    let finished = finished.filter(|parsed| parsed.task.status.is_finished());
    let marks = finished.filter_map(|parsed| parsed.checkbox);
    let edit = |range: std::ops::Range<usize>| {
        let mark = text.get(range.clone()).unwrap_or_default();
        TextEdit { replacement: open_mark(mark).to_owned(), range }
    };
    marks.map(edit).collect()
}

/// Returns the column of a byte in its line; a byte order mark has no column.
fn column_at(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    let line = before.get(start..).unwrap_or_default();
    let line = line.strip_prefix('\u{feff}').filter(|_| start == 0).unwrap_or(line);
    line.chars().count() + 1
}

#[cfg(test)]
mod tests;
