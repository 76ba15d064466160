//! The repository's STATE.md on its way to the others: given on when it says something new, by
//! its digest, so that neither a slow editor nor a second edit is missed (seed 2 looked at what
//! was saved within the last five seconds).

use std::path::PathBuf;
use std::time::Duration;

use trueup_core::bounds::{PASSED_MARK, STATE};
use trueup_core::fs::{read_text, write_private};
use trueup_core::model::{Repo, Session};
use trueup_core::repos::{StateError, StateFile, deliver_to_all, describe_lines, publish_state};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{RepoStore as _, StoreError};
use trueup_core::sync::RepoSummary;
use trueup_core::text::path_to_text;

use crate::HookContext;

/// Longest state in which secrets are looked for in no time to speak of, in bytes.
const SMALL_STATE_BYTES: usize = 64 * 1024;

/// Least time to begin with another repository.
const MIN_TIME_LEFT: Duration = Duration::from_millis(20);

/// Returns this machine's name; `None` where no repository was ever registered, which costs a
/// look at one file.
fn machine_name(context: &HookContext) -> Result<Option<String>, StoreError> {
    let name = trueup_core::repos::read_machine_name(&context.run.settings.paths);
    name.map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Finds the project among the repositories, if it gives its state on. A linked worktree does
/// not: what it says is not the repository's word yet.
fn find_own_repo<'a>(context: &HookContext, machine: &str, repos: &'a [Repo]) -> Option<&'a Repo> {
    let name = context.run.project.name();
    let is_passive = context.run.repository.passive == Some(true);
    repos
        .iter()
        .find(|repo| repo.path_on(machine) == Some(&name))
        .filter(|repo| !repo.passive && !is_passive)
}

/// Finds the repository that the project is a checkout of: a linked worktree or another clone is
/// told of the others too.
fn find_checked_out_repo<'a>(
    context: &HookContext,
    machine: &str,
    repos: &'a [Repo],
) -> Option<&'a Repo> {
    let is_passive = context.run.repository.passive == Some(true);
    let name = context.run.project.name();
    let main_dir = context
        .run
        .project
        .git
        .as_ref()
        .and_then(|git| git.common_dir.parent());
    let main_dir = main_dir.map(path_to_text);
    let lies_at = |path: &str| repos.iter().find(|repo| repo.is_at(machine, path));
    lies_at(&name)
        .or_else(|| lies_at(&main_dir?))
        .filter(|repo| !repo.passive && !is_passive)
}

/// Gives the state on if its file says something new; returns lines for the user.
pub(crate) fn share_with_repos(context: &HookContext, store: &mut SqliteStore) -> Vec<String> {
    try_share(context, store)
        .unwrap_or_else(|error| vec![format!("trueup: STATE.md was not shared: {error}")])
}

fn try_share(context: &HookContext, store: &mut SqliteStore) -> Result<Vec<String>, String> {
    let Some(machine) = machine_name(context).map_err(|error| error.to_string())? else {
        return Ok(Vec::new());
    };
    let (dir, config) = (&context.run.project.dir, &context.run.repository);
    let file = match StateFile::read_at_most(dir, config, STATE.most) {
        Err(StateError::Missing(_)) => return Ok(Vec::new()),
        other => other.map_err(|error| error.to_string())?,
    };
    let record = ShareRecord::for_state(context, &file.digest);
    if record.is_written() {
        return Ok(Vec::new());
    }
    let repos = store.list_repos().map_err(|error| error.to_string())?;
    let Some(own_repo) = find_own_repo(context, &machine, &repos) else {
        return Ok(Vec::new());
    };
    file.check_trackable(dir, context.run.deadline.remaining())
        .map_err(|error| error.to_string())?;
    if !file.redact_within(
        context
            .run
            .deadline
            .remaining()
            .saturating_sub(MIN_TIME_LEFT),
    ) {
        if file.size() > SMALL_STATE_BYTES {
            // Else every hook would try again, in vain. A small one is the machine's fault.
            record.write();
        }
        return Err("the scan for secrets ran out of time; run: trueup state sync".to_owned());
    }
    let provenance = context.build_provenance("state sync");
    let shared = publish_state(store, &own_repo.slug, &file, false, &provenance)
        .map_err(|error| error.to_string())?;
    let paths = &context.run.settings.paths;
    let mut user_lines = Vec::new();
    for (number, repo) in repos.iter().enumerate() {
        let time_left = context.run.deadline.remaining();
        if time_left < MIN_TIME_LEFT {
            // What said the same already costs a look, so the next hook gets further.
            let remaining = repos.len() - number;
            user_lines.push(format!(
                "trueup: STATE.md was not shared with {remaining} repositories in time; the next hook \
                 continues"
            ));
            break;
        }
        let deliveries = deliver_to_all(
            std::slice::from_ref(repo),
            &machine,
            &shared,
            paths,
            time_left,
        );
        let errors = deliveries.iter().filter_map(|it| it.outcome.as_ref().err());
        user_lines.extend(errors.map(|error| format!("trueup: STATE.md was not shared: {error}")));
        if number + 1 == repos.len() {
            // Only now: what a hook that is killed did not reach, the next one reaches.
            record.write();
        }
    }
    if !shared.found.is_empty() {
        user_lines.push(format!(
            "trueup: secrets in STATE.md were redacted before it was shared: {}, in {}",
            shared.found.len(),
            describe_lines(&shared.found)
        ));
    }
    Ok(user_lines)
}

/// Which state was passed on last, and into which database: kept in a file, so that a state
/// that says nothing new costs no question to the database.
struct ShareRecord {
    path: PathBuf,
    content: String,
}

impl ShareRecord {
    fn for_state(context: &HookContext, digest: &str) -> Self {
        let settings = &context.run.settings;
        let database = settings.sqlite_path().map(|path| path_to_text(path));
        Self {
            path: settings.paths.passed_state_marker(&context.run.project.dir),
            content: format!("{digest} {}\n", database.unwrap_or_default()),
        }
    }

    fn is_written(&self) -> bool {
        read_text(&self.path, PASSED_MARK.most, false).is_ok_and(|noted| noted == self.content)
    }

    /// Where it cannot be noted, it is passed on once more, and nothing changes by that.
    fn write(&self) {
        let _ = write_private(&self.path, self.content.as_bytes());
    }
}

/// What a start tells of other repositories, and the file it asks the client to watch.
#[derive(Default)]
pub(crate) struct RepoContext {
    pub(crate) summaries: Vec<RepoSummary>,
    pub(crate) watch_paths: Vec<String>,
}

/// Looks around, for a session of a registered repository.
pub(crate) fn gather_repo_context(
    context: &HookContext,
    store: &mut SqliteStore,
    session: &Session,
) -> Result<RepoContext, StoreError> {
    let Some(machine) = machine_name(context)? else {
        return Ok(RepoContext::default());
    };
    let repos = store.list_repos()?;
    let Some(own_repo) = find_checked_out_repo(context, &machine, &repos) else {
        return Ok(RepoContext::default());
    };
    let others = repos
        .iter()
        .filter(|repo| !repo.passive && !repo.slug.is_same(own_repo.slug.as_str()));
    let summaries = others.filter_map(|repo| RepoSummary::from_repo(repo, session.read_at));
    let state_path = StateFile::locate(&context.run.project.dir, &context.run.repository);
    let watched = state_path
        .ok()
        .and_then(|path| path.to_str().map(str::to_owned));
    Ok(RepoContext {
        summaries: summaries.collect(),
        watch_paths: watched.into_iter().collect(),
    })
}
