//! Moving an item over the store port: the readings for [`advance`], and the repetition when
//! the database moved between reading and writing.

use super::ATTEMPTS;
use crate::model::{Goal, Item, ItemKey, MoveFacts, MoveRefusal, Mover, SessionId};
use crate::store::{ItemMove, ItemMoved, Provenance, Result, Store, StoreError};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct MoveWish {
    /// The session that moves it; absent for a person at a terminal.
    pub session: Option<SessionId>,
    /// What.
    pub item: ItemKey,
    /// Where to.
    pub goal: Goal,
    /// What proves completion.
    pub evidence: Option<String>,
    /// Why, in the mover's words.
    pub reason: Option<String>,
    /// Who is to be named in events, and in which operation.
    pub provenance: Provenance,
}

/// How a move ended.
#[derive(Debug)]
pub enum Advanced {
    /// It stands there now.
    Moved {
        /// The item as it was.
        before: Box<Item>,
        /// What changed.
        moved: Box<ItemMoved>,
    },
    /// It does not.
    Refused(MoveRefusal),
}

/// Moves an item.
///
/// # Errors
///
/// When the database cannot be asked, or the item kept changing.
pub fn advance(store: &mut dyn Store, wish: &MoveWish) -> Result<Advanced> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let session = match &wish.session {
            Some(id) => Some(store.session(id)?),
            None => None,
        };
        let item = store.item(&wish.item)?;
        let facts = MoveFacts {
            mover: match &session {
                Some(session) => Mover::Session(session.as_ref()),
                None => Mover::Person,
            },
            item: item.as_ref(),
            goal: wish.goal,
            evidence: wish.evidence.as_deref(),
            reason: wish.reason.as_deref(),
        };
        let (grant, before) = match (crate::model::advance(&facts), item) {
            (Ok(grant), Some(before)) => (grant, before),
            (Err(refusal), _) => return Ok(Advanced::Refused(refusal)),
            (Ok(_), None) => return Ok(Advanced::Refused(MoveRefusal::ItemNotFound)),
        };
        let moved = if grant.changes(&before) {
            let provenance = wish.provenance.clone();
            store.move_item(&ItemMove { grant, provenance })
        } else {
            Ok(ItemMoved {
                item: before.clone(),
                followed: Vec::new(),
            })
        };
        match moved {
            Ok(moved) => {
                return Ok(Advanced::Moved {
                    before: Box::new(before),
                    moved: Box::new(moved),
                });
            }
            // Somebody was faster: the next reading shows what became of it.
            Err(error @ StoreError::Conflict(_)) => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| StoreError::Conflict(format!("item {} keeps changing", wish.item))))
}
