//! What a commit does not hold yet.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::GitError;
use super::repository::{Repository, records, text};

const WHAT: &str = "git status";

impl Repository {
    /// Lists the files below a folder whose content is in no commit: changed, staged, new,
    /// removed, or ignored (which no commit takes). Paths are relative to the root; a renamed
    /// file is there under both names. A folder that is a repository of its own ends in a slash.
    ///
    /// # Errors
    ///
    /// When git fails or refuses, and when the folder is reached through a symlink: git sees
    /// the link alone and would say that nothing has changed.
    pub fn uncommitted(&self, folder: &str) -> Result<BTreeSet<String>, GitError> {
        let mut part = self.worktree.root.clone();
        for component in Path::new(folder) {
            part.push(component);
            if crate::files::is_symlink(&part) {
                return Err(GitError::NotAsExpected {
                    what: WHAT,
                    found: format!("{} is a symlink", part.display()),
                });
            }
        }
        let call = self.read(WHAT).args([
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            // With all untracked files, this names ignored files one by one.
            "--ignored=traditional",
            "--",
            folder,
        ]);
        let told = call.run()?;
        // Two letters and a space stand before each path.
        let paths = records(&told).filter_map(|record| record.get(3..));
        Ok(paths.map(|path| text(path).into_owned()).collect())
    }
}
