//! Who may claim what: the decision alone, without a database or a process table.
//!
//! Order of refusal (architecture, section 6): unregistered session, unknown item, finished
//! item, held by a live peer, held by a silent peer, then success or takeover. The store then
//! carries the decision out in one conditional statement, so a decision made on a reading
//! that has moved on changes nothing.

mod claim_forecast;

use super::{Epoch, Item, ItemKey, Session, SessionId, SessionStatus, Timestamp};
use crate::liveness::{Liveness, LivenessState, ProcessState};

pub use claim_forecast::{ClaimForecast, forecast_claim};

/// Silence after which `--force` may take an item from a holder that may still live.
///
/// Source: seed 0's `claim_sd`, threshold of a forced takeover.
pub const FORCE_AFTER_SECONDS: u64 = 60;

/// What the decision is made from.
#[derive(Debug, Clone)]
pub struct ClaimFacts<'a> {
    /// The claiming session, when it is registered.
    pub claimant: Option<&'a Session>,
    /// The item, when it exists.
    pub item: Option<&'a Item>,
    /// The present holder and how alive it looks, when it is registered.
    pub holder: Option<(&'a Session, &'a Liveness)>,
    /// Whether the user asked to take it anyway.
    pub force: bool,
}

/// Why an item is taken from one that is dead.
const HOLDER_DEAD: &str = "holder_dead";

/// Why an item is taken from one that may live.
const FORCED: &str = "forced";

/// How a claim succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// Nobody held it.
    Claimed,
    /// The claimant held it already.
    AlreadyOwned,
    /// It was taken from a holder that is gone; the reason is a stable word.
    TakenOver(&'static str),
}

impl ClaimOutcome {
    /// Returns the word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::AlreadyOwned => "already_owned",
            Self::TakenOver(_) => "taken_over",
        }
    }

    /// Tells whether it makes the holder a lost session: one whose silence cost it the item.
    pub fn loses_holder(self) -> bool {
        matches!(self, Self::TakenOver(HOLDER_DEAD | FORCED))
    }
}

/// Why a claim is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimRefusal {
    /// The claiming session never registered.
    PhantomSession,
    /// There is no such item.
    ItemNotFound,
    /// The item is finished.
    ItemFinished,
    /// The holder is alive.
    HeldByLiveSession,
    /// The holder is silent, but not provably dead.
    HeldBySilentSession,
    /// `--force` came too early.
    TakeoverNotAllowed,
}

impl ClaimRefusal {
    /// Returns the code of the contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PhantomSession => "phantom_session",
            Self::ItemNotFound => "item_not_found",
            Self::ItemFinished => "item_finished",
            Self::HeldByLiveSession => "held_by_live_session",
            Self::HeldBySilentSession => "held_by_silent_session",
            Self::TakeoverNotAllowed => "takeover_not_allowed",
        }
    }
}

/// A claim that may be carried out, on the condition that holder and epoch are still these and
/// the holder has not stirred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimGrant {
    /// Who claims.
    pub session: SessionId,
    /// What.
    pub item: ItemKey,
    /// Who must still hold it.
    pub expected_holder: Option<SessionId>,
    /// Which epoch must still be current.
    pub expected_epoch: Epoch,
    /// The last sign of life of the holder it is taken from: one that has given another since
    /// was not dead, or is not silent any more, and keeps it.
    pub holder_seen_at: Option<Timestamp>,
    /// How it counts.
    pub outcome: ClaimOutcome,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimVerdict {
    /// Carry it out.
    Grant(ClaimGrant),
    /// Do not.
    Refuse(ClaimRefusal),
}

/// Decides a claim.
pub fn decide_claim(facts: &ClaimFacts<'_>) -> ClaimVerdict {
    use ClaimRefusal as No;
    let Some(claimant) = facts.claimant else {
        return ClaimVerdict::Refuse(No::PhantomSession);
    };
    let Some(item) = facts.item else {
        return ClaimVerdict::Refuse(No::ItemNotFound);
    };
    if item.status.is_finished() {
        return ClaimVerdict::Refuse(No::ItemFinished);
    }
    let grant = |outcome| {
        ClaimVerdict::Grant(ClaimGrant {
            session: claimant.id.clone(),
            item: item.key.clone(),
            expected_holder: item.holder.clone(),
            expected_epoch: item.epoch,
            holder_seen_at: match outcome {
                ClaimOutcome::TakenOver(_) => facts.holder.map(|(holder, _)| holder.heartbeat_at),
                ClaimOutcome::Claimed | ClaimOutcome::AlreadyOwned => None,
            },
            outcome,
        })
    };
    match (&item.holder, facts.holder) {
        (None, _) => grant(ClaimOutcome::Claimed),
        (Some(holder), _) if *holder == claimant.id => grant(ClaimOutcome::AlreadyOwned),
        // A holder that never registered cannot renew, release or be asked.
        (Some(_), None) => grant(ClaimOutcome::TakenOver("holder_unknown")),
        (Some(_), Some((holder, vitality))) => {
            // Whoever answers for the whole may take any part of it back.
            let parent_held = item.parent.is_some() && item.parent == claimant.item;
            match decide_takeover(claimant, holder, vitality, parent_held, facts.force) {
                Ok(reason) => grant(ClaimOutcome::TakenOver(reason)),
                Err(refusal) => ClaimVerdict::Refuse(refusal),
            }
        }
    }
}

/// Tells whether what a session holds is free for the next who asks: it is dead. One that said
/// goodbye while its process goes on, or cannot be asked, keeps it until the lease ends: that
/// process may come back to it.
pub fn has_forfeited_claim(holder: &Session, vitality: &Liveness) -> bool {
    let is_kept = holder.status == SessionStatus::Ended
        && vitality.process != ProcessState::Gone
        && (!holder.is_lease_expired_despite(vitality.clock_doubt_seconds)
            || holder.is_in_quiet_period());
    vitality.state == LivenessState::Dead && !is_kept
}

fn decide_takeover(
    claimant: &Session,
    holder: &Session,
    vitality: &Liveness,
    parent_held: bool,
    force: bool,
) -> Result<&'static str, ClaimRefusal> {
    // After /clear or a fork the same person goes on under a new id.
    if holder.status == SessionStatus::Ended && claimant.predecessor.as_ref() == Some(&holder.id) {
        return Ok("successor");
    }
    if has_forfeited_claim(holder, vitality) {
        return Ok(HOLDER_DEAD);
    }
    if parent_held {
        return Ok("parent_authority");
    }
    if force {
        let enough = FORCE_AFTER_SECONDS.saturating_add(vitality.clock_doubt_seconds);
        return if holder.silence_seconds() >= enough {
            Ok(FORCED)
        } else {
            Err(ClaimRefusal::TakeoverNotAllowed)
        };
    }
    Err(if vitality.state == LivenessState::Alive {
        ClaimRefusal::HeldByLiveSession
    } else {
        ClaimRefusal::HeldBySilentSession
    })
}

#[cfg(test)]
mod tests;
