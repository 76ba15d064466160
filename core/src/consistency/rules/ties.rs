//! Which row of the database is which workplan or task: by the id its file carries, else by its
//! own id. What carries an id that the database does not know is left alone.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::{Unit, Units};
use crate::authority::{WorkplanField, of_workplan};
use crate::consistency::assess::{Deeds, Reading};
use crate::consistency::finding::{Draft, Finding, file_line};
use crate::model::{WorkplanLink, WorkplanRow};
use crate::reconcile::{Code, FileLine, Way};

/// What a unit is in the database.
#[derive(Debug, Clone, Copy)]
pub(in crate::consistency) enum Tie<'a> {
    /// This row.
    Row(&'a WorkplanRow),
    /// Nothing yet; it will be.
    New,
    /// Nothing that could be told.
    Unknown,
}

impl<'a> Tie<'a> {
    pub(in crate::consistency) const fn row(&self) -> Option<&'a WorkplanRow> {
        match self {
            Self::Row(row) => Some(row),
            Self::New | Self::Unknown => None,
        }
    }
}

/// Ties every unit, in their order.
pub(in crate::consistency) fn find<'a>(
    reading: &'a Reading,
    units: &Units<'a>,
    twice: &[bool],
    findings: &mut Vec<Finding>,
    deeds: &mut Deeds,
) -> Vec<Tie<'a>> {
    // Only an id that is not that of its own row is looked for.
    let links = OnceCell::new();
    let by_link = |link: &WorkplanLink| -> Option<&'a WorkplanRow> {
        let all = || {
            let rows = units.known().iter();
            let linked = rows.filter_map(|row| Some((row.link.as_ref()?.as_str(), row)));
            linked.collect::<HashMap<_, _>>()
        };
        links.get_or_init(all).get(link.as_str()).copied()
    };
    let mut ties: Vec<Tie<'a>> = Vec::with_capacity(units.len());
    // A task comes into its workplan, so where that is unknown it stays out.
    let mut plan = Tie::Unknown;
    for ((unit, row), twice) in units.with_rows().zip(twice) {
        let row = row.and_then(|number| units.known().get(number));
        let tie = match (unit.link(), row.and_then(|row| row.link.as_ref())) {
            _ if *twice => Tie::Unknown,
            (Some(link), own) if own != Some(link) => {
                misled(unit, link, by_link(link), own, findings)
            }
            _ => tie(reading, unit, row, plan, findings, deeds),
        };
        if unit.entry.is_none() {
            plan = tie;
        }
        ties.push(tie);
    }
    ties
}

fn draft(code: Code, unit: &Unit<'_>) -> Draft {
    Draft::new(code, unit.key().as_str(), of_workplan(WorkplanField::Link))
        .at(&unit.sheet.path, Some(unit.place()))
}

fn place(unit: &Unit<'_>) -> FileLine {
    file_line(&unit.sheet.path, unit.place())
}

/// Reports an id that is another's than that of the row with its key, or nobody's.
fn misled<'a>(
    unit: &Unit<'_>,
    link: &WorkplanLink,
    other: Option<&WorkplanRow>,
    own: Option<&WorkplanLink>,
    findings: &mut Vec<Finding>,
) -> Tie<'a> {
    let key = unit.key();
    let text = match (other, own) {
        (Some(row), _) => format!("the id {link} belongs to {} in the database", row.key),
        (None, Some(own)) => {
            format!("the id {link} is not in the database; {key} has {own} there")
        }
        (None, None) => format!("the id {link} is not in the database"),
    };
    findings.push(
        draft(Code::C03, unit)
            .differs(own.map(WorkplanLink::as_str), Some(link.as_str()))
            .fix(Way::EmptyId { place: place(unit) })
            .says(&text),
    );
    Tie::Unknown
}

/// Ties a unit that carries the id of the row with its key, or none.
fn tie<'a>(
    reading: &Reading,
    unit: &Unit<'_>,
    row: Option<&'a WorkplanRow>,
    plan: Tie<'a>,
    findings: &mut Vec<Finding>,
    deeds: &mut Deeds,
) -> Tie<'a> {
    if let Some(row) = row.filter(|_| unit.link().is_some()) {
        if let Some(other) = other_of(reading, row) {
            findings.push(
                draft(Code::C09, unit)
                    .differs(Some(&reading.repo), Some(other))
                    .fix(Way::GiveOwnId { place: place(unit) })
                    .says(&format!(
                        "the database has this {} under repository {other}, and this is not a clone of it",
                        unit.noun()
                    )),
            );
            return Tie::Unknown;
        }
        return Tie::Row(row);
    }
    let key = unit.key();
    let code = if unit.entry.is_some() {
        Code::C11
    } else {
        Code::C06
    };
    let noun = unit.noun();
    match row {
        Some(row) if is_anothers(reading, row) => {
            let repo = row.repo.as_deref().unwrap_or_default();
            findings.push(
                draft(Code::C02, unit)
                    .differs(Some(repo), Some(&reading.repo))
                    .fix(Way::GiveOwnId { place: place(unit) })
                    .says(&format!(
                        "the id {key} belongs to a {noun} of repository {repo}"
                    )),
            );
            Tie::Unknown
        }
        Some(row) => {
            if let Some(link) = &row.link {
                findings.push(
                    draft(code, unit)
                        .differs(Some(link.as_str()), None)
                        .says(&format!("the {noun} does not contain its id yet")),
                );
                deeds.inject.push((unit.spot, link.clone()));
            } else {
                findings.push(draft(code, unit).says(&unlinked(noun)));
                deeds.create.push(unit.spot);
            }
            Tie::Row(row)
        }
        None => {
            let open = unit.entry.is_none() || !matches!(plan, Tie::Unknown);
            let finding = draft(code, unit);
            if open {
                findings.push(finding.says(&unlinked(noun)));
                deeds.create.push(unit.spot);
                Tie::New
            } else {
                findings.push(
                    finding
                        // What is said of its workplan comes first.
                        .fix(Way::EditWorkplan {
                            place: file_line(&unit.sheet.path, unit.sheet.place),
                        })
                        .says(&unlinked(noun)),
                );
                Tie::Unknown
            }
        }
    }
}

fn unlinked(noun: &str) -> String {
    format!("the {noun} is not linked to the database")
}

/// Returns the registered repository whose row this is, where that is known to be another.
fn other_of<'a>(reading: &'a Reading, row: &WorkplanRow) -> Option<&'a str> {
    let repo = row.repo.as_deref()?;
    let other = reading.others.iter().find(|other| other.is_same(repo))?;
    Some(other.as_str())
}

/// Tells whether a row is tied to a file of another repository.
fn is_anothers(reading: &Reading, row: &WorkplanRow) -> bool {
    let repo = row.repo.as_deref().filter(|_| row.link.is_some());
    repo.is_some_and(|repo| !repo.eq_ignore_ascii_case(&reading.repo))
}
