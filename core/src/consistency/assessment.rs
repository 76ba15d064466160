//! The decision: readings in, findings and deeds out. Pure.

use std::collections::BTreeMap;

use super::PlanCheckboxes;
use super::finding::{CheckFinding, FindingBuilder, file_line};
use super::rules::{
    Nodes, differences, duplicates, matching, missing, plan_checkboxes, rollup, unreadable,
};
use super::workplan_file::{ParseProblem, WorkplanFile};
use crate::authority::{WorkplanField, of_workplan};
use crate::model::{
    ItemKey, ItemStatus, PlanId, PlanTaskId, RepoSlug, WorkplanLink, WorkplanRow,
    WorkplanTaskStatus,
};
use crate::reconcile::{Code, Way};

/// What was read of a repository.
#[derive(Debug, Clone, Default)]
pub struct CheckoutSnapshot {
    /// The name by which the database knows it.
    pub repo: String,
    /// Whether it has a folder of workplans.
    pub has_folder: bool,
    /// Its workplans, by path.
    pub workplans: Vec<WorkplanFile>,
    /// What is wrong with its files, by path.
    pub problems: Vec<(String, ParseProblem)>,
    /// The rows tied to it, by key.
    pub rows: Vec<WorkplanRow>,
    /// Rows of others, or of nobody, that its files name, by key.
    pub foreign_rows: Vec<WorkplanRow>,
    /// Workplans without a file.
    pub unlinked_rows: Vec<WorkplanRow>,
    /// Plans whose files lie in it, by path.
    pub plans: Vec<PlanCheckboxes>,
    /// Registered repositories that it is not, by name: forks share ids with it.
    pub other_repos: Vec<RepoSlug>,
    /// Whether its files may be older than what others published. What is missing in them then
    /// is no finding.
    pub is_outdated: bool,
    /// Whether some of its workplans are in git and not on the disk, as in a sparse checkout.
    pub is_partial: bool,
}

/// A workplan or a task of one, by its place in the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId {
    /// Which sheet.
    pub workplan: usize,
    /// Which of its tasks; absent for the workplan itself.
    pub task: Option<usize>,
}

/// What ends the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FixPlan {
    /// What has no row yet: workplans before their tasks.
    pub create_rows: Vec<NodeId>,
    /// What has a row whose id its file does not carry yet.
    pub inject_links: Vec<(NodeId, WorkplanLink)>,
    /// What a file says differently, beside statuses.
    pub update_rows: Vec<NodeId>,
    /// Items that go forward, because their file says so.
    pub advance_items: Vec<(ItemKey, ItemStatus)>,
    /// Workplans that go forward after that, because their tasks do.
    pub advance_workplans: Vec<(ItemKey, ItemStatus)>,
    /// Dependencies that the database lacks.
    pub add_dependencies: Vec<(ItemKey, ItemKey)>,
    /// Statuses to write into files.
    pub write_statuses: Vec<(NodeId, WorkplanTaskStatus)>,
    /// Tasks of plans that their files have completed.
    pub complete_plan_tasks: Vec<(PlanId, PlanTaskId)>,
    /// Plans whose files lack a checked box, by their places in the reading.
    pub check_boxes: Vec<usize>,
}

impl FixPlan {
    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What came of a reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// What differs, files first, by path and place.
    pub findings: Vec<CheckFinding>,
    /// What ends it.
    pub fixes: FixPlan,
    /// Workplans that are not written, by their places in the reading, and why.
    pub held_back: BTreeMap<usize, String>,
}

/// Assesses a repository.
pub fn assess_checkout(snapshot: &CheckoutSnapshot) -> Assessment {
    let mut assessment = Assessment::default();
    let Assessment {
        findings,
        fixes: deeds,
        ..
    } = &mut assessment;
    let existence = of_workplan(WorkplanField::Existence);
    if !snapshot.has_folder && !snapshot.is_partial {
        findings.push(
            FindingBuilder::new(Code::C01, &snapshot.repo, existence)
                .with_fix(Way::MakeFolder)
                .build("the directory workplans is missing"),
        );
    }
    for (path, trouble) in &snapshot.problems {
        findings.push(
            FindingBuilder::new(Code::C02, &trouble.subject, existence)
                .at_place(path, Some(trouble.place))
                .with_fix(Way::EditWorkplan {
                    place: file_line(path, trouble.place),
                })
                .build(&trouble.text),
        );
    }
    let units = Nodes::from_snapshot(snapshot);
    let twice = duplicates::find_duplicates(&units, findings);
    let ties = matching::match_rows(snapshot, &units, &twice, findings, deeds);
    for (unit, tie) in units.iter().zip(&ties) {
        if let Some(row) = tie.row() {
            differences::compare_with_row(snapshot, unit, row, findings, deeds);
        }
    }
    differences::check_dependencies(&units, &ties, findings, deeds);
    rollup::roll_up_workplans(snapshot, &units, &ties, findings, deeds);
    if !snapshot.is_outdated {
        missing::report_missing(snapshot, &units, findings);
    }
    if !snapshot.is_partial {
        rollup::report_unlinked_duplicates(snapshot, findings);
    }
    plan_checkboxes::compare_checkboxes_with_tasks(snapshot, findings, deeds);
    unreadable::hold_back_unreadable(snapshot, &mut assessment);
    let findings = &mut assessment.findings;
    findings.sort_by(|a, b| finding_order(a).cmp(&finding_order(b)));
    assessment
}

/// By file and place; what belongs to no file comes last.
fn finding_order(finding: &CheckFinding) -> impl Ord + '_ {
    (
        finding.path.is_none(),
        &finding.path,
        finding.place,
        finding.divergence.code,
        &finding.divergence.subject,
    )
}
