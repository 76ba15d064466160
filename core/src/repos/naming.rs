//! The one name under which sessions, items and files of a repository are kept: that of its
//! registration or of its `.trueup.toml`, else the one that the first clone of it was given.

use std::path::Path;

use super::identity::{Identity, is_other, owner_of};
use super::machine;
use crate::files::{path_from_text, path_to_text};
use crate::model::Repo;
use crate::settings::{Paths, Project, RepositoryConfig};
use crate::store::{Provenance, RepoNaming, Result, Store, StoreError};

/// Most names tried for a repository whose directory has the name of another one.
const MOST_TRIED: usize = 1_000;

/// A directory whose repository is named.
#[derive(Debug, Clone, Copy)]
pub struct NamedPlace<'a> {
    /// The directory.
    pub project: &'a Project,
    /// What its `.trueup.toml` sets.
    pub config: &'a RepositoryConfig,
    /// Where this machine's name is kept.
    pub paths: &'a Paths,
    /// This machine's host name.
    pub host: &'a str,
}

/// How the name of a repository was found.
enum Found {
    /// Nothing has to be kept.
    Kept(Option<String>),
    /// It has none yet, or is known by another identity than the one it has by now.
    Unkept(Unnamed),
}

/// A repository whose name is not kept yet.
struct Unnamed {
    identity: String,
    name: String,
    instead_of: Option<String>,
}

/// Finds the name of the repository that a directory is of, and writes nothing.
///
/// # Errors
///
/// When the database cannot be asked, or this machine's name not be read.
pub fn find_repo_name(store: &mut dyn Store, place: NamedPlace<'_>) -> Result<Option<String>> {
    Ok(match find(store, place)? {
        Found::Kept(name) => name,
        Found::Unkept(unnamed) => Some(unnamed.name),
    })
}

/// Finds the name of the repository that a directory is of, and keeps it for other clones.
///
/// # Errors
///
/// When the database cannot take it, or this machine's name not be read.
pub fn settle_repo_name(store: &mut dyn Store, place: NamedPlace<'_>) -> Result<Option<String>> {
    // Somebody else may take the name meanwhile, which is seen at the second look.
    for _ in 0..2 {
        let unnamed = match find(store, place)? {
            Found::Kept(name) => return Ok(name),
            Found::Unkept(unnamed) => unnamed,
        };
        let named = store.name_repo(&RepoNaming {
            identity: &unnamed.identity,
            name: &unnamed.name,
            instead_of: unnamed.instead_of.as_deref(),
        });
        match named {
            Err(StoreError::Conflict(_)) => {}
            other => return other.map(Some),
        }
    }
    find_repo_name(store, place)
}

/// Tells whether a session that was registered here may still have the right name, as far as that
/// costs no look at other repositories.
///
/// # Errors
///
/// When the database cannot be asked, or this machine's name not be read.
pub fn may_keep_name(store: &mut dyn Store, place: NamedPlace<'_>, name: &str) -> Result<bool> {
    let configured = configured_name(place.config);
    if let Some(machine) = machine_name(place.paths)? {
        let path = path_to_text(root(place.project));
        let repos = store.repos()?;
        let slug = configured.as_ref().map_or_else(
            || repos.iter().find(|repo| repo.lies_at(&machine, &path)),
            |name| repos.iter().find(|repo| repo.slug.is_same(name)),
        );
        if let Some(repo) = slug {
            return Ok(repo.slug.as_str() == name);
        }
    }
    Ok(configured.is_none_or(|configured| configured == name))
}

/// Returns the name that is kept for the repository of a directory, if one is.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn kept_repo_name(store: &mut dyn Store, root: &Path, host: &str) -> Result<Option<String>> {
    for identity in identities(&Identity::of(root), host) {
        if let Some(name) = store.repo_name(&identity)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Keeps the name by which the files of a directory's repository are known, and renames its rows
/// where they had another; a name of another repository is left to that.
///
/// # Errors
///
/// When the database cannot take it.
pub fn keep_repo_name(
    store: &mut dyn Store,
    root: &Path,
    host: &str,
    name: &str,
    provenance: &Provenance,
) -> Result<()> {
    let identities = identities(&Identity::of(root), host);
    if store.repo_identity(name)?.is_some() {
        return Ok(());
    }
    for identity in &identities {
        if store.repo_name(identity)?.is_some() {
            return store.rename_repo(identity, name, &provenance.further());
        }
    }
    let Some(identity) = identities.first() else {
        return Ok(());
    };
    let naming = RepoNaming {
        identity,
        name,
        instead_of: None,
    };
    match store.name_repo(&naming) {
        Err(StoreError::Conflict(_)) => Ok(()),
        other => other.map(drop),
    }
}

/// Tells whether rows of another repository, which nobody registered, are kept under a name.
pub(super) fn is_kept_for_another(
    store: &mut dyn Store,
    found: &Identity,
    host: &str,
    name: &str,
) -> Result<bool> {
    let holder = store.repo_identity(name)?;
    let own = identities(found, host);
    Ok(holder.is_some_and(|it| !own.contains(&it) && !is_gone(&it, host)))
}

/// Gives the rows of a repository that nobody had registered the name of its registration.
///
/// # Errors
///
/// When the database cannot take it.
pub(super) fn follow_registration(
    store: &mut dyn Store,
    found: &Identity,
    host: &str,
    repo: &Repo,
    provenance: &Provenance,
) -> Result<()> {
    for identity in identities(found, host) {
        store.rename_repo(&identity, repo.slug.as_str(), &provenance.further())?;
    }
    Ok(())
}

fn find(store: &mut dyn Store, place: NamedPlace<'_>) -> Result<Found> {
    let configured = configured_name(place.config);
    let Some(git) = &place.project.git else {
        return Ok(Found::Kept(configured));
    };
    let machine = machine_name(place.paths)?;
    let repos = match &machine {
        Some(_) => store.repos()?,
        None => Vec::new(),
    };
    let machine = machine.unwrap_or_default();
    if let Some(owner) = owner_of(&repos, &machine, &git.root) {
        return Ok(Found::Kept(Some(owner.slug.to_string())));
    }
    if configured.is_some() {
        return Ok(Found::Kept(configured));
    }
    let Some(plain) = git.name() else {
        return Ok(Found::Kept(None));
    };
    let found = Identity::of(&git.root);
    let mut identities = identities(&found, place.host);
    let identity = identities.remove(0);
    if let Some(name) = store.repo_name(&identity)? {
        return Ok(Found::Kept(Some(name)));
    }
    // Before it had a remote it was known by its place.
    for earlier in identities {
        if let Some(name) = store.repo_name(&earlier)? {
            return Ok(Found::Unkept(Unnamed {
                identity,
                name,
                instead_of: Some(earlier),
            }));
        }
    }
    let is_others = |name: &str| {
        let mut others = repos.iter().filter(|repo| repo.slug.is_same(name));
        others.any(|repo| is_other(repo, &machine, &found))
    };
    let numbered = (2..MOST_TRIED).map(|number| format!("{plain}-{number}"));
    for name in std::iter::once(plain.clone()).chain(numbered) {
        if is_others(&name) {
            continue;
        }
        let holder = store.repo_identity(&name)?;
        if holder.as_deref().is_none_or(|it| is_gone(it, place.host)) {
            return Ok(Found::Unkept(Unnamed {
                identity,
                name,
                instead_of: holder,
            }));
        }
    }
    Ok(Found::Kept(Some(plain)))
}

/// Lists what makes a repository the one it is, the strongest first.
fn identities(found: &Identity, host: &str) -> Vec<String> {
    let remote = found
        .remote
        .as_ref()
        .map(|remote| format!("remote {remote}"));
    let place = format!("{}{}", place_prefix(host), path_to_text(&found.main));
    remote.into_iter().chain([place]).collect()
}

fn place_prefix(host: &str) -> String {
    format!("place {host} ")
}

/// Tells whether a repository without a remote is not any more where it lay on this machine.
fn is_gone(identity: &str, host: &str) -> bool {
    let path = identity.strip_prefix(&place_prefix(host));
    path.is_some_and(|path| !path_from_text(path).is_dir())
}

fn root(project: &Project) -> &Path {
    let git = project.git.as_ref();
    git.map_or(&project.dir, |git| &git.root)
}

fn configured_name(config: &RepositoryConfig) -> Option<String> {
    let name = config.repo.as_deref().map(str::trim);
    name.filter(|name| !name.is_empty()).map(str::to_owned)
}

fn machine_name(paths: &Paths) -> Result<Option<String>> {
    machine(paths).map_err(|error| StoreError::Unavailable(error.to_string()))
}
