//! A repository that is read and changed through git.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Worktree;
use super::command::{GitCommand, Purpose, TimeLimit};
use super::error::GitError;

/// Time limit of calls that read from the disk.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A worktree and the settings for running git in it.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(super) worktree: Worktree,
    pub(super) variables: Vec<(String, OsString)>,
    /// The file that stays locked during a commit.
    pub(super) lock: Option<PathBuf>,
}

impl Repository {
    /// Finds the worktree that contains a directory.
    pub fn discover(directory: &Path) -> Option<Self> {
        Worktree::discover(directory).map(Self::from_worktree)
    }

    /// Uses a worktree.
    pub const fn from_worktree(worktree: Worktree) -> Self {
        Self { worktree, variables: Vec::new(), lock: None }
    }

    /// Locks this file while git creates a commit, and until git has exited even if this process
    /// dies first. The file must serve nothing else.
    #[must_use]
    pub fn with_commit_lock(mut self, lock: PathBuf) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Sets an environment variable for every git call.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Returns the root directory.
    pub fn root(&self) -> &Path {
        &self.worktree.root
    }

    /// Returns whether the repository's own configuration sets the ssh command.
    pub fn sets_ssh_command(&self) -> bool {
        self.worktree.sets_ssh_command()
    }

    /// Builds a call that reads from the disk.
    pub(super) fn read_command(&self, what: &'static str) -> GitCommand {
        self.build_command(Purpose::Read, what, TimeLimit::starting_now(READ_TIMEOUT))
    }

    /// Builds a call that changes the repository and runs the user's hooks.
    pub(super) fn change_command(&self, what: &'static str, limit: TimeLimit) -> GitCommand {
        self.build_command(Purpose::Change, what, limit)
    }

    /// Builds a call that contacts a remote and runs no hooks.
    pub(super) fn remote_command(
        &self,
        what: &'static str,
        limit: TimeLimit,
    ) -> Result<GitCommand, GitError> {
        let call = self.build_command(Purpose::Ask, what, limit);
        if self.has_ssh_command()? {
            return Ok(call);
        }
        Ok(call.with_env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"))
    }

    pub(super) fn build_command(
        &self,
        purpose: Purpose,
        what: &'static str,
        limit: TimeLimit,
    ) -> GitCommand {
        let call = GitCommand::new(&self.worktree.root, purpose, what, limit);
        self.variables.iter().fold(call, |call, (name, value)| call.with_env(name, value))
    }

    /// Returns whether the user sets the ssh command; it is then used unchanged.
    fn has_ssh_command(&self) -> Result<bool, GitError> {
        let set = |name: &str| {
            let ours = self.variables.iter().any(|(ours, _)| ours == name);
            ours || std::env::var_os(name).is_some()
        };
        if set("GIT_SSH_COMMAND") || set("GIT_SSH") {
            return Ok(true);
        }
        let call = self.read_command("git config");
        let chosen = call.with_args(["config", "--get", "core.sshCommand"]).run_query()?;
        Ok(chosen.is_some())
    }

    /// Resolves any name of a commit to its id; `None` if there is none.
    pub(super) fn resolve_commit(&self, name: &str) -> Result<Option<String>, GitError> {
        let name = format!("{name}^{{commit}}");
        let call = self.read_command("git rev-parse");
        let id = call.with_args(["rev-parse", "--verify", "--quiet", &name]).run_query()?;
        Ok(id.map(|id| output_text(&id).trim().to_owned()))
    }

    /// Returns whether a commit is an ancestor of another, or the same.
    pub(super) fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool, GitError> {
        let call = self.read_command("git merge-base");
        let answer = call.with_args(["merge-base", "--is-ancestor", older, newer]).run_query()?;
        Ok(answer.is_some())
    }
}

/// Converts git's output to text.
pub(super) fn output_text(output: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(output)
}

/// Splits a list whose records end with a zero byte.
pub(super) fn split_records(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|byte| *byte == 0).filter(|record| !record.is_empty())
}

/// Joins a list whose records end with a zero byte.
pub(super) fn join_records<P: AsRef<OsStr>>(paths: impl IntoIterator<Item = P>) -> Vec<u8> {
    let mut list = Vec::new();
    for path in paths {
        list.extend(path.as_ref().as_encoded_bytes());
        list.push(0);
    }
    list
}

#[cfg(test)]
pub(super) mod tests;
