//! Hand-offs.

use super::Provenance;
use crate::model::{
    Epoch, Handoff, HandoffElements, HandoffId, HandoffNoticeReason, HandoffRefusal, HandoffType,
    Item, ItemKey, SessionId,
};
use crate::store::{Result, StoreError};

/// A hand-off to be made. What is not said here the store takes from sender and item.
#[derive(Debug, Clone)]
pub struct NewHandoff {
    /// Its id.
    pub id: HandoffId,
    /// What kind.
    pub kind: HandoffType,
    /// Who hands on.
    pub from: SessionId,
    /// What, and the claim that it is handed on under.
    pub fencing_token: (ItemKey, Epoch),
    /// Who is to have it; absent for whoever takes it.
    pub to: Option<SessionId>,
    /// What the receiver needs.
    pub elements: HandoffElements,
    /// Who makes it.
    pub provenance: Provenance,
}

impl NewHandoff {
    /// Makes an id that nobody has.
    pub fn fresh_id() -> HandoffId {
        HandoffId::from_random(uuid::Uuid::new_v4().as_u64_pair().0)
    }
}

/// Why an open hand-off gave way to another.
pub(in crate::store) const CLAIM_OVER_REASON: &str = "the claim it was made under has ended";

/// Why a hand-off is closed with the claim it was made under.
pub(in crate::store) const WITHDRAWN_REASON: &str = "withdrawn: the sender released the item";

/// Refuses a second open hand-off of an item.
pub(in crate::store) fn already_handed_on_error(open: &Handoff) -> StoreError {
    StoreError::Denied(format!(
        "{} already has an open hand-off: {}",
        open.item, open.id
    ))
}

/// Which hand-offs to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct HandoffFilter {
    /// Only those that may still be decided.
    pub only_open: bool,
}

/// An acceptance to carry out.
#[derive(Debug, Clone)]
pub struct AcceptHandoffRequest {
    /// Which.
    pub id: HandoffId,
    /// Who accepts.
    pub session: SessionId,
    /// How long silence means nothing from now on: who accepts, lives.
    pub lease_seconds: u64,
    /// Who asks.
    pub provenance: Provenance,
}

/// A hand-off that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedHandoff {
    /// The hand-off.
    pub handoff: Handoff,
    /// The item, held by the session that accepted.
    pub item: Item,
    /// The item that the session gave up for it.
    pub released: Option<ItemKey>,
}

/// A rejection to carry out; the reason is the provenance's.
#[derive(Debug, Clone)]
pub struct RejectHandoffRequest {
    /// Which.
    pub id: HandoffId,
    /// Who rejects.
    pub session: SessionId,
    /// Why, for the sender.
    pub reason: String,
    /// Who asks.
    pub provenance: Provenance,
}

/// An answer that the rules may refuse.
pub type HandoffResult<T> = std::result::Result<T, HandoffRefusal>;

/// The hand-offs of the database.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once above, and where one is special"
)]
pub trait HandoffStore {
    /// Makes a hand-off of the item that the sender holds, with phase, task, branch, worktree
    /// and repository of the sender. The addressed session counts as not told.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when the sender does not
    /// hold the item under that epoch; [`StoreError::Denied`](crate::store::StoreError::Denied)
    /// when the item is handed on already.
    fn create_handoff(&mut self, new: &NewHandoff) -> Result<Handoff>;

    /// Reads a hand-off.
    fn load_handoff(&mut self, id: &HandoffId) -> Result<Option<Handoff>>;

    /// Lists hand-offs, the newest first.
    fn list_handoffs(&mut self, filter: HandoffFilter) -> Result<Vec<Handoff>>;

    /// Accepts a hand-off: in one transaction the item goes to the session, which gives up
    /// what it held and takes up item, phase and task; the sender works on it no more.
    fn accept_handoff(
        &mut self,
        request: &AcceptHandoffRequest,
    ) -> Result<HandoffResult<AcceptedHandoff>>;

    /// Rejects a hand-off; the item stays where it is.
    fn reject_handoff(&mut self, request: &RejectHandoffRequest) -> Result<HandoffResult<Handoff>>;

    /// Returns what a session's model is to be told of hand-offs, the most important first;
    /// `starts` says whether it knows nothing of what it was shown before.
    fn list_handoff_notices(
        &mut self,
        session: &SessionId,
        is_start: bool,
    ) -> Result<Vec<(HandoffNoticeReason, Handoff)>>;

    /// Notes that a hand-off was told in the status it was read in: to the addressed session,
    /// or as a decision to the sender.
    fn mark_handoff_shown(&mut self, handoff: &Handoff) -> Result<()>;
}
