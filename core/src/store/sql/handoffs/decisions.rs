//! Accepting, rejecting and withdrawing hand-offs: the rules decide inside the transaction that
//! writes the decision.

use serde_json::json;

use super::super::engine::{Tx, args};
use super::super::events::record_event;
use super::super::sessions::{
    load_registered, load_session, patch_execution_state, prefetch_session, record_heartbeat_of_any,
};
use super::super::statement::statements;
use super::super::stored_text::stored_text;
use super::super::{NOW, claims, items};
use super::load::{
    find_open_handoff, load_existing_handoff, load_handoff, load_predecessor, mark_session_untold,
    prefetch_handoff,
};
use crate::model::EventKind;
use crate::model::{
    AcceptanceFacts, Handoff, HandoffRefusal, HandoffStatus, ItemKey, Session, SessionId,
    SessionStatus, TransferPath, decide_acceptance, decide_rejection,
};
use crate::store::api::WITHDRAWN_REASON;
use crate::store::event_draft::EventDraft;
use crate::store::{
    AcceptHandoffRequest, AcceptedHandoff, HandoffResult, HeartbeatRequest, Provenance,
    RejectHandoffRequest, Result, StoreError,
};

statements! {
    /// Of two that decide at once the second finds the hand-off decided.
    DECIDE_HANDOFF(text, text, text, text, text) =
        "UPDATE handoffs SET status = ?1, decided_by = ?2, reject_reason = ?3,
             decided_at = ", NOW, ", revision = revision + 1
         WHERE id = ?4 AND status = ?5";

    /// Gives the item to the receiver, on the claim that the hand-off was made under.
    TRANSFER_ITEM(text, text, int, text, text, text, text, text) =
        "UPDATE work_items SET holder = ?1, claim_epoch = claim_epoch + 1, claimed_at = ", NOW, ",
             status = CASE WHEN status IN ('queued', 'ready') THEN 'running' ELSE status END,
             phase = coalesce(?2, phase), under_epoch = ?3,
             last_actor = ?4, last_reason = ?5, last_op = ?6
         WHERE key = ?7 AND (holder = ?8 OR holder IS NULL) AND claim_epoch = ?3";
}

/// Writes a decision, which the sender is to be told unless it is the sender's own.
fn write_decision(
    tx: &mut impl Tx,
    handoff: &Handoff,
    status: HandoffStatus,
    decider: &SessionId,
    reject_reason: Option<&str>,
    provenance: &Provenance,
) -> Result<()> {
    tx.change(
        &DECIDE_HANDOFF,
        args![
            status.as_str(),
            decider,
            reject_reason.map(stored_text),
            handoff.id,
            handoff.status.as_str(),
        ],
        || changed_hands_error(handoff),
    )?;
    let after = Handoff {
        status,
        decided_by: Some(decider.clone()),
        reject_reason: reject_reason.map(|reason| stored_text(reason).into_owned()),
        ..handoff.clone()
    };
    let kind = match status {
        HandoffStatus::Accepted => EventKind::Accepted,
        _ => EventKind::Rejected,
    };
    let draft = EventDraft::of_handoff(kind, Some(handoff), &after);
    record_event(tx, provenance, &draft)?;
    mark_session_untold(tx, Some(&handoff.from).filter(|from| *from != decider))
}

/// Finds the open hand-off of an item that a session made.
pub(in super::super) fn find_handoff_of(
    tx: &mut impl Tx,
    item: &ItemKey,
    sender: &SessionId,
) -> Result<Option<Handoff>> {
    Ok(find_open_handoff(tx, item)?.filter(|open| open.from == *sender))
}

/// Withdraws the hand-off of an item that its sender gives up.
pub(in super::super) fn withdraw_given_up(
    tx: &mut impl Tx,
    open: &Handoff,
    provenance: &Provenance,
) -> Result<()> {
    withdraw_handoff(tx, open, WITHDRAWN_REASON, provenance)
}

/// Closes a hand-off in its sender's name, who need not be told.
pub(super) fn withdraw_handoff(
    tx: &mut impl Tx,
    open: &Handoff,
    reason: &str,
    provenance: &Provenance,
) -> Result<()> {
    let rejected = HandoffStatus::Rejected;
    write_decision(tx, open, rejected, &open.from, Some(reason), provenance)
}

pub(in super::super) fn accept_handoff(
    tx: &mut impl Tx,
    request: &AcceptHandoffRequest,
) -> Result<HandoffResult<AcceptedHandoff>> {
    let provenance = &request.provenance;
    prefetch_handoff(tx, &request.id);
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
        return Ok(item.ok_or(HandoffRefusal::ItemNotFound).map(|item| AcceptedHandoff {
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
        Ok(transfer_path) => transfer_path,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // What the sender works on is read before anything is written.
    let sender = match transfer_path {
        TransferPath::FromSender => load_session(tx, &handoff.from)?,
        _ => None,
    };
    let mut released = None;
    if transfer_path != TransferPath::AlreadyHeld {
        released = claims::release_other_item(tx, &session, &handoff.item, provenance)?;
        transfer_item(tx, &handoff, &session.id, provenance)?;
        set_receiver_work(tx, &handoff, &session.id, provenance)?;
    }
    if let Some(sender) = &sender {
        clear_sender_work(tx, &handoff, sender, provenance)?;
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
        item: item.ok_or_else(|| changed_hands_error(&handoff))?,
        handoff: load_existing_handoff(tx, &handoff.id)?,
        released,
    }))
}

fn changed_hands_error(handoff: &Handoff) -> StoreError {
    claims::changed_hands_error(&handoff.item)
}

fn transfer_item(
    tx: &mut impl Tx,
    handoff: &Handoff,
    to: &SessionId,
    provenance: &Provenance,
) -> Result<()> {
    tx.change(
        &TRANSFER_ITEM,
        args![
            to,
            handoff.phase,
            handoff.epoch,
            provenance.actor,
            format!("hand-off {}", handoff.id),
            provenance.op_id,
            handoff.item,
            handoff.from,
        ],
        || changed_hands_error(handoff),
    )
}

/// Makes the item, with phase and task of the hand-off, the receiver's current work.
fn set_receiver_work(
    tx: &mut impl Tx,
    handoff: &Handoff,
    to: &SessionId,
    provenance: &Provenance,
) -> Result<()> {
    let state = json!({
        "currentSd": handoff.item, "currentPhase": handoff.phase, "currentTask": handoff.task,
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
