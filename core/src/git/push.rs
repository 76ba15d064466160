//! Pushes commits to the upstream branch.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::command::TimeLimit;
use super::error::GitError;
use super::repository::{READ_TIMEOUT, Repository};
use super::upstream::Upstream;

const WHAT: &str = "git push";

impl Repository {
    /// Returns whether the user has a `pre-push` hook, which may run long tests.
    ///
    /// # Errors
    ///
    /// When git cannot tell where hooks are.
    pub fn has_pre_push_hook(&self) -> Result<bool, GitError> {
        // Asked without the settings of calls that run no hooks, which name another directory.
        let call = self.change_command("git rev-parse", TimeLimit::starting_now(READ_TIMEOUT));
        let output = call.with_args(["rev-parse", "--git-path", "hooks/pre-push"]).run()?;
        let path = OsStr::from_bytes(output.strip_suffix(b"\n").unwrap_or(&output));
        let data = self.root().join(path).metadata();
        Ok(data.is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0))
    }

    /// Pushes the local branch to its upstream and checks that it arrived. Never forces.
    ///
    /// # Errors
    ///
    /// When the remote has commits that are missing here, refuses, or does not answer in time; when
    /// a hook refuses; when the user's own `git push` would go elsewhere.
    pub fn push_upstream(&self, upstream: &Upstream, limit: Duration) -> Result<(), GitError> {
        let unexpected = |found: String| GitError::NotAsExpected { what: WHAT, found };
        if !upstream.takes_pushes {
            return Err(unexpected(format!(
                "{} tracks {} of {}, but is not pushed there",
                upstream.local_ref, upstream.branch_ref, upstream.remote
            )));
        }
        let Some(sent) = self.resolve_commit(&upstream.local_ref)? else {
            return Err(unexpected(format!("{} has no commit", upstream.local_ref)));
        };
        let to = format!("{}:{}", upstream.local_ref, upstream.branch_ref);
        self.change_command(WHAT, TimeLimit::starting_now(limit))
            .with_args([
                "push",
                "--quiet",
                "--no-follow-tags",
                "--recurse-submodules=no",
                "--",
                &upstream.remote,
                &to,
            ])
            .run()?;
        // Another process may have fetched a later commit meanwhile.
        let has_arrived = match self.resolve_commit(&upstream.tracking_ref)? {
            Some(known) => self.is_ancestor(&sent, &known)?,
            None => false,
        };
        if !has_arrived {
            return Err(unexpected(format!(
                "{} is not at the pushed commit {sent}",
                upstream.tracking_ref
            )));
        }
        Ok(())
    }
}
