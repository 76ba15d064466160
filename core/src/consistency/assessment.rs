//! The decision of a check: a snapshot goes in, findings and fixes come out. Pure.

use std::collections::BTreeMap;

use super::finding::{CheckFinding, file_line};
use super::fix::FixPlan;
use super::rules::Nodes;
use super::rules::differences::{check_dependencies, compare_rows};
use super::rules::duplicates::mark_duplicates;
use super::rules::matching::match_rows;
use super::rules::missing::report_missing;
use super::rules::plan_checkboxes::check_plan_checkboxes;
use super::rules::rollup::roll_up_workplans;
use super::rules::unlinked_duplicates::report_unlinked_duplicates;
use super::rules::unreadable::UnreadableFiles;
use super::snapshot::CheckoutSnapshot;
use crate::authority::Fact;
use crate::diagnostic::{AdviceKind, Code};

/// What differs in a checkout, and what is done about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// The findings, those of files first, by path and position.
    pub findings: Vec<CheckFinding>,
    /// What ends them.
    pub fixes: FixPlan,
    /// Workplans that must not be written, by their index in the snapshot, and why.
    pub held_back: BTreeMap<usize, String>,
}

/// Decides what differs between the files of a checkout and the rows of its repository.
pub fn assess_checkout(snapshot: &CheckoutSnapshot) -> Assessment {
    let mut findings = Vec::new();
    report_files(snapshot, &mut findings);
    let mut nodes = Nodes::from_snapshot(snapshot);
    mark_duplicates(&mut nodes, &mut findings);
    match_rows(snapshot, &mut nodes, &mut findings);
    compare_rows(snapshot, &mut nodes, &mut findings);
    check_dependencies(&nodes, &mut findings);
    roll_up_workplans(snapshot, &nodes, &mut findings);
    if !snapshot.is_outdated {
        report_missing(snapshot, &nodes, &mut findings);
    }
    if !snapshot.is_partial {
        report_unlinked_duplicates(snapshot, &mut findings);
    }
    check_plan_checkboxes(snapshot, &mut findings);
    let unreadable = UnreadableFiles::find(&findings);
    let held_back = unreadable.hold_back(snapshot);
    // Before findings are hidden: the rows of an unreadable file are created all the same.
    let fixes = findings.iter().filter_map(|finding| finding.fix.as_ref());
    let fixes = FixPlan::collect(fixes, |workplan| held_back.contains_key(&workplan));
    unreadable.advise_edit(&mut findings);
    findings.sort_by(|a, b| finding_order(a).cmp(&finding_order(b)));
    Assessment { findings, fixes, held_back }
}

/// Reports a missing directory, and what is wrong with single files.
fn report_files(snapshot: &CheckoutSnapshot, findings: &mut Vec<CheckFinding>) {
    let existence = Fact::WorkplanExistence.authority();
    // Who works by plans needs no workplans.
    if !snapshot.has_dir && !snapshot.is_partial && snapshot.plans.is_empty() {
        let text = "the directory workplans is missing";
        let finding = CheckFinding::new(Code::NoWorkplans, &snapshot.repo, existence, text);
        findings.push(finding.advise(AdviceKind::MakeDirectory));
    }
    for (path, problem) in &snapshot.problems {
        let place = file_line(path, problem.place);
        findings.push(
            CheckFinding::new(Code::WorkplanInvalid, &problem.subject, existence, &problem.text)
                .at(path, Some(problem.place))
                .advise(AdviceKind::EditWorkplan { place }),
        );
    }
}

/// Orders findings by file and position; those of no file come last.
fn finding_order(finding: &CheckFinding) -> impl Ord + '_ {
    (
        finding.path.is_none(),
        &finding.path,
        finding.place,
        finding.divergence.code,
        &finding.divergence.subject,
    )
}
