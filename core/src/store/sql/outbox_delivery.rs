//! Applies queued writes, in order, in one transaction.

use std::collections::BTreeMap;

use serde_json::Map;

use super::attention::{end_attention, raise_attention};
use super::delivery_rows::{DELIVERY_REASON, KnownRows, KnownSession, delivery_provenance};
use super::engine::Tx;
use super::events::write_checkpoint;
use super::session_tasks::write_task;
use super::sessions::{record_heartbeat_of_any, register_session, write_end};
use crate::deadline::Deadline;
use crate::model::{FieldValue, Revision, Session, SessionStatus, StateField};
use crate::outbox::{JournalEntry, PendingChange, PendingWrite, RefusedWrite, end_op_id};
use crate::reconcile::{RejectedEdit, RejectionReason};
use crate::store::{
    DeliveryOutcome, DeliverySource, HeartbeatRequest, InterruptionMark, Provenance, Result,
    SessionRegistration, StatePush, StoreError,
};

pub(super) fn deliver_pending(
    tx: &mut impl Tx,
    pending_writes: &[&PendingWrite],
    source: &DeliverySource,
    deadline: Deadline,
) -> Result<Vec<DeliveryOutcome>> {
    let mut known = KnownRows::of_outbox(source.outbox.clone());
    if tx.has_costly_later_reads() && pending_writes.len() > 1 {
        known.load_ahead(tx, pending_writes)?;
    }
    let mut outcomes = Vec::with_capacity(pending_writes.len());
    for pending in pending_writes {
        if !outcomes.is_empty() && deadline.has_passed() {
            break;
        }
        let outcome = tx.attempt(|tx| deliver_write(tx, &mut known, pending, source));
        if outcome.is_err() {
            known.forget_session(&pending.session);
        }
        outcomes.push(match outcome {
            // A write that the rules forbid must not block the others.
            Err(error) if is_permanent(&error) => {
                report_refused(tx, pending, &error, source)?;
                DeliveryOutcome::Refused(error.to_string())
            }
            other => other?,
        });
    }
    Ok(outcomes)
}

/// The provenance of a report about a write. Under the id of the write, the write would count as
/// carried out.
fn report_provenance(pending: &PendingWrite) -> Provenance {
    Provenance::new(pending.session.as_str(), DELIVERY_REASON)
}

/// Reports a write that was refused for good, in the transaction that finds it.
fn report_refused(
    tx: &mut impl Tx,
    pending: &PendingWrite,
    error: &StoreError,
    source: &DeliverySource,
) -> Result<()> {
    let refused = RefusedWrite { reason: error.to_string(), record: pending.clone() };
    raise_attention(tx, &refused.as_attention(source.host.as_deref()), &report_provenance(pending))
}

/// Whether an error is about the write itself or the rows that it concerns, not the database.
const fn is_permanent(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Denied { .. } | StoreError::Invalid { .. } | StoreError::Unreadable { .. }
    )
}

/// Returns how many of the first writes are delivered together, at most so many. What they read is
/// read before the first of them is written, and what each leaves behind can be predicted.
pub(super) fn count_together(pending_writes: &[&PendingWrite], most: usize) -> usize {
    let is_predictable = |pending: &&&PendingWrite| match &pending.write {
        // Whether a branch alone raises the revision depends on the clock.
        PendingChange::State { changes, .. } => !changes.is_empty(),
        PendingChange::TaskStarted { .. }
        | PendingChange::TaskFinished { .. }
        | PendingChange::Task { .. }
        | PendingChange::Checkpoint { .. } => true,
        // Of a report, what is open decides.
        PendingChange::AttentionRaised { .. }
        | PendingChange::AttentionEnded { .. }
        | PendingChange::End { .. }
        | PendingChange::Resumed => false,
    };
    let together = pending_writes.iter().take(most).take_while(is_predictable);
    together.count().max(1)
}

/// A change of a session's state.
struct DeliveredChange {
    fields: BTreeMap<StateField, FieldValue>,
    branch: Option<String>,
    mark: Option<InterruptionMark>,
}

fn deliver_write(
    tx: &mut impl Tx,
    known: &mut KnownRows,
    pending: &PendingWrite,
    source: &DeliverySource,
) -> Result<DeliveryOutcome> {
    // Only what needs a person concerns no session that has to be there: the others find theirs first.
    match &pending.write {
        PendingChange::AttentionRaised { attention, reason } => {
            raise_attention(tx, attention, &delivery_provenance(pending, reason))?;
            Ok(DeliveryOutcome::Written)
        }
        PendingChange::AttentionEnded { attention, reason } => {
            end_attention(tx, attention, &delivery_provenance(pending, reason))?;
            Ok(DeliveryOutcome::Written)
        }
        PendingChange::Task { task, subject } => {
            let session = find_or_register(tx, known, pending, source)?.session;
            let note = crate::store::SessionTask { task: task.clone(), subject: subject.clone() };
            write_task(tx, &session.id, &note)?;
            known.forget_task(&session.id, note.task);
            Ok(DeliveryOutcome::Written)
        }
        PendingChange::Resumed => {
            let found = find_or_register(tx, known, pending, source)?;
            known.forget_session(&pending.session);
            resume_session(tx, &found.session, source)
        }
        PendingChange::Checkpoint { operations, reason } => {
            let session = find_or_register(tx, known, pending, source)?.session;
            let provenance = delivery_provenance(pending, reason);
            if !known.is_carried_out(tx, &provenance)? {
                write_checkpoint(tx, &session.id, *operations, &provenance)?;
                known.note_operation(&provenance);
            }
            Ok(DeliveryOutcome::Written)
        }
        PendingChange::End { reason } => {
            let found = find_or_register(tx, known, pending, source)?;
            known.forget_session(&pending.session);
            deliver_end(tx, known, &found, pending, reason)
        }
        PendingChange::TaskStarted { task } => {
            let found = find_or_register(tx, known, pending, source)?;
            let Some(subject) = known.find_task(tx, &found.session.id, task)? else {
                return Ok(DeliveryOutcome::Written);
            };
            apply_change(tx, known, &found, pending, source, current_task_change(Some(subject)))
        }
        PendingChange::TaskFinished { task } => {
            let found = find_or_register(tx, known, pending, source)?;
            let finished = known.find_task(tx, &found.session.id, task)?;
            // Another task than the current one was finished.
            if finished.is_none() || finished != found.session.execution_state().work.task {
                return Ok(DeliveryOutcome::Written);
            }
            apply_change(tx, known, &found, pending, source, current_task_change(None))
        }
        PendingChange::State { changes, branch } => {
            let found = find_or_register(tx, known, pending, source)?;
            let change =
                DeliveredChange { fields: changes.clone(), branch: branch.clone(), mark: None };
            apply_change(tx, known, &found, pending, source, change)
        }
    }
}

/// Finds the session of a write. One that is not registered is: the write was made while the
/// database could not even take the registration.
fn find_or_register(
    tx: &mut impl Tx,
    known: &mut KnownRows,
    pending: &PendingWrite,
    source: &DeliverySource,
) -> Result<KnownSession> {
    known.prefetch_for_delivery(tx, pending);
    if let Some(found) = known.find_session(tx, &pending.session)? {
        return Ok(found);
    }
    let registration = default_registration(pending, source);
    let session = register_session(tx, &registration)?;
    known.note_session(tx, session)
}

fn default_registration(pending: &PendingWrite, source: &DeliverySource) -> SessionRegistration {
    SessionRegistration {
        session: pending.session.clone(),
        repo: None,
        worktree: None,
        branch: None,
        host: source.host.clone(),
        process: None,
        predecessor: None,
        lease_seconds: source.lease_seconds,
        provenance: Provenance::new(pending.session.as_str(), DELIVERY_REASON),
    }
}

fn current_task_change(task: Option<String>) -> DeliveredChange {
    DeliveredChange {
        fields: BTreeMap::from([(StateField::Task, FieldValue::Text(task))]),
        branch: None,
        mark: None,
    }
}

fn resume_session(
    tx: &mut impl Tx,
    session: &Session,
    source: &DeliverySource,
) -> Result<DeliveryOutcome> {
    if !session.status.is_present() {
        record_heartbeat_of_any(
            tx,
            &HeartbeatRequest {
                session: session.id.clone(),
                lease_seconds: Some(source.lease_seconds),
                status: Some(SessionStatus::Active),
                quiet_seconds: None,
            },
        )?;
    }
    Ok(DeliveryOutcome::Written)
}

/// Ends a session. What it held is interrupted, even if others changed its state since.
fn deliver_end(
    tx: &mut impl Tx,
    known: &KnownRows,
    found: &KnownSession,
    pending: &PendingWrite,
    reason: &str,
) -> Result<DeliveryOutcome> {
    let KnownSession { session, foreign_revision } = found;
    let end_provenance = delivery_provenance(pending, reason).under_id(end_op_id(&pending.op_id));
    if tx.is_replay(&end_provenance)? {
        return Ok(DeliveryOutcome::Written);
    }
    let interruption = delivery_provenance(pending, DELIVERY_REASON);
    let was_interrupted = session.execution_state().work.was_interrupted;
    if session.item.is_some() && !was_interrupted && !tx.is_replay(&interruption)? {
        let interruption_change = DeliveredChange {
            fields: BTreeMap::from([(StateField::WasInterrupted, FieldValue::Flag(true))]),
            branch: None,
            mark: Some(InterruptionMark::Interrupted),
        };
        let push = state_push(session, interruption_change, interruption);
        known.push_delivered(tx, &push, *foreign_revision)?;
    }
    write_end(tx, &session.id, reason, &end_provenance)?;
    Ok(DeliveryOutcome::Written)
}

/// Changes a session's state, but not over what others changed after the write was made.
fn apply_change(
    tx: &mut impl Tx,
    known: &mut KnownRows,
    found: &KnownSession,
    pending: &PendingWrite,
    source: &DeliverySource,
    change: DeliveredChange,
) -> Result<DeliveryOutcome> {
    let KnownSession { session, foreign_revision } = found;
    let provenance = delivery_provenance(pending, DELIVERY_REASON);
    if known.is_carried_out(tx, &provenance)? {
        return Ok(DeliveryOutcome::Written);
    }
    let stale_reason = find_stale_reason(tx, known, session, pending, *foreign_revision)?;
    if let Some(reason) = stale_reason {
        let lost = RejectedEdit {
            session: session.id.clone(),
            reason,
            base: pending.origin.as_ref().and_then(|origin| origin.base_in(&session.lineage)),
            database: session.revision,
            fields: change.fields,
        };
        // Whoever sends it puts it into the journal of the machine.
        let entry = JournalEntry::new(lost.clone(), pending.at);
        let report = entry.as_attention(source.host.as_deref());
        raise_attention(tx, &report, &report_provenance(pending))?;
        return Ok(DeliveryOutcome::Superseded(lost));
    }
    let push = state_push(session, change, provenance);
    if !push.is_in_place(session) {
        known.push_delivered(tx, &push, *foreign_revision)?;
        known.note_push(tx, &push);
    }
    Ok(DeliveryOutcome::Written)
}

fn state_push(session: &Session, change: DeliveredChange, provenance: Provenance) -> StatePush {
    StatePush {
        session: session.id.clone(),
        base: session.revision,
        fencing_token: None,
        changes: change.fields,
        metadata: Map::new(),
        branch: change.branch,
        mark: change.mark,
        acknowledge: true,
        provenance,
    }
}

/// Returns whether, and why, a write comes too late.
fn find_stale_reason(
    tx: &mut impl Tx,
    known: &mut KnownRows,
    session: &Session,
    pending: &PendingWrite,
    foreign_revision: Revision,
) -> Result<Option<RejectionReason>> {
    let Some(origin) = &pending.origin else {
        // Written by a version that recorded only the time; a future time is ignored.
        let changed_at = known.load_foreign_change_time(tx, &session.id)?;
        let is_late = changed_at.is_some_and(|at| at >= pending.at) || pending.at > session.read_at;
        return Ok(is_late.then_some(RejectionReason::DatabaseMovedOn));
    };
    let claim = session.item.clone().zip(session.epoch);
    if origin.claim.is_some() && origin.claim != claim {
        return Ok(Some(RejectionReason::ClaimLost));
    }
    // Where nothing was known of the session, nothing but its registration may have been there.
    let base = origin.base_in(&session.lineage).unwrap_or(Revision(1));
    // A base that the database has not reached belongs to a state that it lost, or never had.
    let is_late = foreign_revision > base || base > session.revision;
    Ok(is_late.then_some(RejectionReason::DatabaseMovedOn))
}
