//! Which row of the database is which workplan or task: by the id its file carries, else by its
//! own id. What carries an id that the database does not know is left alone.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::{Node, Nodes};
use crate::authority::{WorkplanField, of_workplan};
use crate::consistency::assessment::{CheckoutSnapshot, FixPlan};
use crate::consistency::finding::{CheckFinding, FindingBuilder, file_line};
use crate::model::{WorkplanLink, WorkplanRow};
use crate::reconcile::{Code, FileLine, Way};

/// What a unit is in the database.
#[derive(Debug, Clone, Copy)]
pub(in crate::consistency) enum RowMatch<'a> {
    /// This row.
    Row(&'a WorkplanRow),
    /// Nothing yet; it will be.
    Missing,
    /// Nothing that could be told.
    Unknown,
}

impl<'a> RowMatch<'a> {
    pub(in crate::consistency) const fn row(&self) -> Option<&'a WorkplanRow> {
        match self {
            Self::Row(row) => Some(row),
            Self::Missing | Self::Unknown => None,
        }
    }
}

/// Ties every unit, in their order.
pub(in crate::consistency) fn match_rows<'a>(
    reading: &'a CheckoutSnapshot,
    units: &Nodes<'a>,
    twice: &[bool],
    findings: &mut Vec<CheckFinding>,
    deeds: &mut FixPlan,
) -> Vec<RowMatch<'a>> {
    // Only an id that is not that of its own row is looked for.
    let links = OnceCell::new();
    let by_link = |link: &WorkplanLink| -> Option<&'a WorkplanRow> {
        let all = || {
            let rows = units.rows().iter();
            let linked = rows.filter_map(|row| Some((row.link.as_ref()?.as_str(), row)));
            linked.collect::<HashMap<_, _>>()
        };
        links.get_or_init(all).get(link.as_str()).copied()
    };
    let mut ties: Vec<RowMatch<'a>> = Vec::with_capacity(units.len());
    // A task comes into its workplan, so where that is unknown it stays out.
    let mut plan = RowMatch::Unknown;
    for ((unit, row), twice) in units.with_rows().zip(twice) {
        let row = row.and_then(|number| units.rows().get(number));
        let tie = match (unit.link(), row.and_then(|row| row.link.as_ref())) {
            _ if *twice => RowMatch::Unknown,
            (Some(link), own) if own != Some(link) => {
                report_link_conflict(unit, link, by_link(link), own, findings)
            }
            _ => match_unlinked(reading, unit, row, plan, findings, deeds),
        };
        if unit.task.is_none() {
            plan = tie;
        }
        ties.push(tie);
    }
    ties
}

fn link_finding(code: Code, unit: &Node<'_>) -> FindingBuilder {
    FindingBuilder::new(code, unit.key().as_str(), of_workplan(WorkplanField::Link))
        .at_place(&unit.workplan.path, Some(unit.place()))
}

fn node_location(unit: &Node<'_>) -> FileLine {
    file_line(&unit.workplan.path, unit.place())
}

/// Reports an id that is another's than that of the row with its key, or nobody's.
fn report_link_conflict<'a>(
    unit: &Node<'_>,
    link: &WorkplanLink,
    other: Option<&WorkplanRow>,
    own: Option<&WorkplanLink>,
    findings: &mut Vec<CheckFinding>,
) -> RowMatch<'a> {
    let key = unit.key();
    let text = match (other, own) {
        (Some(row), _) => format!("the id {link} belongs to {} in the database", row.key),
        (None, Some(own)) => {
            format!("the id {link} is not in the database; {key} has {own} there")
        }
        (None, None) => format!("the id {link} is not in the database"),
    };
    findings.push(
        link_finding(Code::C03, unit)
            .with_values(own.map(WorkplanLink::as_str), Some(link.as_str()))
            .with_fix(Way::EmptyId {
                place: node_location(unit),
            })
            .build(&text),
    );
    RowMatch::Unknown
}

/// Ties a unit that carries the id of the row with its key, or none.
fn match_unlinked<'a>(
    reading: &CheckoutSnapshot,
    unit: &Node<'_>,
    row: Option<&'a WorkplanRow>,
    plan: RowMatch<'a>,
    findings: &mut Vec<CheckFinding>,
    deeds: &mut FixPlan,
) -> RowMatch<'a> {
    if let Some(row) = row.filter(|_| unit.link().is_some()) {
        if let Some(other) = find_other_repo(reading, row) {
            findings.push(
                link_finding(Code::C09, unit)
                    .with_values(Some(&reading.repo), Some(other))
                    .with_fix(Way::GiveOwnId { place: node_location(unit) })
                    .build(&format!(
                        "the database has this {} under repository {other}, and this is not a clone of it",
                        unit.noun()
                    )),
            );
            return RowMatch::Unknown;
        }
        return RowMatch::Row(row);
    }
    let key = unit.key();
    let code = if unit.task.is_some() {
        Code::C11
    } else {
        Code::C06
    };
    let noun = unit.noun();
    match row {
        Some(row) if is_linked_elsewhere(reading, row) => {
            let repo = row.repo.as_deref().unwrap_or_default();
            findings.push(
                link_finding(Code::C02, unit)
                    .with_values(Some(repo), Some(&reading.repo))
                    .with_fix(Way::GiveOwnId {
                        place: node_location(unit),
                    })
                    .build(&format!(
                        "the id {key} belongs to a {noun} of repository {repo}"
                    )),
            );
            RowMatch::Unknown
        }
        Some(row) => {
            if let Some(link) = &row.link {
                findings.push(
                    link_finding(code, unit)
                        .with_values(Some(link.as_str()), None)
                        .build(&format!("the {noun} does not contain its id yet")),
                );
                deeds.inject_links.push((unit.id, link.clone()));
            } else {
                findings.push(link_finding(code, unit).build(&unlinked_message(noun)));
                deeds.create_rows.push(unit.id);
            }
            RowMatch::Row(row)
        }
        None => {
            let open = unit.task.is_none() || !matches!(plan, RowMatch::Unknown);
            let finding = link_finding(code, unit);
            if open {
                findings.push(finding.build(&unlinked_message(noun)));
                deeds.create_rows.push(unit.id);
                RowMatch::Missing
            } else {
                findings.push(
                    finding
                        // What is said of its workplan comes first.
                        .with_fix(Way::EditWorkplan {
                            place: file_line(&unit.workplan.path, unit.workplan.place),
                        })
                        .build(&unlinked_message(noun)),
                );
                RowMatch::Unknown
            }
        }
    }
}

fn unlinked_message(noun: &str) -> String {
    format!("the {noun} is not linked to the database")
}

/// Returns the registered repository whose row this is, where that is known to be another.
fn find_other_repo<'a>(reading: &'a CheckoutSnapshot, row: &WorkplanRow) -> Option<&'a str> {
    let repo = row.repo.as_deref()?;
    let other = reading
        .other_repos
        .iter()
        .find(|other| other.is_same(repo))?;
    Some(other.as_str())
}

/// Tells whether a row is tied to a file of another repository.
fn is_linked_elsewhere(reading: &CheckoutSnapshot, row: &WorkplanRow) -> bool {
    let repo = row.repo.as_deref().filter(|_| row.link.is_some());
    repo.is_some_and(|repo| !repo.eq_ignore_ascii_case(&reading.repo))
}
