//! The checkboxes of a plan and its tasks. Everything else about a plan's file is checked by
//! `trueup plan validate`.

use crate::consistency::finding::CheckFinding;
use crate::consistency::{CheckoutSnapshot, Fix};
use crate::diagnostic::{AdviceKind, Code};
use crate::model::PlanTaskStatus;
use crate::plan::{CheckboxRelation, PlanFile, checkbox_findings};
use crate::workplan::TextPosition;

/// Compares every checkbox with its task.
pub(crate) fn check_plan_checkboxes(snapshot: &CheckoutSnapshot, findings: &mut Vec<CheckFinding>) {
    for (number, file) in snapshot.plans.iter().enumerate() {
        let plan_file = PlanFile { path: &file.path, plan: Some(&file.plan), is_committed: true };
        let divergences = checkbox_findings(&file.checkboxes, plan_file).into_iter();
        let divergences =
            divergences.filter(|it| matches!(it.code, Code::FileAhead | Code::DatabaseAhead));
        // Each checkbox that differs has one divergence, in the order of the file.
        let compared = file.checkboxes.checkboxes.iter();
        let differing = compared.filter(|it| it.relation != CheckboxRelation::Equal);
        for (checkbox, mut divergence) in differing.zip(divergences) {
            divergence.subject = format!("{}/{}", file.plan, checkbox.id);
            let fix = match checkbox.relation {
                // The reason of a task that was left out is for a person to say.
                CheckboxRelation::FileAhead if checkbox.in_file != PlanTaskStatus::Completed => {
                    None
                }
                CheckboxRelation::FileAhead => {
                    divergence.advice = AdviceKind::FixCheckout.into();
                    let (plan, task) = (file.plan.clone(), checkbox.id.clone());
                    Some(Fix::CompletePlanTask(plan, task))
                }
                CheckboxRelation::DatabaseAhead => Some(Fix::CheckBoxes(number)),
                CheckboxRelation::DatabaseKeeps
                | CheckboxRelation::Reopened
                | CheckboxRelation::Equal => None,
            };
            let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            findings.push(CheckFinding {
                divergence,
                path: Some(file.path.clone()),
                place: Some(TextPosition {
                    line: narrow(checkbox.position.line),
                    column: narrow(checkbox.position.column),
                }),
                fix,
                is_fixed: false,
            });
        }
    }
}
