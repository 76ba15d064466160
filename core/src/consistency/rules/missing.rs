//! Rows that no file names. They are reported and never deleted: a file that is missing here may
//! be on a branch, or on another machine.

use std::collections::{HashMap, HashSet};

use super::Nodes;
use crate::authority::Fact;
use crate::consistency::CheckoutSnapshot;
use crate::consistency::finding::{CheckFinding, file_line, redacted_line};
use crate::diagnostic::{AdviceKind, Code};
use crate::model::{ItemStatus, WORKPLAN_KIND, WorkplanRow};

/// Reports workplans without a file, and tasks without a block.
pub(crate) fn report_missing(
    snapshot: &CheckoutSnapshot,
    nodes: &Nodes<'_>,
    findings: &mut Vec<CheckFinding>,
) {
    let mut missing = nodes.rows.unnamed_own().peekable();
    if missing.peek().is_none() {
        return;
    }
    // A file that says something wrong of an id does have that id.
    let unreadable: HashSet<&str> =
        snapshot.problems.iter().map(|(_, problem)| problem.subject.as_str()).collect();
    let paths: HashMap<&str, &str> = snapshot
        .workplans
        .iter()
        .map(|workplan| (workplan.key.as_str(), workplan.path.as_str()))
        .collect();
    for row in missing {
        let key = row.key.as_str();
        // A cancelled item needs no file.
        if unreadable.contains(key) || row.status == ItemStatus::Cancelled {
            continue;
        }
        let parent = row.parent.as_ref();
        let path = parent.and_then(|parent| paths.get(parent.as_str()));
        let title = redacted_line(row.title.as_deref().unwrap_or(key));
        let status = row.status;
        let finding = |code, text| {
            CheckFinding::new(code, key, Fact::WorkplanExistence.authority(), text)
                .with_values(None, Some(key))
                .advise(advise_missing(snapshot, row))
        };
        if row.kind == WORKPLAN_KIND {
            // Its file may be one that is not checked out.
            if snapshot.is_partial {
                continue;
            }
            let code = if status.is_finished() {
                Code::FinishedWorkplanWithoutFile
            } else {
                Code::OpenWorkplanWithoutFile
            };
            let text = format!("workplan {key} '{title}' ({status}) has no file");
            findings.push(finding(code, text));
        } else if let Some(path) = path {
            let text = format!("task {key} '{title}' ({status}) has no block in the file");
            findings.push(finding(Code::TaskWithoutBlock, text).at(path, None));
        }
    }
}

/// Advises what a person does about a row without a file.
fn advise_missing(snapshot: &CheckoutSnapshot, row: &WorkplanRow) -> AdviceKind {
    let item = row.key.clone();
    match snapshot.problems.first() {
        // What cannot be read may hold it.
        Some((path, problem)) => AdviceKind::EditWorkplan { place: file_line(path, problem.place) },
        // Finished work was worth doing, so it is not cancelled.
        None if row.status.is_finished() => AdviceKind::RestoreInFile { item },
        None => AdviceKind::FinishItem { item, to: ItemStatus::Cancelled },
    }
}
