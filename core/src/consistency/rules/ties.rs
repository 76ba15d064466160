//! Which row of the database is which workplan or task: by the id its file carries, else by its
//! own id. What carries an id that the database does not know is left alone.

use std::collections::HashMap;

use super::{Unit, Units};
use crate::consistency::assess::{Deeds, Reading};
use crate::consistency::finding::{Authority, Draft, Finding};
use crate::model::{WorkplanLink, WorkplanRow};
use crate::reconcile::Code;

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

struct Known<'a> {
    by_key: HashMap<&'a str, &'a WorkplanRow>,
    by_link: HashMap<&'a str, &'a WorkplanRow>,
}

/// Ties every unit, in their order.
pub(in crate::consistency) fn find<'a>(
    reading: &'a Reading,
    units: &Units<'a>,
    twice: &[bool],
    findings: &mut Vec<Finding>,
    deeds: &mut Deeds,
) -> Vec<Tie<'a>> {
    let all = || reading.rows.iter().chain(&reading.elsewhere);
    let known = Known {
        by_key: all().map(|row| (row.key.as_str(), row)).collect(),
        by_link: all()
            .filter_map(|row| Some((row.link.as_ref()?.as_str(), row)))
            .collect(),
    };
    let mut ties: Vec<Tie<'a>> = Vec::with_capacity(units.len());
    // A task comes into its workplan, so where that is unknown it stays out.
    let mut plan = Tie::Unknown;
    for (unit, twice) in units.iter().zip(twice) {
        let tie = if *twice {
            Tie::Unknown
        } else {
            tie(reading, &known, unit, plan, findings, deeds)
        };
        if unit.entry.is_none() {
            plan = tie;
        }
        ties.push(tie);
    }
    ties
}

fn tie<'a>(
    reading: &Reading,
    known: &Known<'a>,
    unit: &Unit<'_>,
    plan: Tie<'a>,
    findings: &mut Vec<Finding>,
    deeds: &mut Deeds,
) -> Tie<'a> {
    let key = unit.key();
    let by_key = known.by_key.get(key.as_str()).copied();
    let draft = |code| {
        Draft::new(code, key.as_str(), Authority::Database).at(&unit.sheet.path, Some(unit.place()))
    };
    if let Some(link) = unit.link() {
        return match known.by_link.get(link.as_str()) {
            Some(row) if row.key == *key => Tie::Row(row),
            other => {
                let text = match (other, by_key.and_then(|row| row.link.as_ref())) {
                    (Some(row), _) => {
                        format!("the id {link} belongs to {} in the database", row.key)
                    }
                    (None, Some(own)) => {
                        format!("the id {link} is not in the database, where {key} carries {own}")
                    }
                    (None, None) => format!("the id {link} is not in the database"),
                };
                let expected = by_key.and_then(|row| row.link.as_ref());
                findings.push(
                    draft(Code::C03)
                        .differs(expected.map(WorkplanLink::as_str), Some(link.as_str()))
                        .fix("empty that id and run `trueup check --fix`, if this is the right database")
                        .says(&text),
                );
                Tie::Unknown
            }
        };
    }
    let code = if unit.entry.is_some() {
        Code::C11
    } else {
        Code::C06
    };
    let noun = unit.noun();
    match by_key {
        Some(row) if is_anothers(reading, row) => {
            let repo = row.repo.as_deref().unwrap_or_default();
            findings.push(
                draft(Code::C02)
                    .differs(Some(repo), Some(&reading.repo))
                    .fix("give it an id of its own, or take it out of one of the two")
                    .says(&format!(
                        "the id {key} is that of a {noun} of repository {repo}"
                    )),
            );
            Tie::Unknown
        }
        Some(row) => {
            if let Some(link) = &row.link {
                findings.push(
                    draft(code)
                        .differs(Some(link.as_str()), None)
                        .mended()
                        .says(&format!("the {noun} does not carry its id yet")),
                );
                deeds.inject.push((unit.spot, link.clone()));
            } else {
                findings.push(draft(code).mended().says(&unlinked(noun)));
                deeds.create.push(unit.spot);
            }
            Tie::Row(row)
        }
        None => {
            let open = unit.entry.is_none() || !matches!(plan, Tie::Unknown);
            let finding = draft(code);
            if open {
                findings.push(finding.mended().says(&unlinked(noun)));
                deeds.create.push(unit.spot);
                Tie::New
            } else {
                findings.push(
                    finding
                        .fix("mend what is said of its workplan first")
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

/// Tells whether a row is tied to a file of another repository.
fn is_anothers(reading: &Reading, row: &WorkplanRow) -> bool {
    let repo = row.repo.as_deref().filter(|_| row.link.is_some());
    repo.is_some_and(|repo| !repo.eq_ignore_ascii_case(&reading.repo))
}
