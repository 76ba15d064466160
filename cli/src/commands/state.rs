//! `trueup state`: sharing a STATE.md, delivering the shared states to the caches, and showing them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};
use trueup_core::model::{Repo, RepoSlug};
use trueup_core::repo_state::{MAX_FILE_BYTES, StatusBody, find_section};
use trueup_core::repos::{
    CacheDelivery, CacheOutcome, StateError, StateFile, cache_path, deliver_state, deliver_to_all,
    describe_lines, find_owner, publish_state, read_machine_name, read_repo_config,
};
use trueup_core::settings::RepositoryConfig;
use trueup_core::store::{Store, StoreError};
use trueup_core::text::{path_from_text, path_to_text};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, RepoCase, UNABLE};
use crate::output::Output;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum StateCommand {
    /// Share a repository's STATE.md with the others
    ///
    /// Writes it to the database and to .aibrain/global-state-cache.md of every other
    /// registered repository on this machine. Secrets are redacted. Hooks do this
    /// automatically when STATE.md changes.
    ///
    /// Example: trueup state sync
    #[command(verbatim_doc_comment)]
    Sync {
        /// Repository name [default: the current repository]
        slug: Option<RepoSlug>,
        /// Refuse a STATE.md with secrets instead of redacting them
        #[arg(long)]
        deny_secrets: bool,
    },
    /// Update the current repository's state cache from the database
    ///
    /// Example: trueup state pull
    #[command(verbatim_doc_comment)]
    Pull {
        /// Only the state of this repository
        slug: Option<RepoSlug>,
    },
    /// Print a repository's state exactly as it was shared
    ///
    /// Example: trueup state show karematch
    #[command(verbatim_doc_comment)]
    Show {
        /// Repository name [default: the current repository]
        slug: Option<RepoSlug>,
    },
}

/// How long to wait for other writers of a cache.
const CACHE_PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn cmd_state(context: &CommandContext, command: StateCommand) -> CommandResult {
    match command {
        StateCommand::Sync { slug, deny_secrets } => cmd_sync(context, slug.as_ref(), deny_secrets),
        StateCommand::Pull { slug } => cmd_pull(context, slug.as_ref()),
        StateCommand::Show { slug } => cmd_show(context, slug.as_ref()),
    }
}

/// The registered repositories, and the name of this machine.
struct MachineRepos {
    machine: String,
    repos: Vec<Repo>,
}

impl MachineRepos {
    fn load(context: &CommandContext, store: &mut dyn Store) -> CommandResult<Self> {
        let machine = read_machine_name(&context.run.settings.paths)?.unwrap_or_default();
        let repos = store.list_repos()?;
        Ok(Self { machine, repos })
    }

    /// Finds the repository named, else the one here.
    fn find_repo(&self, context: &CommandContext, slug: Option<&RepoSlug>) -> CommandResult<&Repo> {
        if let Some(slug) = slug {
            let named_repo = self.repos.iter().find(|repo| repo.slug.is_same(slug.as_str()));
            return named_repo.ok_or_else(|| {
                let text = format!("repository {slug} does not exist");
                CommandError::new(RepoCase::RepoNotFound, text)
            });
        }
        let dir = &context.run.project.dir;
        find_owner(&self.repos, &self.machine, dir).ok_or_else(|| {
            let text = format!("{} is not a registered repository", dir.display());
            let case = match &context.run.project.git {
                Some(_) => RepoCase::RepoUnregistered { path: path_to_text(dir).as_str().into() },
                None => RepoCase::RepoNotFound,
            };
            CommandError::new(case, text)
        })
    }

    /// Finds the checkout of a repository on this machine: that of the project, or else the first
    /// that exists. A linked worktree does not count.
    fn find_root(&self, context: &CommandContext, repo: &Repo) -> CommandResult<PathBuf> {
        let dir = &context.run.project.dir;
        if repo.has_checkout(&self.machine, &path_to_text(dir)) {
            return Ok(dir.clone());
        }
        let mut places = repo.checkouts_on(&self.machine).map(path_from_text);
        places.find(|path| path.is_dir()).ok_or_else(|| {
            let text = format!("repository {} is not on this machine", repo.slug);
            let slug = (&repo.slug).into();
            CommandError::new(RepoCase::RepoElsewhere { slug }, text)
        })
    }
}

fn check_not_passive(repo: &Repo, root: &Path, config: &RepositoryConfig) -> CommandResult<()> {
    if repo.passive || config.passive == Some(true) {
        let text = format!("repository {} is passive: it does not share state", repo.slug);
        let case = if config.passive == Some(true) {
            RepoCase::RepoPassiveByFile
        } else {
            let path = path_to_text(root).as_str().into();
            RepoCase::RepoPassive { path }
        };
        return Err(CommandError::new(case, text));
    }
    Ok(())
}

fn cmd_sync(
    context: &CommandContext,
    slug: Option<&RepoSlug>,
    deny_secrets: bool,
) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let machine_repos = MachineRepos::load(context, store)?;
    let repo = machine_repos.find_repo(context, slug)?;
    let root = machine_repos.find_root(context, repo)?;
    let config = read_repo_config(&root);
    check_not_passive(repo, &root, &config)?;
    let to_error = |error| state_error_to_command_error(error, repo);
    let file = StateFile::read(&root, &config).map_err(to_error)?;
    file.check_trackable(&root, CACHE_PATIENCE).map_err(to_error)?;
    let provenance = context.provenance(&context.resolve_actor(store)?, "state sync");
    let state =
        publish_state(store, &repo.slug, &file, deny_secrets, &provenance).map_err(to_error)?;
    let paths = &context.run.settings.paths;
    let deliveries =
        deliver_to_all(&machine_repos.repos, &machine_repos.machine, &state, paths, CACHE_PATIENCE);
    let mut warnings: Vec<String> = Vec::new();
    if !state.found.is_empty() {
        warnings.push(format!(
            "secrets in the state were redacted: {}, in {}",
            state.found.len(),
            describe_lines(&state.found)
        ));
    }
    let mut output = build_delivery_output(&deliveries, warnings);
    if deliveries.is_empty() {
        output.text.push(format!(
            "the state of {} is in the database; no other repository here receives it",
            repo.slug
        ));
    }
    if let Some(data) = output.data.as_object_mut() {
        data.insert("redacted".to_owned(), json!(state.found.len()));
    }
    Ok(output)
}

/// Builds the output of deliveries. If one cache could not be written the command fails, although
/// the others were written.
fn build_delivery_output(deliveries: &[CacheDelivery], mut warnings: Vec<String>) -> Output {
    let (mut text, mut rows, mut exit_code) = (Vec::new(), Vec::new(), 0);
    for delivery in deliveries {
        let CacheDelivery { repo, target, root, .. } = delivery;
        match &delivery.outcome {
            Ok(CacheOutcome::Gone) => warnings.push(format!(
                "{target} was not updated: {} no longer exists; register its new directory with \
                 `trueup repo add PATH --slug {target}`, or remove it with `trueup repo remove \
                 {target}`",
                root.display()
            )),
            Ok(CacheOutcome::Changed(changed)) => {
                text.push(format!(
                    "[state_sync] Synced {repo} STATE.md -> {}",
                    cache_path(root).display()
                ));
                rows.push(json!({"repo": repo, "target": target, "changed": changed}));
            }
            Err(error) => {
                exit_code = UNABLE;
                warnings.push(format!("{target} was not updated: {error}"));
            }
        }
    }
    Output { warnings, exit_code, ..Output::new(text, json!({"synced": rows})) }
}

fn cmd_pull(context: &CommandContext, slug: Option<&RepoSlug>) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let machine_repos = MachineRepos::load(context, store)?;
    let own_repo = machine_repos.find_repo(context, None)?;
    // Any checkout of the repository is accepted.
    let root = context.run.project.dir.clone();
    check_not_passive(own_repo, &root, &read_repo_config(&root))?;
    let wanted: Vec<&Repo> = match slug {
        Some(_) => vec![machine_repos.find_repo(context, slug)?],
        None => machine_repos.repos.iter().collect(),
    };
    let mut deliveries = Vec::new();
    for repo in wanted.into_iter().filter(|repo| !repo.slug.is_same(own_repo.slug.as_str())) {
        // Loaded one by one, because a state may be large and there may be many.
        let state = match store.load_repo_state(&repo.slug)? {
            Some(state) if !repo.passive => state,
            _ if slug.is_some() => return Err(build_no_state_error(context, &machine_repos, repo)),
            _ => continue,
        };
        let body = StatusBody::new(state.content.as_bytes());
        let synced_at = state.head.synced_at;
        let paths = &context.run.settings.paths;
        deliveries.push(CacheDelivery {
            repo: repo.slug.clone(),
            target: own_repo.slug.clone(),
            outcome: deliver_state(&root, &repo.slug, synced_at, &body, paths, CACHE_PATIENCE)
                .map(CacheOutcome::Changed),
            root: root.clone(),
        });
    }
    let mut output = build_delivery_output(&deliveries, Vec::new());
    if deliveries.is_empty() {
        output.text.push("no other repository has shared its state yet".to_owned());
    }
    Ok(output)
}

/// Builds the error of a repository without a state, which depends on whether it can be shared from
/// here.
fn build_no_state_error(
    context: &CommandContext,
    machine_repos: &MachineRepos,
    repo: &Repo,
) -> CommandError {
    let text = format!("repository {} has not shared a state", repo.slug);
    let can_give = machine_repos.find_root(context, repo).is_ok_and(|root| {
        let config = read_repo_config(&root);
        let file = || StateFile::read(&root, &config);
        check_not_passive(repo, &root, &config).is_ok() && file().is_ok()
    });
    let case = if can_give {
        let slug = (&repo.slug).into();
        RepoCase::NoState { slug }
    } else {
        RepoCase::NoStateFromHere
    };
    CommandError::new(case, text)
}

fn cmd_show(context: &CommandContext, slug: Option<&RepoSlug>) -> CommandResult {
    let build_output = |repo: &RepoSlug, synced_at: Value, content: String| Output {
        verbatim: Some(content.clone()),
        ..Output::new(Vec::new(), json!({"repo": repo, "synced_at": synced_at, "content": content}))
    };
    let mut store = match context.open_for_reading() {
        Ok(store) => store,
        // A state that was synced before can be read from the cache.
        Err(error) => match slug.and_then(|slug| read_cached_state(context, slug)) {
            Some((slug, at, body)) => {
                let mut output = build_output(&slug, at.into(), body);
                let line = format!("{}; showing the local copy", error.message);
                output.warnings.push(line);
                return Ok(output);
            }
            None => return Err(error),
        },
    };
    let machine_repos = MachineRepos::load(context, &mut *store)?;
    let repo = machine_repos.find_repo(context, slug)?;
    let state = store.load_repo_state(&repo.slug)?;
    let state = state.ok_or_else(|| build_no_state_error(context, &machine_repos, repo))?;
    let synced_at = json!(state.head.synced_at);
    Ok(build_output(&repo.slug, synced_at, state.content))
}

/// Reads a state from the cache of the repository here.
fn read_cached_state(
    context: &CommandContext,
    slug: &RepoSlug,
) -> Option<(RepoSlug, String, String)> {
    let path = cache_path(&context.run.project.dir);
    let file = trueup_core::fs::read_bytes(&path, MAX_FILE_BYTES, false).ok()?;
    let section = find_section(&file, slug)?;
    let text = std::str::from_utf8(section.body).ok()?.to_owned();
    Some((slug.clone(), section.synced_at.to_owned(), text))
}

/// Builds the error of a state that was not shared.
fn state_error_to_command_error(error: StateError, repo: &Repo) -> CommandError {
    let text = error.to_string();
    let case = match error {
        StateError::Missing(_) => RepoCase::NoStateFile,
        StateError::Unfit { .. } => RepoCase::StateUnfit,
        StateError::Secrets { .. } => RepoCase::SecretsFound { slug: (&repo.slug).into() },
        StateError::Store(StoreError::Conflict(_)) => RepoCase::RepoNotFound,
        StateError::Store(error) => return error.into(),
    };
    CommandError::new(case, text)
}
