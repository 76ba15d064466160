//! Moving an item over the store port: the readings for [`advance`], and the repetition when
//! the database moved between reading and writing.

use super::MAX_ATTEMPTS;
use crate::model::{Item, ItemKey, MoveActor, MoveFacts, MoveRefusal, MoveTarget, SessionId};
use crate::store::{GrantedMove, MovedItem, Provenance, Result, Store, StoreError};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct MoveItemRequest {
    /// The session that moves it; absent for a person at a terminal.
    pub session: Option<SessionId>,
    /// What.
    pub item: ItemKey,
    /// Where to.
    pub target: MoveTarget,
    /// What proves completion.
    pub evidence: Option<String>,
    /// Why, in the mover's words.
    pub reason: Option<String>,
    /// Who is to be named in events, and in which operation.
    pub provenance: Provenance,
}

/// How a move ended.
#[derive(Debug)]
pub enum MoveAnswer {
    /// It stands there now.
    Moved {
        /// The item as it was.
        before: Box<Item>,
        /// What changed.
        moved: Box<MovedItem>,
    },
    /// It does not.
    Refused(MoveRefusal),
}

/// Moves an item.
///
/// # Errors
///
/// When the database cannot be asked, or the item kept changing.
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
        let moved = if grant.changes_item(&before) {
            let provenance = request.provenance.clone();
            store.move_item(&GrantedMove { grant, provenance })
        } else {
            Ok(MovedItem {
                item: before.clone(),
                moved_dependents: Vec::new(),
            })
        };
        match moved {
            Ok(moved) => {
                return Ok(MoveAnswer::Moved {
                    before: Box::new(before),
                    moved: Box::new(moved),
                });
            }
            // Somebody was faster: the next reading shows what became of it.
            Err(error @ StoreError::Conflict(_)) => conflict = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(conflict
        .unwrap_or_else(|| StoreError::Conflict(format!("item {} keeps changing", request.item))))
}
