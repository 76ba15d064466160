//! What follows for a workplan from the statuses of its tasks.

use std::collections::{HashMap, HashSet};

use super::{Node, Nodes, RowMatch};
use crate::authority::Authority;
use crate::consistency::finding::CheckFinding;
use crate::consistency::workplan_file::to_item_status;
use crate::consistency::{CheckoutSnapshot, Fix};
use crate::diagnostic::{AdviceKind, Code};
use crate::model::{ItemKey, ItemStatus};

/// The tasks of a workplan, counted by the status that the database will have for them.
#[derive(Debug, Default, Clone, Copy)]
struct TaskCounts {
    all: u64,
    finished: u64,
    completed: u64,
    underway: u64,
    /// Tasks whose status is unknown.
    unknown: u64,
}

impl TaskCounts {
    fn add_task(&mut self, status: ItemStatus) {
        self.all += 1;
        self.finished += u64::from(status.is_finished());
        self.completed += u64::from(status == ItemStatus::Completed);
        self.underway += u64::from(status.rank() == 1);
    }

    fn add_node(&mut self, node: &Node<'_>) {
        match (node.row_match, node.task) {
            (RowMatch::Row(row), _) => self.add_task(node.advances_to.unwrap_or(row.status)),
            (RowMatch::ToCreate, Some(task)) => self.add_task(to_item_status(task.status)),
            _ => self.unknown += 1,
        }
    }

    /// Returns the status that follows for a workplan of this status, if another one does.
    fn status_for_workplan(&self, status: ItemStatus) -> Option<(Code, ItemStatus, String)> {
        let Self { all, underway, .. } = self;
        if *all > 0 && self.finished == *all && self.unknown == 0 && !status.is_finished() {
            let to = if self.completed > 0 { ItemStatus::Completed } else { ItemStatus::Cancelled };
            let text = format!("all tasks are finished ({all}), but the workplan is {status}");
            return Some((Code::WorkplanStillOpen, to, text));
        }
        (*underway > 0 && status.rank() == 0).then(|| {
            let text = format!("tasks are in progress ({underway}), but the workplan is {status}");
            (Code::WorkplanNotBegun, ItemStatus::Running, text)
        })
    }
}

/// Reports workplans whose tasks moved further than they did. Tasks count as they are once all
/// other fixes are applied, so that a second check finds nothing new.
pub(crate) fn roll_up_workplans(
    snapshot: &CheckoutSnapshot,
    nodes: &Nodes<'_>,
    findings: &mut Vec<CheckFinding>,
) {
    let unmatched = count_unmatched_rows(nodes);
    let unreadable: HashSet<&str> = snapshot.problems.iter().map(|(path, _)| &**path).collect();
    for group in nodes.all.chunk_by(|a, b| a.id.workplan == b.id.workplan) {
        let Some((node, tasks)) = group.split_first() else {
            continue;
        };
        let workplan = node.workplan;
        let (status, is_reopened) = match node.row_match {
            RowMatch::Unknown => continue,
            RowMatch::ToCreate => (workplan.declared_status.item_status(), false),
            RowMatch::Row(row) => (node.advances_to.unwrap_or(row.status), row.is_reopened),
        };
        let mut counts = unmatched.get(&workplan.key).copied().unwrap_or_default();
        for task in tasks {
            counts.add_node(task);
        }
        // A block that cannot be read may be that of an open task.
        counts.unknown += u64::from(unreadable.contains(&*workplan.path));
        let Some((code, to, text)) = counts.status_for_workplan(status) else {
            continue;
        };
        let finding = node
            .finding_at(workplan.status_place, code, Authority::Database, text)
            .with_values(Some(to.as_str()), Some(status.as_str()));
        let key = workplan.key.clone();
        // Somebody reopened it although its tasks were finished.
        findings.push(if is_reopened && to.is_finished() {
            finding.advise(AdviceKind::FinishItem { item: key, to })
        } else {
            finding.with_fix(Fix::AdvanceWorkplan(key, to))
        });
    }
}

/// Counts the rows that no node is matched with, by the workplans they belong to.
fn count_unmatched_rows<'a>(nodes: &Nodes<'a>) -> HashMap<&'a ItemKey, TaskCounts> {
    let mut counts: HashMap<&ItemKey, TaskCounts> = HashMap::new();
    let mut seen = HashSet::new();
    let unknown = nodes.all.iter();
    let unknown = unknown.filter(|node| matches!(node.row_match, RowMatch::Unknown));
    // Several nodes may have the key of one row.
    let unknown = unknown.filter_map(|node| node.row.filter(|row| seen.insert(&row.key)));
    for row in nodes.rows.unnamed().chain(unknown) {
        if let Some(parent) = &row.parent {
            counts.entry(parent).or_default().add_task(row.status);
        }
    }
    counts
}
