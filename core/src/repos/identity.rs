//! Which repository a directory belongs to: by the name in its `.trueup.toml`, else by its remote,
//! else by its path. Only files are read.

use std::path::{Path, PathBuf};

use crate::git::{Worktree, remote_identity};
use crate::model::{Repo, RepoSlug};
use crate::settings::{Project, RepositoryConfig};
use crate::text::{path_from_text, path_to_text};

/// What identifies the repository of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoIdentity {
    /// The name in its `.trueup.toml`, if that is valid.
    pub name: Option<RepoSlug>,
    /// The normalized name of its remote.
    pub remote: Option<String>,
    /// The root of the repository, or of the main repository of a linked worktree.
    pub main: PathBuf,
}

impl RepoIdentity {
    /// Reads the identity of a directory.
    pub fn read(root: &Path) -> Self {
        let git = Worktree::discover(root).filter(|git| git.root == root);
        let config = read_repo_config(root);
        let shared = git.as_ref().map(|git| &git.common_dir);
        let main =
            shared.filter(|dir| dir.ends_with(".git")).and_then(|dir| dir.parent()).unwrap_or(root);
        let address = git.as_ref().and_then(Worktree::remote_address);
        Self {
            name: config.repo.and_then(|name| name.trim().parse().ok()),
            remote: address.and_then(|address| remote_identity(&address, main)),
            main: main.to_owned(),
        }
    }

    /// Returns the name of its remote, or its path without a remote.
    fn place_name(&self) -> String {
        let own = || path_to_text(&self.main);
        self.remote.clone().unwrap_or_else(|| own().trim_end_matches(".git").to_owned())
    }
}

/// Reads the configuration of a repository. A broken file counts as empty.
pub fn read_repo_config(root: &Path) -> RepositoryConfig {
    let project = Project { dir: root.to_owned(), git: None, is_home: false };
    project.read_config().unwrap_or_default()
}

/// How a registered repository compares with a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdentityMatch {
    Same,
    Other,
    /// Nothing but the slug of the repository is known.
    Unknown,
}

fn compare_identity(repo: &Repo, machine: &str, identity: &RepoIdentity) -> IdentityMatch {
    if let Some(name) = &identity.name {
        return if repo.slug.is_same(name.as_str()) {
            IdentityMatch::Same
        } else {
            IdentityMatch::Other
        };
    }
    // A checkout on this machine is read; of other machines only the stored location is known.
    let mut here = repo.checkouts_on(machine).map(path_from_text);
    let known: Vec<String> = if let Some(path) = here.find(|path| path.is_dir()) {
        vec![RepoIdentity::read(&path).place_name()]
    } else {
        let places = repo.places.values();
        places.filter_map(|place| place.identity.clone()).collect()
    };
    if known.contains(&identity.place_name()) {
        IdentityMatch::Same
    } else if known.is_empty() {
        IdentityMatch::Unknown
    } else {
        IdentityMatch::Other
    }
}

/// Finds the registered repository of a directory on this machine. When several match, the one that
/// was registered first is taken.
pub fn find_owner<'a>(repos: &'a [Repo], machine: &str, root: &Path) -> Option<&'a Repo> {
    if repos.is_empty() {
        return None;
    }
    let identity = RepoIdentity::read(root);
    let path = path_to_text(root);
    let same = repos
        .iter()
        .filter(|repo| compare_identity(repo, machine, &identity) == IdentityMatch::Same);
    let first = same.min_by_key(|repo| (repo.created_at, repo.slug.as_str()));
    let lies_at = |path: &str| {
        let mut repos = repos.iter();
        repos.find(|repo| repo.has_checkout(machine, path))
    };
    first.or_else(|| lies_at(&path)).or_else(|| lies_at(&path_to_text(&identity.main)))
}

/// Returns whether a directory is known to belong to another repository.
pub(super) fn is_other_repo(repo: &Repo, machine: &str, identity: &RepoIdentity) -> bool {
    compare_identity(repo, machine, identity) == IdentityMatch::Other
}

/// Lists the registered repositories that a directory is known not to belong to.
pub fn list_other_repos(
    repos: &[Repo],
    machine: &str,
    root: &Path,
    owner: Option<&Repo>,
) -> Vec<RepoSlug> {
    if repos.is_empty() {
        return Vec::new();
    }
    let identity = RepoIdentity::read(root);
    repos
        .iter()
        .filter(|repo| owner.is_none_or(|owner| owner.slug != repo.slug))
        .filter(|repo| compare_identity(repo, machine, &identity) == IdentityMatch::Other)
        .map(|repo| repo.slug.clone())
        .collect()
}

/// Lists the checkouts of a repository on a machine: the registered ones and their linked
/// worktrees.
pub fn list_checkouts(repo: &Repo, machine: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = repo.checkouts_on(machine).map(path_from_text).collect();
    for at in 0..all.len() {
        let Some(git) = all.get(at).and_then(|path| Worktree::discover(path)) else {
            continue;
        };
        for tree in git.list_linked_worktrees() {
            if !all.contains(&tree) {
                all.push(tree);
            }
        }
    }
    all
}

/// Lists slugs for a repository, simplest first.
pub(super) fn list_slug_candidates(identity: &RepoIdentity, root: &Path) -> Vec<RepoSlug> {
    let Some(plain) = super::slug_from_path(root) else {
        return Vec::new();
    };
    let above = |path: &Path| {
        let name = path.parent()?.file_name()?.to_string_lossy().into_owned();
        super::slug_from_path(Path::new(&format!("{name}-{}", plain.as_str())))
    };
    let remote = identity.remote.as_deref().map(Path::new).and_then(above);
    let numbered =
        (2..1_000).filter_map(|number| format!("{}-{number}", plain.as_str()).parse().ok());
    let first = [Some(plain.clone()), remote, above(root)];
    first.into_iter().flatten().chain(numbered).collect()
}
