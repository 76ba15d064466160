//! A repository that can be asked, and worked on, through git.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Worktree;
use super::command::{GitCommand, Purpose, TimeLimit};
use super::error::GitError;

/// Time that reading what is on the disk may take.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A worktree and the git that works on it.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(super) worktree: Worktree,
    pub(super) variables: Vec<(String, OsString)>,
    /// What a commit keeps locked.
    pub(super) lock: Option<PathBuf>,
}

impl Repository {
    /// Takes the worktree that holds a directory.
    pub fn discover(directory: &Path) -> Option<Self> {
        Worktree::discover(directory).map(Self::from_worktree)
    }

    /// Takes a worktree.
    pub const fn from_worktree(worktree: Worktree) -> Self {
        Self {
            worktree,
            variables: Vec::new(),
            lock: None,
        }
    }

    /// Locks this file while git makes a commit, and until that git has ended should this
    /// process die before. It is a file for this alone.
    #[must_use]
    pub fn with_commit_lock(mut self, lock: PathBuf) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Sets a variable for every git that is run, whatever this process has.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Returns its root directory.
    pub fn root(&self) -> &Path {
        &self.worktree.root
    }

    /// Tells whether its own configuration says how ssh is run.
    pub fn sets_ssh_command(&self) -> bool {
        self.worktree.sets_ssh_command()
    }

    /// A call that reads what is on the disk.
    pub(super) fn read_command(&self, what: &'static str) -> GitCommand {
        self.build_command(Purpose::Read, what, TimeLimit::starting_now(READ_TIMEOUT))
    }

    /// A call that changes something and runs the user's hooks.
    pub(super) fn change_command(&self, what: &'static str, limit: TimeLimit) -> GitCommand {
        self.build_command(Purpose::Change, what, limit)
    }

    /// A call that asks a remote, in which no hook runs.
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
        self.variables
            .iter()
            .fold(call, |call, (name, value)| call.with_env(name, value))
    }

    /// Tells whether the user says how ssh is run; it is then run so and in no other way.
    fn has_ssh_command(&self) -> Result<bool, GitError> {
        let set = |name: &str| {
            let ours = self.variables.iter().any(|(ours, _)| ours == name);
            ours || std::env::var_os(name).is_some()
        };
        if set("GIT_SSH_COMMAND") || set("GIT_SSH") {
            return Ok(true);
        }
        let call = self.read_command("git config");
        let chosen = call
            .with_args(["config", "--get", "core.sshCommand"])
            .run_query()?;
        Ok(chosen.is_some())
    }

    /// Returns the id of a commit, of any name for it; `None` when there is none.
    pub(super) fn resolve_commit(&self, name: &str) -> Result<Option<String>, GitError> {
        let name = format!("{name}^{{commit}}");
        let call = self.read_command("git rev-parse");
        let id = call
            .with_args(["rev-parse", "--verify", "--quiet", &name])
            .run_query()?;
        Ok(id.map(|id| output_text(&id).trim().to_owned()))
    }

    /// Tells whether a commit is an ancestor of another, or that other itself.
    pub(super) fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool, GitError> {
        let call = self.read_command("git merge-base");
        let answer = call
            .with_args(["merge-base", "--is-ancestor", older, newer])
            .run_query()?;
        Ok(answer.is_some())
    }
}

/// What git printed, as text.
pub(super) fn output_text(output: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(output)
}

/// The paths in a list of git's that ends each with a zero byte.
pub(super) fn split_records(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output
        .split(|byte| *byte == 0)
        .filter(|record| !record.is_empty())
}

/// The same list, for git to read.
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
