//! The names of local branches.

use std::fs;
use std::path::Path;

use super::Worktree;
use crate::bounds::{BRANCHES, PACKED_REFS};
use crate::fs::read_text;

/// Lists local branches by name, up to a limit: they are only used for a hint.
pub fn list_branches(worktree: &Worktree) -> Vec<String> {
    let mut loose = LooseRefs { names: Vec::new(), left: BRANCHES.len() };
    loose.collect_names(&worktree.common_dir.join("refs/heads"), "");
    let mut names = loose.names;
    let packed = read_text(&worktree.common_dir.join("packed-refs"), PACKED_REFS.most, true);
    names.extend(
        packed
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.split_once(" refs/heads/"))
            .map(|(_, name)| name.to_owned())
            .take(BRANCHES.len()),
    );
    names.sort();
    names.dedup();
    names
}

/// Lists the branches that are checked out in other worktrees; git refuses to switch to those.
pub fn branches_checked_out_elsewhere(worktree: &Worktree) -> Vec<String> {
    let linked = fs::read_dir(worktree.common_dir.join("worktrees"));
    let linked = linked.into_iter().flatten().flatten().take(BRANCHES.len());
    let own = worktree.git_dir.canonicalize().ok();
    linked
        .map(|entry| entry.path())
        .chain([worktree.common_dir.clone()])
        .filter(|git_dir| git_dir.canonicalize().ok() != own)
        .filter_map(|git_dir| {
            let head = super::read_git_file(&git_dir.join("HEAD")).ok()?;
            let branch = head.trim().strip_prefix("ref: refs/heads/")?;
            Some(branch.to_owned())
        })
        .collect()
}

/// Branches that are stored as one file each.
struct LooseRefs {
    names: Vec<String>,
    /// How many more directory entries may be read.
    left: usize,
}

impl LooseRefs {
    fn collect_names(&mut self, dir: &Path, prefix: &str) {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        for entry in entries {
            let Some(left) = self.left.checked_sub(1) else {
                return;
            };
            self.left = left;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.collect_names(&entry.path(), &format!("{name}/")),
                Ok(kind) if kind.is_file() => self.names.push(name),
                _ => {}
            }
        }
    }
}
