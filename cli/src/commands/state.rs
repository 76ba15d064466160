//! `trueup state`

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use trueup_core::files::{path_from_text, path_to_text};
use trueup_core::model::{Repo, RepoSlug};
use trueup_core::repo_state::{Body, LARGEST_FILE, find};
use trueup_core::repos::{
    Delivery, Outcome, StateError, StateFile, cache_of, config, deliver, give, lines, machine,
    owner_of, spread,
};
use trueup_core::settings::RepositoryConfig;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{RepoStore as _, StoreError};

use crate::args::StateCommand;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure, UNABLE};
use crate::report::Answer;

/// How long others may write a cache.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn run(desk: &Desk, command: StateCommand) -> Result<Answer, Failure> {
    match command {
        StateCommand::Sync { slug, deny_secrets } => sync(desk, slug.as_ref(), deny_secrets),
        StateCommand::Pull { slug } => pull(desk, slug.as_ref()),
        StateCommand::Show { slug } => show(desk, slug.as_ref()),
    }
}

/// The repositories, and this machine among those that have some.
struct Known {
    machine: String,
    repos: Vec<Repo>,
}

impl Known {
    fn read(desk: &Desk, store: &mut SqliteStore) -> Result<Self, Failure> {
        let machine = machine(&desk.site.settings.paths)?.unwrap_or_default();
        let repos = store.repos()?;
        Ok(Self { machine, repos })
    }

    /// Finds the repository named, else the one here.
    fn find(&self, desk: &Desk, slug: Option<&RepoSlug>) -> Result<&Repo, Failure> {
        if let Some(slug) = slug {
            let found = self
                .repos
                .iter()
                .find(|repo| repo.slug.is_same(slug.as_str()));
            return found.ok_or_else(|| {
                let text = format!("there is no repository {slug}");
                Failure::new(ErrorCase::RepoNotFound, text)
            });
        }
        let dir = &desk.site.project.dir;
        owner_of(&self.repos, &self.machine, dir).ok_or_else(|| {
            let text = format!("{} is not a registered repository", dir.display());
            let case = match &desk.site.project.git {
                Some(_) => ErrorCase::RepoUnregistered {
                    path: path_to_text(dir).as_str().into(),
                },
                None => ErrorCase::RepoNotFound,
            };
            Failure::new(case, text)
        })
    }

    /// Returns where a repository lies here: the checkout that the command runs in, else the
    /// first that is there. A linked worktree does not speak for its repository.
    fn root(&self, desk: &Desk, repo: &Repo) -> Result<PathBuf, Failure> {
        let dir = &desk.site.project.dir;
        if repo.lies_at(&self.machine, &path_to_text(dir)) {
            return Ok(dir.clone());
        }
        let mut places = repo.checkouts_on(&self.machine).map(path_from_text);
        places.find(|path| path.is_dir()).ok_or_else(|| {
            let text = format!("repository {} is not on this machine", repo.slug);
            let slug = (&repo.slug).into();
            Failure::new(ErrorCase::RepoElsewhere { slug }, text)
        })
    }
}

fn refuse_passive(repo: &Repo, root: &Path, config: &RepositoryConfig) -> Result<(), Failure> {
    if repo.passive || config.passive == Some(true) {
        let text = format!(
            "repository {} is passive: it does not share state",
            repo.slug
        );
        let case = if config.passive == Some(true) {
            ErrorCase::RepoPassiveByFile
        } else {
            let path = path_to_text(root).as_str().into();
            ErrorCase::RepoPassive { path }
        };
        return Err(Failure::new(case, text));
    }
    Ok(())
}

fn sync(desk: &Desk, slug: Option<&RepoSlug>, deny_secrets: bool) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let known = Known::read(desk, &mut store)?;
    let repo = known.find(desk, slug)?;
    let root = known.root(desk, repo)?;
    let config = config(&root);
    refuse_passive(repo, &root, &config)?;
    let refused = |error| ungiven(error, repo);
    let file = StateFile::read(&root, &config).map_err(refused)?;
    file.demand_trackable(&root, PATIENCE).map_err(refused)?;
    let by = desk.provenance(&desk.actor(&mut store)?, "state sync");
    let given = give(&mut store, &repo.slug, &file, deny_secrets, &by).map_err(refused)?;
    let paths = &desk.site.settings.paths;
    let deliveries = spread(&known.repos, &known.machine, &given, paths, PATIENCE);
    let mut warnings: Vec<String> = Vec::new();
    if !given.found.is_empty() {
        warnings.push(format!(
            "secrets in the state were redacted: {}, in {}",
            given.found.len(),
            lines(&given.found)
        ));
    }
    let mut answer = delivered(&deliveries, warnings);
    if deliveries.is_empty() {
        answer.text.push(format!(
            "the state of {} is in the database; no other repository here receives it",
            repo.slug
        ));
    }
    if let Some(data) = answer.data.as_object_mut() {
        data.insert("redacted".to_owned(), json!(given.found.len()));
    }
    Ok(answer)
}

/// Tells what became of each cache. One that could not be written makes the whole a failure,
/// and the others are written all the same.
fn delivered(deliveries: &[Delivery], mut warnings: Vec<String>) -> Answer {
    let (mut text, mut rows, mut exit) = (Vec::new(), Vec::new(), 0);
    for delivery in deliveries {
        let Delivery {
            repo, target, root, ..
        } = delivery;
        match &delivery.outcome {
            Ok(Outcome::Gone) => warnings.push(format!(
                "{target} was not updated: {} no longer exists; register its new directory with \
                 `trueup repo add PATH --slug {target}`, or remove it with `trueup repo remove \
                 {target}`",
                root.display()
            )),
            Ok(Outcome::Changed(changed)) => {
                text.push(format!(
                    "[state_sync] Synced {repo} STATE.md -> {}",
                    cache_of(root).display()
                ));
                rows.push(json!({"repo": repo, "target": target, "changed": changed}));
            }
            Err(error) => {
                exit = UNABLE;
                warnings.push(format!("{target} was not updated: {error}"));
            }
        }
    }
    Answer {
        warnings,
        exit,
        ..Answer::new(text, json!({"synced": rows}))
    }
}

fn pull(desk: &Desk, slug: Option<&RepoSlug>) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let known = Known::read(desk, &mut store)?;
    let own = known.find(desk, None)?;
    // Whichever checkout of it this is.
    let root = desk.site.project.dir.clone();
    refuse_passive(own, &root, &config(&root))?;
    let wanted: Vec<&Repo> = match slug {
        Some(_) => vec![known.find(desk, slug)?],
        None => known.repos.iter().collect(),
    };
    let mut deliveries = Vec::new();
    for repo in wanted
        .into_iter()
        .filter(|repo| !repo.slug.is_same(own.slug.as_str()))
    {
        // Read one by one: a state may be large, and there may be many.
        let state = match store.repo_state(&repo.slug)? {
            Some(state) if !repo.passive => state,
            _ if slug.is_some() => return Err(nothing_of(desk, &known, repo)),
            _ => continue,
        };
        let body = Body::new(state.content.as_bytes());
        let at = state.head.synced_at;
        let paths = &desk.site.settings.paths;
        deliveries.push(Delivery {
            repo: repo.slug.clone(),
            target: own.slug.clone(),
            outcome: deliver(&root, &repo.slug, at, &body, paths, PATIENCE).map(Outcome::Changed),
            root: root.clone(),
        });
    }
    let mut answer = delivered(&deliveries, Vec::new());
    if deliveries.is_empty() {
        answer
            .text
            .push("no other repository has shared its state yet".to_owned());
    }
    Ok(answer)
}

/// Says that a repository gave no state, and whether it can give one from here.
fn nothing_of(desk: &Desk, known: &Known, repo: &Repo) -> Failure {
    let text = format!("repository {} has not shared a state", repo.slug);
    let can_give = known.root(desk, repo).is_ok_and(|root| {
        let config = config(&root);
        let file = || StateFile::read(&root, &config);
        refuse_passive(repo, &root, &config).is_ok() && file().is_ok()
    });
    let case = if can_give {
        let slug = (&repo.slug).into();
        ErrorCase::NoState { slug }
    } else {
        ErrorCase::NoStateFromHere
    };
    Failure::new(case, text)
}

fn show(desk: &Desk, slug: Option<&RepoSlug>) -> Result<Answer, Failure> {
    let shown = |repo: &RepoSlug, synced_at: Value, content: String| Answer {
        verbatim: Some(content.clone()),
        ..Answer::new(
            Vec::new(),
            json!({"repo": repo, "synced_at": synced_at, "content": content}),
        )
    };
    let mut store = match desk.open() {
        Ok(store) => store,
        // What was synced before can be read without it.
        Err(failure) => match slug.and_then(|slug| cached(desk, slug)) {
            Some((slug, at, content)) => {
                let mut answer = shown(&slug, at.into(), content);
                let line = format!("{}; showing the local copy", failure.message);
                answer.warnings.push(line);
                return Ok(answer);
            }
            None => return Err(failure),
        },
    };
    let known = Known::read(desk, &mut store)?;
    let repo = known.find(desk, slug)?;
    let state = store.repo_state(&repo.slug)?;
    let state = state.ok_or_else(|| nothing_of(desk, &known, repo))?;
    let at = json!(state.head.synced_at);
    Ok(shown(&repo.slug, at, state.content))
}

/// Reads a state from the cache of the repository here.
fn cached(desk: &Desk, slug: &RepoSlug) -> Option<(RepoSlug, String, String)> {
    let path = cache_of(&desk.site.project.dir);
    let file = trueup_core::files::read_bytes(&path, LARGEST_FILE, false).ok()?;
    let section = find(&file, slug)?;
    let content = std::str::from_utf8(section.body).ok()?.to_owned();
    Some((slug.clone(), section.synced_at.to_owned(), content))
}

/// Says why the state of a repository was not given.
fn ungiven(error: StateError, repo: &Repo) -> Failure {
    let text = error.to_string();
    let case = match error {
        StateError::Missing(_) => ErrorCase::NoStateFile,
        StateError::Unfit { .. } => ErrorCase::StateUnfit,
        StateError::Secrets { .. } => ErrorCase::SecretsFound {
            slug: (&repo.slug).into(),
        },
        StateError::Store(StoreError::Conflict(_)) => ErrorCase::RepoNotFound,
        StateError::Store(error) => return error.into(),
    };
    Failure::new(case, text)
}
