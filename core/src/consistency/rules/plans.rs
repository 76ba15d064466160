//! Plans: a checkbox and its task. What else is wrong with a plan's file is a matter of
//! `trueup plan validate`.

use crate::consistency::assess::{Deeds, Reading};
use crate::consistency::finding::Finding;
use crate::plan::{PlanFile, Standing, checkbox_findings};
use crate::reconcile::{Code, Way};
use crate::workplan::Place;

/// Compares every checkbox with its task.
pub(in crate::consistency) fn compare(
    reading: &Reading,
    findings: &mut Vec<Finding>,
    deeds: &mut Deeds,
) {
    for (number, sheet) in reading.plans.iter().enumerate() {
        let file = PlanFile {
            path: &sheet.path,
            plan: Some(&sheet.plan),
            is_committed: true,
        };
        let found = checkbox_findings(&sheet.boxes, file);
        let found = found
            .into_iter()
            .filter(|divergence| matches!(divergence.code, Code::C10 | Code::C15));
        // There is one of each box that differs, in their order.
        let compared = sheet.boxes.compared.iter();
        let compared = compared.filter(|it| it.standing != Standing::Equal);
        for (it, mut divergence) in compared.zip(found) {
            divergence.subject = format!("{}/{}", sheet.plan, it.id);
            if it.standing == Standing::FileAhead {
                divergence.fix = Way::FixCheckout.into();
            }
            let short = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            findings.push(Finding {
                divergence,
                path: Some(sheet.path.clone()),
                place: Some(Place {
                    line: short(it.place.line),
                    column: short(it.place.column),
                }),
            });
        }
        let ahead = sheet.boxes.ahead.iter();
        let ahead = ahead.map(|id| (sheet.plan.clone(), id.clone()));
        deeds.complete.extend(ahead);
        if !sheet.boxes.edits.is_empty() {
            deeds.check.push(number);
        }
    }
}
