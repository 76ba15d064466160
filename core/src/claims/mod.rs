//! Claiming items and moving them, over the operations of the store.
//!
//! [`crate::model::decide_claim`] decides a claim. This module collects the facts for it and
//! repeats the decision when the database changed between reading and writing.

mod commands;
mod move_request;

use crate::model::{
    ClaimFacts, ClaimForecast, ClaimOutcome, ClaimRefusal, InterruptedWork, Item, ItemKey,
    Liveness, Session, SessionId, SessionStatus, decide_claim, forecast_claim, judge_session,
};
use crate::store::{
    ClaimStore, ClaimedItem, GrantedClaim, HookStore, ItemAddition, Provenance, Result, Store,
    StoreError,
};
use crate::sync::{CLOCK_READINGS_APART_SECONDS, ClockDoubt, RunContext};

pub use commands::{claim_command, restore_command};
pub use move_request::{MoveAnswer, MoveItemRequest, move_item};

/// Most predecessors of a session that are checked when it asks for a predecessor's item.
const MAX_GENERATIONS: usize = 16;

/// Attempts before giving up on an item that keeps changing hands.
const MAX_ATTEMPTS: usize = 8;

/// A request to claim an item.
#[derive(Debug, Clone)]
pub struct ClaimItemRequest {
    /// The session that claims.
    pub session: SessionId,
    /// The item.
    pub item: ItemKey,
    /// The item to add, where it does not exist.
    pub new_item: Option<ItemAddition>,
    /// Whether to take it from a silent holder.
    pub force: bool,
    /// Seconds of silence to announce.
    pub quiet_period_seconds: Option<u64>,
    /// Who asks. All attempts share one operation id, so that a claim that did take effect is
    /// recognized.
    pub provenance: Provenance,
}

/// The answer to a [`ClaimItemRequest`].
#[derive(Debug)]
pub enum ClaimAnswer {
    /// The session holds the item now.
    Granted {
        /// The claimed item.
        taken: ClaimedItem,
        /// How the claim succeeded.
        outcome: ClaimOutcome,
    },
    /// The claim is refused.
    Refused {
        /// Why.
        refusal: ClaimRefusal,
        /// The holder and its liveness.
        holder: Option<(Session, Liveness)>,
        /// When the item can be claimed, and whether that needs force.
        forecast: Option<ClaimForecast>,
    },
}

/// Claims an item for a session.
///
/// # Errors
///
/// When the database cannot be read, or the item kept changing hands.
pub fn claim_item(
    store: &mut dyn ClaimStore,
    request: &ClaimItemRequest,
    site: &RunContext,
) -> Result<ClaimAnswer> {
    let mut conflict = None;
    let mut doubt = ClockDoubt::default();
    for _ in 0..MAX_ATTEMPTS {
        let claimant = store.load_session(&request.session)?;
        let item = store.load_item(&request.item)?;
        let holder = match item.as_ref().and_then(|item| item.holder.as_ref()) {
            Some(holder) => store.load_session(holder)?,
            None => None,
        };
        let holder = match holder {
            Some(holder) => {
                let liveness = doubt.judge_session(&holder, site, store)?;
                Some((holder, liveness))
            }
            None => None,
        };
        let claimant = match (claimant, &holder) {
            (Some(claimant), Some((holder, _))) if holder.status == SessionStatus::Ended => {
                Some(resolve_successor(store, claimant, holder)?)
            }
            (claimant, _) => claimant,
        };
        let facts = ClaimFacts {
            claimant: claimant.as_ref(),
            item: item.as_ref(),
            holder: holder.as_ref().map(|(holder, liveness)| (holder, liveness)),
            force: request.force,
            new_item: request.new_item.as_ref().map(|addition| &addition.item.key),
        };
        let grant = match decide_claim(&facts) {
            Err(refusal) => {
                let process = holder.as_ref().map(|(_, liveness)| liveness.process);
                let ceiling = site.settings.ceiling_seconds;
                let forecast = match forecast_second_reading(&facts, site) {
                    Some(taking) => {
                        // This was the first reading of the clock; the next attempt makes the
                        // second.
                        store.record_refusal(
                            &request.item,
                            &request.provenance.with_new_operation(),
                        )?;
                        Some(taking)
                    }
                    None => process.and_then(|process| forecast_claim(&facts, process, ceiling)),
                };
                return Ok(ClaimAnswer::Refused { refusal, holder, forecast });
            }
            Ok(grant) => grant,
        };
        let outcome = grant.outcome;
        let grant_request = GrantedClaim {
            grant,
            new_item: request.new_item.clone(),
            quiet_seconds: request.quiet_period_seconds,
            lease_seconds: site.settings.lease_seconds,
            provenance: request.provenance.clone(),
        };
        match store.claim(&grant_request) {
            Ok(taken) => return Ok(ClaimAnswer::Granted { taken, outcome }),
            // Another session was faster. The next reading shows which.
            Err(error @ StoreError::Conflict(_)) => conflict = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(conflict
        .unwrap_or_else(|| StoreError::Conflict(format!("item {} keeps changing", request.item))))
}

/// Makes the session a direct successor of `ended` if it continues that session through others:
/// every `/clear` makes a new session, and not each of them claims the item.
fn resolve_successor(
    store: &mut dyn HookStore,
    session: Session,
    ended: &Session,
) -> Result<Session> {
    let mut before = session.predecessor.clone();
    for _ in 0..MAX_GENERATIONS {
        let Some(id) = before else { break };
        if id == ended.id {
            let predecessor = Some(id);
            return Ok(Session { predecessor, ..session });
        }
        before = store.load_session(&id)?.and_then(|it| it.predecessor);
    }
    Ok(session)
}

/// Forecasts a claim that is refused only because a second reading of the clock is missing.
fn forecast_second_reading(facts: &ClaimFacts<'_>, site: &RunContext) -> Option<ClaimForecast> {
    let (holder, liveness) = facts.holder.filter(|(_, it)| it.clock_doubt_seconds > 0)?;
    let undoubted = judge_session(holder, liveness.process, site.settings.ceiling_seconds);
    let facts = ClaimFacts { holder: Some((holder, &undoubted)), ..facts.clone() };
    decide_claim(&facts).is_ok().then(|| ClaimForecast {
        at: holder.read_at.plus_seconds(CLOCK_READINGS_APART_SECONDS + 1),
        by_force: facts.force,
    })
}

/// Claims the item again that a session was working on when it ended, if it is still free. A
/// session that gave its item up is working on none.
///
/// # Errors
///
/// When the database cannot be read, or the item kept changing hands.
pub fn reclaim_own_item(
    store: &mut dyn ClaimStore,
    session: &Session,
    site: &RunContext,
) -> Result<bool> {
    let work = session.execution_state().work;
    let Some(key) = work.item.and_then(|key| key.parse::<ItemKey>().ok()) else {
        return Ok(false);
    };
    let item = store.load_item(&key)?;
    let free = item.is_some_and(|item| item.holder.is_none() && !item.status.is_finished());
    if session.item.is_some() || !free {
        return Ok(false);
    }
    let request = ClaimItemRequest {
        session: session.id.clone(),
        item: key,
        new_item: None,
        force: false,
        quiet_period_seconds: None,
        provenance: Provenance::new(session.id.as_str(), "resumed"),
    };
    Ok(matches!(claim_item(store, &request, site)?, ClaimAnswer::Granted { .. }))
}

/// Finds work on an item that its last holder did not finish, for the session that claimed the
/// item.
///
/// # Errors
///
/// When the database cannot be read.
pub fn find_interrupted_work(
    store: &mut dyn Store,
    item: &Item,
) -> Result<Option<InterruptedWork>> {
    let Some(last_holder) = store.find_last_holder(&item.key)? else {
        return Ok(None);
    };
    let session = store.load_session(&last_holder.session)?;
    Ok(session.and_then(|session| InterruptedWork::find(item, &session, last_holder.until)))
}
