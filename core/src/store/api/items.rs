//! Operations on items beyond adding and listing: moves, dependencies, and what comes next.

use super::{GrantedClaim, Provenance};
use crate::model::{
    ClaimGrant, ClaimOutcome, DependencyEdge, Item, ItemKey, ItemStatus, MoveGrant, NextItem,
    PickReason, RepoScope, SessionId, Timestamp,
};
use crate::store::{Result, StoreError};

/// A change of an item's status.
#[derive(Debug, Clone)]
pub struct GrantedMove {
    /// What was decided, with its conditions.
    pub grant: MoveGrant,
    /// Who moves it, and why; a reopening needs a reason.
    pub provenance: Provenance,
}

/// A change of an item's status that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedItem {
    /// The item, as it is now.
    pub item: Item,
    /// What became ready by it, or waits again.
    pub moved_dependents: Vec<(ItemKey, ItemStatus)>,
}

/// A change of what an item depends on.
#[derive(Debug, Clone)]
pub struct DependencyChange {
    /// Which item.
    pub item: ItemKey,
    /// What it depends on, or no longer.
    pub dependencies: Vec<ItemKey>,
    /// Whether these dependencies go instead of coming.
    pub remove: bool,
    /// Who changes it, and why.
    pub provenance: Provenance,
}

/// New facts of an item; what is absent stays as it is.
#[derive(Debug, Clone)]
pub struct ItemEditRequest {
    /// Which.
    pub item: ItemKey,
    /// What it is about.
    pub title: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// The item it belongs to.
    pub parent: Option<ItemKey>,
    /// Its place among its siblings.
    pub position: Option<i64>,
    /// Who edits.
    pub provenance: Provenance,
}

/// Why an item stays that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
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
            Self::Children(count) => write!(f, "it has {count} children"),
            Self::DependedOn(other) => write!(f, "{other} depends on it"),
            Self::Phases => f.write_str("it has phases"),
            Self::Workplan => f.write_str("a workplan's file has it"),
        }
    }
}

/// Whose next item is looked for.
#[derive(Debug, Clone, Default)]
pub struct NextItemQuery {
    /// The session; absent for a person at a terminal.
    pub session: Option<SessionId>,
    /// Only among the children of this one.
    pub parent: Option<ItemKey>,
    /// Items of which repositories.
    pub scope: RepoScope,
}

/// A request to move on to the next item.
#[derive(Debug, Clone)]
pub struct ClaimNextRequest {
    /// Who moves on.
    pub session: SessionId,
    /// Only among the children of this one.
    pub parent: Option<ItemKey>,
    /// Items of which repositories.
    pub scope: RepoScope,
    /// Whether unfinished work that the session holds may be left for it.
    pub may_release_unfinished: bool,
    /// How long silence means nothing from now on: who claims, lives.
    pub lease_seconds: u64,
    /// Who claims.
    pub provenance: Provenance,
}

impl ClaimNextRequest {
    /// Returns the claim of what was found, conditional on the item as it was read. Its event
    /// says why it was this one, and a repetition reads it there.
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
            quiet_seconds: None,
            lease_seconds: self.lease_seconds,
            provenance: Provenance {
                reason: Some(reason.map_or("next", PickReason::as_str).into()),
                ..self.provenance.clone()
            },
        }
    }
}

/// What moving on came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedNext {
    /// What was found; an item in it is the session's now.
    pub next: NextItem,
    /// The item the session gave up for it, as it is now.
    pub released: Option<Item>,
}

/// Who held an item last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastHolder {
    /// Who.
    pub session: SessionId,
    /// Until when.
    pub until: Timestamp,
}

/// How many children an item has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChildCounts {
    /// All of them.
    pub total: u64,
    /// Those that are not finished.
    pub unfinished: u64,
}

/// What is done with items beyond adding and listing them.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once above, and where one is special"
)]
pub trait ItemStore {
    /// Carries a move out on its conditions. What waited for the item becomes ready, or waits
    /// again, in the same transaction; a holder that gives it up is left idle of work.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when the item moved on.
    fn move_item(&mut self, request: &GrantedMove) -> Result<MovedItem>;

    /// Changes what an item depends on, and with it whether it is ready.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) for what does not exist and
    /// for a circle, which is named whole.
    fn change_dependencies(&mut self, request: &DependencyChange) -> Result<Item>;

    /// Changes what an item is about and where it belongs.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) for a parent that does not exist
    /// or waits for the item.
    fn edit_item(&mut self, edit: &ItemEditRequest) -> Result<Item>;

    /// Returns what an item is needed for, if anything.
    fn find_item_use(&mut self, key: &ItemKey) -> Result<Option<ItemUse>>;

    /// Removes an item that nothing needs; the log keeps what it was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) for one that is needed or does not
    /// exist.
    fn remove_item(&mut self, key: &ItemKey, provenance: &Provenance) -> Result<()>;

    /// Makes many such changes, in one transaction where the store has them. What is denied is
    /// said of each, and changes nothing of the others.
    fn change_dependencies_of_each(
        &mut self,
        requests: &[DependencyChange],
    ) -> Result<Vec<Result<Item>>> {
        let each = requests
            .iter()
            .map(|request| match self.change_dependencies(request) {
                Err(error) if !matches!(error, StoreError::Denied(_)) => Err(error),
                answer => Ok(answer),
            });
        each.collect()
    }

    /// Returns whatever waits for an item, directly or through others.
    fn list_waiting_items(&mut self, key: &ItemKey) -> Result<Vec<DependencyEdge>>;

    /// Returns what an item waits for, with where it stands.
    fn list_open_dependencies(&mut self, key: &ItemKey) -> Result<Vec<(ItemKey, ItemStatus)>>;

    /// Counts children.
    fn count_children(&mut self, key: &ItemKey) -> Result<ChildCounts>;

    /// Finds the next item.
    fn find_next_item(&mut self, query: &NextItemQuery) -> Result<NextItem>;

    /// Finds the next item and claims it, releasing what the session held, in one
    /// transaction: two sessions never get the same one, and none is passed over.
    fn claim_next_item(&mut self, request: &ClaimNextRequest) -> Result<ClaimedNext>;

    /// Returns who held an item before its present holder.
    fn find_last_holder(&mut self, key: &ItemKey) -> Result<Option<LastHolder>>;
}
