//! The name under which sessions, items and files of a repository are stored: that of its
//! registration or its `.trueup.toml`, else the one that its first clone was given.

use std::path::Path;

use super::identity::{RepoIdentity, find_owner, is_other_repo};
use super::machine_name::read_machine_name;
use crate::model::Repo;
use crate::settings::{Paths, Project, RepositoryConfig};
use crate::store::{Provenance, RepoNameStore, RepoNaming, Result, StoreError};
use crate::text::{path_from_text, path_to_text};

/// Most names tried when the name of a directory belongs to another repository.
const MAX_NAMES_TRIED: usize = 1_000;

/// A directory whose repository is named.
#[derive(Debug, Clone, Copy)]
pub struct NamingContext<'a> {
    /// The directory.
    pub project: &'a Project,
    /// The contents of its `.trueup.toml`.
    pub config: &'a RepositoryConfig,
    /// Where the name of this machine is stored.
    pub paths: &'a Paths,
    /// The host name of this machine.
    pub host: &'a str,
}

/// The name of a repository, and whether it has to be stored.
enum NameLookup {
    /// Nothing has to be stored.
    Settled(Option<String>),
    /// The name is not stored yet, or not for the present identity.
    Unsettled(UnsettledName),
}

/// A name that is not stored yet.
struct UnsettledName {
    identity: String,
    name: String,
    /// Another identity that has the name.
    other_identity: Option<String>,
    /// Whether the identity has the name of another repository, which was at that path before.
    replaces_name: bool,
    /// Whether the identity has a name of its own, whose rows have to be joined with those of this
    /// one.
    joins_rows: bool,
}

/// Finds the name of a directory's repository without storing a new one. Rows that were stored for
/// the path before the remote was known are joined with those of the remote, because they would not
/// be found otherwise.
///
/// # Errors
///
/// When the database cannot be read, or the name of this machine cannot be read.
pub fn find_repo_name(
    store: &mut dyn RepoNameStore,
    context: NamingContext<'_>,
) -> Result<Option<String>> {
    Ok(match find_name(store, context)? {
        NameLookup::Settled(name) => name,
        NameLookup::Unsettled(unnamed) => {
            if unnamed.joins_rows {
                join_rows(store, &unnamed)?;
            }
            Some(unnamed.name)
        }
    })
}

fn join_rows(store: &mut dyn RepoNameStore, unnamed: &UnsettledName) -> Result<()> {
    let by = Provenance::new("trueup", "one repository");
    store.rename_repo(&unnamed.identity, &unnamed.name, &by)
}

/// Finds the name of a directory's repository and stores it for other clones.
///
/// # Errors
///
/// When the database cannot be written, or the name of this machine cannot be read.
pub fn assign_repo_name(
    store: &mut dyn RepoNameStore,
    context: NamingContext<'_>,
) -> Result<Option<String>> {
    // The name is stored for the remote and for the path. Another process may take a name in
    // between, which the next round finds.
    for _ in 0..4 {
        let unnamed = match find_name(store, context)? {
            NameLookup::Settled(name) => return Ok(name),
            NameLookup::Unsettled(unnamed) => unnamed,
        };
        if unnamed.joins_rows {
            join_rows(store, &unnamed)?;
            continue;
        }
        let named = store.name_repo(&RepoNaming {
            identity: unnamed.identity,
            name: unnamed.name,
            shared_with: unnamed.other_identity,
            replaces_name: unnamed.replaces_name,
        });
        match named {
            Ok(_) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    find_repo_name(store, context)
}

/// Lists the identities and the name by which a directory's repository is looked up, most of the
/// time.
pub fn list_naming_keys(context: NamingContext<'_>) -> (Vec<String>, Option<String>) {
    match &context.project.git {
        Some(git) if configured_name(context.config).is_none() => {
            (list_identities(&RepoIdentity::read(&git.root), context.host), git.name())
        }
        _ => (Vec::new(), None),
    }
}

/// Returns whether a session that was registered here may still have the right name, without looking
/// at other repositories.
///
/// # Errors
///
/// When the database cannot be read, or the name of this machine cannot be read.
pub fn may_keep_name(
    store: &mut dyn RepoNameStore,
    context: NamingContext<'_>,
    name: &str,
) -> Result<bool> {
    let configured = configured_name(context.config);
    if let Some(machine) = load_machine_name(context.paths)? {
        let path = path_to_text(project_root(context.project));
        let repos = store.list_repos()?;
        let slug = configured.as_ref().map_or_else(
            || repos.iter().find(|repo| repo.has_checkout(&machine, &path)),
            |name| repos.iter().find(|repo| repo.slug.is_same(name)),
        );
        if let Some(repo) = slug {
            return Ok(repo.slug.as_str() == name);
        }
    }
    Ok(configured.is_none_or(|configured| configured == name))
}

/// Loads the stored name of a directory's repository, if there is one.
///
/// # Errors
///
/// When the database cannot be read.
pub fn load_repo_name(
    store: &mut dyn RepoNameStore,
    root: &Path,
    host: &str,
) -> Result<Option<String>> {
    for identity in list_identities(&RepoIdentity::read(root), host) {
        if let Some(name) = store.find_repo_name(&identity)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Stores the name that the files of a repository use, and renames rows that had another one. A
/// name of another repository is left alone.
///
/// # Errors
///
/// When the database cannot be written.
pub fn record_repo_name(
    store: &mut dyn RepoNameStore,
    root: &Path,
    host: &str,
    name: &str,
    provenance: &Provenance,
) -> Result<()> {
    let identities = list_identities(&RepoIdentity::read(root), host);
    if !store.list_repo_identities(name)?.is_empty() {
        return Ok(());
    }
    for identity in &identities {
        if store.find_repo_name(identity)?.is_some() {
            return store.rename_repo(identity, name, &provenance.with_new_operation());
        }
    }
    let Some(identity) = identities.first() else {
        return Ok(());
    };
    let naming = RepoNaming {
        identity: identity.clone(),
        name: name.to_owned(),
        shared_with: None,
        replaces_name: false,
    };
    match store.name_repo(&naming) {
        Err(StoreError::Conflict(_)) => Ok(()),
        other => other.map(drop),
    }
}

/// Returns whether a name is used for rows of another, unregistered repository.
pub(super) fn is_name_of_another(
    store: &mut dyn RepoNameStore,
    identity: &RepoIdentity,
    host: &str,
    name: &str,
) -> Result<bool> {
    let holders = store.list_repo_identities(name)?;
    let own = list_identities(identity, host);
    let is_own = holders.iter().any(|it| own.contains(it));
    Ok(!is_own && holders.iter().any(|it| !is_place_gone(it, host)))
}

/// Gives rows of a repository that was not registered before the name of its registration.
///
/// # Errors
///
/// When the database cannot be written.
pub(super) fn follow_registration(
    store: &mut dyn RepoNameStore,
    identity: &RepoIdentity,
    host: &str,
    repo: &Repo,
    provenance: &Provenance,
) -> Result<()> {
    for identity in list_identities(identity, host) {
        store.rename_repo(&identity, repo.slug.as_str(), &provenance.with_new_operation())?;
    }
    Ok(())
}

fn find_name(store: &mut dyn RepoNameStore, context: NamingContext<'_>) -> Result<NameLookup> {
    let configured = configured_name(context.config);
    let Some(git) = &context.project.git else {
        return Ok(NameLookup::Settled(configured));
    };
    let machine = load_machine_name(context.paths)?;
    let repos = match &machine {
        Some(_) => store.list_repos()?,
        None => Vec::new(),
    };
    let machine = machine.unwrap_or_default();
    if let Some(owner) = find_owner(&repos, &machine, &git.root) {
        return Ok(NameLookup::Settled(Some(owner.slug.to_string())));
    }
    if configured.is_some() {
        return Ok(NameLookup::Settled(configured));
    }
    let Some(plain) = git.name() else {
        return Ok(NameLookup::Settled(None));
    };
    let checkout = RepoIdentity::read(&git.root);
    if let Some(known) = find_known_name(store, &checkout, context.host)? {
        return Ok(known);
    }
    let mut identities = list_identities(&checkout, context.host);
    let identity = identities.remove(0);
    // A stored name for this path alone, not taken for this repository, belongs to one that was
    // here before.
    let replaces_name = store.find_repo_name(&identity)?.is_some();
    let is_others = |name: &str| {
        let mut others = repos.iter().filter(|repo| repo.slug.is_same(name));
        others.any(|repo| is_other_repo(repo, &machine, &checkout))
    };
    let numbered = (2..MAX_NAMES_TRIED).map(|number| format!("{plain}-{number}"));
    for name in std::iter::once(plain.clone()).chain(numbered) {
        if is_others(&name) {
            continue;
        }
        let holders = store.list_repo_identities(&name)?;
        if holders.iter().all(|it| is_place_gone(it, context.host)) {
            return Ok(NameLookup::Unsettled(UnsettledName {
                identity,
                name,
                other_identity: holders.into_iter().next(),
                replaces_name,
                joins_rows: false,
            }));
        }
    }
    Ok(NameLookup::Settled(Some(plain)))
}

/// Finds the stored name of a repository: by its remote, else by its path, under which it was known
/// before it had that remote.
fn find_known_name(
    store: &mut dyn RepoNameStore,
    identity: &RepoIdentity,
    host: &str,
) -> Result<Option<NameLookup>> {
    let place = place_identity(identity, host);
    let of_place = store.find_repo_name(&place)?;
    let Some(remote) = remote_identity(identity) else {
        let own = match of_place {
            // A name with a remote belongs to another repository when this one has no remote.
            Some(name) if has_no_remote(store, &name)? => Some(name),
            _ => None,
        };
        return Ok(own.map(|name| NameLookup::Settled(Some(name))));
    };
    let of_remote = store.find_repo_name(&remote)?;
    let unsettled = |identity, name, beside, joins| {
        NameLookup::Unsettled(UnsettledName {
            identity,
            name,
            other_identity: beside,
            replaces_name: false,
            joins_rows: joins,
        })
    };
    Ok(match (of_remote, of_place) {
        (Some(name), None) => Some(unsettled(place, name, Some(remote), false)),
        (None, Some(name)) => Some(unsettled(remote, name, Some(place), false)),
        (Some(name), Some(other)) if name != other && has_no_remote(store, &other)? => {
            Some(unsettled(place, name, None, true))
        }
        (Some(name), Some(_)) => Some(NameLookup::Settled(Some(name))),
        (None, None) => None,
    })
}

/// Returns whether a name is stored only for paths.
fn has_no_remote(store: &mut dyn RepoNameStore, name: &str) -> Result<bool> {
    let holders = store.list_repo_identities(name)?;
    Ok(holders.iter().all(|it| !it.starts_with(REMOTE)))
}

/// The beginning of an identity made from a remote.
const REMOTE: &str = "remote ";

fn remote_identity(identity: &RepoIdentity) -> Option<String> {
    identity.remote.as_ref().map(|it| format!("{REMOTE}{it}"))
}

fn place_identity(identity: &RepoIdentity, host: &str) -> String {
    format!("{}{}", place_prefix(host), path_to_text(&identity.main))
}

/// Lists the identities of a repository, strongest first.
fn list_identities(identity: &RepoIdentity, host: &str) -> Vec<String> {
    let remote = remote_identity(identity).into_iter();
    remote.chain([place_identity(identity, host)]).collect()
}

fn place_prefix(host: &str) -> String {
    format!("place {host} ")
}

/// Returns whether a repository without a remote has left its path on this machine.
fn is_place_gone(identity: &str, host: &str) -> bool {
    let path = identity.strip_prefix(&place_prefix(host));
    path.is_some_and(|path| !path_from_text(path).is_dir())
}

fn project_root(project: &Project) -> &Path {
    let git = project.git.as_ref();
    git.map_or(&project.dir, |git| &git.root)
}

fn configured_name(config: &RepositoryConfig) -> Option<String> {
    let name = config.repo.as_deref().map(str::trim);
    name.filter(|name| !name.is_empty()).map(str::to_owned)
}

fn load_machine_name(paths: &Paths) -> Result<Option<String>> {
    read_machine_name(paths).map_err(|error| StoreError::unavailable(error.to_string()))
}
