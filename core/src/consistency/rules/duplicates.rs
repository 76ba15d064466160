//! One id, one place. Of several blocks or files with one id none counts: which of them is
//! meant would be a guess. Of several that carry one id of the database, the database knows
//! whose it is.

use std::collections::HashMap;

use super::{Unit, Units};
use crate::authority::{WorkplanField, of_workplan};
use crate::consistency::finding::{Draft, Finding, file_line};
use crate::model::WorkplanLink;
use crate::reconcile::{Code, Way};

/// Finds ids that stand twice; returns which units do not count, in the order of the units.
/// The tasks of a workplan that does not count do not count either.
pub(in crate::consistency) fn find(units: &Units<'_>, findings: &mut Vec<Finding>) -> Vec<bool> {
    if units.is_plain() {
        return vec![false; units.len()];
    }
    let own = Places::of(units, |unit| Some(unit.key().as_str()));
    let carried = Places::of(units, |unit| unit.link().map(WorkplanLink::as_str));
    let mut without = None;
    let mut out = Vec::with_capacity(units.len());
    for unit in units.iter() {
        if without == Some(unit.spot.sheet) {
            out.push(true);
            continue;
        }
        let key = unit.key().as_str();
        let is_twice = own.is_twice(key);
        if is_twice && unit.entry.is_none() {
            without = Some(unit.spot.sheet);
        }
        if let Some(first) = own.before(key, unit) {
            let place = file_line(&unit.sheet.path, unit.place());
            findings.push(duplicate(unit, key, first, Way::GiveOwnId { place }));
        } else if !is_twice
            && let Some(link) = unit.link().map(WorkplanLink::as_str)
            && let Some(first) = carried.before(link, unit)
        {
            let place = file_line(&unit.sheet.path, unit.place());
            findings.push(duplicate(unit, link, first, Way::EmptyId { place }));
        }
        out.push(is_twice);
    }
    out
}

/// Where ids stand: the first place, and whether there are more.
struct Places<'u, 'a>(HashMap<&'a str, (&'u Unit<'a>, bool)>);

impl<'u, 'a> Places<'u, 'a> {
    fn of(units: &'u Units<'a>, id: impl Fn(&Unit<'a>) -> Option<&'a str>) -> Self {
        let mut places = HashMap::with_capacity(units.len());
        for unit in units.iter() {
            if let Some(id) = id(unit) {
                let place = places.entry(id).or_insert((unit, false));
                place.1 |= place.0.spot != unit.spot;
            }
        }
        Self(places)
    }

    fn is_twice(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|(_, is_twice)| *is_twice)
    }

    /// Returns the first place of an id, if it is not this one.
    fn before(&self, id: &str, unit: &Unit<'_>) -> Option<&'u Unit<'a>> {
        let (first, _) = self.0.get(id)?;
        (first.spot != unit.spot).then_some(*first)
    }
}

fn duplicate(unit: &Unit<'_>, id: &str, first: &Unit<'_>, way: Way) -> Finding {
    let place = first.place();
    let elsewhere = format!("{}:{}:{}", first.sheet.path, place.line, place.column);
    Draft::new(
        Code::C02,
        unit.key().as_str(),
        of_workplan(WorkplanField::Existence),
    )
    .at(&unit.sheet.path, Some(unit.place()))
    .differs(None, Some(id))
    .fix(way)
    .says(&format!("duplicate id {id}, also at {elsewhere}"))
}
