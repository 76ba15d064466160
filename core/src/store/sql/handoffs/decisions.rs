//! Accepting and rejecting hand-offs: the rules decide inside the transaction that
//! writes the decision.

use serde_json::json;

use super::super::engine::{Tx, args};
use super::super::items::changed_hands_error;
use super::super::sessions::{
    load_registered, load_session, patch_execution_state, prefetch_session, record_heartbeat_of_any,
};
use super::super::statement::statements;
use super::super::stored_text::stored_optional_text;
use super::super::{NOW, claims, events, items};
use super::load::{load_existing_handoff, load_handoff, load_predecessor, prefetch_handoff};
use super::withdrawal::{prefetch_handoff_of_holder, write_decision};
use crate::model::{
    AcceptanceFacts, EventFilter, EventKind, ExecutionState, Handoff, HandoffRefusal,
    HandoffStatus, ReceivedWork, Session, SessionId, SessionStatus, TransferPath,
    decide_acceptance, decide_received_work, decide_rejection,
};
use crate::store::{
    AcceptHandoffRequest, AcceptedHandoff, HandoffResult, HeartbeatRequest, Provenance,
    RejectHandoffRequest, Result, StoreError,
};

statements! {
    /// Gives the item to the receiver, on the claim that the hand-off was made under.
    TRANSFER_ITEM(text, text, int, text, text, text, text, text) =
        "UPDATE work_items SET holder = ?1, claim_epoch = claim_epoch + 1, claimed_at = ", NOW, ",
             status = CASE WHEN status IN ('queued', 'ready') THEN 'running' ELSE status END,
             phase = coalesce(?2, phase), under_epoch = ?3,
             last_actor = ?4, last_reason = ?5, last_op = ?6
         WHERE key = ?7 AND (holder = ?8 OR holder IS NULL) AND claim_epoch = ?3";
}

pub(in super::super) fn accept_handoff(
    tx: &mut impl Tx,
    request: &AcceptHandoffRequest,
) -> Result<HandoffResult<AcceptedHandoff>> {
    let provenance = &request.provenance;
    prefetch_handoff(tx, &request.id);
    prefetch_handoff_of_holder(tx, &request.session);
    let session = load_registered(tx, &request.session)?;
    let Some(handoff) = load_handoff(tx, &request.id)? else {
        return Ok(Err(HandoffRefusal::NotFound));
    };
    for reader in [session.predecessor.as_ref(), Some(&handoff.from)].into_iter().flatten() {
        prefetch_session(tx, reader);
    }
    let item = items::load_item(tx, &handoff.item)?;
    if tx.is_replay(provenance)? {
        let released = claims::find_item_released_by(tx, provenance)?;
        let work = load_received_work(tx, &session, provenance)?;
        return Ok(item.ok_or(HandoffRefusal::ItemNotFound).map(|item| AcceptedHandoff {
            handoff,
            item,
            released,
            work,
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
        Ok(transfer_path) => transfer_path,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut released = None;
    let mut work = ReceivedWork::of_session(&session);
    if transfer_path != TransferPath::AlreadyHeld {
        // What the sender works on is read before anything is written.
        let sender = load_session(tx, &handoff.from)?;
        work = decide_received_work(&handoff, item.as_ref(), sender.as_ref());
        released = claims::release_other_item(tx, &session, &handoff.item, provenance)?;
        transfer_item(tx, &handoff, &work, &session.id, provenance)?;
        set_receiver_work(tx, &handoff, &work, &session.id, provenance)?;
        if let Some(sender) = sender.filter(|_| transfer_path == TransferPath::FromSender) {
            clear_sender_work(tx, &handoff, &sender, provenance)?;
        }
    }
    record_heartbeat_of_any(
        tx,
        &HeartbeatRequest {
            session: session.id.clone(),
            lease_seconds: Some(request.lease_seconds),
            status: Some(SessionStatus::Active),
            quiet_seconds: None,
        },
    )?;
    write_decision(tx, &handoff, HandoffStatus::Accepted, &session.id, None, provenance)?;
    tx.finish();
    prefetch_handoff(tx, &handoff.id);
    let item = items::load_item(tx, &handoff.item)?;
    Ok(Ok(AcceptedHandoff {
        item: item.ok_or_else(|| changed_hands_error(&handoff.item))?,
        handoff: load_existing_handoff(tx, &handoff.id)?,
        released,
        work,
    }))
}

/// Returns what a session went on with when it accepted a hand-off before, as the event tells.
fn load_received_work(
    tx: &mut impl Tx,
    session: &Session,
    provenance: &Provenance,
) -> Result<ReceivedWork> {
    let changes = events::list_events(tx, &EventFilter::of_operation(&provenance.op_id))?;
    let change = changes
        .iter()
        .find(|event| event.is_kind(EventKind::State) && event.key == session.id.as_str());
    Ok(match change.and_then(|event| event.after.as_object()) {
        Some(state) => ReceivedWork::of_state(ExecutionState::from_metadata(state)),
        None => ReceivedWork::of_session(session),
    })
}

fn transfer_item(
    tx: &mut impl Tx,
    handoff: &Handoff,
    work: &ReceivedWork,
    to: &SessionId,
    provenance: &Provenance,
) -> Result<()> {
    tx.change(
        &TRANSFER_ITEM,
        args![
            to,
            stored_optional_text(work.phase.as_ref()),
            handoff.epoch,
            provenance.actor,
            format!("hand-off {}", handoff.id),
            provenance.op_id,
            handoff.item,
            handoff.from,
        ],
        || changed_hands_error(&handoff.item),
    )
}

/// Makes the item, with its phase and task, the receiver's current work.
fn set_receiver_work(
    tx: &mut impl Tx,
    handoff: &Handoff,
    work: &ReceivedWork,
    to: &SessionId,
    provenance: &Provenance,
) -> Result<()> {
    let state = json!({
        "currentSd": handoff.item, "currentPhase": work.phase, "currentTask": work.task,
        "isActive": true, "wasInterrupted": false,
    });
    patch_execution_state(tx, to, state, provenance)
}

/// Ends the sender's work on the item: it was given, not taken.
fn clear_sender_work(
    tx: &mut impl Tx,
    handoff: &Handoff,
    sender: &Session,
    provenance: &Provenance,
) -> Result<()> {
    if sender.execution_state().work.item.as_deref() == Some(handoff.item.as_str()) {
        claims::clear_current_work(tx, &sender.id, provenance)?;
    }
    Ok(())
}

pub(in super::super) fn reject_handoff(
    tx: &mut impl Tx,
    request: &RejectHandoffRequest,
) -> Result<HandoffResult<Handoff>> {
    let provenance = &request.provenance;
    prefetch_handoff(tx, &request.id);
    let session = load_registered(tx, &request.session)?;
    let Some(handoff) = load_handoff(tx, &request.id)? else {
        return Ok(Err(HandoffRefusal::NotFound));
    };
    if tx.is_replay(provenance)? {
        return Ok(Ok(handoff));
    }
    let predecessor = load_predecessor(tx, &session)?;
    if let Err(refusal) = decide_rejection(&handoff, &session, predecessor.as_ref()) {
        return Ok(Err(refusal));
    }
    if request.reason.is_empty() {
        return Err(StoreError::denied("a rejection needs a session and a reason"));
    }
    let rejected = HandoffStatus::Rejected;
    let reason = Some(request.reason.as_str());
    write_decision(tx, &handoff, rejected, &session.id, reason, provenance)?;
    tx.finish();
    load_existing_handoff(tx, &handoff.id).map(Ok)
}
