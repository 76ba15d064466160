//! Names that filters use: one that nothing has is the caller's mistake.

use trueup_core::model::ItemKey;
use trueup_core::store::CommandStore;

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

/// Finds a repository by its name in any case, among those of rows and the registered ones.
pub(super) fn find_repo<'n>(
    store: &mut dyn CommandStore,
    name: &str,
    of_rows: impl IntoIterator<Item = &'n str>,
) -> Result<String, HubError> {
    if let Some(known) = of_rows.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(known.to_owned());
    }
    let registered = store.list_repos()?;
    let known = registered.iter().find(|repo| repo.slug.is_same(name));
    known
        .map(|repo| repo.slug.to_string())
        .ok_or_else(|| unknown("repo_not_found", "repository", name))
}
