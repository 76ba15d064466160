//! Accepting and rejecting: the rule decides inside the transaction.

use rusqlite::{Transaction, params};
use serde_json::json;

use super::super::errors::from_sqlite;
use super::super::sessions::to_signed;
use super::super::stored_text::stored_text;
use super::super::{NOW, claims, is_replay, items, require_registered, sessions};
use super::{
    load_existing_handoff, load_handoff, load_predecessor, mark_session_untold,
    record_handoff_event,
};
use crate::model::{
    AcceptanceFacts, Handoff, HandoffRefusal, HandoffStatus, Item, SessionId, SessionStatus,
    TransferPath, decide_acceptance, decide_rejection,
};
use crate::store::{
    AcceptHandoffRequest, AcceptedHandoff, HandoffResult, HeartbeatRequest, Provenance,
    RejectHandoffRequest, Result, StoreError,
};

/// Writes a decision, which the sender is to be told unless it made it. Of two that decide at
/// once the second finds it decided.
pub(super) fn write_decision(
    tx: &Transaction<'_>,
    handoff: &Handoff,
    status: HandoffStatus,
    decider: &SessionId,
    reject_reason: Option<&str>,
    provenance: &Provenance,
) -> Result<Handoff> {
    let changed = tx
        .execute(
            &format!(
                "UPDATE handoffs SET status = ?1, decided_by = ?2, reject_reason = ?3,
                     decided_at = {NOW}, revision = revision + 1
                 WHERE id = ?4 AND status = ?5"
            ),
            params![
                status.as_str(),
                decider.as_str(),
                reject_reason.map(stored_text),
                handoff.id.as_str(),
                handoff.status.as_str()
            ],
        )
        .map_err(from_sqlite)?;
    if changed == 0 {
        return Err(changed_hands_error(handoff));
    }
    let after = load_existing_handoff(tx, &handoff.id)?;
    record_handoff_event(tx, provenance, status.as_str(), Some(handoff), &after)?;
    mark_session_untold(tx, Some(&handoff.from).filter(|from| *from != decider))?;
    Ok(after)
}

pub(super) fn accept_handoff(
    tx: &Transaction<'_>,
    request: &AcceptHandoffRequest,
) -> Result<HandoffResult<AcceptedHandoff>> {
    let provenance = &request.provenance;
    let session = require_registered(
        sessions::load_session(tx, &request.session)?,
        &request.session,
    )?;
    let Some(handoff) = load_handoff(tx, &request.id)? else {
        return Ok(Err(HandoffRefusal::NotFound));
    };
    let item = items::load_item(tx, &handoff.item)?;
    if is_replay(tx, provenance)? {
        let released = claims::find_item_released_by(tx, provenance)?;
        return Ok(item
            .ok_or(HandoffRefusal::ItemNotFound)
            .map(|item| AcceptedHandoff {
                handoff,
                item,
                released,
            }));
    }
    let predecessor = load_predecessor(tx, &session)?;
    let facts = AcceptanceFacts {
        handoff: &handoff,
        session: &session,
        predecessor: predecessor.as_ref(),
        item: item.as_ref(),
    };
    let transfer_path = match decide_acceptance(&facts) {
        Ok(passage) => passage,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut released = None;
    if transfer_path != TransferPath::AlreadyHeld {
        released = claims::release_other_item(tx, &session, &handoff.item, provenance)?;
        transfer_item(tx, &handoff, &session.id, provenance)?;
        set_receiver_work(tx, &handoff, &session.id, provenance)?;
    }
    if transfer_path == TransferPath::FromSender {
        clear_sender_work(tx, &handoff, provenance)?;
    }
    sessions::record_heartbeat(
        tx,
        &HeartbeatRequest {
            session: session.id.clone(),
            lease_seconds: Some(request.lease_seconds),
            status: Some(SessionStatus::Active),
            quiet_seconds: None,
        },
    )?;
    let after = write_decision(
        tx,
        &handoff,
        HandoffStatus::Accepted,
        &session.id,
        None,
        provenance,
    )?;
    let item: Item =
        items::load_item(tx, &handoff.item)?.ok_or_else(|| changed_hands_error(&handoff))?;
    Ok(Ok(AcceptedHandoff {
        handoff: after,
        item,
        released,
    }))
}

fn changed_hands_error(handoff: &Handoff) -> StoreError {
    StoreError::Conflict(format!("the holder of item {} has changed", handoff.item))
}

/// Gives the item to the session, on the claim of the hand-off.
fn transfer_item(
    tx: &Transaction<'_>,
    handoff: &Handoff,
    to: &SessionId,
    provenance: &Provenance,
) -> Result<()> {
    let sql = format!(
        "UPDATE work_items SET holder = ?1, claim_epoch = claim_epoch + 1, claimed_at = {NOW},
             status = CASE WHEN status IN ('queued', 'ready') THEN 'running' ELSE status END,
             phase = coalesce(?2, phase), under_epoch = ?3,
             last_actor = ?4, last_reason = ?5, last_op = ?6
         WHERE key = ?7 AND (holder = ?8 OR holder IS NULL) AND claim_epoch = ?3"
    );
    let passed = tx
        .execute(
            &sql,
            params![
                to.as_str(),
                handoff.phase,
                to_signed(handoff.epoch.0),
                provenance.actor,
                handoff_reason(handoff),
                provenance.op_id,
                handoff.item.as_str(),
                handoff.from.as_str(),
            ],
        )
        .map_err(from_sqlite)?;
    if passed == 0 {
        return Err(changed_hands_error(handoff));
    }
    Ok(())
}

fn handoff_reason(handoff: &Handoff) -> String {
    format!("hand-off {}", handoff.id)
}

/// Makes the item, with phase and task of the hand-off, the receiver's current work.
fn set_receiver_work(
    tx: &Transaction<'_>,
    handoff: &Handoff,
    to: &SessionId,
    provenance: &Provenance,
) -> Result<()> {
    let state = json!({
        "currentSd": handoff.item, "currentPhase": handoff.phase, "currentTask": handoff.task,
        "isActive": true, "wasInterrupted": false,
    });
    claims::patch_execution_state(tx, to, state, provenance)
}

/// Lets the sender work on the item no more: it was given, not taken.
fn clear_sender_work(
    tx: &Transaction<'_>,
    handoff: &Handoff,
    provenance: &Provenance,
) -> Result<()> {
    let Some(sender) = sessions::load_session(tx, &handoff.from)? else {
        return Ok(());
    };
    if sender.execution_state().work.item.as_deref() != Some(handoff.item.as_str()) {
        return Ok(());
    }
    let idle = json!({
        "currentSd": null, "currentPhase": null, "currentTask": null, "isActive": false,
    });
    claims::patch_execution_state(tx, &sender.id, idle, provenance)
}

pub(super) fn reject_handoff(
    tx: &Transaction<'_>,
    request: &RejectHandoffRequest,
) -> Result<HandoffResult<Handoff>> {
    let provenance = &request.provenance;
    let session = require_registered(
        sessions::load_session(tx, &request.session)?,
        &request.session,
    )?;
    let Some(handoff) = load_handoff(tx, &request.id)? else {
        return Ok(Err(HandoffRefusal::NotFound));
    };
    if is_replay(tx, provenance)? {
        return Ok(Ok(handoff));
    }
    let predecessor = load_predecessor(tx, &session)?;
    if let Err(refusal) = decide_rejection(&handoff, &session, predecessor.as_ref()) {
        return Ok(Err(refusal));
    }
    if request.reason.is_empty() {
        let text = "a rejection needs a session and a reason".to_owned();
        return Err(StoreError::Denied(text));
    }
    let reason = Some(request.reason.as_str());
    write_decision(
        tx,
        &handoff,
        HandoffStatus::Rejected,
        &session.id,
        reason,
        provenance,
    )
    .map(Ok)
}
