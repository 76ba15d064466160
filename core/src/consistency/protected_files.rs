//! Files that a commit of a check may not take: git would publish a change of the user with them.

use std::collections::BTreeMap;

use super::finding::redacted_error;
use crate::git::{GitError, Repository};

/// Returns which of these files have changes that no commit has, and how they are described.
pub(super) fn find_uncommitted<'p>(
    repository: &Repository,
    paths: impl Iterator<Item = &'p str>,
) -> Result<BTreeMap<String, String>, String> {
    const CHANGED: &str = "it has uncommitted changes or is not in the repository";
    query_per_dir(paths, |place| {
        let dirty = repository.list_uncommitted(place)?.into_iter();
        Ok(dirty.map(|path| (path, CHANGED.to_owned())).collect())
    })
}

/// Returns which of these files are hidden from git, and how they are described. A commit
/// would publish the user's changes there, or fail each time.
pub(super) fn find_hidden<'p>(
    repository: &Repository,
    paths: impl Iterator<Item = &'p str>,
) -> Result<BTreeMap<String, String>, String> {
    query_per_dir(paths, |place| {
        let hidden = repository.list_hidden(place)?.into_iter();
        let marked = hidden.map(|(path, mark)| {
            let reason = format!("git is configured to ignore its changes ({})", mark.as_str());
            (path, reason)
        });
        Ok(marked.collect())
    })
}

/// Asks git about files: once for the directory of workplans, and for each plan, which may lie
/// anywhere.
fn query_per_dir<'p>(
    paths: impl Iterator<Item = &'p str>,
    query: impl Fn(&str) -> Result<BTreeMap<String, String>, GitError>,
) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut is_dir_asked = false;
    for path in paths {
        let is_workplan = path.starts_with("workplans/");
        if is_workplan && is_dir_asked {
            continue;
        }
        is_dir_asked |= is_workplan;
        match query(if is_workplan { "workplans" } else { path }) {
            Ok(answer) => found.extend(answer),
            Err(error) if is_workplan => return Err(redacted_error(&error)),
            Err(error) => {
                found.insert(path.to_owned(), redacted_error(&error));
            }
        }
    }
    Ok(found)
}
