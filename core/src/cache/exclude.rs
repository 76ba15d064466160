//! The cache is nobody's source code: git is told once, in a file that is never tracked.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// The line in `info/exclude`; it covers session files, drafts and files set aside too.
const PATTERN: &str = "**/.claude/auto-proceed-state*";

/// Adds the cache's name to `info/exclude` of a git directory unless it is there.
///
/// # Errors
///
/// When the file cannot be read or written.
pub fn exclude_from_git(common_dir: &Path) -> io::Result<bool> {
    let path = common_dir.join("info").join("exclude");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    if text.lines().any(|line| line.trim() == PATTERN) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let gap = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    // One write of one line: two hooks at once add it twice at worst, and tear nothing.
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)?;
    file.write_all(format!("{gap}{PATTERN}\n").as_bytes())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_added_once_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("info")).unwrap();
        fs::write(folder.path().join("info/exclude"), "mine").unwrap();
        assert!(exclude_from_git(folder.path()).unwrap());
        assert!(!exclude_from_git(folder.path()).unwrap());
        let text = fs::read_to_string(folder.path().join("info/exclude")).unwrap();
        assert_eq!(text, format!("mine\n{PATTERN}\n"));
    }
}
