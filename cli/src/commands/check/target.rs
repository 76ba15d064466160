//! Which repositories are meant.

use std::path::{Path, PathBuf};

use trueup_core::consistency::Checkout;
use trueup_core::files::path_from_text;
use trueup_core::model::{Repo, RepoSlug};
use trueup_core::repos::{machine, others, owner_of};
use trueup_core::store::RepoStore as _;
use trueup_core::store::sqlite::SqliteStore;

use crate::commands::repo::root_of;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};

/// Finds the repositories named, else the one here.
pub(super) fn of(
    desk: &Desk,
    store: &mut SqliteStore,
    names: &[String],
) -> Result<Vec<Checkout>, Failure> {
    let machine = machine(&desk.site.settings.paths)?.unwrap_or_default();
    let repos = store.repos()?;
    if names.is_empty() {
        return Ok(vec![at(&repos, &machine, &desk.site.project.dir)?]);
    }
    let mut found: Vec<Checkout> = Vec::new();
    for name in names {
        let checkout = named(&repos, &machine, name)?;
        if !found.iter().any(|known| known.root == checkout.root) {
            found.push(checkout);
        }
    }
    Ok(found)
}

fn named(repos: &[Repo], machine: &str, name: &str) -> Result<Checkout, Failure> {
    let slug: Option<RepoSlug> = name.parse().ok();
    let known = slug.and_then(|slug| repos.iter().find(|repo| repo.slug.is_same(slug.as_str())));
    if let Some(repo) = known {
        let mut places = repo.checkouts_on(machine);
        let first = repo.path_on(machine);
        let Some(path) = places.find(|path| path_from_text(path).is_dir()).or(first) else {
            let text = format!("repository {} is not on this machine", repo.slug);
            let slug = (&repo.slug).into();
            return Err(Failure::new(ErrorCase::RepoElsewhere { slug }, text));
        };
        return at(repos, machine, &path_from_text(path));
    }
    let path = path_from_text(name);
    if !path.exists() && !name.contains(std::path::MAIN_SEPARATOR) {
        let text = format!("no repository or directory named {name}");
        return Err(Failure::new(ErrorCase::RepoNotFound, text));
    }
    at(repos, machine, &path)
}

fn at(repos: &[Repo], machine: &str, path: &Path) -> Result<Checkout, Failure> {
    let root = root_of(path)?;
    Ok(checkout(repos, machine, root))
}

/// Says which repository a directory is of, and which it is not.
pub(super) fn checkout(repos: &[Repo], machine: &str, root: PathBuf) -> Checkout {
    let owner = owner_of(repos, machine, &root);
    Checkout {
        others: others(repos, machine, &root, owner),
        slug: owner.map(|repo| repo.slug.clone()),
        root,
    }
}
