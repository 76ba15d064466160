//! Names that filters use: one that nothing has is the caller's mistake.

use trueup_core::model::ItemKey;
use trueup_core::store::{CommandStore, ItemFilter, SessionFilter};

use crate::problem::HubError;

/// The error for a name that nothing has.
pub(super) fn unknown(code: &'static str, what: &str, name: &str) -> HubError {
    HubError::NotFound { code, message: format!("{what} {name} does not exist") }
}

/// Refuses the key of an item that does not exist.
pub(super) fn check_item(store: &mut dyn CommandStore, key: &ItemKey) -> Result<(), HubError> {
    match store.load_item_title(key)? {
        Some(_) => Ok(()),
        // An item may have no title.
        None if store.load_item(key)?.is_some() => Ok(()),
        None => Err(unknown("item_not_found", "item", key.as_str())),
    }
}

/// Whose rows a repository is looked for in.
#[derive(Debug, Clone, Copy)]
pub(super) enum RepoUse {
    Items,
    Sessions,
}

/// Refuses the name of a repository, in any case, that neither is registered nor has a row.
pub(super) fn check_repo(
    store: &mut dyn CommandStore,
    name: &str,
    found_in: RepoUse,
) -> Result<(), HubError> {
    if store.list_repos()?.iter().any(|repo| repo.slug.is_same(name)) {
        return Ok(());
    }
    let repos: Vec<Option<String>> = match found_in {
        RepoUse::Items => {
            let items = store.list_items(&ItemFilter::default())?;
            items.into_iter().map(|item| item.repo).collect()
        }
        RepoUse::Sessions => {
            let sessions = store.list_sessions(&SessionFilter::default())?;
            sessions.into_iter().map(|session| session.repo).collect()
        }
    };
    let is_known = repos.iter().flatten().any(|repo| repo.eq_ignore_ascii_case(name));
    if is_known { Ok(()) } else { Err(unknown("repo_not_found", "repository", name)) }
}
