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
        let mut paths = BTreeSet::new();
        let mut doubtful = BTreeSet::new();
        // Two letters and a space stand before each path.
        for (state, path) in records(&told).filter_map(|record| record.split_at_checked(3)) {
            let set = match state {
                b" M " => &mut doubtful,
                _ => &mut paths,
            };
            set.insert(text(path).into_owned());
        }
        if !doubtful.is_empty() {
            paths.extend(self.changed(folder)?.intersection(&doubtful).cloned());
        }
        Ok(paths)
    }

    /// Lists files whose content is not that of the index. The status goes by sizes: it tells of
    /// a change where line ends alone were written in another way, which no commit would take.
    fn changed(&self, folder: &str) -> Result<BTreeSet<String>, GitError> {
        let call = self.read("git diff").args([
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--",
            folder,
        ]);
        let told = call.run()?;
        Ok(records(&told).map(|path| text(path).into_owned()).collect())
    }
}
