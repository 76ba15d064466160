//! What git says of a checkout before anything is written: the seed's pull gate, and the seal
//! that keeps commits from piling up unpublished.

use std::path::Path;
use std::time::Duration;

use super::check::PushScope;
use super::finding::{CheckFinding, FindingBuilder, count_of, redacted_error, redacted_line};
use crate::authority::Authority;
use crate::git::{BranchStatus, GitError, Repository, Upstream};
use crate::reconcile::{Code, Severity, Way};
use crate::workplan::is_workplan_path;

/// How long a remote may take to be asked, and how long to be told.
const FETCH_TIMEOUT: Duration = Duration::from_secs(8);
const PUSH_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a push may take in which a hook of the user's runs: as long as a commit. The remote
/// has answered a moment before, so that it is the hook that is waited for.
const PUSH_WITH_HOOK_TIMEOUT: Duration = Duration::from_mins(2);

/// How long bringing files up to date may take.
const PULL_TIMEOUT: Duration = Duration::from_secs(30);

/// The subject of the commits that are made here, by which those of earlier runs are found.
pub const COMMIT_SUBJECT: &str = "chore(consistency): sync task status from DB [auto]";

/// A checkout as git sees it.
#[derive(Debug, Default)]
pub(super) struct GitPreflight {
    /// Where to commit; absent where that is not possible.
    pub(super) repository: Option<Repository>,
    upstream: Option<Upstream>,
    /// The branch checked out.
    branch: Option<String>,
    /// Which commits may be pushed.
    push_scope: PushScope,
    /// Whether the remote could be asked.
    is_reachable: bool,
    /// Why nothing at all may be written.
    pub(super) write_obstacle: Option<String>,
    /// Why no file may be written.
    pub(super) file_obstacle: Option<String>,
    /// Whether others published what is not here.
    pub(super) is_outdated: bool,
    pub(super) findings: Vec<CheckFinding>,
    /// What else is to be known, a line each.
    pub(super) notes: Vec<String>,
}

/// What is going to be done to a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckMode {
    /// Nothing: it is read, and nothing that it names is started.
    Read,
    /// It is written to.
    Write,
    /// Its branch is first brought up to date.
    Pull,
}

/// Looks at a checkout; with [`Aim::Pull`] its branch is first brought up to date.
pub(super) fn inspect_checkout(root: &Path, mode: CheckMode, push: PushScope) -> GitPreflight {
    let mut gate = GitPreflight {
        push_scope: push,
        ..GitPreflight::default()
    };
    // One around it is another's.
    let Some(repository) = Repository::discover(root).filter(|found| found.root() == root) else {
        gate.file_obstacle = Some("not a git repository; nothing can be committed".to_owned());
        return gate;
    };
    if let Err(error) = gate.query_git(&repository, mode) {
        // Where git cannot be asked, it cannot be told either.
        gate.write_obstacle = Some(redacted_error(&error));
    }
    // git says so to the hooks of a commit; a commit within it would take the branch from it.
    if std::env::var_os("GIT_INDEX_FILE").is_some() {
        gate.file_obstacle = Some("it runs in a commit hook".to_owned());
    }
    gate.is_outdated = gate.upstream.as_ref().is_some_and(|it| it.behind > 0);
    gate.repository = Some(repository);
    gate
}

impl GitPreflight {
    /// Says where the branch stands, of the repository by its name in the database.
    pub(super) fn report_branch(&mut self, repo: &str, fix: bool) {
        let upstream = self.upstream.as_ref();
        if let Some(upstream) = upstream.filter(|upstream| upstream.behind > 0) {
            let (finding, text) = describe_behind(upstream, repo, fix);
            self.findings.push(finding);
            self.write_obstacle.get_or_insert(text);
        }
        if !fix {
            self.report_unpushed(repo);
        }
    }

    /// Says which workplans are in git and not on the disk, because the user wants them nowhere
    /// else: they are not missing.
    pub(super) fn describe_not_checked_out(&self, root: &Path) -> Option<String> {
        let hidden = self.repository.as_ref()?.list_hidden("workplans").ok()?;
        let mut paths = hidden
            .keys()
            .filter(|path| is_workplan_path(path))
            .filter(|path| root.join(path).symlink_metadata().is_err());
        let first = paths.next()?;
        let more = match paths.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!(
            "{}{more}: not checked out here (skip-worktree); missing files are not reported",
            redacted_line(first)
        ))
    }

    fn query_git(&mut self, repository: &Repository, mode: CheckMode) -> Result<(), GitError> {
        let mut standing = repository.read_branch_status()?;
        if let Some(upstream) = &standing.upstream {
            match Self::query_remote(repository, upstream, mode) {
                Ok(now) => {
                    self.is_reachable = true;
                    match now {
                        Some(now) => standing.upstream = Some(now),
                        None => standing = repository.read_branch_status()?,
                    }
                }
                // A branch that is not there yet is published by the first push.
                Err(GitError::NoSuchBranch { .. }) => self.is_reachable = true,
                Err(error @ GitError::Untrusted { .. }) => self.notes.push(redacted_error(&error)),
                Err(error) if mode == CheckMode::Pull => self.notes.push(format!(
                    "the remote was not contacted: {}",
                    redacted_error(&error)
                )),
                Err(_) if mode == CheckMode::Read && repository.sets_ssh_command() => {
                    self.notes.push(
                        "the remote was not contacted: this repository sets core.sshCommand, and a \
                         read-only check does not run commands from a repository; `trueup check \
                         --fix` contacts it"
                            .to_owned(),
                    );
                }
                Err(_) => {}
            }
        }
        if mode == CheckMode::Pull
            && standing.operation.is_none()
            && let Some(upstream) = standing.upstream.clone()
            && upstream.behind > 0
        {
            match repository.pull_fast_forward(&upstream, PULL_TIMEOUT) {
                Ok(_) => standing = repository.read_branch_status()?,
                Err(error) => self
                    .notes
                    .push(format!("not pulled: {}", redacted_error(&error))),
            }
        }
        self.write_obstacle = find_obstacle(&standing);
        self.branch = standing.branch;
        self.upstream = standing.upstream;
        Ok(())
    }

    /// Asks the remote. Returns the upstream as it is now, or nothing where the repository itself
    /// knows by now. A reading check must not start what a repository names; one that writes
    /// runs its hooks anyway.
    fn query_remote(
        repository: &Repository,
        upstream: &Upstream,
        mode: CheckMode,
    ) -> Result<Option<Upstream>, GitError> {
        match mode {
            CheckMode::Read => repository.query_remote(upstream, FETCH_TIMEOUT).map(Some),
            CheckMode::Write | CheckMode::Pull => repository
                .fetch_upstream(upstream, FETCH_TIMEOUT)
                .map(|()| None),
        }
    }

    /// Counts what is committed and not pushed; `made` is a commit of this run, whatever a hook
    /// made of its subject.
    fn count_unpushed(
        &self,
        repository: &Repository,
        made: Option<&str>,
    ) -> Result<UnpushedCommits, GitError> {
        let upstream = self.upstream.as_ref();
        let Some(upstream) = upstream.filter(|u| u.takes_pushes) else {
            return Ok(UnpushedCommits::default());
        };
        if made.is_none() && upstream.ahead == 0 && !upstream.gone {
            return Ok(UnpushedCommits::default());
        }
        let mut waiting = UnpushedCommits::default();
        for commit in repository.list_unpushed(upstream)? {
            if commit.subject == COMMIT_SUBJECT || made == Some(&*commit.id) {
                waiting.by_trueup += 1;
            } else {
                waiting.by_user += 1;
            }
        }
        Ok(waiting)
    }

    /// Says that commits of an earlier run are not pushed.
    fn report_unpushed(&mut self, repo: &str) {
        let repository = self.repository.as_ref();
        // What git cannot be asked is said where it matters.
        let waiting = repository.and_then(|repository| self.count_unpushed(repository, None).ok());
        if let Some(waiting) = waiting.filter(|waiting| waiting.by_trueup > 0) {
            let mut text = format!(
                "{} of an earlier run not pushed",
                count_of(waiting.by_trueup, "commit")
            );
            let mut way = Way::FixCheckout;
            if waiting.by_user > 0 {
                text = format!(
                    "{text}, nor {} of yours",
                    count_of(waiting.by_user, "commit")
                );
                way = Way::Publish;
            }
            let draft = FindingBuilder::new(Code::C17, repo, Authority::Git);
            self.findings.push(draft.with_fix(way).build(&text));
        }
    }

    /// Publishes what an earlier run committed and could not push, if nothing else would go
    /// with it; tells whether it did.
    pub(super) fn publish_unpushed(&mut self, repo: &str) -> bool {
        let (Some(repository), Some(upstream)) = (&self.repository, &self.upstream) else {
            return false;
        };
        let waiting = match self.count_unpushed(repository, None) {
            Ok(waiting) => waiting,
            Err(error) => {
                self.write_obstacle = Some(redacted_error(&error));
                return false;
            }
        };
        if !waiting.is_due(self.push_scope) {
            if waiting.by_trueup > 0 && self.push_scope == PushScope::Own {
                self.notes.push(format!(
                    "{} of an earlier run not pushed, because {} of yours would be pushed too; \
                     `git push` sends all",
                    count_of(waiting.by_trueup, "commit"),
                    count_of(waiting.by_user, "commit")
                ));
            }
            return false;
        }
        if let Err(reason) = self.push_branch(repository, upstream) {
            let waiting = count_of(waiting.by_trueup + waiting.by_user, "commit");
            let text =
                format!("{waiting} of an earlier run not pushed, so nothing was written: {reason}");
            self.findings.push(unpushed_finding(repo, &text));
            self.write_obstacle = Some(text);
            return false;
        }
        let sent = count_of(waiting.by_trueup + waiting.by_user, "commit");
        self.notes.push(format!("pushed {sent} of an earlier run"));
        true
    }

    /// Pushes. Who did not answer a moment ago would only be waited for once more.
    fn push_branch(&self, repository: &Repository, upstream: &Upstream) -> Result<(), String> {
        if !self.is_reachable {
            return Err("the remote is unreachable".to_owned());
        }
        let limit = match repository.has_pre_push_hook() {
            Ok(true) => PUSH_WITH_HOOK_TIMEOUT,
            Ok(false) => PUSH_TIMEOUT,
            Err(error) => return Err(redacted_error(&error)),
        };
        let pushed = repository.push_upstream(upstream, limit);
        pushed.map_err(|error| redacted_error(&error))
    }

    /// Publishes the commit just made, if nothing else would go with it; says why it is not
    /// published where that is so.
    pub(super) fn publish_commit(&mut self, repo: &str, commit: &str) -> Result<(), String> {
        let Some(repository) = &self.repository else {
            return Err("not pushed: not a git repository".to_owned());
        };
        let Some(upstream) = &self.upstream else {
            let branch = self.branch.as_deref().unwrap_or("BRANCH");
            return Err(format!(
                "not pushed: {branch} has no upstream branch; set one with `git push -u REMOTE \
                 {branch}`"
            ));
        };
        if !upstream.takes_pushes && !upstream.gone {
            return Err(format!(
                "not pushed: a push of this branch would not go to its upstream, {}",
                upstream.tracking_ref.trim_start_matches("refs/remotes/")
            ));
        }
        let waiting = match self.count_unpushed(repository, Some(commit)) {
            Ok(waiting) => waiting,
            Err(error) => return Err(format!("not pushed: {}", redacted_error(&error))),
        };
        if self.push_scope == PushScope::Never {
            return Err("not pushed because of --no-push".to_owned());
        }
        if !waiting.is_due(self.push_scope) {
            return Err(format!(
                "not pushed: {} of yours would be pushed too; `git push` or `trueup check --fix \
                 --push` sends all",
                count_of(waiting.by_user, "commit")
            ));
        }
        self.push_branch(repository, upstream).map_err(|error| {
            let text = format!(
                "the commit is not pushed, and no more commits are made until it is: {error}"
            );
            self.findings.push(unpushed_finding(repo, &text));
            text
        })
    }
}

/// Commits that are not pushed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct UnpushedCommits {
    /// Those made here.
    by_trueup: u64,
    /// Those that the user made.
    by_user: u64,
}

impl UnpushedCommits {
    /// Tells whether they are pushed now. A push sends all that stands before a commit, and when
    /// the user's own work is published is for the user to say.
    const fn is_due(self, push: PushScope) -> bool {
        match push {
            PushScope::Never => false,
            PushScope::All => self.by_trueup + self.by_user > 0,
            PushScope::Own => self.by_trueup > 0 && self.by_user == 0,
        }
    }
}

fn unpushed_finding(repo: &str, text: &str) -> CheckFinding {
    FindingBuilder::new(Code::C17, repo, Authority::Git)
        .with_fix(Way::PublishAndFix)
        .build(text)
}

/// Says that others published what is not here.
fn describe_behind(upstream: &Upstream, repo: &str, fix: bool) -> (CheckFinding, String) {
    let (ahead, behind) = (upstream.ahead, upstream.behind);
    let theirs = count_of(behind, "commit");
    let text = if ahead > 0 {
        let own = count_of(ahead, "commit");
        format!("repository {repo} has diverged from its remote: {own} here, {theirs} there")
    } else {
        format!("repository {repo} is behind its remote by {theirs}")
    };
    let text = if fix {
        format!("{text}; pull before fixing, nothing was written")
    } else {
        text
    };
    let severity = if fix {
        Severity::Warning
    } else {
        Severity::Info
    };
    let how = if ahead > 0 {
        Way::MergeCheckout
    } else {
        Way::PullCheckout
    };
    let draft = FindingBuilder::new(Code::C16, repo, Authority::Git);
    (
        draft.with_severity(severity).with_fix(how).build(&text),
        text,
    )
}

/// Says what a person has to end first.
fn find_obstacle(standing: &BranchStatus) -> Option<String> {
    if let Some(operation) = standing.operation {
        return Some(format!("{} is in progress", operation.as_str()));
    }
    standing
        .branch
        .is_none()
        .then(|| "HEAD is detached".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_commits_are_pushed_by_the_users_word_alone() {
        for (ours, users, expected) in [
            (0, 0, [false, false, false]),
            (1, 0, [true, true, false]),
            (0, 1, [false, true, false]),
            (2, 3, [false, true, false]),
        ] {
            let waiting = UnpushedCommits {
                by_trueup: ours,
                by_user: users,
            };
            let due =
                [PushScope::Own, PushScope::All, PushScope::Never].map(|push| waiting.is_due(push));
            assert_eq!(due, expected, "{waiting:?}");
        }
    }
}
