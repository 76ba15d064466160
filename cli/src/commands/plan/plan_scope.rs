//! Which plans are of this repository.

use std::path::{Path, PathBuf};

use trueup_core::git::Worktree;
use trueup_core::model::Plan;
use trueup_core::repos::RepoIdentity;
use trueup_core::text::{path_from_text, path_to_text};

use crate::command_context::CommandContext;

/// The plans that a command considers: those of one repository, or all.
///
/// A plan has no repository of its own, only the path of its file. Where that is outside of every
/// repository, as the plans are that a client keeps for itself, the plan counts everywhere.
pub(crate) struct PlanScope {
    here: Option<Place>,
}

/// A repository on this machine; outside of git, a directory.
struct Place {
    root: PathBuf,
    /// What identifies the repository, if it is one.
    repository: Option<String>,
}

impl PlanScope {
    pub(crate) fn find(context: &CommandContext, all_repos: bool) -> Self {
        let here = (!all_repos).then(|| {
            let dir = &context.run.project.dir;
            let git = Worktree::discover(dir);
            let repository = git.as_ref().map(identify_repository);
            Place { root: git.map_or_else(|| dir.clone(), |git| git.root), repository }
        });
        Self { here }
    }

    /// Tells whether a plan is one of those considered.
    pub(crate) fn includes(&self, plan: &Plan) -> bool {
        let Some(here) = &self.here else { return true };
        let path = path_from_text(&plan.path);
        let folder = path.parent().unwrap_or(&path);
        match Worktree::discover(folder) {
            Some(git) => here.repository.as_ref() == Some(&identify_repository(&git)),
            None => folder.is_dir() || has_same_file(&here.root, &path),
        }
    }
}

/// Tells whether a checkout has the file of a plan whose own checkout is not on this machine: a
/// worktree that was removed, or a clone of somebody else. It does where the file has the same path
/// below the root, in a folder or in a checkout of the same name.
fn has_same_file(root: &Path, plan: &Path) -> bool {
    let folders = plan.parent().into_iter().flat_map(Path::ancestors);
    let mut beginnings = folders.filter(|folder| !folder.as_os_str().is_empty());
    beginnings.any(|beginning| {
        let Ok(inside) = plan.strip_prefix(beginning) else { return false };
        let is_in_folder = inside.components().nth(1).is_some();
        (is_in_folder || beginning.file_name() == root.file_name()) && root.join(inside).is_file()
    })
}

/// Returns what identifies the repository of a checkout on this machine.
fn identify_repository(git: &Worktree) -> String {
    let identity = RepoIdentity::read(&git.root);
    let name = identity.name.map(|name| name.to_string());
    name.or(identity.remote).unwrap_or_else(|| path_to_text(&identity.main))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_of_a_checkout_that_is_gone_is_known_by_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("shop");
        std::fs::create_dir_all(root.join("plans")).unwrap();
        for file in ["plan.md", "plans/search.md"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        for (plan, expected) in [
            ("/gone/shop/plans/search.md", true),
            ("/gone/worktree/plans/search.md", true),
            ("/gone/shop/plan.md", true),
            ("/gone/other/plan.md", false),
            ("/gone/shop/plans/other.md", false),
        ] {
            assert_eq!(has_same_file(&root, Path::new(plan)), expected, "{plan}");
        }
    }
}
