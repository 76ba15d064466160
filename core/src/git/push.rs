//! Sending commits to the branch that is followed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::command::Limit;
use super::error::GitError;
use super::repository::{READING_TIME, Repository};
use super::upstream::Upstream;

const WHAT: &str = "git push";

impl Repository {
    /// Tells whether a hook of the user's runs before a push, which may test all there is.
    ///
    /// # Errors
    ///
    /// When git cannot be asked where hooks are.
    pub fn has_hook_before_push(&self) -> Result<bool, GitError> {
        // This is asked without the settings of a call that runs no hook: they name another place.
        let call = self.change("git rev-parse", Limit::starting_now(READING_TIME));
        let told = call
            .args(["rev-parse", "--git-path", "hooks/pre-push"])
            .run()?;
        let path = OsStr::from_bytes(told.strip_suffix(b"\n").unwrap_or(&told));
        let data = self.root().join(path).metadata();
        Ok(data.is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0))
    }

    /// Sends the local branch to its upstream, and sees to it that it arrived. Never forces.
    ///
    /// # Errors
    ///
    /// When the remote has commits that are not here, refuses, or does not answer in time; when
    /// a hook refuses; when the user's own `git push` would go elsewhere.
    pub fn push(&self, upstream: &Upstream, limit: Duration) -> Result<(), GitError> {
        let unexpected = |found: String| GitError::NotAsExpected { what: WHAT, found };
        if !upstream.takes_pushes {
            return Err(unexpected(format!(
                "{} tracks {} of {}, but is not pushed there",
                upstream.local_ref, upstream.branch_ref, upstream.remote
            )));
        }
        let Some(sent) = self.commit_of(&upstream.local_ref)? else {
            return Err(unexpected(format!("{} has no commit", upstream.local_ref)));
        };
        let to = format!("{}:{}", upstream.local_ref, upstream.branch_ref);
        self.change(WHAT, Limit::starting_now(limit))
            .args([
                "push",
                "--quiet",
                "--no-follow-tags",
                "--recurse-submodules=no",
                "--",
                &upstream.remote,
                &to,
            ])
            .run()?;
        // Someone may have fetched a later commit meanwhile.
        let arrived = match self.commit_of(&upstream.tracking_ref)? {
            Some(known) => self.is_ancestor(&sent, &known)?,
            None => false,
        };
        if !arrived {
            return Err(unexpected(format!(
                "{} is not at the pushed commit {sent}",
                upstream.tracking_ref
            )));
        }
        Ok(())
    }
}
