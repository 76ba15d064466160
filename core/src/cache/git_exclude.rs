//! Adds trueup's files in a worktree to git's `info/exclude`, a file that is never tracked.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::bounds::EXCLUDE;
use crate::fs::{append_to_foreign, create_shared_dir, is_symlink, read_bytes};

/// The lines in `info/exclude`: caches with their temporary and set-aside files, and the state
/// files of other repositories.
pub(crate) const EXCLUDE_PATTERNS: [&str; 2] = ["**/.claude/auto-proceed-state*", "**/.aibrain/"];

/// Permission bits of a new exclude file, which git reads for every user of the repository.
const EXCLUDE_FILE_MODE: u32 = 0o644;

/// Adds the patterns to `info/exclude` of a git directory. Returns whether any was missing.
///
/// # Errors
///
/// When the file cannot be read or written, is too large, or a symlink leads to it.
pub fn exclude_from_git(common_dir: &Path) -> io::Result<bool> {
    let dir = common_dir.join("info");
    if is_symlink(&dir) {
        return Err(io::Error::other("a symlink, which is not followed"));
    }
    let path = dir.join("exclude");
    let text = match read_bytes(&path, EXCLUDE.most, false) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let is_there = |pattern: &str| text.lines().any(|line| line.trim() == pattern);
    let missing: Vec<&str> = EXCLUDE_PATTERNS.into_iter().filter(|it| !is_there(it)).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    create_shared_dir(&dir)?;
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    // A single write, so that two hooks at once can at worst add a line twice.
    append_to_foreign(
        &path,
        format!("{gap}{}\n", missing.join("\n")).as_bytes(),
        EXCLUDE_FILE_MODE,
    )?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_line_is_added_once_and_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("info")).unwrap();
        fs::write(dir.path().join("info/exclude"), "mine").unwrap();
        assert!(exclude_from_git(dir.path()).unwrap());
        assert!(!exclude_from_git(dir.path()).unwrap());
        let text = fs::read_to_string(dir.path().join("info/exclude")).unwrap();
        // An exclude file of an earlier version has the first line only.
        let old = format!("{}\n", EXCLUDE_PATTERNS[0]);
        fs::write(dir.path().join("info/exclude"), &old).unwrap();
        assert!(exclude_from_git(dir.path()).unwrap());
        let added = fs::read_to_string(dir.path().join("info/exclude")).unwrap();
        assert_eq!(added, format!("{old}{}\n", EXCLUDE_PATTERNS[1]));
        assert_eq!(text, format!("mine\n{}\n", EXCLUDE_PATTERNS.join("\n")));
    }
}
