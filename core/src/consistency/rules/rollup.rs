//! What follows for a workplan from where its tasks stand.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::Nodes;
use super::matching::RowMatch;
use crate::authority::Authority;
use crate::consistency::assessment::{CheckoutSnapshot, FixPlan};
use crate::consistency::finding::{CheckFinding, FindingBuilder};
use crate::consistency::workplan_file::to_item_status;
use crate::model::{ItemKey, ItemStatus};
use crate::reconcile::{Code, Way};

/// Where the tasks of a workplan stand, as the database will have them.
#[derive(Debug, Default, Clone, Copy)]
struct TaskCounts {
    all: u64,
    finished: u64,
    completed: u64,
    underway: u64,
    /// Tasks of which nobody knows where they stand.
    unknown: u64,
}

impl TaskCounts {
    fn add_task(&mut self, status: ItemStatus) {
        self.all += 1;
        self.finished += u64::from(status.is_finished());
        self.completed += u64::from(status == ItemStatus::Completed);
        self.underway += u64::from(status.rank() == 1);
    }

    /// Returns the status that follows for a workplan, if one does.
    fn status_for_workplan(&self, status: ItemStatus) -> Option<(Code, ItemStatus, String)> {
        let Self { all, underway, .. } = self;
        if *all > 0 && self.finished == *all && self.unknown == 0 && !status.is_finished() {
            let end = if self.completed > 0 {
                ItemStatus::Completed
            } else {
                ItemStatus::Cancelled
            };
            let text = format!("all tasks are finished ({all}), but the workplan is {status}");
            return Some((Code::C13, end, text));
        }
        (*underway > 0 && status.rank() == 0).then(|| {
            let text = format!("tasks are in progress ({underway}), but the workplan is {status}");
            (Code::C23, ItemStatus::Running, text)
        })
    }
}

/// Counts the tasks of every workplan, in the order of the sheets: those of its file, and those
/// that the database has beyond them.
fn count_tasks(
    reading: &CheckoutSnapshot,
    units: &Nodes<'_>,
    ties: &[RowMatch<'_>],
    deeds: &FixPlan,
) -> Vec<TaskCounts> {
    let to: HashMap<&str, ItemStatus> = deeds
        .advance_items
        .iter()
        .map(|(key, status)| (key.as_str(), *status))
        .collect();
    let will_be = |key: &ItemKey, now: ItemStatus| to.get(key.as_str()).copied().unwrap_or(now);
    let mut tallies = vec![TaskCounts::default(); reading.workplans.len()];
    let mut counted = vec![false; units.rows().len()];
    for ((unit, row_number), tie) in units.with_rows().zip(ties) {
        let (Some(entry), Some(tally)) = (unit.task, tallies.get_mut(unit.id.workplan)) else {
            continue;
        };
        match tie {
            RowMatch::Missing => tally.add_task(to_item_status(entry.status)),
            RowMatch::Row(row) => {
                if let Some(counted) = row_number.and_then(|row| counted.get_mut(row)) {
                    *counted = true;
                }
                tally.add_task(will_be(&row.key, row.status));
            }
            RowMatch::Unknown => tally.unknown += 1,
        }
    }
    let sheets = || reading.workplans.iter().enumerate();
    let of_key = OnceCell::new();
    let by_key = || sheets().map(|(number, sheet)| (&sheet.key, number));
    for (row, is_counted) in units.rows().iter().zip(counted) {
        if let Some(parent) = row.parent.as_ref().filter(|_| !is_counted) {
            let of_key: &HashMap<_, _> = of_key.get_or_init(|| by_key().collect());
            let number = of_key.get(parent).copied();
            if let Some(tally) = number.and_then(|number| tallies.get_mut(number)) {
                tally.add_task(row.status);
            }
        }
    }
    // A block that is not understood may be of a task that is open.
    let with_trouble: HashSet<&str> = reading.problems.iter().map(|(path, _)| &**path).collect();
    for (tally, sheet) in tallies.iter_mut().zip(&reading.workplans) {
        tally.unknown += u64::from(with_trouble.contains(sheet.path.as_str()));
    }
    tallies
}

/// Judges workplans by where their tasks stand once everything else is mended, so that a second
/// look finds nothing new.
pub(in crate::consistency) fn roll_up_workplans(
    reading: &CheckoutSnapshot,
    units: &Nodes<'_>,
    ties: &[RowMatch<'_>],
    findings: &mut Vec<CheckFinding>,
    deeds: &mut FixPlan,
) {
    let tallies = count_tasks(reading, units, ties, deeds);
    let own: HashMap<&str, ItemStatus> = deeds
        .advance_items
        .iter()
        .map(|(key, status)| (key.as_str(), *status))
        .collect();
    let mut follow = Vec::new();
    for (unit, tie) in units.iter().zip(ties) {
        if unit.task.is_some() {
            continue;
        }
        let key = unit.key();
        let status = match tie {
            RowMatch::Unknown => continue,
            RowMatch::Missing => unit.workplan.declared_status.item_status(),
            RowMatch::Row(row) => own.get(key.as_str()).copied().unwrap_or(row.status),
        };
        let tally = tallies.get(unit.id.workplan).copied().unwrap_or_default();
        if let Some((code, to, text)) = tally.status_for_workplan(status) {
            let draft = FindingBuilder::new(code, key.as_str(), Authority::Database)
                .at_place(&unit.workplan.path, Some(unit.workplan.status_place))
                .with_values(Some(to.as_str()), Some(status.as_str()));
            // Whoever reopened it did so although its tasks were finished.
            if tie
                .row()
                .is_some_and(|row| row.is_reopened && to.is_finished())
            {
                let item = key.clone();
                findings.push(draft.with_fix(Way::EndItem { item, to }).build(&text));
                continue;
            }
            findings.push(draft.build(&text));
            follow.push((key.clone(), to));
        }
    }
    deeds.advance_workplans = follow;
}

/// Finds workplans without a file that look like one that has one: somebody added them by hand.
pub(in crate::consistency) fn report_unlinked_duplicates(
    reading: &CheckoutSnapshot,
    findings: &mut Vec<CheckFinding>,
) {
    if reading.unlinked_rows.is_empty() {
        return;
    }
    let titles: BTreeMap<&str, &str> = reading
        .workplans
        .iter()
        .filter_map(|sheet| Some((sheet.title.as_deref()?, sheet.key.as_str())))
        .collect();
    for ghost in &reading.unlinked_rows {
        let twin = ghost.title.as_deref().and_then(|title| titles.get(title));
        // The file's own row, not tied yet, is no ghost of it.
        let Some(twin) = twin.filter(|twin| **twin != ghost.key.as_str()) else {
            continue;
        };
        let key = &ghost.key;
        findings.push(
            FindingBuilder::new(Code::C14, key.as_str(), Authority::Database)
                .with_values(Some(twin), Some(key.as_str()))
                .with_fix(Way::EndItem {
                    item: key.clone(),
                    to: ItemStatus::Cancelled,
                })
                .build(&format!(
                    "workplan {key} has no file and the same title as {twin}"
                )),
        );
    }
}
