//! Registers repositories, and their checkouts on a machine.

use std::path::{Path, PathBuf};

use super::identity::{RepoIdentity, find_owner, list_slug_candidates};
use super::repo_naming::{follow_registration, is_name_of_another};
use crate::model::{Repo, RepoPlace, RepoSlug};
use crate::store::{Provenance, RepoPlacement, Result, Store};
use crate::text::{path_from_text, path_to_text};

/// A request to register a repository.
#[derive(Debug)]
pub struct RegisterRepoRequest {
    /// Its name, or `None` to use that of its directory.
    pub slug: Option<RepoSlug>,
    /// Whether it neither shares nor receives state, if that was given.
    pub passive: Option<bool>,
    /// Its root.
    pub path: PathBuf,
    /// This machine, by its name in the database.
    pub machine: String,
    /// The host name of this machine, for people.
    pub host: String,
    /// Who asks.
    pub provenance: Provenance,
}

/// Why a repository is not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterRefusal {
    /// The directory belongs to another repository.
    #[error("{path} is already registered as {slug}")]
    PathTaken {
        /// The directory.
        path: String,
        /// That repository.
        slug: RepoSlug,
    },
    /// The name belongs to another directory.
    #[error("{slug} is already registered at {path} on this machine")]
    NameTaken {
        /// The name.
        slug: RepoSlug,
        /// That directory.
        path: String,
    },
    /// The directory is a clone of a repository with another name.
    #[error("{path} is a clone or worktree of {slug}")]
    OtherName {
        /// The directory.
        path: String,
        /// The name of that repository.
        slug: RepoSlug,
    },
    /// No slug can be made from the name of the directory.
    #[error("no slug can be made from the name of {0}")]
    NoSlug(String),
}

/// Registers a repository. Returns it before, if it was known, and after.
///
/// # Errors
///
/// When the database cannot be read.
pub fn register_repo(
    store: &mut dyn Store,
    request: RegisterRepoRequest,
) -> Result<std::result::Result<(Option<Repo>, Repo), RegisterRefusal>> {
    let path = path_to_text(&request.path);
    let repos = store.list_repos()?;
    let identity = RepoIdentity::read(&request.path);
    let here = repos.iter().find(|repo| repo.has_checkout(&request.machine, &path));
    let same = find_owner(&repos, &request.machine, &request.path);
    if let (Some(slug), Some(same), None) = (&request.slug, same, here)
        && !same.slug.is_same(slug.as_str())
    {
        let slug = same.slug.clone();
        return Ok(Err(RegisterRefusal::OtherName { path, slug }));
    }
    // Registered again without a name, it keeps the one it has.
    let chosen = request
        .slug
        .or_else(|| identity.name.clone())
        .or_else(|| same.or(here).map(|repo| repo.slug.clone()));
    let slug = match chosen {
        Some(slug) => Some(slug),
        None => find_free_slug(store, &repos, &identity, &request.path, &request.host)?,
    };
    let Some(slug) = slug else {
        return Ok(Err(RegisterRefusal::NoSlug(path)));
    };
    let known = repos.iter().find(|repo| repo.slug.is_same(slug.as_str()));
    let location = Location { machine: &request.machine, path: &path, here, same };
    let changes = match decide_place_changes(&slug, known, &location) {
        Ok(changes) => changes,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Some(displaced) = changes.displaced {
        let provenance = request.provenance.with_new_operation();
        store.remove_repo_place(&displaced, &request.machine, &provenance)?;
    }
    let host = request.host.clone();
    let provenance = request.provenance.clone();
    let remote = identity.remote.clone();
    let after = store.place_repo(&RepoPlacement {
        slug,
        passive: request.passive,
        machine: request.machine,
        place: RepoPlace { host: request.host, path, checkouts: Vec::new(), identity: remote },
        is_additional: changes.is_additional,
        missing_checkouts: changes.missing_checkouts,
        provenance: request.provenance,
    })?;
    follow_registration(store, &identity, &host, &after, &provenance)?;
    Ok(Ok((known.cloned(), after)))
}

/// Where a repository is to be registered.
struct Location<'a> {
    machine: &'a str,
    path: &'a str,
    /// The repository that is registered at that path.
    here: Option<&'a Repo>,
    /// The repository that the directory belongs to by its identity.
    same: Option<&'a Repo>,
}

/// What a registration changes in the places that are registered already.
struct PlaceChanges {
    /// The slug that loses the path.
    displaced: Option<RepoSlug>,
    /// Whether the path is a further checkout of a repository that keeps its main one.
    is_additional: bool,
    /// The checkouts of the repository that are no longer on disk.
    missing_checkouts: Vec<String>,
}

/// Decides whether a repository may be registered under a slug, which `known` has so far.
fn decide_place_changes(
    slug: &RepoSlug,
    known: Option<&Repo>,
    location: &Location<'_>,
) -> std::result::Result<PlaceChanges, RegisterRefusal> {
    let &Location { machine, path, here, same } = location;
    let is_same = same.is_some_and(|same| known.is_some_and(|known| same.slug == known.slug));
    let displaced =
        here.filter(|repo| !repo.slug.is_same(slug.as_str())).map(|repo| repo.slug.clone());
    // A directory of the same repository was registered under another name before clones were
    // recognized; the path of another repository is refused.
    if let Some(slug) = displaced.clone().filter(|_| !is_same) {
        return Err(RegisterRefusal::PathTaken { path: path.to_owned(), slug });
    }
    let registered = known.and_then(|repo| repo.path_on(machine));
    // A repository that was moved leaves nothing at its old path.
    let elsewhere = registered.filter(|old| *old != path && path_from_text(old).is_dir());
    if let Some(old) = elsewhere.filter(|_| !is_same) {
        return Err(RegisterRefusal::NameTaken { slug: slug.clone(), path: old.to_owned() });
    }
    let checkouts = known.into_iter().flat_map(|repo| repo.checkouts_on(machine));
    let missing = checkouts.filter(|checkout| !path_from_text(checkout).is_dir());
    Ok(PlaceChanges {
        displaced,
        is_additional: elsewhere.is_some(),
        missing_checkouts: missing.map(str::to_owned).collect(),
    })
}

/// Finds a slug that no other repository has.
fn find_free_slug(
    store: &mut dyn Store,
    repos: &[Repo],
    identity: &RepoIdentity,
    root: &Path,
    host: &str,
) -> Result<Option<RepoSlug>> {
    for slug in list_slug_candidates(identity, root) {
        let is_taken = repos.iter().any(|repo| repo.slug.is_same(slug.as_str()));
        if !is_taken && !is_name_of_another(store, identity, host, slug.as_str())? {
            return Ok(Some(slug));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::HookStore as _;
    use crate::store::testing::ScratchStore;

    fn request_for(slug: Option<&str>, path: &Path) -> RegisterRepoRequest {
        RegisterRepoRequest {
            slug: slug.map(|slug| slug.parse().unwrap()),
            passive: None,
            path: path.to_owned(),
            machine: "m".to_owned(),
            host: "h".to_owned(),
            provenance: Provenance::new("user", "test"),
        }
    }

    #[test]
    fn a_place_is_one_repositorys_and_a_repository_has_one_place() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::create_dir(&a).unwrap();
        std::fs::create_dir(&b).unwrap();
        let c = dir.path().join("deep/a");
        std::fs::create_dir_all(&c).unwrap();
        let mut store = ScratchStore::new();
        let mut register = |slug: Option<&str>, path: &Path| {
            let outcome = register_repo(&mut *store, request_for(slug, path)).unwrap();
            outcome.map(|(before, after)| (before.is_some(), after.slug.to_string()))
        };
        assert_eq!(register(Some("x"), &a), Ok((false, "x".to_owned())));
        assert_eq!(register(None, &a), Ok((true, "x".to_owned())));
        assert_eq!(register(Some("a"), &dir.path().join("deep")), Ok((false, "a".to_owned())));
        let refusal = register(Some("y"), &a).unwrap_err().to_string();
        assert!(refusal.ends_with("is already registered as x"), "{refusal}");
        assert_eq!(register(None, &c), Ok((false, "deep-a".to_owned())));
        let refusal = register(Some("X"), &b).unwrap_err();
        assert!(matches!(refusal, RegisterRefusal::NameTaken { .. }), "{refusal}");
        std::fs::remove_dir(&a).unwrap();
        assert_eq!(register(Some("x"), &b), Ok((true, "x".to_owned())));
        let repos = store.list_repos().unwrap();
        assert_eq!(find_owner(&repos, "m", &b).unwrap().slug.as_str(), "x");
        assert!(find_owner(&repos, "m", &a).is_none());
        assert!(find_owner(&repos, "n", &b).is_none());
    }
}
