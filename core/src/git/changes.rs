//! Files whose content is not committed yet.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::GitError;
use super::repository::{Repository, output_text, split_records};

const WHAT: &str = "git status";

impl Repository {
    /// Lists the files below directories, or those files, whose content is in no commit: changed, staged, new, removed,
    /// or ignored (no commit takes those). Paths are relative to the root; a renamed file is listed
    /// under both names; a nested repository ends in a slash.
    ///
    /// # Errors
    ///
    /// When git fails or refuses, or a directory is reached through a symlink: git sees only the
    /// link and would report no changes.
    pub fn list_uncommitted(&self, places: &[&str]) -> Result<BTreeSet<String>, GitError> {
        for place in places {
            self.refuse_symlinks(place)?;
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
        ]);
        let output = call.with_args(places).run()?;
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
            paths.extend(self.list_content_changes(places)?.intersection(&doubtful).cloned());
        }
        Ok(paths)
    }

    /// Reads a file as the last commit has it, unless something else of it is staged.
    ///
    /// # Errors
    ///
    /// When git fails, as where the commit does not have the file.
    pub fn read_unstaged(&self, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let read = |name: String| {
            self.read_command("reading a committed file")
                .with_args(["cat-file", "blob", &name])
                .run()
        };
        let committed = read(format!("HEAD:{path}"))?;
        let staged = read(format!(":{path}"))?;
        Ok(Some(committed).filter(|committed| *committed == staged))
    }

    fn refuse_symlinks(&self, place: &str) -> Result<(), GitError> {
        let mut part = self.worktree.root.clone();
        for component in Path::new(place) {
            part.push(component);
            if crate::fs::is_symlink(&part) {
                return Err(GitError::NotAsExpected {
                    what: WHAT,
                    found: format!("{} is a symlink", part.display()),
                });
            }
        }
        Ok(())
    }

    /// Lists files whose content differs from the index. `git status` compares sizes, so it also
    /// reports files that differ in line endings only, which a commit would not take.
    fn list_content_changes(&self, places: &[&str]) -> Result<BTreeSet<String>, GitError> {
        let call = self.read_command("git diff").with_args([
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--",
        ]);
        let output = call.with_args(places).run()?;
        Ok(split_records(&output).map(|path| output_text(path).into_owned()).collect())
    }
}
