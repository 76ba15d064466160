//! One id, one place. Of several blocks or files with one id none counts: which of them is
//! meant would be a guess. Of several that carry one id of the database, the database knows
//! whose it is.

use std::collections::HashMap;

use super::{Node, Nodes};
use crate::authority::{WorkplanField, of_workplan};
use crate::consistency::finding::{CheckFinding, FindingBuilder, file_line};
use crate::model::WorkplanLink;
use crate::reconcile::{Code, Way};

/// Finds ids that stand twice; returns which units do not count, in the order of the units.
/// The tasks of a workplan that does not count do not count either.
pub(in crate::consistency) fn find_duplicates(
    units: &Nodes<'_>,
    findings: &mut Vec<CheckFinding>,
) -> Vec<bool> {
    if units.is_plain() {
        return vec![false; units.len()];
    }
    let own = IdOccurrences::collect(units, |unit| Some(unit.key().as_str()));
    let carried = IdOccurrences::collect(units, |unit| unit.link().map(WorkplanLink::as_str));
    let mut without = None;
    let mut out = Vec::with_capacity(units.len());
    for unit in units.iter() {
        if without == Some(unit.id.workplan) {
            out.push(true);
            continue;
        }
        let key = unit.key().as_str();
        let is_twice = own.is_twice(key);
        if is_twice && unit.task.is_none() {
            without = Some(unit.id.workplan);
        }
        if let Some(first) = own.first_other(key, unit) {
            let place = file_line(&unit.workplan.path, unit.place());
            findings.push(duplicate_finding(
                unit,
                key,
                first,
                Way::GiveOwnId { place },
            ));
        } else if !is_twice
            && let Some(link) = unit.link().map(WorkplanLink::as_str)
            && let Some(first) = carried.first_other(link, unit)
        {
            let place = file_line(&unit.workplan.path, unit.place());
            findings.push(duplicate_finding(unit, link, first, Way::EmptyId { place }));
        }
        out.push(is_twice);
    }
    out
}

/// Where ids stand: the first place, and whether there are more.
struct IdOccurrences<'u, 'a>(HashMap<&'a str, (&'u Node<'a>, bool)>);

impl<'u, 'a> IdOccurrences<'u, 'a> {
    fn collect(units: &'u Nodes<'a>, id: impl Fn(&Node<'a>) -> Option<&'a str>) -> Self {
        let mut places = HashMap::with_capacity(units.len());
        for unit in units.iter() {
            if let Some(id) = id(unit) {
                let place = places.entry(id).or_insert((unit, false));
                place.1 |= place.0.id != unit.id;
            }
        }
        Self(places)
    }

    fn is_twice(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|(_, is_twice)| *is_twice)
    }

    /// Returns the first place of an id, if it is not this one.
    fn first_other(&self, id: &str, unit: &Node<'_>) -> Option<&'u Node<'a>> {
        let (first, _) = self.0.get(id)?;
        (first.id != unit.id).then_some(*first)
    }
}

fn duplicate_finding(unit: &Node<'_>, id: &str, first: &Node<'_>, way: Way) -> CheckFinding {
    let place = first.place();
    let elsewhere = format!("{}:{}:{}", first.workplan.path, place.line, place.column);
    FindingBuilder::new(
        Code::C02,
        unit.key().as_str(),
        of_workplan(WorkplanField::Existence),
    )
    .at_place(&unit.workplan.path, Some(unit.place()))
    .with_values(None, Some(id))
    .with_fix(way)
    .build(&format!("duplicate id {id}, also at {elsewhere}"))
}
