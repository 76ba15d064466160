//! What git says of a checkout before anything is written, and the pushes of what was written.
//! Nothing is written while earlier commits cannot be pushed, so that they never pile up.

use std::path::Path;
use std::time::Duration;

use super::finding::{CheckFinding, redacted_error, redacted_line};
use super::report::PushScope;
use crate::authority::Authority;
use crate::diagnostic::{AdviceKind, Code, Severity};
use crate::git::{BranchStatus, GitError, Repository, Upstream};
use crate::workplan::is_workplan_path;

/// How long to wait for an answer of the remote.
const FETCH_TIMEOUT: Duration = Duration::from_secs(8);
const PUSH_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a push may take where a hook of the user runs: as long as a commit. The remote has
/// answered a moment before, so the time is spent in the hook.
const PUSH_WITH_HOOK_TIMEOUT: Duration = Duration::from_mins(2);

/// How long a pull may take.
const PULL_TIMEOUT: Duration = Duration::from_secs(30);

/// The subject of trueup's own commits, by which a later check recognizes them.
pub const COMMIT_SUBJECT: &str = "chore(consistency): sync task status from DB [auto]";

/// A checkout as git sees it.
#[derive(Debug, Default)]
pub(super) struct GitPreflight {
    /// Where to commit; `None` without a repository.
    pub(super) repository: Option<Repository>,
    upstream: Option<Upstream>,
    /// The branch checked out.
    branch: Option<String>,
    push_scope: PushScope,
    /// Whether the remote answered.
    is_reachable: bool,
    /// Why neither rows nor files may be written.
    pub(super) write_obstacle: Option<String>,
    /// Why no file may be written.
    pub(super) file_obstacle: Option<String>,
    /// Whether the remote has commits that are not here.
    pub(super) is_outdated: bool,
    pub(super) findings: Vec<CheckFinding>,
    /// What else the user is to know, one line each.
    pub(super) notes: Vec<String>,
}

/// What a check does to a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckMode {
    /// Reads it, and starts nothing that the repository names.
    Read,
    /// Writes to it.
    Write,
    /// Brings its branch up to date, then writes to it.
    Pull,
}

/// Asks git about a checkout; with [`CheckMode::Pull`] its branch is first brought up to date.
pub(super) fn inspect_checkout(
    root: &Path,
    mode: CheckMode,
    push_scope: PushScope,
) -> GitPreflight {
    let mut preflight = GitPreflight { push_scope, ..GitPreflight::default() };
    // A repository around the checkout is another one.
    let Some(repository) = Repository::discover(root).filter(|found| found.root() == root) else {
        preflight.file_obstacle = Some("not a git repository; nothing can be committed".to_owned());
        return preflight;
    };
    if let Err(error) = preflight.query_git(&repository, mode) {
        preflight.write_obstacle = Some(redacted_error(&error));
    }
    // git sets it for the hooks of a commit; another commit would move the branch under that one.
    if std::env::var_os("GIT_INDEX_FILE").is_some() {
        preflight.file_obstacle = Some("it runs in a commit hook".to_owned());
    }
    let upstream = preflight.upstream.as_ref();
    preflight.is_outdated = upstream.is_some_and(|upstream| upstream.behind > 0);
    preflight.repository = Some(repository);
    preflight
}

impl GitPreflight {
    /// Reports where the branch is relative to its remote. `repo` is the name in the database.
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

    /// Says which workplans git has and, by the user's choice, not the disk. They are not missing.
    pub(super) fn describe_not_checked_out(&self, root: &Path) -> Option<String> {
        let hidden = self.repository.as_ref()?.list_hidden_in_all("workplans").ok()?;
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
        let mut status = repository.read_branch_status()?;
        if let Some(upstream) = &status.upstream {
            match Self::query_remote(repository, upstream, mode) {
                Ok(now) => {
                    self.is_reachable = true;
                    match now {
                        Some(now) => status.upstream = Some(now),
                        None => status = repository.read_branch_status()?,
                    }
                }
                // The first push creates the branch.
                Err(GitError::NoSuchBranch { .. }) => self.is_reachable = true,
                Err(error @ GitError::Untrusted { .. }) => self.notes.push(redacted_error(&error)),
                Err(error) if mode == CheckMode::Pull => self
                    .notes
                    .push(format!("the remote was not contacted: {}", redacted_error(&error))),
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
            && status.operation.is_none()
            && let Some(upstream) = status.upstream.clone()
            && upstream.behind > 0
        {
            match repository.pull_fast_forward(&upstream, PULL_TIMEOUT) {
                Ok(_) => status = repository.read_branch_status()?,
                Err(error) => self.notes.push(format!("not pulled: {}", redacted_error(&error))),
            }
        }
        self.write_obstacle = find_obstacle(&status);
        self.branch = status.branch;
        self.upstream = status.upstream;
        Ok(())
    }

    /// Asks the remote. Returns the upstream as it is now, or `None` where the repository itself
    /// knows by now. A check that only reads must not start what a repository names; one that
    /// writes runs its hooks anyway.
    fn query_remote(
        repository: &Repository,
        upstream: &Upstream,
        mode: CheckMode,
    ) -> Result<Option<Upstream>, GitError> {
        match mode {
            CheckMode::Read => repository.query_remote(upstream, FETCH_TIMEOUT).map(Some),
            CheckMode::Write | CheckMode::Pull => {
                repository.fetch_upstream(upstream, FETCH_TIMEOUT).map(|()| None)
            }
        }
    }

    /// Counts commits that are not pushed. `made` is a commit of this check, whose subject a hook
    /// may have changed.
    fn count_unpushed(
        &self,
        repository: &Repository,
        made: Option<&str>,
    ) -> Result<UnpushedCommits, GitError> {
        let mut unpushed = UnpushedCommits::default();
        let upstream = self.upstream.as_ref();
        let Some(upstream) = upstream.filter(|upstream| upstream.takes_pushes) else {
            return Ok(unpushed);
        };
        if made.is_none() && upstream.ahead == 0 && !upstream.gone {
            return Ok(unpushed);
        }
        for commit in repository.list_unpushed(upstream)? {
            if commit.subject == COMMIT_SUBJECT || made == Some(&*commit.id) {
                unpushed.by_trueup += 1;
            } else {
                unpushed.by_user += 1;
            }
        }
        Ok(unpushed)
    }

    /// Reports commits of an earlier check that are not pushed.
    fn report_unpushed(&mut self, repo: &str) {
        let repository = self.repository.as_ref();
        // An error of git is reported where it prevents something.
        let unpushed = repository.and_then(|repository| self.count_unpushed(repository, None).ok());
        if let Some(unpushed) = unpushed.filter(|unpushed| unpushed.by_trueup > 0) {
            let own = count_commits(unpushed.by_trueup);
            let mut text = format!("{own} of an earlier run not pushed");
            let mut advice = AdviceKind::FixCheckout;
            if unpushed.by_user > 0 {
                let users = count_commits(unpushed.by_user);
                text = format!("{text}, nor {users} of yours");
                advice = AdviceKind::Publish;
            }
            let finding = CheckFinding::new(Code::CommitsNotPushed, repo, Authority::Git, text);
            self.findings.push(finding.advise(advice));
        }
    }

    /// Pushes what an earlier check committed and could not push, if nothing else would go with
    /// it; returns whether it did.
    pub(super) fn publish_unpushed(&mut self, repo: &str) -> bool {
        let (Some(repository), Some(upstream)) = (&self.repository, &self.upstream) else {
            return false;
        };
        let unpushed = match self.count_unpushed(repository, None) {
            Ok(unpushed) => unpushed,
            Err(error) => {
                self.write_obstacle = Some(redacted_error(&error));
                return false;
            }
        };
        let all = count_commits(unpushed.by_trueup + unpushed.by_user);
        if !unpushed.is_due(self.push_scope) {
            if unpushed.by_trueup > 0 && self.push_scope == PushScope::Own {
                self.notes.push(format!(
                    "{} of an earlier run not pushed, because {} of yours would be pushed too; \
                     `git push` sends all",
                    count_commits(unpushed.by_trueup),
                    count_commits(unpushed.by_user)
                ));
            }
            return false;
        }
        if let Err(reason) = self.push_branch(repository, upstream) {
            let text =
                format!("{all} of an earlier run not pushed, so nothing was written: {reason}");
            self.findings.push(unpushed_finding(repo, &text));
            self.write_obstacle = Some(text);
            return false;
        }
        self.notes.push(format!("pushed {all} of an earlier run"));
        true
    }

    /// Pushes, unless the remote did not answer a moment ago.
    fn push_branch(&self, repository: &Repository, upstream: &Upstream) -> Result<(), String> {
        if !self.is_reachable {
            return Err("the remote is unreachable".to_owned());
        }
        let timeout = match repository.has_pre_push_hook() {
            Ok(true) => PUSH_WITH_HOOK_TIMEOUT,
            Ok(false) => PUSH_TIMEOUT,
            Err(error) => return Err(redacted_error(&error)),
        };
        let pushed = repository.push_upstream(upstream, timeout);
        pushed.map_err(|error| redacted_error(&error))
    }

    /// Pushes the commit just made, if nothing else would go with it. An error says why it is not
    /// pushed.
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
        let unpushed = self
            .count_unpushed(repository, Some(commit))
            .map_err(|error| format!("not pushed: {}", redacted_error(&error)))?;
        if self.push_scope == PushScope::Never {
            return Err("not pushed because of --no-push".to_owned());
        }
        if !unpushed.is_due(self.push_scope) {
            return Err(format!(
                "not pushed: {} of yours would be pushed too; `git push` or `trueup check --fix \
                 --push` sends all",
                count_commits(unpushed.by_user)
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
    by_trueup: u64,
    by_user: u64,
}

impl UnpushedCommits {
    /// Returns whether they are pushed now. A push sends every commit before the last one, and the
    /// user decides when the user's own work is published.
    const fn is_due(self, scope: PushScope) -> bool {
        match scope {
            PushScope::Never => false,
            PushScope::All => self.by_trueup + self.by_user > 0,
            PushScope::Own => self.by_trueup > 0 && self.by_user == 0,
        }
    }
}

/// Renders a number of commits: `1 commit`, `2 commits`.
fn count_commits(count: u64) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} commit{end}")
}

fn unpushed_finding(repo: &str, text: &str) -> CheckFinding {
    CheckFinding::new(Code::CommitsNotPushed, repo, Authority::Git, text)
        .advise(AdviceKind::PublishAndFix)
}

/// Describes a branch whose remote has commits that are not here.
fn describe_behind(upstream: &Upstream, repo: &str, fix: bool) -> (CheckFinding, String) {
    let theirs = count_commits(upstream.behind);
    let (mut text, advice) = if upstream.ahead > 0 {
        let own = count_commits(upstream.ahead);
        let text =
            format!("repository {repo} has diverged from its remote: {own} here, {theirs} there");
        (text, AdviceKind::MergeCheckout)
    } else {
        let text = format!("repository {repo} is behind its remote by {theirs}");
        (text, AdviceKind::PullCheckout)
    };
    let mut severity = Severity::Info;
    if fix {
        text.push_str("; pull before fixing, nothing was written");
        severity = Severity::Warning;
    }
    let mut finding =
        CheckFinding::new(Code::BehindUpstream, repo, Authority::Git, &text).advise(advice);
    finding.divergence.severity = severity;
    (finding, text)
}

/// Says what a person has to end before anything is written.
fn find_obstacle(status: &BranchStatus) -> Option<String> {
    if let Some(operation) = status.operation {
        return Some(format!("{} is in progress", operation.as_str()));
    }
    let is_detached = status.branch.is_none();
    is_detached.then(|| "HEAD is detached".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_commits_are_pushed_by_the_users_word_alone() {
        for (by_trueup, by_user, expected) in [
            (0, 0, [false, false, false]),
            (1, 0, [true, true, false]),
            (0, 1, [false, true, false]),
            (2, 3, [false, true, false]),
        ] {
            let unpushed = UnpushedCommits { by_trueup, by_user };
            let scopes = [PushScope::Own, PushScope::All, PushScope::Never];
            let due = scopes.map(|scope| unpushed.is_due(scope));
            assert_eq!(due, expected, "{unpushed:?}");
        }
    }
}
