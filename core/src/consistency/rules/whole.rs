//! What follows for a workplan from where its tasks stand.

use std::collections::{BTreeMap, HashMap};

use super::Units;
use super::ties::Tie;
use crate::consistency::assess::{Deeds, Reading};
use crate::consistency::finding::{Authority, Draft, Finding};
use crate::consistency::sheet::item_status;
use crate::model::{ItemKey, ItemStatus};
use crate::reconcile::Code;

/// Where the tasks of a workplan stand, as the database will have them.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    all: u64,
    finished: u64,
    completed: u64,
    underway: u64,
}

impl Tally {
    fn add(&mut self, status: ItemStatus) {
        self.all += 1;
        self.finished += u64::from(status.is_finished());
        self.completed += u64::from(status == ItemStatus::Completed);
        self.underway += u64::from(status.rank() == 1);
    }
}

/// Judges workplans by where their tasks stand once everything else is mended, so that a second
/// look finds nothing new.
pub(in crate::consistency) fn judge(
    reading: &Reading,
    units: &Units<'_>,
    ties: &[Tie<'_>],
    findings: &mut Vec<Finding>,
    deeds: &mut Deeds,
) {
    let to: HashMap<&str, ItemStatus> = deeds
        .advance
        .iter()
        .map(|(key, status)| (key.as_str(), *status))
        .collect();
    let will_be = |key: &ItemKey, now: ItemStatus| to.get(key.as_str()).copied().unwrap_or(now);
    let mut tallies: HashMap<&str, Tally> = HashMap::new();
    for row in reading.rows.iter().chain(&reading.elsewhere) {
        if let Some(parent) = &row.parent {
            let tally = tallies.entry(parent.as_str()).or_default();
            tally.add(will_be(&row.key, row.status));
        }
    }
    for (unit, tie) in units.iter().zip(ties) {
        if let (Some(entry), Tie::New) = (unit.entry, tie) {
            let tally = tallies.entry(unit.sheet.key.as_str()).or_default();
            tally.add(item_status(entry.status));
        }
    }
    let mut follows = Vec::new();
    for (unit, tie) in units
        .iter()
        .zip(ties)
        .filter(|(unit, _)| unit.entry.is_none())
    {
        let key = unit.key();
        let status = match tie {
            Tie::Unknown => continue,
            Tie::New => unit.sheet.stand.status(),
            Tie::Row(row) => will_be(key, row.status),
        };
        let tally = tallies.get(key.as_str()).copied().unwrap_or_default();
        let draft = |code| {
            Draft::new(code, key.as_str(), Authority::Database)
                .at(&unit.sheet.path, Some(unit.sheet.stand_place))
                .mended()
        };
        if tally.all > 0 && tally.finished == tally.all && !status.is_finished() {
            let end = if tally.completed > 0 {
                ItemStatus::Completed
            } else {
                ItemStatus::Cancelled
            };
            let text = format!(
                "all {} tasks are finished, the workplan is {status}",
                tally.all
            );
            findings.push(
                draft(Code::C13)
                    .differs(Some(end.as_str()), Some(status.as_str()))
                    .says(&text),
            );
            follows.push((key.clone(), end));
        } else if tally.underway > 0 && status.rank() == 0 {
            let text = format!(
                "{} tasks are worked on, the workplan is {status}",
                tally.underway
            );
            findings.push(
                draft(Code::C23)
                    .differs(Some(ItemStatus::Running.as_str()), Some(status.as_str()))
                    .says(&text),
            );
            follows.push((key.clone(), ItemStatus::Running));
        }
    }
    deeds.advance.extend(follows);
}

/// Finds workplans without a file that look like one that has one: somebody added them by hand.
pub(in crate::consistency) fn ghosts(reading: &Reading, findings: &mut Vec<Finding>) {
    if reading.ghosts.is_empty() {
        return;
    }
    let titles: BTreeMap<&str, &str> = reading
        .sheets
        .iter()
        .filter_map(|sheet| Some((sheet.title.as_deref()?, sheet.key.as_str())))
        .collect();
    for ghost in &reading.ghosts {
        let twin = ghost.title.as_deref().and_then(|title| titles.get(title));
        // The file's own row, not tied yet, is no ghost of it.
        let Some(twin) = twin.filter(|twin| **twin != ghost.key.as_str()) else {
            continue;
        };
        let key = &ghost.key;
        findings.push(
            Draft::new(Code::C14, key.as_str(), Authority::Database)
                .differs(Some(twin), Some(key.as_str()))
                .fix(format!(
                    "`trueup item transition {key} cancelled`, if it is {twin}"
                ))
                .says(&format!(
                    "workplan {key} has no file and the title of {twin}"
                )),
        );
    }
}
