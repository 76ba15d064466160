//! Compares the checkboxes of a plan's Markdown with the database, and finds the bytes that true up
//! the file.
//!
//! A checkbox only tells whether a task is done; what else the database knows is no difference.
//! Writing back only ever checks a box: no checkbox that a person checked is cleared, and only the
//! byte between the brackets changes.

use std::collections::{BTreeMap, BTreeSet};

use super::{ParsedPlan, TextEdit, parse_markdown};
use crate::authority::{self, Authority};
use crate::model::{PlanTask, PlanTaskId, PlanTaskStatus};

/// The relation of a checkbox to the task in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckboxRelation {
    /// They agree, as far as a checkbox can tell.
    Equal,
    /// The box is checked, and the task is pending or in progress.
    FileAhead,
    /// The task is completed, and the box is not checked.
    DatabaseAhead,
    /// The box is checked, and the task failed or was skipped; the database wins.
    DatabaseKeeps,
}

impl CheckboxRelation {
    /// Compares a checkbox with the status of its task.
    pub const fn compare(is_checked: bool, status: PlanTaskStatus) -> Self {
        let in_file = if is_checked { PlanTaskStatus::Completed } else { PlanTaskStatus::Pending };
        match (is_checked, status) {
            _ if matches!(authority::of_status(in_file.rank(), status.rank()), Authority::File) => {
                Self::FileAhead
            }
            (true, PlanTaskStatus::Failed | PlanTaskStatus::Skipped) => Self::DatabaseKeeps,
            (false, PlanTaskStatus::Completed) => Self::DatabaseAhead,
            _ => Self::Equal,
        }
    }

    /// Returns the copy that is right.
    pub const fn authority(self) -> Authority {
        match self {
            Self::FileAhead => Authority::File,
            Self::Equal | Self::DatabaseAhead | Self::DatabaseKeeps => Authority::Database,
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
    /// The position of the character between the brackets.
    pub position: LineColumn,
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
}

/// Compares the checkboxes of a plan with its tasks in the database.
pub fn compare_checkboxes(text: &str, tasks: &[PlanTask]) -> Checkboxes {
    let file = parse_markdown(text);
    let statuses: BTreeMap<&PlanTaskId, PlanTaskStatus> =
        tasks.iter().map(|task| (&task.id, task.status)).collect();
    let mut comparison = Checkboxes::default();
    let mut seen = BTreeSet::new();
    for parsed in &file.tasks {
        // Every task of a Markdown file has a checkbox.
        let Some(checkbox) = parsed.checkbox.clone() else {
            continue;
        };
        let id = &parsed.task.id;
        seen.insert(id);
        let position = LineColumn { line: parsed.line, column: column_at(text, checkbox.start) };
        let Some(status) = statuses.get(id).copied() else {
            comparison.not_imported.push((id.clone(), position));
            continue;
        };
        let is_checked = parsed.task.status == PlanTaskStatus::Completed;
        let relation = CheckboxRelation::compare(is_checked, status);
        match relation {
            CheckboxRelation::DatabaseAhead => {
                comparison.edits.push(TextEdit { range: checkbox, replacement: "x".to_owned() });
            }
            CheckboxRelation::FileAhead => comparison.ahead_in_file.push(id.clone()),
            CheckboxRelation::Equal | CheckboxRelation::DatabaseKeeps => {}
        }
        comparison.checkboxes.push(Checkbox { id: id.clone(), position, status, relation });
    }
    let missing = tasks.iter().filter(|task| !seen.contains(&task.id));
    comparison.not_in_file = missing.map(|task| task.id.clone()).collect();
    comparison.file = file;
    comparison
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
