//! Decides who may claim an item, without a database or a process table.
//!
//! Refusals come in this order: unregistered session, unknown item, finished item, item held by a
//! live session, item held by a silent session. The store carries out a grant in one conditional
//! statement, so a grant that rests on an outdated reading changes nothing.

mod claim_forecast;

use super::{Epoch, Item, ItemKey, Session, SessionId, SessionStatus, Timestamp};
use crate::model::{Liveness, LivenessState, ProcessState};
use serde::{Deserialize, Serialize};

pub use claim_forecast::{ClaimForecast, forecast_claim};

/// Seconds of silence after which `--force` may take an item from a holder that may still live.
pub const FORCE_AFTER_SECONDS: u64 = 60;

/// The facts that a claim is decided from.
#[derive(Debug, Clone)]
pub struct ClaimFacts<'a> {
    /// The claiming session, or `None` when it is not registered.
    pub claimant: Option<&'a Session>,
    /// The item, or `None` when it does not exist.
    pub item: Option<&'a Item>,
    /// The present holder and its liveness, or `None` when the holder is not registered.
    pub holder: Option<(&'a Session, &'a Liveness)>,
    /// Whether `--force` was given.
    pub force: bool,
    /// The key of the item that the claim adds where it does not exist.
    pub new_item: Option<&'a ItemKey>,
}

/// Why an item was taken from its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeoverReason {
    /// The holder is not registered.
    HolderUnknown,
    /// The same user continues under a new session id.
    Successor,
    /// The holder is dead.
    HolderDead,
    /// The session holds the parent of the item.
    ParentAuthority,
    /// `--force` took the item from a holder that may live.
    Forced,
}

impl TakeoverReason {
    /// Returns the stable word that answers and events show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HolderUnknown => "holder_unknown",
            Self::Successor => "successor",
            Self::HolderDead => "holder_dead",
            Self::ParentAuthority => "parent_authority",
            Self::Forced => "forced",
        }
    }
}

/// How a claim succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimOutcome {
    /// Nobody held it.
    Claimed,
    /// The claimant held it already.
    AlreadyHeld,
    /// The item was taken from its holder.
    TakenOver(TakeoverReason),
}

impl ClaimOutcome {
    /// Returns the word that answers and events show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::AlreadyHeld => "already_owned",
            Self::TakenOver(_) => "taken_over",
        }
    }

    /// Returns whether the former holder becomes a lost session, which it does when its silence cost
    /// it the item.
    pub fn loses_holder(self) -> bool {
        matches!(self, Self::TakenOver(TakeoverReason::HolderDead | TakeoverReason::Forced))
    }
}

/// Why a claim is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimRefusal {
    /// The claiming session never registered.
    PhantomSession,
    /// The item does not exist.
    ItemNotFound,
    /// The item is finished.
    ItemFinished,
    /// The holder is alive.
    HeldByLiveSession,
    /// The holder is silent, but there is no proof that it is dead.
    HeldBySilentSession,
    /// `--force` was given before the holder had been silent for long enough.
    TakeoverNotAllowed,
}

impl ClaimRefusal {
    /// Returns the code for scripts.
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

/// A granted claim. It takes effect only while the holder and the epoch are those that were read
/// and the holder has given no sign of life since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimGrant {
    /// The session that claims.
    pub session: SessionId,
    /// The item.
    pub item: ItemKey,
    /// The holder that the item must still have.
    pub expected_holder: Option<SessionId>,
    /// The epoch that must still be current.
    pub expected_epoch: Epoch,
    /// The holder's last sign of life when it was judged. The claim fails when the holder has given
    /// another one since, because it is then neither dead nor silent.
    pub holder_seen_at: Option<Timestamp>,
    /// How the claim succeeded.
    pub outcome: ClaimOutcome,
}

/// Decides a claim.
///
/// # Errors
///
/// The reason why the claim is refused.
pub fn decide_claim(facts: &ClaimFacts<'_>) -> Result<ClaimGrant, ClaimRefusal> {
    let claimant = facts.claimant.ok_or(ClaimRefusal::PhantomSession)?;
    let grant = |item: &ItemKey, holder: Option<&SessionId>, epoch, outcome| ClaimGrant {
        session: claimant.id.clone(),
        item: item.clone(),
        expected_holder: holder.cloned(),
        expected_epoch: epoch,
        holder_seen_at: match outcome {
            ClaimOutcome::TakenOver(_) => facts.holder.map(|(holder, _)| holder.heartbeat_at),
            ClaimOutcome::Claimed | ClaimOutcome::AlreadyHeld => None,
        },
        outcome,
    };
    let Some(item) = facts.item else {
        let key = facts.new_item.ok_or(ClaimRefusal::ItemNotFound)?;
        return Ok(grant(key, None, Epoch(0), ClaimOutcome::Claimed));
    };
    if item.status.is_finished() {
        return Err(ClaimRefusal::ItemFinished);
    }
    let grant = |outcome| Ok(grant(&item.key, item.holder.as_ref(), item.epoch, outcome));
    match (&item.holder, facts.holder) {
        (None, _) => grant(ClaimOutcome::Claimed),
        (Some(holder), _) if *holder == claimant.id => grant(ClaimOutcome::AlreadyHeld),
        // A holder that is not registered can neither renew its claim nor release it.
        (Some(_), None) => grant(ClaimOutcome::TakenOver(TakeoverReason::HolderUnknown)),
        (Some(_), Some((holder, liveness))) => {
            // The holder of a parent may take any of its children back.
            let parent_held = item.parent.is_some() && item.parent == claimant.item;
            match decide_takeover(claimant, holder, liveness, parent_held, facts.force) {
                Ok(reason) => grant(ClaimOutcome::TakenOver(reason)),
                Err(refusal) => Err(refusal),
            }
        }
    }
}

/// Returns whether a holder has lost its right to an item, so that the next session that asks gets
/// it: the holder is dead. A session that ended while its process runs or cannot be checked keeps
/// the item until its lease ends, because that process may resume the session.
pub fn has_forfeited_claim(holder: &Session, liveness: &Liveness) -> bool {
    let is_kept = holder.status == SessionStatus::Ended
        && liveness.process != ProcessState::Gone
        && (!holder.is_lease_expired_despite(liveness.clock_doubt_seconds)
            || holder.is_in_quiet_period());
    liveness.state == LivenessState::Dead && !is_kept
}

fn decide_takeover(
    claimant: &Session,
    holder: &Session,
    liveness: &Liveness,
    parent_held: bool,
    force: bool,
) -> Result<TakeoverReason, ClaimRefusal> {
    // After `/clear` or a fork the same user continues under a new session id.
    if holder.status == SessionStatus::Ended && claimant.predecessor.as_ref() == Some(&holder.id) {
        return Ok(TakeoverReason::Successor);
    }
    if has_forfeited_claim(holder, liveness) {
        return Ok(TakeoverReason::HolderDead);
    }
    if parent_held {
        return Ok(TakeoverReason::ParentAuthority);
    }
    if force {
        let enough = FORCE_AFTER_SECONDS.saturating_add(liveness.clock_doubt_seconds);
        return if holder.silence_seconds() >= enough {
            Ok(TakeoverReason::Forced)
        } else {
            Err(ClaimRefusal::TakeoverNotAllowed)
        };
    }
    Err(if liveness.state == LivenessState::Alive {
        ClaimRefusal::HeldByLiveSession
    } else {
        ClaimRefusal::HeldBySilentSession
    })
}

#[cfg(test)]
mod tests;
