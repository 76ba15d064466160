//! What git says of a checkout before anything is written: the seed's pull gate, and the seal
//! that keeps commits from piling up unpublished.

use std::path::Path;
use std::time::Duration;

use super::finding::{Draft, Finding, MEND, counted, told};
use crate::authority::Authority;
use crate::git::{GitError, Repository, Standing, Upstream};
use crate::reconcile::{Code, Severity};

/// How long a remote may take to be asked, and how long to be told.
const FETCH: Duration = Duration::from_secs(8);
const PUSH: Duration = Duration::from_secs(8);

/// How long bringing files up to date may take.
const PULL: Duration = Duration::from_secs(30);

/// The subject of the commits that are made here, by which those of earlier runs are found.
pub const SUBJECT: &str = "chore(consistency): sync task status from DB [auto]";

/// A checkout as git sees it.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Where to commit; absent where that is not possible.
    pub(super) repository: Option<Repository>,
    upstream: Option<Upstream>,
    /// Whether the remote could be asked.
    is_reachable: bool,
    /// Why nothing at all may be written.
    pub(super) obstacle: Option<String>,
    /// Why no file may be written.
    pub(super) no_files: Option<String>,
    /// Whether others published what is not here.
    pub(super) is_outdated: bool,
    pub(super) findings: Vec<Finding>,
    /// What was tried in vain, a line each.
    pub(super) notes: Vec<String>,
}

/// Looks at a checkout; with `pull` its branch is first brought up to date.
pub(super) fn look(root: &Path, pull: bool) -> Gate {
    let mut gate = Gate::default();
    // One around it is another's.
    let Some(repository) = Repository::discover(root).filter(|found| found.root() == root) else {
        gate.no_files = Some("it is no git repository, so nothing could be committed".to_owned());
        return gate;
    };
    if let Err(error) = gate.ask(&repository, pull) {
        // Where git cannot be asked, it cannot be told either.
        gate.obstacle = Some(told(&error));
    }
    gate.is_outdated = gate.upstream.as_ref().is_some_and(|it| it.behind > 0);
    gate.repository = Some(repository);
    gate
}

impl Gate {
    /// Says where the branch stands, of the repository by its name in the database.
    pub(super) fn judge(&mut self, repo: &str, fix: bool) {
        let upstream = self.upstream.as_ref();
        if let Some(upstream) = upstream.filter(|upstream| upstream.behind > 0) {
            let (finding, text) = behind(upstream, repo, fix);
            self.findings.push(finding);
            self.obstacle.get_or_insert(text);
        }
        if !fix {
            self.report_earlier(repo);
        }
    }

    fn ask(&mut self, repository: &Repository, pull: bool) -> Result<(), GitError> {
        let mut standing = repository.standing()?;
        if let Some(upstream) = &standing.upstream {
            match repository.fetch(upstream, FETCH) {
                // A branch that is not there yet is published by the first push.
                Ok(()) | Err(GitError::NoSuchBranch { .. }) => self.is_reachable = true,
                Err(error) if pull => self
                    .notes
                    .push(format!("the remote was not asked: {}", told(&error))),
                Err(_) => {}
            }
            standing = repository.standing()?;
        }
        if pull
            && standing.operation.is_none()
            && let Some(upstream) = standing.upstream.clone()
            && upstream.behind > 0
        {
            match repository.pull_fast_forward(&upstream, PULL) {
                Ok(_) => standing = repository.standing()?,
                Err(error) => self
                    .notes
                    .push(format!("nothing was pulled: {}", told(&error))),
            }
        }
        self.obstacle = obstacle(&standing);
        self.upstream = standing.upstream;
        if let Some(upstream) = self
            .upstream
            .as_ref()
            .filter(|u| !u.takes_pushes && !u.gone)
        {
            self.no_files = Some(format!(
                "a push of this branch would not go to {}, which it follows",
                upstream.tracking_ref.trim_start_matches("refs/remotes/")
            ));
        }
        Ok(())
    }

    /// Counts what an earlier run committed and could not push.
    fn earlier(&self, repository: &Repository) -> Result<u64, GitError> {
        let upstream = self.upstream.as_ref();
        let Some(upstream) = upstream.filter(|u| u.takes_pushes && (u.ahead > 0 || u.gone)) else {
            return Ok(0);
        };
        repository.unpushed(upstream, SUBJECT)
    }

    /// Says that commits of an earlier run are not pushed.
    fn report_earlier(&mut self, repo: &str) {
        let repository = self.repository.as_ref();
        // What git cannot be asked is said where it matters.
        let waiting = repository.and_then(|repository| self.earlier(repository).ok());
        if let Some(waiting) = waiting.filter(|waiting| *waiting > 0) {
            let text = format!(
                "{} of an earlier run not pushed",
                counted(waiting, "commit")
            );
            let draft = Draft::new(Code::C17, repo, Authority::Git);
            self.findings.push(draft.fix(MEND).says(&text));
        }
    }

    /// Publishes what an earlier run committed and could not push.
    pub(super) fn publish_earlier(&mut self, repo: &str) {
        let (Some(repository), Some(upstream)) = (&self.repository, &self.upstream) else {
            return;
        };
        let waiting = match self.earlier(repository) {
            Ok(0) => return,
            Ok(waiting) => waiting,
            Err(error) => {
                self.obstacle = Some(told(&error));
                return;
            }
        };
        if let Err(reason) = self.push(repository, upstream) {
            let waiting = counted(waiting, "commit");
            let text =
                format!("{waiting} of an earlier run not pushed, so nothing was written: {reason}");
            self.findings.push(unpushed(repo, &text));
            self.obstacle = Some(text);
        }
    }

    /// Pushes. Who did not answer a moment ago would only be waited for once more.
    fn push(&self, repository: &Repository, upstream: &Upstream) -> Result<(), String> {
        if !self.is_reachable {
            return Err("the remote cannot be reached".to_owned());
        }
        let pushed = repository.push(upstream, PUSH);
        pushed.map_err(|error| told(&error))
    }

    /// Publishes the commit just made; tells whether it is published.
    pub(super) fn publish(&mut self, repo: &str) -> bool {
        let (Some(repository), Some(upstream)) = (&self.repository, &self.upstream) else {
            return false;
        };
        match self.push(repository, upstream) {
            Ok(()) => true,
            Err(error) => {
                let text = format!(
                    "the commit is not pushed, and no further one is made until it is: {error}"
                );
                self.findings.push(unpushed(repo, &text));
                false
            }
        }
    }
}

fn unpushed(repo: &str, text: &str) -> Finding {
    Draft::new(Code::C17, repo, Authority::Git)
        .fix("`git push`, then `trueup check --fix`")
        .says(text)
}

/// Says that others published what is not here.
fn behind(upstream: &Upstream, repo: &str, fix: bool) -> (Finding, String) {
    let (ahead, behind) = (upstream.ahead, upstream.behind);
    let theirs = counted(behind, "commit");
    let text = if ahead > 0 {
        let own = counted(ahead, "commit");
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
        "`git pull`, then `trueup check --fix`"
    } else {
        "trueup check --fix --pull"
    };
    let draft = Draft::new(Code::C16, repo, Authority::Git);
    (draft.severity(severity).fix(how).says(&text), text)
}

/// Says what a person has to end first.
fn obstacle(standing: &Standing) -> Option<String> {
    if let Some(operation) = standing.operation {
        return Some(format!("{} is in progress", operation.as_str()));
    }
    standing
        .branch
        .is_none()
        .then(|| "HEAD is detached: its files are not those of a branch".to_owned())
}
