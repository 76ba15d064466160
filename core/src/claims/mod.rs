//! Claiming and releasing over the store port.
//!
//! The decision is [`crate::model::decide`]; here are the readings it is made from, and the
//! repetition when the database moved between reading and writing.

mod advance;

use crate::liveness::{Vitality, judge};
use crate::model::{
    ClaimFacts, ClaimOutcome, ClaimRefusal, ClaimVerdict, Item, ItemKey, Parked, Session,
    SessionId, SessionStatus, Taking, decide, foresee,
};
use crate::store::{ClaimRequest, ClaimTaken, Provenance, Result, Store, StoreError};
use crate::sync::{Doubt, READINGS_APART_SECONDS, Site};

pub use advance::{Advanced, MoveWish, advance};

/// Most sessions before one that are looked at for whether it goes on with their work.
const GENERATIONS: usize = 16;

/// Attempts before giving up on an item that keeps changing hands.
const ATTEMPTS: usize = 8;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Who claims.
    pub session: SessionId,
    /// What.
    pub item: ItemKey,
    /// Whether to take it from a silent holder.
    pub force: bool,
    /// Announces silence of so many seconds.
    pub span_seconds: Option<u64>,
    /// Who asks; one id for all attempts, so that a claim that did take effect is recognised.
    pub provenance: Provenance,
}

/// How a claim ended.
#[derive(Debug)]
pub enum Claimed {
    /// It is held now.
    Granted {
        /// What changed.
        taken: ClaimTaken,
        /// How it counts.
        outcome: ClaimOutcome,
    },
    /// It is not.
    Refused {
        /// Why.
        refusal: ClaimRefusal,
        /// Who holds it, and how alive that one looks.
        holder: Option<(Session, Vitality)>,
        /// When it can be had, and how.
        taking: Option<Taking>,
    },
}

/// Claims an item for a session.
///
/// # Errors
///
/// When the database cannot be asked, or the item kept changing hands.
pub fn claim(store: &mut dyn Store, wish: &Wish, site: &Site) -> Result<Claimed> {
    let mut moved = None;
    let mut doubt = Doubt::default();
    for _ in 0..ATTEMPTS {
        let claimant = store.session(&wish.session)?;
        let item = store.item(&wish.item)?;
        let holder = match item.as_ref().and_then(|item| item.holder.as_ref()) {
            Some(holder) => store.session(holder)?,
            None => None,
        };
        let holder = match holder {
            Some(holder) => {
                let vitality = doubt.judge(&holder, site, store)?;
                Some((holder, vitality))
            }
            None => None,
        };
        let claimant = match (claimant, &holder) {
            (Some(claimant), Some((holder, _))) if holder.status == SessionStatus::Ended => {
                Some(as_successor(store, claimant, holder)?)
            }
            (claimant, _) => claimant,
        };
        let facts = ClaimFacts {
            claimant: claimant.as_ref(),
            item: item.as_ref(),
            holder: holder.as_ref().map(|(holder, vitality)| (holder, vitality)),
            force: wish.force,
        };
        let grant = match decide(&facts) {
            ClaimVerdict::Refuse(refusal) => {
                let process = holder.as_ref().map(|(_, vitality)| vitality.process);
                let ceiling = site.settings.ceiling_seconds;
                let taking = match second_reading(&facts, site) {
                    Some(taking) => {
                        // This is the first reading, and the next claim's is the second.
                        store.note_refusal(&wish.item, &wish.provenance.further())?;
                        Some(taking)
                    }
                    None => process.and_then(|process| foresee(&facts, process, ceiling)),
                };
                return Ok(Claimed::Refused {
                    refusal,
                    holder,
                    taking,
                });
            }
            ClaimVerdict::Grant(grant) => grant,
        };
        let outcome = grant.outcome;
        let request = ClaimRequest {
            grant,
            span_seconds: wish.span_seconds,
            lease_seconds: site.settings.lease_seconds,
            provenance: wish.provenance.clone(),
        };
        match store.claim(&request) {
            Ok(taken) => return Ok(Claimed::Granted { taken, outcome }),
            // Somebody was faster: the next reading shows who.
            Err(error @ StoreError::Conflict(_)) => moved = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(moved.unwrap_or_else(|| StoreError::Conflict(format!("item {} keeps changing", wish.item))))
}

/// Returns a session as the successor of another that it goes on from, through whatever sessions
/// lay between: each `/clear` makes one, and not each takes the item up.
fn as_successor(store: &mut dyn Store, session: Session, of: &Session) -> Result<Session> {
    let mut before = session.predecessor.clone();
    for _ in 0..GENERATIONS {
        let Some(id) = before else { break };
        if id == of.id {
            let predecessor = Some(id);
            return Ok(Session {
                predecessor,
                ..session
            });
        }
        before = store.session(&id)?.and_then(|it| it.predecessor);
    }
    Ok(session)
}

/// Says when a claim is granted that is refused for want of another reading of the clock alone.
fn second_reading(facts: &ClaimFacts<'_>, site: &Site) -> Option<Taking> {
    let (holder, vitality) = facts.holder.filter(|(_, it)| it.doubt_seconds > 0)?;
    let plain = judge(holder, vitality.process, site.settings.ceiling_seconds);
    let facts = ClaimFacts {
        holder: Some((holder, &plain)),
        ..facts.clone()
    };
    matches!(decide(&facts), ClaimVerdict::Grant(_)).then(|| Taking {
        at: holder.read_at.plus_seconds(READINGS_APART_SECONDS + 1),
        by_force: facts.force,
    })
}

/// Takes the item that a session was on when it ended back for it, while nobody holds it. Who
/// gave an item up is on none.
///
/// # Errors
///
/// When the database cannot be asked, or the item kept changing hands.
pub fn take_back(store: &mut dyn Store, session: &Session, site: &Site) -> Result<bool> {
    let work = session.execution_state().work;
    let Some(key) = work.item.and_then(|key| key.parse::<ItemKey>().ok()) else {
        return Ok(false);
    };
    let item = store.item(&key)?;
    let free = item.is_some_and(|item| item.holder.is_none() && !item.status.is_finished());
    if session.item.is_some() || !free {
        return Ok(false);
    }
    let wish = Wish {
        session: session.id.clone(),
        item: key,
        force: false,
        span_seconds: None,
        provenance: Provenance::new(session.id.as_str(), "resumed"),
    };
    Ok(matches!(
        claim(store, &wish, site)?,
        Claimed::Granted { .. }
    ))
}

/// Looks for work on an item that its last holder did not end, for whoever claimed it.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn parked(store: &mut dyn Store, item: &Item) -> Result<Option<Parked>> {
    let Some(last) = store.last_holder(&item.key)? else {
        return Ok(None);
    };
    let session = store.session(&last.session)?;
    Ok(session.and_then(|session| Parked::find(item, &session, last.until)))
}
