//! What git is in the middle of.

use super::error::GitError;
use super::repository::Repository;

/// An operation that was begun and neither finished nor given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `git merge`.
    Merge,
    /// `git rebase`.
    Rebase,
    /// `git cherry-pick`.
    CherryPick,
    /// `git revert`.
    Revert,
    /// `git bisect`.
    Bisect,
    /// `git am`.
    Am,
}

impl Operation {
    /// Returns the subcommand of git that begins it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Rebase => "rebase",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
            Self::Bisect => "bisect",
            Self::Am => "am",
        }
    }
}

impl Repository {
    /// Looks for what git left to go on with. It is kept per worktree. The outermost one is
    /// told: a rebase stops in the middle of a cherry-pick or a merge of its own.
    pub(super) fn operation(&self) -> Result<Option<Operation>, GitError> {
        let has = |name: &str| self.worktree.git_dir.join(name).exists();
        Ok(if has("rebase-merge") {
            Some(Operation::Rebase)
        } else if has("rebase-apply/applying") {
            Some(Operation::Am)
        } else if has("rebase-apply") {
            Some(Operation::Rebase)
        } else if has("MERGE_HEAD") {
            Some(Operation::Merge)
        } else if self.stands_at("CHERRY_PICK_HEAD")? {
            Some(Operation::CherryPick)
        } else if self.stands_at("REVERT_HEAD")? {
            Some(Operation::Revert)
        } else if has("sequencer") {
            Some(self.sequence())
        } else if has("BISECT_LOG") {
            Some(Operation::Bisect)
        } else {
            None
        })
    }

    /// Tells whether there is such a reference. Where references are not files, git knows.
    fn stands_at(&self, name: &str) -> Result<bool, GitError> {
        if self.worktree.common_dir.join("reftable").is_dir() {
            return Ok(self.commit_of(name)?.is_some());
        }
        Ok(self.worktree.git_dir.join(name).exists())
    }

    /// Tells which operation stands between two of its commits.
    fn sequence(&self) -> Operation {
        let steps = self.worktree.git_dir.join("sequencer/todo");
        let steps = super::read(&steps).unwrap_or_default();
        if steps.starts_with("revert") {
            Operation::Revert
        } else {
            Operation::CherryPick
        }
    }
}
