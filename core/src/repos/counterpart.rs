//! The same file in another checkout of a repository.

use std::path::Path;

use super::RepoIdentity;
use crate::git::Worktree;

/// Returns whether two paths are the same file in two checkouts of one repository: linked worktrees,
/// or clones with the same remote or name. Only files are read.
pub fn are_counterparts(one: &Path, other: &Path) -> bool {
    if one.file_name() != other.file_name() {
        return false;
    }
    let lies_in = |path: &Path| path.parent().and_then(Worktree::discover);
    let (Some(first), Some(second)) = (lies_in(one), lies_in(other)) else {
        return false;
    };
    let within =
        |path: &Path, git: &Worktree| path.strip_prefix(&git.root).map(Path::to_owned).ok();
    let (inside, beside) = (within(one, &first), within(other, &second));
    if inside.is_none() || inside != beside {
        return false;
    }
    let real = |git: &Worktree| git.common_dir.canonicalize().ok();
    let (shared, theirs) = (real(&first), real(&second));
    if shared.is_some() && shared == theirs {
        return true;
    }
    let (found, known) = (RepoIdentity::read(&first.root), RepoIdentity::read(&second.root));
    let is_one = |a: Option<String>, b: Option<String>| a.is_some() && a == b;
    let name = |identity: &RepoIdentity| identity.name.as_ref().map(ToString::to_string);
    match (name(&found), name(&known)) {
        (None, None) => is_one(found.remote, known.remote),
        (a, b) => is_one(a, b),
    }
}
