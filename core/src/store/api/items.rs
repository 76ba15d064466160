//! Items: adding and listing them, moves, dependencies, and the next item.

use super::{GrantedClaim, ImportedItems, ItemEditRequest, ItemFilter, ItemImport, Provenance};
use crate::model::{
    ClaimGrant, ClaimOutcome, DependencyEdge, Item, ItemKey, ItemStatus, MoveGrant, NewItem,
    NextItem, PickReason, RepoScope, SessionId, Timestamp,
};
use crate::store::{Result, StoreError};
use serde::{Deserialize, Serialize};

/// A change of an item's status that the rules granted, to be carried out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantedMove {
    /// The decision, with the conditions that it was made on.
    pub grant: MoveGrant,
    /// Who moves it, and why; a reopening needs a reason.
    pub provenance: Provenance,
}

/// A change of an item's status that took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedItem {
    /// The item, as it is now.
    pub item: Item,
    /// The dependents that became ready by it, or wait again, with their new status.
    pub moved_dependents: Vec<(ItemKey, ItemStatus)>,
}

/// A change of the dependencies of an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DependencyChange {
    /// The item.
    pub item: ItemKey,
    /// The dependencies to add or remove.
    pub dependencies: Vec<ItemKey>,
    /// Whether they are removed instead of added.
    pub remove: bool,
    /// Who changes it, and why.
    pub provenance: Provenance,
}

/// What an item is used for, so that it cannot be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemUse {
    /// A session holds it.
    Held(SessionId),
    /// It has so many children.
    Children(u64),
    /// Another item depends on it.
    DependedOn(ItemKey),
    /// It has phases.
    Phases,
    /// A workplan's file has it.
    Workplan,
}

impl std::fmt::Display for ItemUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Held(holder) => write!(f, "it is held by {holder}"),
            Self::Children(1) => f.write_str("it has 1 child"),
            Self::Children(count) => write!(f, "it has {count} children"),
            Self::DependedOn(other) => write!(f, "{other} depends on it"),
            Self::Phases => f.write_str("it has phases"),
            Self::Workplan => f.write_str("a workplan's file has it"),
        }
    }
}

/// A search for the next item.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NextItemQuery {
    /// The session that asks; absent for a person at a terminal.
    pub session: Option<SessionId>,
    /// Only among the children of this item.
    pub parent: Option<ItemKey>,
    /// The repositories whose items are searched.
    pub scope: RepoScope,
}

/// A request to find the next item and claim it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClaimNextRequest {
    /// The session that claims.
    pub session: SessionId,
    /// Only among the children of this item.
    pub parent: Option<ItemKey>,
    /// The repositories whose items are searched.
    pub scope: RepoScope,
    /// Whether an unfinished item that the session holds may be released for it.
    pub may_release_unfinished: bool,
    /// The lease of the session from now on: a claim is a sign of life.
    pub lease_seconds: u64,
    /// Who claims.
    pub provenance: Provenance,
}

impl ClaimNextRequest {
    /// Returns the claim of the item that was found, conditional on the item as it was read. Its
    /// event records why this item was chosen, and a repetition reads it there.
    pub(in crate::store) fn granted_claim_of(
        &self,
        item: &Item,
        outcome: ClaimOutcome,
        reason: Option<PickReason>,
    ) -> GrantedClaim {
        GrantedClaim {
            grant: ClaimGrant {
                session: self.session.clone(),
                item: item.key.clone(),
                expected_holder: item.holder.clone(),
                holder_seen_at: None,
                expected_epoch: item.epoch,
                outcome,
            },
            new_item: None,
            quiet_seconds: None,
            lease_seconds: self.lease_seconds,
            provenance: self.provenance.because(reason.map_or("next", PickReason::as_str)),
        }
    }
}

/// The next item, claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedNext {
    /// The answer of the search; an item that it offers is held by the session now.
    pub next: NextItem,
    /// The item that the session released for it, as it is now.
    pub released: Option<Item>,
}

/// Who held an item last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastHolder {
    /// The session.
    pub session: SessionId,
    /// Until when it held the item.
    pub until: Timestamp,
}

/// The number of children of an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildCounts {
    /// All of them.
    pub total: u64,
    /// The children that are not finished.
    pub unfinished: u64,
}

/// The operations on items.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
#[expect(clippy::missing_errors_doc, reason = "said once above, and where one is special")]
pub trait ItemStore {
    /// Adds an item.
    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item>;

    /// Lists items, by parent, position and key.
    fn list_items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>>;

    /// Carries a move out on its conditions. Dependents of the item become ready, or wait again,
    /// in the same transaction; a holder that releases it is left without current work.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when the item has changed.
    fn move_item(&mut self, request: &GrantedMove) -> Result<MovedItem>;

    /// Changes the dependencies of an item, and with them whether it is ready.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) for an item that does not
    /// exist and for a cycle, which the message shows whole.
    fn change_dependencies(&mut self, request: &DependencyChange) -> Result<Item>;

    /// Adds and changes items as another tracker has them, all of them or none. An item that is
    /// there already, a reference to one that is not, and a cycle are refused.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`] when it is refused; when the database cannot be written.
    fn import_items(&mut self, import: &ItemImport) -> Result<ImportedItems>;

    /// Changes an item's title, kind, parent, position, priority, description or extra.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) for a parent that does not exist
    /// or waits for the item.
    fn edit_item(&mut self, edit: &ItemEditRequest) -> Result<Item>;

    /// Returns what an item is used for, if anything.
    fn find_item_use(&mut self, key: &ItemKey) -> Result<Option<ItemUse>>;

    /// Removes an item that is not used; the record of changes keeps what it was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) for an item that is used or does not
    /// exist.
    fn remove_item(&mut self, key: &ItemKey, provenance: &Provenance) -> Result<()>;

    /// Makes several such changes in one transaction. A change that is denied changes nothing and
    /// keeps none of the others from being made.
    fn change_dependencies_of_each(
        &mut self,
        requests: &[DependencyChange],
    ) -> Result<Vec<Result<Item>>> {
        let each = requests.iter().map(|request| match self.change_dependencies(request) {
            Err(error) if !matches!(error, StoreError::Denied { .. }) => Err(error),
            answer => Ok(answer),
        });
        each.collect()
    }

    /// Lists the items that wait for an item, directly or through others, by their keys.
    fn list_waiting_items(&mut self, key: &ItemKey) -> Result<Vec<DependencyEdge>>;

    /// Lists the dependencies of an item that are not completed, with their statuses.
    fn list_open_dependencies(&mut self, key: &ItemKey) -> Result<Vec<(ItemKey, ItemStatus)>>;

    /// Counts children.
    fn count_children(&mut self, key: &ItemKey) -> Result<ChildCounts>;

    /// Finds the next item.
    fn find_next_item(&mut self, query: &NextItemQuery) -> Result<NextItem>;

    /// Finds the next item and claims it, releasing the item that the session held, in one
    /// transaction: two sessions never get the same item, and none is passed over.
    fn claim_next_item(&mut self, request: &ClaimNextRequest) -> Result<ClaimedNext>;

    /// Returns the session that held an item before its present holder.
    fn find_last_holder(&mut self, key: &ItemKey) -> Result<Option<LastHolder>>;
}
