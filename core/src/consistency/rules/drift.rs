//! Where a file and its row say different things.

use std::collections::HashSet;

use super::ties::Tie;
use super::{Unit, Units};
use crate::authority::WorkplanField::Description;
use crate::authority::{Authority, of_status, of_workplan};
use crate::consistency::assess::{Deeds, Reading};
use crate::consistency::entry::Entry;
use crate::consistency::finding::{Draft, Finding, file_line, shown};
use crate::consistency::sheet::{Sheet, Stand, file_status, item_status};
use crate::model::{ItemKey, ItemStatus, WorkplanRow};
use crate::reconcile::{Code, Severity, Way};
use crate::text::redact::redact;
use crate::workplan::Place;

/// Compares a workplan or a task with its row.
pub(in crate::consistency) fn compare(
    reading: &Reading,
    unit: &Unit<'_>,
    row: &WorkplanRow,
    findings: &mut Vec<Finding>,
    deeds: &mut Deeds,
) {
    let before = findings.len();
    described(reading, unit, row, findings);
    if findings.len() > before {
        deeds.describe.push(unit.spot);
    }
    match unit.entry {
        Some(entry) => task(unit, entry, row, findings, deeds),
        None => workplan(unit.sheet, row, findings, deeds),
    }
}

/// What the file owns: the database takes it over.
fn described(reading: &Reading, unit: &Unit<'_>, row: &WorkplanRow, findings: &mut Vec<Finding>) {
    let noun = unit.noun();
    let mut differ = |code, expected: &str, found: Option<&str>, text: &str| {
        let draft = Draft::new(code, unit.key().as_str(), of_workplan(Description))
            .at(&unit.sheet.path, Some(unit.place()))
            .differs(Some(expected), found);
        findings.push(draft.says(text));
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
fn task(
    unit: &Unit<'_>,
    entry: &Entry,
    row: &WorkplanRow,
    findings: &mut Vec<Finding>,
    deeds: &mut Deeds,
) {
    let known = file_status(row.status);
    if known == Some(entry.status) {
        return;
    }
    let title = shown(entry.title.as_deref().unwrap_or(entry.key.as_str()));
    let name = known.map_or(row.status.as_str(), |status| status.as_str());
    let draft = |code, authority| {
        Draft::new(code, entry.key.as_str(), authority)
            .at(&unit.sheet.path, Some(entry.status_place))
    };
    let authority = of_status(entry.status.rank(), row.status.rank());
    if authority == Authority::File {
        let text = format!(
            "task '{title}' is {} in the file but {name} in the database",
            entry.word
        );
        if entry.status.is_finished() && row.is_reopened {
            let draft = draft(Code::C10, Authority::Database);
            let to = item_status(entry.status);
            findings.push(after_reopening(draft, name, &entry.word, row, to).says(&text));
            return;
        }
        findings.push(
            draft(Code::C10, authority)
                .differs(Some(&entry.word), Some(name))
                .says(&text),
        );
        let to = item_status(entry.status);
        deeds.advance.push((entry.key.clone(), to));
        return;
    }
    let text = format!(
        "task '{title}' is {name} in the database but {} in the file",
        entry.word
    );
    let draft = draft(Code::C15, authority).differs(Some(name), Some(&entry.word));
    let draft = match known {
        Some(status) => {
            deeds.write.push((unit.spot, status));
            draft
        }
        // A file has no word for it.
        None => draft.fix(Way::ReopenItem {
            item: entry.key.clone(),
        }),
    };
    findings.push(draft.says(&text));
}

/// What was reopened on purpose is not finished again by a file: it may be the very one that said
/// so before, and nobody would have reopened it for that.
fn after_reopening(
    draft: Draft,
    known: &str,
    word: &str,
    row: &WorkplanRow,
    to: ItemStatus,
) -> Draft {
    let item = row.key.clone();
    let draft = draft.differs(Some(known), Some(word));
    draft.fix(Way::EndItem { item, to })
}

/// What a workplan says of itself is written by people alone; its file is never changed for it.
fn workplan(sheet: &Sheet, row: &WorkplanRow, findings: &mut Vec<Finding>, deeds: &mut Deeds) {
    let known = row.status;
    let same = match sheet.stand {
        Stand::Archived => known.is_finished(),
        Stand::At(status) => status == known || status.rank() == 0 && known.rank() == 0,
    };
    if same {
        return;
    }
    let authority = of_status(sheet.stand.status().rank(), known.rank());
    let word = match sheet.stand {
        Stand::Archived => "archived",
        Stand::At(status) => status.as_str(),
    };
    let draft = |authority| {
        Draft::new(Code::C04, sheet.key.as_str(), authority)
            .at(&sheet.path, Some(sheet.stand_place))
    };
    if authority == Authority::File {
        let text = format!("the workplan is {word} in the file but {known} in the database");
        if sheet.stand.status().is_finished() && row.is_reopened {
            let draft = draft(Authority::Database);
            let to = sheet.stand.status();
            let draft = after_reopening(draft, known.as_str(), word, row, to);
            findings.push(draft.says(&text));
            return;
        }
        findings.push(
            draft(authority)
                .differs(Some(word), Some(known.as_str()))
                .says(&text),
        );
        let to = sheet.stand.status();
        deeds.advance.push((sheet.key.clone(), to));
        return;
    }
    let follows = follows_from_tasks(sheet, known);
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
            place: file_line(&sheet.path, sheet.stand_place),
            to: known.to_string(),
        }
    };
    let text = format!("the workplan is {known} in the database but {word} in its front matter");
    findings.push(
        draft(authority)
            .differs(Some(known.as_str()), Some(word))
            .severity(severity)
            .fix(way)
            .says(&text),
    );
}

/// Tells whether the tasks of the file itself say what the database says of the whole.
fn follows_from_tasks(sheet: &Sheet, known: ItemStatus) -> bool {
    let mut tasks = sheet.tasks.iter();
    match known.rank() {
        2 => !sheet.tasks.is_empty() && tasks.all(|task| task.status.is_finished()),
        1 => tasks.any(|task| task.status.rank() > 0),
        _ => false,
    }
}

/// Finds dependencies that the database lacks. What it has beyond the files' stays: commands
/// add such, too.
pub(in crate::consistency) fn dependencies(
    units: &Units<'_>,
    ties: &[Tie<'_>],
    findings: &mut Vec<Finding>,
    deeds: &mut Deeds,
) {
    if units.iter().all(|unit| unit.depends_on().is_empty()) {
        return;
    }
    // What is new is there by the time dependencies are added.
    let new = units
        .iter()
        .zip(ties)
        .filter(|(_, tie)| matches!(tie, Tie::New));
    let new: HashSet<&ItemKey> = new.map(|(unit, _)| unit.key()).collect();
    for (unit, tie) in units.iter().zip(ties) {
        let own = match tie {
            Tie::Unknown => continue,
            Tie::New => &[][..],
            Tie::Row(row) => &row.depends_on,
        };
        // A list may be as long as its file.
        let own: HashSet<&ItemKey> = own.iter().collect();
        for (on, place) in unit.depends_on().iter().filter(|(on, _)| !own.contains(on)) {
            let draft = |code| depends(code, unit, *place, on.as_str());
            if units.known().find(on).is_some() || new.contains(on) {
                let text = format!("the dependency on {on} is missing in the database");
                findings.push(draft(Code::C20).says(&text));
                deeds.depend.push((unit.key().clone(), on.clone()));
            } else {
                let text = format!("depends on {on}, which is not in the database");
                let place = file_line(&unit.sheet.path, *place);
                let draft = draft(Code::C03).fix(Way::EditWorkplan { place });
                findings.push(draft.says(&text));
            }
        }
    }
}

fn depends(code: Code, unit: &Unit<'_>, place: Place, on: &str) -> Draft {
    Draft::new(code, unit.key().as_str(), of_workplan(Description))
        .at(&unit.sheet.path, Some(place))
        .differs(Some(on), None)
}
