//! Claims on items.

use serde::{Deserialize, Serialize};

use super::{ClockStore, HookStore, Provenance};
use crate::model::{ClaimGrant, Item, ItemKey, NewItem, SessionId};
use crate::store::Result;

/// A claim that the rules granted, to be carried out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantedClaim {
    /// The decision, with the conditions that it was made on.
    pub grant: ClaimGrant,
    /// The item to add in the same transaction, where it does not exist.
    pub new_item: Option<ItemAddition>,
    /// Announces that many seconds without a sign of life.
    pub quiet_seconds: Option<u64>,
    /// The lease of the session from now on: a claim is a sign of life.
    pub lease_seconds: u64,
    /// Who claims.
    pub provenance: Provenance,
}

/// An item that a claim adds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemAddition {
    /// The item.
    pub item: NewItem,
    /// Who adds it, under an operation id of its own: one operation changes a row once.
    pub provenance: Provenance,
}

/// A claim that took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedItem {
    /// The item, as it is now.
    pub item: Item,
    /// The session that held it before.
    pub previous_holder: Option<SessionId>,
    /// The item that the session released for it.
    pub released: Option<ItemKey>,
}

/// A request to release an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleaseRequest {
    /// The session that holds it.
    pub session: SessionId,
    /// The item.
    pub item: ItemKey,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// A claim that a sweep or an end took away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedClaim {
    /// The session that held it.
    pub session: SessionId,
    /// The item; absent when the session held none.
    pub item: Option<ItemKey>,
    /// Why it was taken away.
    pub reason: String,
}

/// The operations that give items to sessions and take them back, with what a decision on that
/// reads.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`, and where one is special")]
pub trait ClaimStore: HookStore + ClockStore {
    /// Carries a claim out on its conditions, releasing what the session held, and makes the
    /// item the session's current one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when holder or epoch have changed.
    fn claim(&mut self, request: &GrantedClaim) -> Result<ClaimedItem>;

    /// Releases an item.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when the session does not hold it.
    fn release(&mut self, release: &ReleaseRequest) -> Result<Item>;

    /// Records that a session asked for an item and was refused, which also tells when.
    fn record_refusal(&mut self, item: &ItemKey, provenance: &Provenance) -> Result<()>;
}
