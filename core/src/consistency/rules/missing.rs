//! What the database has and the files have not. It is reported and never deleted: a file that
//! is missing here may be on a branch, or on another machine.

use std::collections::{BTreeMap, HashSet};

use super::Nodes;
use crate::authority::{WorkplanField, of_workplan};
use crate::consistency::assessment::CheckoutSnapshot;
use crate::consistency::finding::{CheckFinding, FindingBuilder, file_line, redacted_line};
use crate::model::{ItemStatus, WORKPLAN_KIND, WorkplanRow};
use crate::reconcile::{Code, Way};

/// Reports workplans without a file, and tasks without a block.
pub(in crate::consistency) fn report_missing(
    reading: &CheckoutSnapshot,
    units: &Nodes<'_>,
    findings: &mut Vec<CheckFinding>,
) {
    let mut absent = units.unnamed_rows().peekable();
    if absent.peek().is_none() {
        return;
    }
    // What a file says wrong of is not missing in it.
    let named: HashSet<&str> = reading
        .problems
        .iter()
        .map(|(_, trouble)| trouble.subject.as_str())
        .collect();
    // What cannot be read may hold it.
    let unread = reading.problems.first();
    let unread = unread.map(|(path, trouble)| file_line(path, trouble.place));
    let way = |row: &WorkplanRow| match &unread {
        Some(place) => Way::EditWorkplan {
            place: place.clone(),
        },
        // It was worth doing once, so it is not called off now.
        None if row.status.is_finished() => Way::BringBack {
            item: row.key.clone(),
        },
        None => Way::EndItem {
            item: row.key.clone(),
            to: ItemStatus::Cancelled,
        },
    };
    let authority = of_workplan(WorkplanField::Existence);
    let paths: BTreeMap<&str, &str> = reading
        .workplans
        .iter()
        .map(|sheet| (sheet.key.as_str(), sheet.path.as_str()))
        .collect();
    for row in absent {
        let key = row.key.as_str();
        // What was called off needs no file.
        if named.contains(key) || row.status == ItemStatus::Cancelled {
            continue;
        }
        let path = row
            .parent
            .as_ref()
            .and_then(|parent| paths.get(parent.as_str()));
        let draft = |code| FindingBuilder::new(code, key, authority).with_values(None, Some(key));
        let title = redacted_line(row.title.as_deref().unwrap_or(key));
        let status = row.status;
        if row.kind == WORKPLAN_KIND {
            // Its file may be one that is not checked out.
            if reading.is_partial {
                continue;
            }
            let code = if status.is_finished() {
                Code::C08
            } else {
                Code::C07
            };
            findings.push(
                draft(code)
                    .with_fix(way(row))
                    .build(&format!("workplan {key} '{title}' ({status}) has no file")),
            );
        } else if let Some(path) = path {
            findings.push(
                draft(Code::C12)
                    .at_place(path, None)
                    .with_fix(way(row))
                    .build(&format!(
                        "task {key} '{title}' ({status}) has no block in the file"
                    )),
            );
        }
    }
}
