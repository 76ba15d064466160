//! Compares the branch with its upstream on a remote.

use std::time::Duration;

use super::command::TimeLimit;
use super::error::GitError;
use super::operation::GitOperation;
use super::repository::{Repository, output_text, split_records};

/// The branch of a worktree and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchStatus {
    /// The branch checked out, with or without commits; `None` if `HEAD` is detached.
    pub branch: Option<String>,
    /// The git operation in progress.
    pub operation: Option<GitOperation>,
    /// The upstream on a remote. `None` if the branch follows a local branch, follows nothing, or
    /// has no commits.
    pub upstream: Option<Upstream>,
}

/// The branch of a remote that a local branch follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote's name.
    pub remote: String,
    /// The full name of the branch on the remote, such as `refs/heads/main`.
    pub branch_ref: String,
    /// The full name of the local branch.
    pub local_ref: String,
    /// The full name of the remote-tracking branch, such as `refs/remotes/origin/main`.
    pub tracking_ref: String,
    /// Whether the remote-tracking branch does not exist: it was never fetched or pushed, or was
    /// removed. `ahead` and `behind` are zero then.
    pub gone: bool,
    /// Whether the user's own `git push` would update this branch. It does not if they pull from a
    /// shared branch and push to another, or to a fork.
    pub takes_pushes: bool,
    /// Local commits that the remote did not have when it was last contacted.
    pub ahead: u64,
    /// Commits of the remote that are missing here.
    pub behind: u64,
}

/// A commit that the remote does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpushedCommit {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
}

/// The fields that git prints about a branch, each ending with a zero byte.
const FIELDS: &str = "--format=%(refname)%00%(upstream)%00%(upstream:remotename)%00\
                      %(upstream:remoteref)%00%(push)%00:%(upstream:track,nobracket)%00";

impl Repository {
    /// Reads the state of the worktree's branch from the disk.
    ///
    /// # Errors
    ///
    /// When git fails or refuses.
    pub fn read_branch_status(&self) -> Result<BranchStatus, GitError> {
        let branch = self.worktree.branch();
        let local_ref = branch.as_ref().map(|name| format!("refs/heads/{name}"));
        // Asked even without a branch: this also checks that git can use the repository.
        let pattern = local_ref.as_deref().unwrap_or("refs/heads/.none");
        let call = self.read_command("git for-each-ref");
        let output = call.with_args(["for-each-ref", FIELDS, pattern]).run()?;
        Ok(BranchStatus {
            branch,
            operation: self.find_operation()?,
            upstream: local_ref
                .and_then(|local_ref| Upstream::parse(&output_text(&output), &local_ref)),
        })
    }

    /// Fast-forwards the branch to what was fetched; returns whether it moved.
    ///
    /// # Errors
    ///
    /// When both sides have commits of their own, a file that would be replaced has changes, or
    /// another branch was checked out meanwhile. Nothing is changed then.
    pub fn pull_fast_forward(
        &self,
        upstream: &Upstream,
        limit: Duration,
    ) -> Result<bool, GitError> {
        const WHAT: &str = "git merge";
        let head =
            self.read_command(WHAT).with_args(["symbolic-ref", "--quiet", "HEAD"]).run_query()?;
        if head.is_none_or(|head| output_text(&head).trim() != upstream.local_ref) {
            return Err(GitError::NotAsExpected {
                what: WHAT,
                found: format!("{} is no longer checked out", upstream.local_ref),
            });
        }
        let before = self.resolve_commit("HEAD")?;
        self.change_command(WHAT, TimeLimit::starting_now(limit))
            // Stashed changes might not apply again.
            .with_args(["merge", "--quiet", "--ff-only", "--no-squash"])
            .with_args(["--no-autostash", &upstream.tracking_ref])
            .run()?;
        Ok(self.resolve_commit("HEAD")? != before)
    }

    /// Lists the commits that the remote does not have, judged by what was fetched, newest first.
    ///
    /// # Errors
    ///
    /// When git fails or refuses.
    pub fn list_unpushed(&self, upstream: &Upstream) -> Result<Vec<UnpushedCommit>, GitError> {
        let call = self.read_command("git log").with_args([
            "log",
            "--no-show-signature",
            "--no-color",
            "--encoding=UTF-8",
            "-z",
            "--format=tformat:%H %s",
            &upstream.local_ref,
        ]);
        let call = if upstream.gone {
            // The branch is not there, but it may have started from another branch that is.
            call.with_args(["--not", &format!("--remotes={}", upstream.remote), "--"])
        } else {
            call.with_args([&format!("^{}", upstream.tracking_ref), "--"])
        };
        let output = call.run()?;
        let commits = split_records(&output).filter_map(|line| {
            let line = output_text(line);
            let (id, subject) = line.split_once(' ')?;
            Some(UnpushedCommit { id: id.to_owned(), subject: subject.to_owned() })
        });
        Ok(commits.collect())
    }
}

impl Upstream {
    fn parse(output: &str, local_ref: &str) -> Option<Self> {
        let mut fields = output.split('\0');
        loop {
            let name = fields.next()?.trim_start_matches('\n');
            let rest: [&str; 5] = std::array::from_fn(|_| fields.next().unwrap_or_default());
            let [tracking_ref, remote, branch_ref, push, distance] = rest;
            // git takes the name as a pattern that also matches names below it.
            if name != local_ref {
                continue;
            }
            if tracking_ref.is_empty() || remote == "." {
                return None;
            }
            let distance = distance.strip_prefix(':')?;
            let count = |side: &str| {
                let mut sides = distance.split(", ");
                let count = sides.find_map(|told| told.strip_prefix(side));
                count.map_or(Some(0), |count| count.trim().parse().ok())
            };
            return Some(Self {
                remote: remote.to_owned(),
                branch_ref: branch_ref.to_owned(),
                local_ref: local_ref.to_owned(),
                tracking_ref: tracking_ref.to_owned(),
                gone: distance == "gone",
                takes_pushes: push == tracking_ref,
                ahead: count("ahead ")?,
                behind: count("behind ")?,
            });
        }
    }
}
