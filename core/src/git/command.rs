//! git as a process, for what its files do not say.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a git hook or an outer git leaves in the environment; with any of it, git would
/// answer for another repository.
const MISLEADING: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_CEILING_DIRECTORIES",
];

/// Asks git for the branch.
pub(super) fn branch(root: &Path) -> Option<String> {
    let mut git = Command::new("git");
    for name in MISLEADING {
        git.env_remove(name);
    }
    let output = git
        .args(["symbolic-ref", "--short", "--quiet", "HEAD"])
        .current_dir(root)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let name = String::from_utf8(output.stdout).ok()?;
    Some(name.trim().to_owned()).filter(|name| output.status.success() && !name.is_empty())
}
