//! Adds trueup's files in a worktree to git's `info/exclude`, a file that is never tracked.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::bounds::EXCLUDE;
use crate::fs::{append_to_foreign, create_shared_dir, is_symlink, read_bytes};

/// The lines in `info/exclude`: caches with their temporary and set-aside files, and the state
/// files of other repositories. Both stand together, in this order, and so are trueup's: a user who has
/// one of them keeps it when trueup's are removed.
pub(crate) const EXCLUDE_PATTERNS: [&str; 2] = ["**/.claude/auto-proceed-state*", "**/.aibrain/"];

/// Permission bits of a new exclude file, which git reads for every user of the repository.
const EXCLUDE_FILE_MODE: u32 = 0o644;

/// Adds the patterns to `info/exclude` of a git directory. Returns whether they were missing.
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
    let [first, second] = EXCLUDE_PATTERNS;
    let following = text.lines().skip(1);
    if text.lines().zip(following).any(|pair| (pair.0.trim(), pair.1.trim()) == (first, second)) {
        return Ok(false);
    }
    create_shared_dir(&dir)?;
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    // A single write, so that two hooks at once can at worst add a line twice.
    append_to_foreign(&path, format!("{gap}{first}\n{second}\n").as_bytes(), EXCLUDE_FILE_MODE)?;
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
        assert_eq!(text, format!("mine\n{}\n", EXCLUDE_PATTERNS.join("\n")));
        // One of the lines alone is the user's own.
        for own in EXCLUDE_PATTERNS {
            fs::write(dir.path().join("info/exclude"), format!("{own}\n/x\n")).unwrap();
            assert!(exclude_from_git(dir.path()).unwrap());
            let added = fs::read_to_string(dir.path().join("info/exclude")).unwrap();
            assert_eq!(added, format!("{own}\n/x\n{}\n", EXCLUDE_PATTERNS.join("\n")));
        }
    }
}
