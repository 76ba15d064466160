//! The git operation in progress.

use super::error::GitError;
use super::repository::Repository;

/// An operation that was started and neither finished nor aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitOperation {
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

impl GitOperation {
    /// Returns the git subcommand that starts it.
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
    /// Finds the operation in progress in this worktree. The outermost one counts: a rebase can
    /// stop within a cherry-pick or a merge of its own.
    pub(super) fn find_operation(&self) -> Result<Option<GitOperation>, GitError> {
        let has = |name: &str| self.worktree.git_dir.join(name).exists();
        Ok(if has("rebase-merge") {
            Some(GitOperation::Rebase)
        } else if has("rebase-apply/applying") {
            Some(GitOperation::Am)
        } else if has("rebase-apply") {
            Some(GitOperation::Rebase)
        } else if has("MERGE_HEAD") {
            Some(GitOperation::Merge)
        } else if self.has_reference("CHERRY_PICK_HEAD")? {
            Some(GitOperation::CherryPick)
        } else if self.has_reference("REVERT_HEAD")? {
            Some(GitOperation::Revert)
        } else if has("sequencer") {
            Some(self.read_sequencer_operation())
        } else if has("BISECT_LOG") {
            Some(GitOperation::Bisect)
        } else {
            None
        })
    }

    /// Returns whether a reference exists. If references are not files, git is asked.
    fn has_reference(&self, name: &str) -> Result<bool, GitError> {
        if self.worktree.common_dir.join("reftable").is_dir() {
            return Ok(self.resolve_commit(name)?.is_some());
        }
        Ok(self.worktree.git_dir.join(name).exists())
    }

    /// Finds out which operation has stopped between two of its commits.
    fn read_sequencer_operation(&self) -> GitOperation {
        let steps = self.worktree.git_dir.join("sequencer/todo");
        let steps = super::read_git_file(&steps).unwrap_or_default();
        if steps.starts_with("revert") { GitOperation::Revert } else { GitOperation::CherryPick }
    }
}
