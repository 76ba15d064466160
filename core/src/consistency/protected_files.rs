//! Files that a commit of a check may not take: git would publish a change of the user with them.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::redacted_error;
use super::plan_files::PlanCheckboxes;
use crate::git::{GitError, Repository};
use crate::plan::has_only_opened_boxes;
use crate::workplan::find_workplan_folder;

/// Returns which of these files have changes that no commit has, and how they are described.
pub(super) fn find_uncommitted<'p>(
    repository: &Repository,
    paths: impl Iterator<Item = &'p str>,
) -> Result<BTreeMap<String, String>, String> {
    const CHANGED: &str = "it has uncommitted changes or is not in the repository; commit it first";
    query_by_folder(paths, |places| {
        let dirty = repository.list_uncommitted(places)?.into_iter();
        Ok(dirty.map(|path| (path, CHANGED.to_owned())).collect())
    })
}

/// Tells whether all that git does not have of a plan are boxes that were opened, as
/// `trueup plan reopen` does it: they may be committed with what a check writes.
pub(super) fn has_only_own_changes(repository: &Repository, plan: &PlanCheckboxes) -> bool {
    let Ok(Some(committed)) = repository.read_unstaged(&plan.path) else {
        return false;
    };
    std::str::from_utf8(&committed)
        .is_ok_and(|committed| has_only_opened_boxes(plan.format, committed, &plan.text))
}

/// Returns which of these files are hidden from git, and how they are described. A commit
/// would publish the user's changes there, or fail each time.
pub(super) fn find_hidden<'p>(
    repository: &Repository,
    paths: impl Iterator<Item = &'p str>,
) -> Result<BTreeMap<String, String>, String> {
    query_by_folder(paths, |places| {
        let hidden = repository.list_hidden(places)?.into_iter();
        let marked = hidden.map(|(path, mark)| {
            let reason = format!("git is configured to ignore its changes ({})", mark.as_str());
            (path, reason)
        });
        Ok(marked.collect())
    })
}

/// Asks git about files: once for all folders of workplans, and for each plan, which may lie
/// anywhere.
fn query_by_folder<'p>(
    paths: impl Iterator<Item = &'p str>,
    query: impl Fn(&[&str]) -> Result<BTreeMap<String, String>, GitError>,
) -> Result<BTreeMap<String, String>, String> {
    let mut folders = BTreeSet::new();
    let mut plans = Vec::new();
    for path in paths {
        match find_workplan_folder(path) {
            Some(folder) => {
                folders.insert(folder);
            }
            None => plans.push(path),
        }
    }
    let folders: Vec<&str> = folders.into_iter().collect();
    let mut found = BTreeMap::new();
    if !folders.is_empty() {
        found = query(&folders).map_err(|error| redacted_error(&error))?;
    }
    for path in plans {
        match query(&[path]) {
            Ok(answer) => found.extend(answer),
            Err(error) => {
                found.insert(path.to_owned(), redacted_error(&error));
            }
        }
    }
    Ok(found)
}
