//! The repositories that a check is run on.

use std::path::{Path, PathBuf};

use trueup_core::consistency::Checkout;
use trueup_core::model::{Repo, RepoSlug};
use trueup_core::repos::{find_owner, list_other_repos, read_machine_name};
use trueup_core::store::Store;
use trueup_core::text::path_from_text;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, RepoCase};
use crate::commands::repo::find_repo_root;

/// Resolves the repositories that are named, or else the one here.
pub(super) fn resolve_targets(
    context: &CommandContext,
    store: &mut dyn Store,
    names: &[String],
) -> CommandResult<Vec<Checkout>> {
    let machine = read_machine_name(&context.run.settings.paths)?.unwrap_or_default();
    let repos = store.list_repos()?;
    if names.is_empty() {
        return Ok(vec![checkout_at(&repos, &machine, &context.run.project.dir)?]);
    }
    let mut checkouts: Vec<Checkout> = Vec::new();
    for name in names {
        let checkout = resolve_named(&repos, &machine, name)?;
        if !checkouts.iter().any(|known| known.root == checkout.root) {
            checkouts.push(checkout);
        }
    }
    Ok(checkouts)
}

fn resolve_named(repos: &[Repo], machine: &str, name: &str) -> CommandResult<Checkout> {
    let slug: Option<RepoSlug> = name.parse().ok();
    let named_repo =
        slug.and_then(|slug| repos.iter().find(|repo| repo.slug.is_same(slug.as_str())));
    if let Some(repo) = named_repo {
        let mut places = repo.checkouts_on(machine);
        let first = repo.path_on(machine);
        let Some(path) = places.find(|path| path_from_text(path).is_dir()).or(first) else {
            let text = format!("repository {} is not on this machine", repo.slug);
            let slug = (&repo.slug).into();
            return Err(CommandError::new(RepoCase::RepoElsewhere { slug }, text));
        };
        return checkout_at(repos, machine, &path_from_text(path));
    }
    let path = path_from_text(name);
    if !path.exists() && !name.contains(std::path::MAIN_SEPARATOR) {
        let text = format!("no repository or directory named {name}");
        return Err(CommandError::new(RepoCase::RepoNotFound, text));
    }
    checkout_at(repos, machine, &path)
}

fn checkout_at(repos: &[Repo], machine: &str, path: &Path) -> CommandResult<Checkout> {
    let root = find_repo_root(path)?;
    Ok(describe_checkout(repos, machine, root))
}

/// Describes a checkout: the repository it belongs to, and those it does not belong to.
pub(super) fn describe_checkout(repos: &[Repo], machine: &str, root: PathBuf) -> Checkout {
    let owner = find_owner(repos, machine, &root);
    Checkout {
        other_repos: list_other_repos(repos, machine, &root, owner),
        slug: owner.map(|repo| repo.slug.clone()),
        root,
    }
}
