//! One id, one place: the first one counts, and the others are findings.

use std::collections::HashMap;

use super::{Unit, Units};
use crate::consistency::finding::{Authority, Draft, Finding};
use crate::model::WorkplanLink;
use crate::reconcile::Code;

/// Finds ids that stand twice; returns which units do not count, in the order of the units.
/// The tasks of a workplan that does not count do not count either.
pub(in crate::consistency) fn find(units: &Units<'_>, findings: &mut Vec<Finding>) -> Vec<bool> {
    let mut keys = HashMap::with_capacity(units.len());
    let mut links = HashMap::with_capacity(units.len());
    let mut without = None;
    let mut out = Vec::with_capacity(units.len());
    for unit in units.iter() {
        if without == Some(unit.spot.sheet) {
            out.push(true);
            continue;
        }
        let first = *keys.entry(unit.key().as_str()).or_insert(*unit);
        let link = unit.link().map(WorkplanLink::as_str);
        let first_link = link.map_or(*unit, |link| *links.entry(link).or_insert(*unit));
        let problem = if first.spot != unit.spot {
            Some((unit.key().as_str(), first))
        } else if first_link.spot != unit.spot {
            link.map(|link| (link, first_link))
        } else {
            None
        };
        if let Some((id, first)) = problem {
            findings.push(duplicate(unit, id, &first));
            if unit.entry.is_none() {
                without = Some(unit.spot.sheet);
            }
        }
        out.push(problem.is_some());
    }
    out
}

fn duplicate(unit: &Unit<'_>, id: &str, first: &Unit<'_>) -> Finding {
    let place = first.place();
    let elsewhere = format!("{}:{}:{}", first.sheet.path, place.line, place.column);
    Draft::new(Code::C02, unit.key().as_str(), Authority::File)
        .at(&unit.sheet.path, Some(unit.place()))
        .differs(None, Some(id))
        .fix("give one of the two an id of its own")
        .says(&format!("the id {id} stands twice, at {elsewhere} too"))
}
