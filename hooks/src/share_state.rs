//! Shares the repository's STATE.md with the other registered repositories when its digest changed.
//! Comparing digests instead of times misses neither a slow editor nor a second edit.

use std::path::PathBuf;
use std::time::Duration;

use trueup_core::bounds::{SHARED_STATE_RECORD, STATE};
use trueup_core::fs::{read_text, write_private};
use trueup_core::model::{Repo, Session};
use trueup_core::repos::{
    PublishedState, StateError, StateFile, deliver_to_all, describe_lines, publish_state,
};
use trueup_core::settings::DatabaseUrl;
use trueup_core::store::{HookStore, StoreError};
use trueup_core::sync::RepoSummary;
use trueup_core::text::path_to_text;

use crate::HookContext;

/// Largest STATE.md, in bytes, for which the search for secrets takes almost no time.
const SMALL_STATE_BYTES: usize = 64 * 1024;

/// Time that must be left to begin with another repository.
const MIN_TIME_LEFT: Duration = Duration::from_millis(20);

/// Reads this machine's name from its file; `None` when no repository was ever registered here.
fn machine_name(context: &HookContext) -> Result<Option<String>, StoreError> {
    let name = trueup_core::repos::read_machine_name(&context.run.settings.paths);
    name.map_err(|error| StoreError::unavailable(error.to_string()))
}

/// Finds the project among the registered repositories, if it shares its state. A linked worktree
/// does not: its STATE.md may differ from that of the main checkout.
fn find_own_repo<'a>(context: &HookContext, machine: &str, repos: &'a [Repo]) -> Option<&'a Repo> {
    let name = context.run.project.name();
    let is_passive = context.run.repository.passive == Some(true);
    repos
        .iter()
        .find(|repo| repo.path_on(machine) == Some(&name))
        .filter(|repo| !repo.passive && !is_passive)
}

/// Finds the registered repository that the project is a checkout of, be it a linked worktree or
/// another clone.
fn find_checked_out_repo<'a>(
    context: &HookContext,
    machine: &str,
    repos: &'a [Repo],
) -> Option<&'a Repo> {
    let is_passive = context.run.repository.passive == Some(true);
    let name = context.run.project.name();
    let main_dir = context.run.project.git.as_ref().and_then(|git| git.common_dir.parent());
    let main_dir = main_dir.map(path_to_text);
    let lies_at = |path: &str| repos.iter().find(|repo| repo.has_checkout(machine, path));
    lies_at(&name).or_else(|| lies_at(&main_dir?)).filter(|repo| !repo.passive && !is_passive)
}

/// Returns whether STATE.md may have to be shared, as far as files tell: this machine shares states,
/// and this one is not the last that was shared.
pub(crate) fn has_unshared_state(context: &HookContext) -> bool {
    let is_known_machine = machine_name(context).map_or(true, |name| name.is_some());
    let (dir, config) = (&context.run.project.dir, &context.run.repository);
    is_known_machine
        && match StateFile::read_at_most(dir, config, STATE.most) {
            Ok(file) => !ShareRecord::for_state(context, &file.digest).is_written(),
            Err(StateError::Missing(_)) => false,
            Err(_) => true,
        }
}

/// Shares STATE.md if it changed; returns lines for the user.
pub(crate) fn share_with_repos(context: &HookContext, store: &mut dyn HookStore) -> Vec<String> {
    try_share(context, store)
        .unwrap_or_else(|error| vec![format!("trueup: STATE.md was not shared: {error}")])
}

fn try_share(context: &HookContext, store: &mut dyn HookStore) -> Result<Vec<String>, String> {
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
    if !file.redact_within(context.run.deadline.remaining().saturating_sub(MIN_TIME_LEFT)) {
        if file.size() > SMALL_STATE_BYTES {
            // Otherwise every hook would fail in the same way. For a small file the machine is
            // slow, and the next hook may succeed.
            record.write();
        }
        return Err("the scan for secrets ran out of time; run: trueup state sync".to_owned());
    }
    let provenance = context.build_provenance("state sync");
    let shared = publish_state(store, &own_repo.slug, &file, false, &provenance)
        .map_err(|error| error.to_string())?;
    let mut user_lines = deliver_in_time(context, &machine, &repos, &shared, &record);
    if !shared.found.is_empty() {
        user_lines.push(format!(
            "trueup: secrets in STATE.md were redacted before it was shared: {}, in {}",
            shared.found.len(),
            describe_lines(&shared.found)
        ));
    }
    Ok(user_lines)
}

/// Writes the state into the caches of all repositories, as far as the deadline allows; returns
/// lines for the user.
fn deliver_in_time(
    context: &HookContext,
    machine: &str,
    repos: &[Repo],
    shared: &PublishedState,
    record: &ShareRecord,
) -> Vec<String> {
    let paths = &context.run.settings.paths;
    let mut user_lines = Vec::new();
    for (number, repo) in repos.iter().enumerate() {
        let time_left = context.run.deadline.remaining();
        if time_left < MIN_TIME_LEFT {
            // Caches that are current already only cost a read, so the next hook gets further.
            let remaining = repos.len() - number;
            user_lines.push(format!(
                "trueup: STATE.md was not shared with {remaining} repositories in time; the next hook \
                 continues"
            ));
            break;
        }
        let deliveries =
            deliver_to_all(std::slice::from_ref(repo), machine, shared, paths, time_left);
        let errors = deliveries.iter().filter_map(|it| it.outcome.as_ref().err());
        user_lines.extend(errors.map(|error| format!("trueup: STATE.md was not shared: {error}")));
        if number + 1 == repos.len() {
            // Written last: if this hook is killed before, the next one starts over.
            record.write();
        }
    }
    user_lines
}

/// Records which STATE.md was shared last, and through which database. It is a file, so that an
/// unchanged STATE.md costs no query.
struct ShareRecord {
    path: PathBuf,
    content: String,
}

impl ShareRecord {
    fn for_state(context: &HookContext, digest: &str) -> Self {
        let settings = &context.run.settings;
        let database = match &settings.database {
            DatabaseUrl::Sqlite(path) => path_to_text(path),
            other => other.to_string(),
        };
        Self {
            path: settings.paths.passed_state_marker(&context.run.project.dir),
            content: format!("{digest} {database}\n"),
        }
    }

    fn is_written(&self) -> bool {
        read_text(&self.path, SHARED_STATE_RECORD.most, false)
            .is_ok_and(|noted| noted == self.content)
    }

    /// Writes the record. If that fails, the same state is shared once more, which changes nothing.
    fn write(&self) {
        let _ = write_private(&self.path, self.content.as_bytes());
    }
}

/// The other repositories shown at a session start, and the file that the client should watch.
#[derive(Default)]
pub(crate) struct RepoContext {
    pub(crate) summaries: Vec<RepoSummary>,
    pub(crate) watch_paths: Vec<String>,
}

/// Summarizes the other repositories for a session in a registered repository.
pub(crate) fn gather_repo_context(
    context: &HookContext,
    store: &mut dyn HookStore,
    session: &Session,
) -> Result<RepoContext, StoreError> {
    let Some(machine) = machine_name(context)? else {
        return Ok(RepoContext::default());
    };
    let repos = store.list_repos()?;
    let Some(own_repo) = find_checked_out_repo(context, &machine, &repos) else {
        return Ok(RepoContext::default());
    };
    let others =
        repos.iter().filter(|repo| !repo.passive && !repo.slug.is_same(own_repo.slug.as_str()));
    let summaries = others.filter_map(|repo| RepoSummary::from_repo(repo, session.read_at));
    let state_path = StateFile::locate(&context.run.project.dir, &context.run.repository);
    let watched = state_path.ok().and_then(|path| path.to_str().map(str::to_owned));
    Ok(RepoContext { summaries: summaries.collect(), watch_paths: watched.into_iter().collect() })
}
