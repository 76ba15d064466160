//! Files whose content is not committed yet.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::GitError;
use super::repository::{Repository, output_text, split_records};

const WHAT: &str = "git status";

impl Repository {
    /// Lists the files below a directory whose content is in no commit: changed, staged, new, removed,
    /// or ignored (no commit takes those). Paths are relative to the root; a renamed file is listed
    /// under both names; a nested repository ends in a slash.
    ///
    /// # Errors
    ///
    /// When git fails or refuses, or the directory is reached through a symlink: git sees only the
    /// link and would report no changes.
    pub fn list_uncommitted(&self, dir: &str) -> Result<BTreeSet<String>, GitError> {
        let mut part = self.worktree.root.clone();
        for component in Path::new(dir) {
            part.push(component);
            if crate::fs::is_symlink(&part) {
                return Err(GitError::NotAsExpected {
                    what: WHAT,
                    found: format!("{} is a symlink", part.display()),
                });
            }
        }
        let call = self.read_command(WHAT).with_args([
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            // Together with all untracked files, this lists ignored files one by one.
            "--ignored=traditional",
            "--",
            dir,
        ]);
        let output = call.run()?;
        let mut paths = BTreeSet::new();
        let mut doubtful = BTreeSet::new();
        // Two status letters and a space precede each path.
        for (state, path) in split_records(&output).filter_map(|record| record.split_at_checked(3))
        {
            let set = match state {
                b" M " => &mut doubtful,
                _ => &mut paths,
            };
            set.insert(output_text(path).into_owned());
        }
        if !doubtful.is_empty() {
            paths.extend(self.list_content_changes(dir)?.intersection(&doubtful).cloned());
        }
        Ok(paths)
    }

    /// Lists files whose content differs from the index. `git status` compares sizes, so it also
    /// reports files that differ in line endings only, which a commit would not take.
    fn list_content_changes(&self, dir: &str) -> Result<BTreeSet<String>, GitError> {
        let call = self.read_command("git diff").with_args([
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--",
            dir,
        ]);
        let output = call.run()?;
        Ok(split_records(&output).map(|path| output_text(path).into_owned()).collect())
    }
}
