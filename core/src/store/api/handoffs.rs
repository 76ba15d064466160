//! The operations on hand-offs, and their requests.

use super::Provenance;
use crate::model::{
    Epoch, Handoff, HandoffElements, HandoffId, HandoffRefusal, HandoffType, Item, ItemKey,
    ReceivedWork, SessionId,
};
use crate::store::{Result, StoreError};
use serde::{Deserialize, Serialize};

/// A hand-off to be created. The store takes the rest of its columns from sender and item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewHandoff {
    /// Its id.
    pub id: HandoffId,
    /// Its kind.
    pub kind: HandoffType,
    /// The session that hands the item on.
    pub from: SessionId,
    /// The item, and the epoch of the claim under which it is handed on.
    pub fencing_token: (ItemKey, Epoch),
    /// The receiver; absent when any session may accept it.
    pub to: Option<SessionId>,
    /// What the receiver needs to know.
    pub elements: HandoffElements,
    /// Who creates it.
    pub provenance: Provenance,
}

impl NewHandoff {
    /// Returns an id that no hand-off has.
    pub fn fresh_id() -> HandoffId {
        HandoffId::from_random(uuid::Uuid::new_v4().as_u64_pair().0)
    }
}

/// Why an open hand-off made room for another.
pub(in crate::store) const CLAIM_OVER_REASON: &str = "the claim it was made under has ended";

/// Why a hand-off is closed with the claim it was made under.
pub(in crate::store) const WITHDRAWN_REASON: &str = "withdrawn: the sender released the item";

/// Why a hand-off of an item is closed that nobody can go on with.
pub(in crate::store) const ITEM_FINISHED_REASON: &str = "withdrawn: the item is finished";

/// Refuses a second open hand-off of an item.
pub(in crate::store) fn already_handed_on_error(open: &Handoff) -> StoreError {
    StoreError::denied(format!("{} already has an open hand-off: {}", open.item, open.id))
}

/// Which hand-offs to list.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct HandoffFilter {
    /// Only hand-offs that are not decided yet.
    pub only_open: bool,
}

/// A request to accept a hand-off.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AcceptHandoffRequest {
    /// The hand-off.
    pub id: HandoffId,
    /// The session that accepts it.
    pub session: SessionId,
    /// The lease of the session from now on: accepting is a sign of life.
    pub lease_seconds: u64,
    /// Who asks.
    pub provenance: Provenance,
}

/// A hand-off that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedHandoff {
    /// The hand-off.
    pub handoff: Handoff,
    /// The item, held by the session that accepted.
    pub item: Item,
    /// The item that the session released for it.
    pub released: Option<ItemKey>,
    /// What the session goes on with.
    pub work: ReceivedWork,
}

/// A request to reject a hand-off.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RejectHandoffRequest {
    /// The hand-off.
    pub id: HandoffId,
    /// The session that rejects it.
    pub session: SessionId,
    /// Why, for the sender.
    pub reason: String,
    /// Who asks.
    pub provenance: Provenance,
}

/// The answer to a decision about a hand-off, which the rules may refuse.
pub type HandoffResult<T> = std::result::Result<T, HandoffRefusal>;

/// The operations on hand-offs.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
#[expect(clippy::missing_errors_doc, reason = "said once above, and where one is special")]
pub trait HandoffStore {
    /// Creates a hand-off of the item that the sender holds, with phase, task, branch, worktree
    /// and repository of the sender. The receiver counts as not told of it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when the sender does not
    /// hold the item under that epoch; [`StoreError::Denied`](crate::store::StoreError::Denied)
    /// when the item has an open hand-off.
    fn create_handoff(&mut self, new: &NewHandoff) -> Result<Handoff>;

    /// Reads a hand-off.
    fn load_handoff(&mut self, id: &HandoffId) -> Result<Option<Handoff>>;

    /// Lists hand-offs, the newest first.
    fn list_handoffs(&mut self, filter: HandoffFilter) -> Result<Vec<Handoff>>;

    /// Accepts a hand-off: in one transaction the item goes to the session, which releases the
    /// item it held and goes on with phase and task as they are by then; the sender no longer works
    /// on it.
    fn accept_handoff(
        &mut self,
        request: &AcceptHandoffRequest,
    ) -> Result<HandoffResult<AcceptedHandoff>>;

    /// Rejects a hand-off; the item stays where it is.
    fn reject_handoff(&mut self, request: &RejectHandoffRequest) -> Result<HandoffResult<Handoff>>;
}
