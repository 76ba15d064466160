//! Where the branch stands against the one it follows on a remote.

use std::time::Duration;

use super::command::TimeLimit;
use super::error::GitError;
use super::operation::GitOperation;
use super::repository::{Repository, output_text, split_records};

/// Where a worktree stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchStatus {
    /// The branch checked out, with or without commits; `None` when HEAD is detached.
    pub branch: Option<String>,
    /// What git is in the middle of.
    pub operation: Option<GitOperation>,
    /// The branch of a remote that it follows. One that follows a local branch has none, and
    /// neither has one without commits.
    pub upstream: Option<Upstream>,
}

/// The branch of a remote that a local branch follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote's name.
    pub remote: String,
    /// The full name of the branch there: `refs/heads/main`.
    pub branch_ref: String,
    /// The full name of the local branch.
    pub local_ref: String,
    /// The full name of what is known here of the remote's branch: `refs/remotes/origin/main`.
    pub tracking_ref: String,
    /// Nothing is known of the remote's branch: it was never fetched or pushed, or was removed.
    /// `ahead` and `behind` are zero then.
    pub gone: bool,
    /// Whether the user's own `git push` would update this very branch. It would not where one
    /// pulls from a shared branch and pushes to another, or to a fork.
    pub takes_pushes: bool,
    /// Commits here that the remote did not have when it was last asked.
    pub ahead: u64,
    /// Commits there that are not here.
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

/// What is asked of git about a branch; each ends with a zero byte.
const FIELDS: &str = "--format=%(refname)%00%(upstream)%00%(upstream:remotename)%00\
                      %(upstream:remoteref)%00%(push)%00:%(upstream:track,nobracket)%00";

impl Repository {
    /// Tells where the worktree stands, by what is on the disk.
    ///
    /// # Errors
    ///
    /// When git fails or refuses.
    pub fn read_branch_status(&self) -> Result<BranchStatus, GitError> {
        let branch = self.worktree.branch();
        let local_ref = branch.as_ref().map(|name| format!("refs/heads/{name}"));
        // Asked without a branch as well: that git can use the repository is part of the answer.
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

    /// Moves the branch forward to what was fetched, where that needs no merge; tells whether
    /// it moved.
    ///
    /// # Errors
    ///
    /// When both sides have commits of their own, when a file that would be replaced has
    /// changes, or when another branch is checked out by now. Nothing has changed then.
    pub fn pull_fast_forward(
        &self,
        upstream: &Upstream,
        limit: Duration,
    ) -> Result<bool, GitError> {
        const WHAT: &str = "git merge";
        let head = self
            .read_command(WHAT)
            .with_args(["symbolic-ref", "--quiet", "HEAD"])
            .run_query()?;
        if head.is_none_or(|head| output_text(&head).trim() != upstream.local_ref) {
            return Err(GitError::NotAsExpected {
                what: WHAT,
                found: format!("{} is no longer checked out", upstream.local_ref),
            });
        }
        let before = self.resolve_commit("HEAD")?;
        self.change_command(WHAT, TimeLimit::starting_now(limit))
            // Changes set aside might not come back.
            .with_args(["merge", "--quiet", "--ff-only", "--no-squash"])
            .with_args(["--no-autostash", &upstream.tracking_ref])
            .run()?;
        Ok(self.resolve_commit("HEAD")? != before)
    }

    /// Lists the commits that the remote does not have, by what was fetched, newest first.
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
            // Nothing of it is there, but it may have begun on another branch that is.
            call.with_args(["--not", &format!("--remotes={}", upstream.remote), "--"])
        } else {
            call.with_args([&format!("^{}", upstream.tracking_ref), "--"])
        };
        let output = call.run()?;
        let commits = split_records(&output).filter_map(|line| {
            let line = output_text(line);
            let (id, subject) = line.split_once(' ')?;
            Some(UnpushedCommit {
                id: id.to_owned(),
                subject: subject.to_owned(),
            })
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
            // A name is a pattern to git: it matches what is below it as well.
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
