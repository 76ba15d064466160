//! What the database has and the files have not. It is reported and never deleted: a file that
//! is missing here may be on a branch, or on another machine.

use std::collections::{BTreeMap, HashSet};

use super::Units;
use crate::authority::{WorkplanField, of_workplan};
use crate::consistency::assess::Reading;
use crate::consistency::finding::{Draft, Finding, file_line, shown};
use crate::model::{ItemStatus, WORKPLAN, WorkplanRow};
use crate::reconcile::{Code, Way};

/// Reports workplans without a file, and tasks without a block.
pub(in crate::consistency) fn report(
    reading: &Reading,
    units: &Units<'_>,
    findings: &mut Vec<Finding>,
) {
    let mut absent = units.absent().peekable();
    if absent.peek().is_none() {
        return;
    }
    // What a file says wrong of is not missing in it.
    let named: HashSet<&str> = reading
        .troubles
        .iter()
        .map(|(_, trouble)| trouble.subject.as_str())
        .collect();
    // What cannot be read may hold it.
    let unread = reading.troubles.first();
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
        .sheets
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
        let draft = |code| Draft::new(code, key, authority).differs(None, Some(key));
        let title = shown(row.title.as_deref().unwrap_or(key));
        let status = row.status;
        if row.kind == WORKPLAN {
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
                    .fix(way(row))
                    .says(&format!("workplan {key} '{title}' ({status}) has no file")),
            );
        } else if let Some(path) = path {
            findings.push(draft(Code::C12).at(path, None).fix(way(row)).says(&format!(
                "task {key} '{title}' ({status}) has no block in the file"
            )));
        }
    }
}
