//! Claims: one conditional statement each, in one transaction with what follows from it.

use serde_json::json;

use super::engine::{Tx, args};
use super::items::{self, changed_hands_error};
use super::sessions::{
    load_registered, patch_execution_state, record_heartbeat_of_any, start_work_on_item,
};
use super::statement::statements;
use super::{NOW, handoffs};
use crate::model::{ClaimOutcome, ItemKey, Session, SessionId, SessionStatus};
use crate::store::{
    ClaimedItem, GrantedClaim, HeartbeatRequest, Provenance, ReleasedClaim, Result,
};

statements! {
    /// Takes effect only while holder and epoch are those that the claim was decided on, and the
    /// holder has given no sign of life since.
    TAKE_ITEM(text, text, text, text, text, text, int, text) =
        "UPDATE work_items SET holder = ?1, claim_epoch = claim_epoch + 1, claimed_at = ", NOW, ",
             status = CASE WHEN status IN ('queued', 'ready') THEN 'running' ELSE status END,
             under_epoch = ?7,
             last_actor = ?2, last_reason = ?3, last_op = ?4
         WHERE key = ?5 AND holder IS NOT DISTINCT FROM ?6 AND claim_epoch = ?7
           AND status NOT IN ('completed', 'failed', 'cancelled')
           AND (?8 IS NULL OR EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = ?6
                AND strftime('%Y-%m-%dT%H:%M:%fZ', heartbeat_at) = ?8))";

    /// A session that loses its item to another is lost, unless it ended itself; either way it
    /// holds nothing more that a sweep could look for.
    MARK_HOLDER_LOST(text, text, text, text, int, text) =
        "UPDATE claude_sessions SET swept = 1,
             status = CASE WHEN ?5 <> 0 AND status IN ('active', 'idle') THEN 'lost'
                 ELSE status END,
             last_actor = ?2, last_reason = ?3, last_op = ?4
         WHERE session_id = ?1 AND swept = 0 AND session_id <> ?6
           AND (?5 <> 0 OR status = 'ended')";

    CLEAR_HOLDER(text, text, text, text, text) =
        "UPDATE work_items SET holder = NULL, last_actor = ?1, last_reason = ?2, last_op = ?3
         WHERE key = ?4 AND holder = ?5";

    FIND_RELEASED_ITEM(text) =
        "SELECT key FROM events WHERE op_id = ?1 AND entity = 'item' AND kind = 'released'";

    MARK_LOST(text, text, text, text, text, text) =
        "UPDATE claude_sessions SET swept = 1,
             status = CASE WHEN status = 'ended' THEN 'ended' ELSE 'lost' END,
             last_actor = ?1, last_reason = ?2, last_op = ?3
         WHERE session_id = ?4 AND strftime('%Y-%m-%dT%H:%M:%fZ', heartbeat_at) = ?5
           AND status = ?6";
}

pub(super) fn claim_item(tx: &mut impl Tx, claim: &GrantedClaim) -> Result<ClaimedItem> {
    let grant = &claim.grant;
    if claim.new_item.is_some() {
        items::prefetch_item(tx, &grant.item);
    }
    handoffs::prefetch_handoff_of_holder(tx, &grant.session);
    let session = load_registered(tx, &grant.session)?;
    let released = if tx.is_replay(&claim.provenance)? {
        // A repetition is no new sign of life: the session may have ended since.
        find_item_released_by(tx, &claim.provenance)?
    } else {
        let released = write_claim(tx, &session, claim)?;
        tx.finish();
        if let Some(key) = &released {
            items::prefetch_item(tx, key);
        }
        released
    };
    let item = items::load_item(tx, &grant.item)?
        .filter(|item| item.holder.as_ref() == Some(&grant.session))
        .ok_or_else(|| changed_hands_error(&grant.item))?;
    let is_already_owned = grant.outcome == ClaimOutcome::AlreadyHeld;
    let previous_holder = grant.expected_holder.clone().filter(|_| !is_already_owned);
    Ok(ClaimedItem { item, previous_holder, released })
}

/// Carries a claim out; returns the item that the session released for it.
fn write_claim(
    tx: &mut impl Tx,
    session: &Session,
    claim: &GrantedClaim,
) -> Result<Option<ItemKey>> {
    let grant = &claim.grant;
    let work = session.execution_state().work;
    let is_current = work.item.as_deref() == Some(grant.item.as_str());
    let item = if is_current || claim.new_item.is_some() {
        items::load_item(tx, &grant.item)?
    } else {
        None
    };
    let mut released = None;
    if grant.outcome == ClaimOutcome::AlreadyHeld {
        check_still_held(session, claim)?;
    } else {
        released = release_other_item(tx, session, &grant.item, &claim.provenance)?;
        if let (Some(addition), None) = (&claim.new_item, &item) {
            items::insert_item(tx, &addition.item, &addition.provenance)?;
        }
        take_item(tx, claim)?;
    }
    if is_current {
        let phase = item.and_then(|item| item.phase);
        resume_work_on_item(tx, session, &grant.item, phase, &claim.provenance)?;
    } else {
        start_work_on_item(tx, &session.id, &grant.item, &claim.provenance)?;
    }
    record_heartbeat_of_any(
        tx,
        &HeartbeatRequest {
            session: grant.session.clone(),
            lease_seconds: Some(claim.lease_seconds),
            status: Some(SessionStatus::Active),
            quiet_seconds: claim.quiet_seconds,
        },
    )?;
    Ok(released)
}

/// Refuses a claim of an item that the session lost after the claim was decided.
fn check_still_held(session: &Session, claim: &GrantedClaim) -> Result<()> {
    let grant = &claim.grant;
    let is_held =
        session.item.as_ref() == Some(&grant.item) && session.epoch == Some(grant.expected_epoch);
    if is_held { Ok(()) } else { Err(changed_hands_error(&grant.item)) }
}

fn take_item(tx: &mut impl Tx, claim: &GrantedClaim) -> Result<()> {
    let grant = &claim.grant;
    let reason = match grant.outcome {
        ClaimOutcome::TakenOver(reason) => Some(reason.as_str()),
        _ => claim.provenance.reason.as_deref(),
    };
    tx.change(
        &TAKE_ITEM,
        args![
            grant.session,
            claim.provenance.actor,
            reason,
            claim.provenance.op_id,
            grant.item,
            grant.expected_holder,
            grant.expected_epoch,
            grant.holder_seen_at.map(|at| at.to_string()),
        ],
        || changed_hands_error(&grant.item),
    )?;
    mark_holder_lost(tx, claim)
}

fn mark_holder_lost(tx: &mut impl Tx, claim: &GrantedClaim) -> Result<()> {
    let grant = &claim.grant;
    let Some(holder) = &grant.expected_holder else {
        return Ok(());
    };
    tx.execute(
        &MARK_HOLDER_LOST,
        args![
            holder,
            claim.provenance.actor,
            format!("{} was taken over by {}", grant.item, grant.session),
            claim.provenance.op_id,
            grant.outcome.loses_holder(),
            grant.session,
        ],
    )?;
    Ok(())
}

/// Releases the item that a session holds, unless it is the one that it claims; returns which. A
/// hand-off of it is withdrawn, as when the session releases it by name.
pub(super) fn release_other_item(
    tx: &mut impl Tx,
    session: &Session,
    wanted: &ItemKey,
    provenance: &Provenance,
) -> Result<Option<ItemKey>> {
    let Some(held) = session.item.as_ref().filter(|held| *held != wanted) else {
        return Ok(None);
    };
    let handoff = handoffs::find_handoff_of_holder(tx, &session.id)?;
    clear_holder(tx, &session.id, held, provenance, Some("claim_switch"))?;
    if let Some(handoff) = handoff.filter(|handoff| handoff.item == *held) {
        handoffs::withdraw_given_up(tx, &handoff, provenance)?;
    }
    Ok(Some(held.clone()))
}

/// Returns the item that a claim carried out before gave up.
pub(super) fn find_item_released_by(
    tx: &mut impl Tx,
    provenance: &Provenance,
) -> Result<Option<ItemKey>> {
    tx.row(&FIND_RELEASED_ITEM, args![provenance.op_id], |row| row.get(0))
}

/// Takes an item from its holder; returns whether that session held it.
pub(super) fn clear_holder(
    tx: &mut impl Tx,
    holder: &SessionId,
    item: &ItemKey,
    provenance: &Provenance,
    reason: Option<&str>,
) -> Result<bool> {
    tx.try_change(
        &CLEAR_HOLDER,
        args![
            provenance.actor,
            reason.or(provenance.reason.as_deref()),
            provenance.op_id,
            item,
            holder,
        ],
    )
}

/// Goes on with the item that is the session's current one. The phase is the item's, which others
/// may have changed while they held it.
fn resume_work_on_item(
    tx: &mut impl Tx,
    session: &Session,
    item: &ItemKey,
    phase: Option<String>,
    provenance: &Provenance,
) -> Result<()> {
    let work = session.execution_state().work;
    let phase = phase.filter(|phase| work.phase.as_ref() != Some(phase));
    if work.is_active && !work.was_interrupted && phase.is_none() {
        return Ok(());
    }
    let mut state = json!({"currentSd": item, "isActive": true, "wasInterrupted": false});
    if let Some(phase) = phase {
        state["currentPhase"] = json!(phase);
    }
    patch_execution_state(tx, &session.id, state, provenance)
}

/// Leaves a session without current work.
pub(super) fn clear_current_work(
    tx: &mut impl Tx,
    session: &SessionId,
    provenance: &Provenance,
) -> Result<()> {
    let idle = json!({
        "currentSd": null, "currentPhase": null, "currentTask": null, "isActive": false,
    });
    patch_execution_state(tx, session, idle, provenance)
}

pub(super) fn mark_lost(
    tx: &mut impl Tx,
    session: &Session,
    provenance: &Provenance,
) -> Result<Option<ReleasedClaim>> {
    let is_marked = tx.try_change(
        &MARK_LOST,
        args![
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            session.id,
            session.heartbeat_at.to_string(),
            session.status.as_str(),
        ],
    )?;
    if !is_marked {
        return Ok(None);
    }
    let item = match &session.item {
        Some(item) if clear_holder(tx, &session.id, item, provenance, None)? => Some(item.clone()),
        _ => None,
    };
    let reason = provenance.reason.clone().unwrap_or_default().into();
    Ok(Some(ReleasedClaim { session: session.id.clone(), item, reason }))
}
