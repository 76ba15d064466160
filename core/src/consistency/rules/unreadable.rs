//! A workplan of which a part means nothing is not written: the end of a block that was forgotten
//! makes tasks of text and text of tasks in all that follows.

use std::collections::BTreeMap;

use crate::consistency::assessment::{Assessment, CheckoutSnapshot};
use crate::consistency::finding::{CheckFinding, file_line};
use crate::reconcile::{Advice, Code, Way};
use crate::workplan::TextPosition;

/// Holds back what would be written into files that could not be read whole. That their ids are
/// missing is not said beside that, and of each other difference that it ends with the file being
/// put right.
pub(in crate::consistency) fn hold_back_unreadable(
    reading: &CheckoutSnapshot,
    assessment: &mut Assessment,
) {
    let Assessment {
        findings,
        fixes: deeds,
        held_back: held,
    } = assessment;
    let mut places: BTreeMap<&str, TextPosition> = BTreeMap::new();
    for finding in findings.iter().filter(|it| it.divergence.code == Code::C02) {
        if let (Some(path), Some(place)) = (&finding.path, finding.place) {
            places.entry(path).or_insert(place);
        }
    }
    if places.is_empty() {
        return;
    }
    let reasons = reading
        .workplans
        .iter()
        .enumerate()
        .filter_map(|(at, sheet)| {
            let line = places.get(&*sheet.path)?.line;
            let reason = format!("cannot be read completely (C-02 in line {line})");
            Some((at, reason))
        });
    *held = reasons.collect();
    let advice: BTreeMap<String, Advice> = places
        .iter()
        .map(|(path, place)| {
            let place = file_line(path, *place);
            ((*path).to_owned(), Way::EditWorkplan { place }.into())
        })
        .collect();
    let is_open = |sheet: usize| !held.contains_key(&sheet);
    deeds
        .inject_links
        .retain(|(spot, _)| is_open(spot.workplan));
    deeds
        .write_statuses
        .retain(|(spot, _)| is_open(spot.workplan));
    // An id that is missing there is no second cause: it comes with the first run after the file
    // is put right.
    let waits = |finding: &CheckFinding| {
        [Code::C06, Code::C11].contains(&finding.divergence.code)
            && *finding.divergence.fix.way() == Way::FixCheckout
            && finding
                .path
                .as_ref()
                .is_some_and(|path| advice.contains_key(path))
    };
    findings.retain(|finding| !waits(finding));
    for finding in findings {
        let fix = &mut finding.divergence.fix;
        if finding.divergence.code == Code::C15
            && *fix.way() == Way::FixCheckout
            && let Some(advice) = finding.path.as_ref().and_then(|path| advice.get(path))
        {
            *fix = advice.clone();
        }
    }
}
