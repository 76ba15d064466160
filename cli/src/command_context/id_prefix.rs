//! Ids shortened to a beginning that names one: the one door through which commands take them.

use std::str::FromStr;

use trueup_core::model::{HandoffId, ItemKey, OrchestratorId, QueueId, RepoScope};
use trueup_core::store::{HandoffFilter, ItemFilter, KeyPage, PhaseFilter, Result, Store};
use trueup_core::text::CommandLine;

use super::CommandContext;
use crate::command_error::{CommandError, CommandResult};
use crate::output::Output;

/// Most ids named where a beginning matches several.
pub(crate) const MAX_IDS_NAMED: usize = 10;

/// An id of the database that commands take shortened.
pub(crate) trait ShortenableId: Clone + PartialEq + FromStr {
    /// The code of the error that no row has this id.
    const NOT_FOUND: &'static str;

    /// Returns the id as text.
    fn text(&self) -> &str;

    /// Returns the command that lists these ids.
    fn list_command() -> CommandLine;

    /// Lists ids of some repositories that begin so, and perhaps others.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn list_candidates(
        store: &mut dyn Store,
        beginning: &str,
        scope: &RepoScope,
    ) -> Result<Vec<String>>;

    /// Tells whether a text stands for an id.
    fn is_beginning(beginning: &str, id: &str) -> bool {
        id.starts_with(beginning)
    }
}

/// Tells whether a text is the beginning of a key that people number: `SD-1` is none of `SD-12`,
/// which would be another item.
pub(crate) fn is_beginning_of_key(beginning: &str, key: &str) -> bool {
    let ends_in_number = beginning.ends_with(|c: char| c.is_ascii_digit());
    let rest = key.strip_prefix(beginning);
    rest.is_some_and(|rest| !(ends_in_number && rest.starts_with(|c: char| c.is_ascii_digit())))
}

/// Returns the part of a list in the order of keys that can begin so. One more than is named is
/// enough to know that there are several, but numbers in keys hide some.
fn page_from(beginning: &str) -> KeyPage {
    KeyPage { after: beginning.to_owned(), limit: 100 }
}

impl ShortenableId for ItemKey {
    const NOT_FOUND: &'static str = "item_not_found";

    fn text(&self) -> &str {
        self.as_str()
    }

    fn list_command() -> CommandLine {
        CommandLine::new("trueup item list")
    }

    fn list_candidates(
        store: &mut dyn Store,
        beginning: &str,
        scope: &RepoScope,
    ) -> Result<Vec<String>> {
        let page = Some(page_from(beginning));
        let filter = ItemFilter { page, scope: scope.clone(), ..ItemFilter::default() };
        Ok(store.list_items(&filter)?.into_iter().map(|item| item.key.to_string()).collect())
    }

    fn is_beginning(beginning: &str, id: &str) -> bool {
        is_beginning_of_key(beginning, id)
    }
}

impl ShortenableId for QueueId {
    const NOT_FOUND: &'static str = "phase_not_found";

    fn text(&self) -> &str {
        self.as_str()
    }

    fn list_command() -> CommandLine {
        CommandLine::new("trueup queue list")
    }

    fn list_candidates(
        store: &mut dyn Store,
        beginning: &str,
        scope: &RepoScope,
    ) -> Result<Vec<String>> {
        let filter = PhaseFilter { page: Some(page_from(beginning)), ..PhaseFilter::default() };
        let mut ids = Vec::new();
        for phase in store.list_phases(&filter)? {
            let begins_so = Self::is_beginning(beginning, phase.id.as_str());
            let item = if begins_so { store.load_item(&phase.item)? } else { None };
            if item.is_some_and(|item| scope.includes(item.repo.as_deref())) {
                ids.push(phase.id.to_string());
            }
        }
        Ok(ids)
    }

    fn is_beginning(beginning: &str, id: &str) -> bool {
        is_beginning_of_key(beginning, id)
    }
}

impl ShortenableId for HandoffId {
    const NOT_FOUND: &'static str = "handoff_not_found";

    fn text(&self) -> &str {
        self.as_str()
    }

    fn list_command() -> CommandLine {
        CommandLine::new("trueup handoff list --all")
    }

    fn list_candidates(store: &mut dyn Store, _: &str, _: &RepoScope) -> Result<Vec<String>> {
        let handoffs = store.list_handoffs(HandoffFilter { only_open: false })?;
        Ok(handoffs.into_iter().map(|handoff| handoff.id.to_string()).collect())
    }
}

impl ShortenableId for OrchestratorId {
    const NOT_FOUND: &'static str = "orchestrator_not_found";

    fn text(&self) -> &str {
        self.as_str()
    }

    fn list_command() -> CommandLine {
        CommandLine::new("trueup orchestrator list")
    }

    fn list_candidates(store: &mut dyn Store, _: &str, _: &RepoScope) -> Result<Vec<String>> {
        let runs = store.list_orchestrators(0)?;
        Ok(runs.into_iter().map(|run| run.id.to_string()).collect())
    }
}

/// Finds the id that a text names: the same one, or the only one that begins so.
///
/// # Errors
///
/// When several begin so; it names them.
pub(crate) fn find_by_prefix<'a>(
    beginning: &str,
    ids: impl IntoIterator<Item = &'a str>,
    is_beginning: fn(&str, &str) -> bool,
    list: CommandLine,
) -> CommandResult<Option<&'a str>> {
    let mut found = Vec::new();
    for id in ids {
        if id == beginning {
            return Ok(Some(id));
        }
        if is_beginning(beginning, id) {
            found.push(id);
        }
    }
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        several => {
            let named = several.get(..MAX_IDS_NAMED).unwrap_or(several);
            Err(CommandError::ambiguous_id(beginning, named, list))
        }
    }
}

impl CommandContext {
    /// Runs a command on an id, and where no row has it, on the only one of this repository that
    /// begins so: what another one has is not changed by a few letters. An id that is written in
    /// full costs no reading more.
    pub(crate) fn with_full_id<I: ShortenableId>(
        &self,
        id: &I,
        run: impl Fn(I) -> CommandResult<Output>,
    ) -> CommandResult {
        let error = match run(id.clone()) {
            Err(error) if error.code() == I::NOT_FOUND => error,
            // A repetition finds its earlier change under the full id.
            Err(error) if error.code() == "op_id_used" => error,
            other => return other,
        };
        match self.expand_id(id)? {
            Some(full) if full != *id => run(full),
            _ => Err(error),
        }
    }

    fn expand_id<I: ShortenableId>(&self, id: &I) -> CommandResult<Option<I>> {
        let store = &mut *self.open_for_reading()?;
        let session = self.find_viewer_session(store)?;
        let scope = self.repo_scope(store, session.as_ref(), false)?;
        let candidates = I::list_candidates(store, id.text(), &scope)?;
        let ids = candidates.iter().map(String::as_str);
        let found = find_by_prefix(id.text(), ids, I::is_beginning, I::list_command())?;
        Ok(found.and_then(|found| found.parse().ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'a>(beginning: &str, ids: &[&'a str]) -> CommandResult<Option<&'a str>> {
        let list = CommandLine::new("trueup item list");
        find_by_prefix(beginning, ids.iter().copied(), is_beginning_of_key, list)
    }

    #[test]
    fn a_beginning_names_one_or_several_are_listed() {
        assert_eq!(find("auth", &["auth-login", "billing"]).unwrap(), Some("auth-login"));
        assert_eq!(find("auth", &["auth", "auth-login"]).unwrap(), Some("auth"));
        assert_eq!(find("x", &["auth", "billing"]).unwrap(), None);
        let error = find("auth-", &["auth-login", "auth-logout"]).unwrap_err();
        assert_eq!(error.code(), "ambiguous_id");
        assert!(error.message.contains("auth-login, auth-logout"), "{}", error.message);
    }

    #[test]
    fn a_number_in_a_key_is_never_cut() {
        assert_eq!(find("SD-1", &["SD-10", "SD-12"]).unwrap(), None);
        assert_eq!(find("SD-1", &["SD-10", "SD-1-login"]).unwrap(), Some("SD-1-login"));
        assert_eq!(find("SD", &["SD-10"]).unwrap(), Some("SD-10"));
    }
}
