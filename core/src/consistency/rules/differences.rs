//! Where a file and its row say different things.

use std::collections::HashSet;

use super::matching::RowMatch;
use super::{Node, Nodes};
use crate::authority::WorkplanField::Description;
use crate::authority::{Authority, of_status, of_workplan};
use crate::consistency::assessment::{CheckoutSnapshot, FixPlan};
use crate::consistency::finding::{CheckFinding, FindingBuilder, file_line, redacted_line};
use crate::consistency::task_entry::TaskEntry;
use crate::consistency::workplan_file::{
    DeclaredStatus, WorkplanFile, to_file_status, to_item_status,
};
use crate::model::{ItemKey, ItemStatus, WorkplanRow};
use crate::reconcile::{Code, Severity, Way};
use crate::text::redact::redact;
use crate::workplan::TextPosition;

/// Compares a workplan or a task with its row.
pub(in crate::consistency) fn compare_with_row(
    reading: &CheckoutSnapshot,
    unit: &Node<'_>,
    row: &WorkplanRow,
    findings: &mut Vec<CheckFinding>,
    deeds: &mut FixPlan,
) {
    let before = findings.len();
    compare_described_fields(reading, unit, row, findings);
    if findings.len() > before {
        deeds.update_rows.push(unit.id);
    }
    match unit.task {
        Some(entry) => compare_task_status(unit, entry, row, findings, deeds),
        None => compare_workplan_status(unit.workplan, row, findings, deeds),
    }
}

/// What the file owns: the database takes it over.
fn compare_described_fields(
    reading: &CheckoutSnapshot,
    unit: &Node<'_>,
    row: &WorkplanRow,
    findings: &mut Vec<CheckFinding>,
) {
    let noun = unit.noun();
    let mut differ = |code, expected: &str, found: Option<&str>, text: &str| {
        let draft = FindingBuilder::new(code, unit.key().as_str(), of_workplan(Description))
            .at_place(&unit.workplan.path, Some(unit.place()))
            .with_values(Some(expected), found);
        findings.push(draft.build(text));
    };
    // An item that no file was tied to takes over what it lacks when it is.
    let is_tied = row.facts.is_some();
    let own = row.repo.as_deref();
    if own.map_or(is_tied, |own| !own.eq_ignore_ascii_case(&reading.repo)) {
        let text = format!(
            "the database has this {noun} under repository {}",
            own.unwrap_or("none")
        );
        differ(Code::C09, &reading.repo, own, &text);
    }
    // What left the repository left it without its secrets.
    let differs = |title: &&str| match row.title.as_deref() {
        Some(known) => known != *title && known != redact(title).text,
        None => is_tied,
    };
    if let Some(title) = unit.title().filter(differs) {
        let text = format!("the database has a different title for this {noun}");
        differ(Code::C05, title, row.title.as_deref(), &text);
    }
    if let Some(position) = unit.position().filter(|own| row.position != Some(*own)) {
        let known = row.position.map(|known| known.to_string());
        let text = format!("the database has a different position for this {noun}");
        differ(Code::C19, &position.to_string(), known.as_deref(), &text);
    }
    let Some(facts) = &row.facts else {
        return;
    };
    if facts.planning != unit.planning() {
        let text = format!("the database has different planning fields for this {noun}");
        differ(Code::C19, unit.planning(), Some(&facts.planning), &text);
    }
    let digest = unit.digest();
    if facts.digest != digest {
        let text = format!("the database has a different description of this {noun}");
        differ(Code::C22, &digest, Some(&facts.digest), &text);
    }
}

/// The rule of ranks: the higher one wins, and of equal ones the database.
fn compare_task_status(
    unit: &Node<'_>,
    entry: &TaskEntry,
    row: &WorkplanRow,
    findings: &mut Vec<CheckFinding>,
    deeds: &mut FixPlan,
) {
    let known = to_file_status(row.status);
    if known == Some(entry.status) {
        return;
    }
    let title = redacted_line(entry.title.as_deref().unwrap_or(entry.key.as_str()));
    let name = known.map_or(row.status.as_str(), |status| status.as_str());
    let draft = |code, authority| {
        FindingBuilder::new(code, entry.key.as_str(), authority)
            .at_place(&unit.workplan.path, Some(entry.status_place))
    };
    let authority = of_status(entry.status.rank(), row.status.rank());
    if authority == Authority::File {
        let text = format!(
            "task '{title}' is {} in the file but {name} in the database",
            entry.status_word
        );
        if entry.status.is_finished() && row.is_reopened {
            let draft = draft(Code::C10, Authority::Database);
            let to = to_item_status(entry.status);
            findings.push(keep_reopened(draft, name, &entry.status_word, row, to).build(&text));
            return;
        }
        findings.push(
            draft(Code::C10, authority)
                .with_values(Some(&entry.status_word), Some(name))
                .build(&text),
        );
        let to = to_item_status(entry.status);
        deeds.advance_items.push((entry.key.clone(), to));
        return;
    }
    let text = format!(
        "task '{title}' is {name} in the database but {} in the file",
        entry.status_word
    );
    let draft = draft(Code::C15, authority).with_values(Some(name), Some(&entry.status_word));
    let draft = match known {
        Some(status) => {
            deeds.write_statuses.push((unit.id, status));
            draft
        }
        // A file has no word for it.
        None => draft.with_fix(Way::ReopenItem {
            item: entry.key.clone(),
        }),
    };
    findings.push(draft.build(&text));
}

/// What was reopened on purpose is not finished again by a file: it may be the very one that said
/// so before, and nobody would have reopened it for that.
fn keep_reopened(
    draft: FindingBuilder,
    known: &str,
    word: &str,
    row: &WorkplanRow,
    to: ItemStatus,
) -> FindingBuilder {
    let item = row.key.clone();
    let draft = draft.with_values(Some(known), Some(word));
    draft.with_fix(Way::EndItem { item, to })
}

/// What a workplan says of itself is written by people alone; its file is never changed for it.
fn compare_workplan_status(
    sheet: &WorkplanFile,
    row: &WorkplanRow,
    findings: &mut Vec<CheckFinding>,
    deeds: &mut FixPlan,
) {
    let known = row.status;
    let same = match sheet.declared_status {
        DeclaredStatus::Archived => known.is_finished(),
        DeclaredStatus::Status(status) => {
            status == known || status.rank() == 0 && known.rank() == 0
        }
    };
    if same {
        return;
    }
    let authority = of_status(sheet.declared_status.item_status().rank(), known.rank());
    let word = match sheet.declared_status {
        DeclaredStatus::Archived => "archived",
        DeclaredStatus::Status(status) => status.as_str(),
    };
    let draft = |authority| {
        FindingBuilder::new(Code::C04, sheet.key.as_str(), authority)
            .at_place(&sheet.path, Some(sheet.status_place))
    };
    if authority == Authority::File {
        let text = format!("the workplan is {word} in the file but {known} in the database");
        if sheet.declared_status.item_status().is_finished() && row.is_reopened {
            let draft = draft(Authority::Database);
            let to = sheet.declared_status.item_status();
            let draft = keep_reopened(draft, known.as_str(), word, row, to);
            findings.push(draft.build(&text));
            return;
        }
        findings.push(
            draft(authority)
                .with_values(Some(word), Some(known.as_str()))
                .build(&text),
        );
        let to = sheet.declared_status.item_status();
        deeds.advance_items.push((sheet.key.clone(), to));
        return;
    }
    let follows = is_rollup_of_tasks(sheet, known);
    let severity = if follows {
        Severity::Info
    } else {
        Severity::Warning
    };
    let way = if known.is_finished() && !follows {
        Way::ReopenItem {
            item: sheet.key.clone(),
        }
    } else {
        Way::SetFrontMatter {
            place: file_line(&sheet.path, sheet.status_place),
            to: known.to_string(),
        }
    };
    let text = format!("the workplan is {known} in the database but {word} in its front matter");
    findings.push(
        draft(authority)
            .with_values(Some(known.as_str()), Some(word))
            .with_severity(severity)
            .with_fix(way)
            .build(&text),
    );
}

/// Tells whether the tasks of the file itself say what the database says of the whole.
fn is_rollup_of_tasks(sheet: &WorkplanFile, known: ItemStatus) -> bool {
    let mut tasks = sheet.tasks.iter();
    match known.rank() {
        2 => !sheet.tasks.is_empty() && tasks.all(|task| task.status.is_finished()),
        1 => tasks.any(|task| task.status.rank() > 0),
        _ => false,
    }
}

/// Finds dependencies that the database lacks. What it has beyond the files' stays: commands
/// add such, too.
pub(in crate::consistency) fn check_dependencies(
    units: &Nodes<'_>,
    ties: &[RowMatch<'_>],
    findings: &mut Vec<CheckFinding>,
    deeds: &mut FixPlan,
) {
    if units.iter().all(|unit| unit.depends_on().is_empty()) {
        return;
    }
    // What is new is there by the time dependencies are added.
    let new = units
        .iter()
        .zip(ties)
        .filter(|(_, tie)| matches!(tie, RowMatch::Missing));
    let new: HashSet<&ItemKey> = new.map(|(unit, _)| unit.key()).collect();
    for (unit, tie) in units.iter().zip(ties) {
        let own = match tie {
            RowMatch::Unknown => continue,
            RowMatch::Missing => &[][..],
            RowMatch::Row(row) => &row.depends_on,
        };
        // A list may be as long as its file.
        let own: HashSet<&ItemKey> = own.iter().collect();
        for (on, place) in unit.depends_on().iter().filter(|(on, _)| !own.contains(on)) {
            let draft = |code| dependency_finding(code, unit, *place, on.as_str());
            if units.rows().find_number(on).is_some() || new.contains(on) {
                let text = format!("the dependency on {on} is missing in the database");
                findings.push(draft(Code::C20).build(&text));
                deeds
                    .add_dependencies
                    .push((unit.key().clone(), on.clone()));
            } else {
                let text = format!("depends on {on}, which is not in the database");
                let place = file_line(&unit.workplan.path, *place);
                let draft = draft(Code::C03).with_fix(Way::EditWorkplan { place });
                findings.push(draft.build(&text));
            }
        }
    }
}

fn dependency_finding(
    code: Code,
    unit: &Node<'_>,
    place: TextPosition,
    on: &str,
) -> FindingBuilder {
    FindingBuilder::new(code, unit.key().as_str(), of_workplan(Description))
        .at_place(&unit.workplan.path, Some(place))
        .with_values(Some(on), None)
}
