//! Accepting and rejecting: the rule decides inside the transaction.

use rusqlite::{Transaction, params};
use serde_json::json;

use super::super::errors::from_sqlite;
use super::super::free::free;
use super::super::sessions::signed;
use super::super::{NOW, claims, items, registered, sessions, was_done};
use super::{load, predecessor, report, untold, written};
use crate::model::{
    Acceptance, Handoff, HandoffRefusal, HandoffStatus, Item, Passage, SessionId, SessionStatus,
    decide_acceptance, decide_rejection,
};
use crate::store::{
    HandoffAcceptance, HandoffAccepted, HandoffRejection, Heartbeat, Provenance, Result, Ruled,
    StoreError,
};

/// Writes a decision, which the sender is to be told unless it made it. Of two that decide at
/// once the second finds it decided.
pub(super) fn decided(
    tx: &Transaction<'_>,
    handoff: &Handoff,
    status: HandoffStatus,
    who: &SessionId,
    reject_reason: Option<&str>,
    by: &Provenance,
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
                who.as_str(),
                reject_reason.map(free),
                handoff.id.as_str(),
                handoff.status.as_str()
            ],
        )
        .map_err(from_sqlite)?;
    if changed == 0 {
        return Err(moved_on(handoff));
    }
    let after = written(tx, &handoff.id)?;
    report(tx, by, status.as_str(), Some(handoff), &after)?;
    untold(tx, Some(&handoff.from).filter(|from| *from != who))?;
    Ok(after)
}

pub(super) fn accept(
    tx: &Transaction<'_>,
    acceptance: &HandoffAcceptance,
) -> Result<Ruled<HandoffAccepted>> {
    let by = &acceptance.provenance;
    let session = registered(
        sessions::load(tx, &acceptance.session)?,
        &acceptance.session,
    )?;
    let Some(handoff) = load(tx, &acceptance.id)? else {
        return Ok(Err(HandoffRefusal::NotFound));
    };
    let item = items::load(tx, &handoff.item)?;
    if was_done(tx, by)? {
        let released = claims::given_up_by(tx, by)?;
        return Ok(item
            .ok_or(HandoffRefusal::ItemNotFound)
            .map(|item| HandoffAccepted {
                handoff,
                item,
                released,
            }));
    }
    let before = predecessor(tx, &session)?;
    let facts = Acceptance {
        handoff: &handoff,
        session: &session,
        predecessor: before.as_ref(),
        item: item.as_ref(),
    };
    let passage = match decide_acceptance(&facts) {
        Ok(passage) => passage,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut released = None;
    if passage != Passage::InHand {
        released = claims::give_up_other(tx, &session, &handoff.item, by)?;
        pass_on(tx, &handoff, &session.id, by)?;
        take_up(tx, &handoff, &session.id, by)?;
    }
    if passage == Passage::FromSender {
        lay_down(tx, &handoff, by)?;
    }
    sessions::heartbeat(
        tx,
        &Heartbeat {
            session: session.id.clone(),
            lease_seconds: Some(acceptance.lease_seconds),
            status: Some(SessionStatus::Active),
            span_seconds: None,
        },
    )?;
    let after = decided(tx, &handoff, HandoffStatus::Accepted, &session.id, None, by)?;
    let item: Item = items::load(tx, &handoff.item)?.ok_or_else(|| moved_on(&handoff))?;
    Ok(Ok(HandoffAccepted {
        handoff: after,
        item,
        released,
    }))
}

fn moved_on(handoff: &Handoff) -> StoreError {
    StoreError::Conflict(format!("the holder of item {} has changed", handoff.item))
}

/// Gives the item to the session, on the claim of the hand-off.
fn pass_on(tx: &Transaction<'_>, handoff: &Handoff, to: &SessionId, by: &Provenance) -> Result<()> {
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
                signed(handoff.epoch.0),
                by.actor,
                reason(handoff),
                by.op_id,
                handoff.item.as_str(),
                handoff.from.as_str(),
            ],
        )
        .map_err(from_sqlite)?;
    if passed == 0 {
        return Err(moved_on(handoff));
    }
    Ok(())
}

fn reason(handoff: &Handoff) -> String {
    format!("hand-off {}", handoff.id)
}

/// Makes the item, with phase and task of the hand-off, the receiver's current work.
fn take_up(tx: &Transaction<'_>, handoff: &Handoff, to: &SessionId, by: &Provenance) -> Result<()> {
    let state = json!({
        "currentSd": handoff.item, "currentPhase": handoff.phase, "currentTask": handoff.task,
        "isActive": true, "wasInterrupted": false,
    });
    claims::patch_state(tx, to, state, by)
}

/// Lets the sender work on the item no more: it was given, not taken.
fn lay_down(tx: &Transaction<'_>, handoff: &Handoff, by: &Provenance) -> Result<()> {
    let Some(sender) = sessions::load(tx, &handoff.from)? else {
        return Ok(());
    };
    if sender.execution_state().work.item.as_deref() != Some(handoff.item.as_str()) {
        return Ok(());
    }
    let idle = json!({
        "currentSd": null, "currentPhase": null, "currentTask": null, "isActive": false,
    });
    claims::patch_state(tx, &sender.id, idle, by)
}

pub(super) fn reject(tx: &Transaction<'_>, rejection: &HandoffRejection) -> Result<Ruled<Handoff>> {
    let by = &rejection.provenance;
    let session = registered(sessions::load(tx, &rejection.session)?, &rejection.session)?;
    let Some(handoff) = load(tx, &rejection.id)? else {
        return Ok(Err(HandoffRefusal::NotFound));
    };
    if was_done(tx, by)? {
        return Ok(Ok(handoff));
    }
    let before = predecessor(tx, &session)?;
    if let Err(refusal) = decide_rejection(&handoff, &session, before.as_ref()) {
        return Ok(Err(refusal));
    }
    if rejection.reason.is_empty() {
        let text = "a rejection needs a session and a reason".to_owned();
        return Err(StoreError::Denied(text));
    }
    let reason = Some(rejection.reason.as_str());
    decided(
        tx,
        &handoff,
        HandoffStatus::Rejected,
        &session.id,
        reason,
        by,
    )
    .map(Ok)
}
