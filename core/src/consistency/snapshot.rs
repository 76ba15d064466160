//! What a check compares: the workplans and plans of a checkout, and the rows of its repository.

use std::collections::BTreeSet;

use super::parse_problem::ParseProblem;
use super::plan_files::PlanCheckboxes;
use super::workplan_file::WorkplanFile;
use crate::model::{RepoSlug, WorkplanRow};
use crate::workplan::find_workplan_folder;

/// The files of a checkout and the rows they are compared with.
#[derive(Debug, Clone, Default)]
pub struct CheckoutSnapshot {
    /// The name by which the database knows the repository.
    pub repo: String,
    /// Whether the checkout has a directory of workplans.
    pub has_dir: bool,
    /// How many workplan files there are, readable or not.
    pub file_count: usize,
    /// The workplans that could be read, by path.
    pub workplans: Vec<WorkplanFile>,
    /// What is wrong with files, each with its path.
    pub problems: Vec<(String, ParseProblem)>,
    /// The rows of the repository, by key.
    pub rows: Vec<WorkplanRow>,
    /// Rows of other repositories, or of none, that the files name, by key.
    pub foreign_rows: Vec<WorkplanRow>,
    /// Workplans of any repository that were never linked to a file.
    pub unlinked_rows: Vec<WorkplanRow>,
    /// Plans whose files are in the checkout, by path.
    pub plans: Vec<PlanCheckboxes>,
    /// Other registered repositories: a fork shares ids with them.
    pub other_repos: Vec<RepoSlug>,
    /// Whether the files may be older than what others published. Then what they lack is no
    /// finding.
    pub is_outdated: bool,
    /// Whether git has workplans that are not on the disk, as in a sparse checkout.
    pub is_partial: bool,
}

impl CheckoutSnapshot {
    /// Lists the folders of workplans that are in packages.
    pub(super) fn list_package_folders(&self) -> Vec<String> {
        let paths = self.workplans.iter().map(|workplan| &workplan.path);
        let paths = paths.chain(self.problems.iter().map(|(path, _)| path));
        let folders: BTreeSet<&str> = paths
            .filter_map(|path| find_workplan_folder(path))
            .filter(|it| it.contains('/'))
            .collect();
        folders.into_iter().map(str::to_owned).collect()
    }
}
