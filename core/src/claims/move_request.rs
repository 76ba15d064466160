//! Moves an item: collects the facts for [`decide_move`](crate::model::decide_move) and repeats the
//! decision when the database changed between reading and writing.

use super::MAX_ATTEMPTS;
use crate::model::{Item, ItemKey, MoveActor, MoveFacts, MoveRefusal, MoveTarget, SessionId};
use crate::store::{GrantedMove, MovedItem, Provenance, Result, Store, StoreError};

/// A request to move an item.
#[derive(Debug, Clone)]
pub struct MoveItemRequest {
    /// The session that moves it, or `None` for a person at a terminal.
    pub session: Option<SessionId>,
    /// The item.
    pub item: ItemKey,
    /// The requested status.
    pub target: MoveTarget,
    /// The evidence of completion.
    pub evidence: Option<String>,
    /// The reason in the actor's words.
    pub reason: Option<String>,
    /// The actor and the operation for events.
    pub provenance: Provenance,
}

/// The answer to a [`MoveItemRequest`].
#[derive(Debug)]
pub enum MoveAnswer {
    /// The item has the status now.
    Moved {
        /// The item before the move.
        before: Box<Item>,
        /// What changed.
        moved: Box<MovedItem>,
    },
    /// The move is refused.
    Refused(MoveRefusal),
}

/// Moves an item.
///
/// # Errors
///
/// When the database cannot be read, or the item kept changing.
pub fn move_item(store: &mut dyn Store, request: &MoveItemRequest) -> Result<MoveAnswer> {
    let mut conflict = None;
    for _ in 0..MAX_ATTEMPTS {
        let session = match &request.session {
            Some(id) => Some(store.load_session(id)?),
            None => None,
        };
        let item = store.load_item(&request.item)?;
        let facts = MoveFacts {
            actor: match &session {
                Some(session) => MoveActor::Session(session.as_ref()),
                None => MoveActor::Person,
            },
            item: item.as_ref(),
            target: request.target,
            evidence: request.evidence.as_deref(),
            reason: request.reason.as_deref(),
        };
        let (grant, before) = match (crate::model::decide_move(&facts), item) {
            (Ok(grant), Some(before)) => (grant, before),
            (Err(refusal), _) => return Ok(MoveAnswer::Refused(refusal)),
            (Ok(_), None) => return Ok(MoveAnswer::Refused(MoveRefusal::ItemNotFound)),
        };
        let moved_item = if grant.changes_item(&before) {
            let provenance = request.provenance.clone();
            store.move_item(&GrantedMove { grant, provenance })
        } else {
            Ok(MovedItem { item: before.clone(), moved_dependents: Vec::new() })
        };
        match moved_item {
            Ok(moved_item) => {
                return Ok(MoveAnswer::Moved {
                    before: Box::new(before),
                    moved: Box::new(moved_item),
                });
            }
            // Another session was faster. The next reading shows what it did.
            Err(error @ StoreError::Conflict(_)) => conflict = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(conflict
        .unwrap_or_else(|| StoreError::Conflict(format!("item {} keeps changing", request.item))))
}
