//! The decision: readings in, findings and deeds out. Pure.

use std::collections::BTreeMap;

use super::PlanSheet;
use super::finding::{Draft, Finding, file_line};
use super::rules::{Units, absent, drift, duplicates, plans, ties, unreadable, whole};
use super::sheet::{Sheet, Trouble};
use crate::authority::{WorkplanField, of_workplan};
use crate::model::{
    ItemKey, ItemStatus, PlanId, PlanTaskId, RepoSlug, WorkplanLink, WorkplanRow,
    WorkplanTaskStatus,
};
use crate::reconcile::{Code, Way};

/// What was read of a repository.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The name by which the database knows it.
    pub repo: String,
    /// Whether it has a folder of workplans.
    pub has_folder: bool,
    /// Its workplans, by path.
    pub sheets: Vec<Sheet>,
    /// What is wrong with its files, by path.
    pub troubles: Vec<(String, Trouble)>,
    /// The rows tied to it, by key.
    pub rows: Vec<WorkplanRow>,
    /// Rows of others, or of nobody, that its files name, by key.
    pub elsewhere: Vec<WorkplanRow>,
    /// Workplans without a file.
    pub ghosts: Vec<WorkplanRow>,
    /// Plans whose files lie in it, by path.
    pub plans: Vec<PlanSheet>,
    /// Registered repositories that it is not, by name: forks share ids with it.
    pub others: Vec<RepoSlug>,
    /// Whether its files may be older than what others published. What is missing in them then
    /// is no finding.
    pub is_outdated: bool,
    /// Whether some of its workplans are in git and not on the disk, as in a sparse checkout.
    pub is_partial: bool,
}

/// A workplan or a task of one, by its place in the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Which sheet.
    pub sheet: usize,
    /// Which of its tasks; absent for the workplan itself.
    pub task: Option<usize>,
}

/// What ends the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deeds {
    /// What has no row yet: workplans before their tasks.
    pub create: Vec<Spot>,
    /// What has a row whose id its file does not carry yet.
    pub inject: Vec<(Spot, WorkplanLink)>,
    /// What a file says differently, beside statuses.
    pub describe: Vec<Spot>,
    /// Items that go forward, because their file says so.
    pub advance: Vec<(ItemKey, ItemStatus)>,
    /// Workplans that go forward after that, because their tasks do.
    pub follow: Vec<(ItemKey, ItemStatus)>,
    /// Dependencies that the database lacks.
    pub depend: Vec<(ItemKey, ItemKey)>,
    /// Statuses to write into files.
    pub write: Vec<(Spot, WorkplanTaskStatus)>,
    /// Tasks of plans that their files have completed.
    pub complete: Vec<(PlanId, PlanTaskId)>,
    /// Plans whose files lack a checked box, by their places in the reading.
    pub check: Vec<usize>,
}

impl Deeds {
    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What came of a reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// What differs, files first, by path and place.
    pub findings: Vec<Finding>,
    /// What ends it.
    pub deeds: Deeds,
    /// Workplans that are not written, by their places in the reading, and why.
    pub held: BTreeMap<usize, String>,
}

/// Assesses a repository.
pub fn assess(reading: &Reading) -> Assessment {
    let mut assessment = Assessment::default();
    let Assessment {
        findings, deeds, ..
    } = &mut assessment;
    let existence = of_workplan(WorkplanField::Existence);
    if !reading.has_folder && !reading.is_partial {
        findings.push(
            Draft::new(Code::C01, &reading.repo, existence)
                .fix(Way::MakeFolder)
                .says("the directory workplans is missing"),
        );
    }
    for (path, trouble) in &reading.troubles {
        findings.push(
            Draft::new(Code::C02, &trouble.subject, existence)
                .at(path, Some(trouble.place))
                .fix(Way::EditWorkplan {
                    place: file_line(path, trouble.place),
                })
                .says(&trouble.text),
        );
    }
    let units = Units::of(reading);
    let twice = duplicates::find(&units, findings);
    let ties = ties::find(reading, &units, &twice, findings, deeds);
    for (unit, tie) in units.iter().zip(&ties) {
        if let Some(row) = tie.row() {
            drift::compare(reading, unit, row, findings, deeds);
        }
    }
    drift::dependencies(&units, &ties, findings, deeds);
    whole::judge(reading, &units, &ties, findings, deeds);
    if !reading.is_outdated {
        absent::report(reading, &units, findings);
    }
    if !reading.is_partial {
        whole::ghosts(reading, findings);
    }
    plans::compare(reading, findings, deeds);
    unreadable::hold_back(reading, &mut assessment);
    let findings = &mut assessment.findings;
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    assessment
}

/// By file and place; what belongs to no file comes last.
fn order(finding: &Finding) -> impl Ord + '_ {
    (
        finding.path.is_none(),
        &finding.path,
        finding.place,
        finding.divergence.code,
        &finding.divergence.subject,
    )
}
