//! The checkboxes of a plan's Markdown against the database: which of the two is ahead, and
//! the bytes that bring the file in step.
//!
//! A checkbox knows two words, done and not done; what the database knows beyond them is no
//! difference. Writing back only ever checks a box: nothing that a person checked is undone,
//! and no byte but the one between the brackets changes.

use std::collections::{BTreeMap, BTreeSet};

use super::{ParsedPlan, TextEdit, parse_markdown};
use crate::model::{PlanTask, PlanTaskId, PlanTaskStatus};

/// How a checkbox and the database stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckboxRelation {
    /// They say the same, as far as a checkbox can say it.
    Equal,
    /// The box is checked, and the task is not at an end.
    FileAhead,
    /// The task is completed, and the box is not checked.
    DatabaseAhead,
    /// The box is checked, and the task ended another way; the database keeps its word.
    DatabaseKeeps,
}

impl CheckboxRelation {
    /// Compares a box with a status.
    pub const fn compare(is_checked: bool, status: PlanTaskStatus) -> Self {
        match (is_checked, status) {
            (true, PlanTaskStatus::Pending | PlanTaskStatus::InProgress) => Self::FileAhead,
            (true, PlanTaskStatus::Failed | PlanTaskStatus::Skipped) => Self::DatabaseKeeps,
            (false, PlanTaskStatus::Completed) => Self::DatabaseAhead,
            (true, PlanTaskStatus::Completed) | (false, _) => Self::Equal,
        }
    }
}

/// Where something stands in a file, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// The checkbox of a task that the database knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkbox {
    /// The task.
    pub id: PlanTaskId,
    /// Where what stands between its brackets is.
    pub position: LineColumn,
    /// Where the database has the task.
    pub status: PlanTaskStatus,
    /// What the comparison came to.
    pub relation: CheckboxRelation,
}

/// A plan's Markdown, compared with the database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkboxes {
    /// What the file says, and what of it does not parse.
    pub file: ParsedPlan,
    /// The checkboxes of tasks that both have, in the order of the file.
    pub checkboxes: Vec<Checkbox>,
    /// Checks the boxes that lack it.
    pub edits: Vec<TextEdit>,
    /// The tasks that the file has completed and the database has not.
    pub ahead_in_file: Vec<PlanTaskId>,
    /// The tasks that the file has alone.
    pub not_imported: Vec<(PlanTaskId, LineColumn)>,
    /// The tasks that the database has alone.
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
        // Every task of a Markdown file has its checkbox.
        let Some(checkbox) = parsed.checkbox.clone() else {
            continue;
        };
        let id = &parsed.task.id;
        seen.insert(id);
        let position = LineColumn {
            line: parsed.line,
            column: column_at(text, checkbox.start),
        };
        let Some(status) = statuses.get(id).copied() else {
            comparison.not_imported.push((id.clone(), position));
            continue;
        };
        let is_checked = parsed.task.status == PlanTaskStatus::Completed;
        let relation = CheckboxRelation::compare(is_checked, status);
        match relation {
            CheckboxRelation::DatabaseAhead => comparison.edits.push(TextEdit {
                range: checkbox,
                replacement: "x".to_owned(),
            }),
            CheckboxRelation::FileAhead => comparison.ahead_in_file.push(id.clone()),
            CheckboxRelation::Equal | CheckboxRelation::DatabaseKeeps => {}
        }
        comparison.checkboxes.push(Checkbox {
            id: id.clone(),
            position,
            status,
            relation,
        });
    }
    let missing = tasks.iter().filter(|task| !seen.contains(&task.id));
    comparison.not_in_file = missing.map(|task| task.id.clone()).collect();
    comparison.file = file;
    comparison
}

/// Returns the column of a byte in its line; a byte order mark is in none.
fn column_at(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    let line = before.get(start..).unwrap_or_default();
    let line = line
        .strip_prefix('\u{feff}')
        .filter(|_| start == 0)
        .unwrap_or(line);
    line.chars().count() + 1
}

#[cfg(test)]
mod tests;
