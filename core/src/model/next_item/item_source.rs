//! What the search for the next item asks.

use crate::model::{
    Item, ItemKey, ItemPriority, ItemStatus, RepoScope, SessionId, SiblingPosition,
};

/// Most levels climbed when one parent after another turns out finished. Plain SQL may have made a
/// cycle of parents.
pub(super) const MAX_LEVELS: usize = 64;

/// What the search asks the database. A free item has no holder and no open dependency; it may be
/// in progress.
///
/// Every question fails when the database cannot be read.
#[expect(clippy::missing_errors_doc, reason = "said once above")]
pub trait ItemSource {
    /// Why a question was not answered.
    type Error;

    /// Loads an item.
    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>, Self::Error>;

    /// Loads the item that a session held last.
    fn load_last_held(&mut self, session: &SessionId) -> Result<Option<ItemKey>, Self::Error>;

    /// Returns whether an item has children.
    fn has_children(&mut self, key: &ItemKey) -> Result<bool, Self::Error>;

    /// Finds the item that comes first among those that can be begun, in the order of
    /// [`fill_places`](crate::model::fill_places).
    fn find_first_ready(&mut self, scope: &RepoScope) -> Result<Option<Item>, Self::Error>;

    /// Finds the first free item among siblings: the most urgent, then by position.
    fn find_first_free(&mut self, siblings: &Siblings<'_>) -> Result<Option<Item>, Self::Error>;

    /// Lists children that are not finished, at most `limit`.
    fn list_unfinished(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
        limit: u32,
    ) -> Result<Vec<Item>, Self::Error>;

    /// Returns whether there is an unfinished child without a holder.
    fn has_unheld(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
    ) -> Result<bool, Self::Error>;

    /// Lists the open dependencies of an item with their statuses, at most `limit`.
    fn list_open_dependencies(
        &mut self,
        key: &ItemKey,
        limit: u32,
    ) -> Result<Vec<(ItemKey, ItemStatus)>, Self::Error>;
}

/// The siblings among which a free item is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Siblings<'a> {
    /// Their parent, or `None` for items without a parent.
    pub parent: Option<&'a ItemKey>,
    /// Only siblings of [`priority`](Self::priority) after this position.
    pub after: Option<&'a SiblingPosition>,
    /// The priority of the siblings after a position; read with it alone.
    pub priority: Option<ItemPriority>,
    /// Only orchestrators.
    pub only_orchestrators: bool,
    /// Only siblings of these repositories.
    pub scope: &'a RepoScope,
}

impl<'a> Siblings<'a> {
    /// All children of a parent.
    pub(super) const fn of(parent: Option<&'a ItemKey>, scope: &'a RepoScope) -> Self {
        Self { parent, after: None, priority: None, only_orchestrators: false, scope }
    }
}
