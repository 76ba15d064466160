//! A workplan of which a part means nothing is not written: the end of a block that was forgotten
//! makes tasks of text and text of tasks in all that follows.

use std::collections::BTreeMap;

use crate::consistency::assess::{Assessment, Reading};
use crate::consistency::finding::{Finding, MEND};
use crate::reconcile::Code;

/// Holds back what would be written into files that could not be read whole. That their ids are
/// missing is not said beside that, and of each other difference that it ends with the file being
/// put right.
pub(in crate::consistency) fn hold_back(reading: &Reading, assessment: &mut Assessment) {
    let Assessment {
        findings,
        deeds,
        held,
    } = assessment;
    let mut lines: BTreeMap<&str, u32> = BTreeMap::new();
    for finding in findings.iter().filter(|it| it.divergence.code == Code::C02) {
        if let (Some(path), Some(place)) = (&finding.path, finding.place) {
            lines.entry(path).or_insert(place.line);
        }
    }
    if lines.is_empty() {
        return;
    }
    let reasons = reading.sheets.iter().enumerate().filter_map(|(at, sheet)| {
        let line = lines.get(&*sheet.path)?;
        let reason = format!("it cannot be read whole (C-02 in line {line})");
        Some((at, reason))
    });
    *held = reasons.collect();
    let advice: BTreeMap<String, String> = lines
        .iter()
        .map(|(path, line)| {
            let advice = format!("mend {path}:{line} by hand, then `{MEND}`");
            ((*path).to_owned(), advice)
        })
        .collect();
    let is_open = |sheet: usize| !held.contains_key(&sheet);
    deeds.inject.retain(|(spot, _)| is_open(spot.sheet));
    deeds.write.retain(|(spot, _)| is_open(spot.sheet));
    // An id that is missing there is no second cause: it comes with the first run after the file
    // is put right.
    let waits = |finding: &Finding| {
        [Code::C06, Code::C11].contains(&finding.divergence.code)
            && finding.divergence.fix.as_deref() == Some(MEND)
            && finding
                .path
                .as_ref()
                .is_some_and(|path| advice.contains_key(path))
    };
    findings.retain(|finding| !waits(finding));
    for finding in findings {
        let fix = &mut finding.divergence.fix;
        if finding.divergence.code == Code::C15
            && fix.as_deref() == Some(MEND)
            && let Some(advice) = finding.path.as_ref().and_then(|path| advice.get(path))
        {
            *fix = Some(advice.clone());
        }
    }
}
