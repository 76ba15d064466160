//! Plans: a checkbox and its task. What else is wrong with a plan's file is a matter of
//! `trueup plan validate`.

use crate::consistency::assessment::{CheckoutSnapshot, FixPlan};
use crate::consistency::finding::CheckFinding;
use crate::plan::{CheckboxRelation, PlanFile, checkbox_findings};
use crate::reconcile::{Code, Way};
use crate::workplan::TextPosition;

/// Compares every checkbox with its task.
pub(in crate::consistency) fn compare_checkboxes_with_tasks(
    reading: &CheckoutSnapshot,
    findings: &mut Vec<CheckFinding>,
    deeds: &mut FixPlan,
) {
    for (number, sheet) in reading.plans.iter().enumerate() {
        let file = PlanFile {
            path: &sheet.path,
            plan: Some(&sheet.plan),
            is_committed: true,
        };
        let found = checkbox_findings(&sheet.checkboxes, file);
        let found = found
            .into_iter()
            .filter(|divergence| matches!(divergence.code, Code::C10 | Code::C15));
        // There is one of each box that differs, in their order.
        let compared = sheet.checkboxes.checkboxes.iter();
        let compared = compared.filter(|it| it.relation != CheckboxRelation::Equal);
        for (it, mut divergence) in compared.zip(found) {
            divergence.subject = format!("{}/{}", sheet.plan, it.id);
            if it.relation == CheckboxRelation::FileAhead {
                divergence.fix = Way::FixCheckout.into();
            }
            let short = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            findings.push(CheckFinding {
                divergence,
                path: Some(sheet.path.clone()),
                place: Some(TextPosition {
                    line: short(it.position.line),
                    column: short(it.position.column),
                }),
            });
        }
        let ahead = sheet.checkboxes.ahead_in_file.iter();
        let ahead = ahead.map(|id| (sheet.plan.clone(), id.clone()));
        deeds.complete_plan_tasks.extend(ahead);
        if !sheet.checkboxes.edits.is_empty() {
            deeds.check_boxes.push(number);
        }
    }
}
