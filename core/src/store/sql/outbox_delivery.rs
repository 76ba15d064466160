//! Applies queued writes, in order, in one transaction.

use std::collections::BTreeMap;

use serde_json::Map;

use super::engine::{Tx, args};
use super::events::record_checkpoint;
use super::session_tasks::{load_task, prefetch_task, upsert_task};
use super::sessions::{
    load_session, prefetch_is_registered, record_heartbeat_of_any, register_session, write_end,
    write_push,
};
use super::statement::statements;
use crate::deadline::Deadline;
use crate::model::{
    FieldValue, Revision, Session, SessionId, SessionStatus, StateField, Timestamp,
};
use crate::outbox::{PendingChange, PendingWrite, end_op_id};
use crate::reconcile::{RejectedEdit, RejectionReason};
use crate::store::{
    DeliveryOutcome, HeartbeatRequest, InterruptionMark, Provenance, RegistrationDefaults, Result,
    SessionRegistration, StatePush, StoreError,
};

/// The reason that the record of changes gives for every queued write.
const DELIVERY_REASON: &str = "outbox";

statements! {
    /// The revision at which the session's state was last changed by anything but a queued
    /// write.
    LOAD_MOVED_REVISION(text) = @repeated
        "SELECT moved_revision FROM claude_sessions WHERE session_id = ?1";
    SET_MOVED_REVISION(text, int) = @repeated
        "UPDATE claude_sessions SET moved_revision = ?2 WHERE session_id = ?1";

    /// The time of that change, by the database's clock.
    FOREIGN_CHANGE_TIME(text, text) = @repeated
        "SELECT at FROM events
         WHERE entity = 'session' AND key = ?1 AND kind = 'state'
           AND reason IS DISTINCT FROM ?2
         ORDER BY seq DESC LIMIT 1";
}

pub(super) fn deliver_pending(
    tx: &mut impl Tx,
    pending_writes: &[&PendingWrite],
    registration_defaults: &RegistrationDefaults,
    deadline: Deadline,
) -> Result<Vec<DeliveryOutcome>> {
    let mut foreign_changes = ForeignChanges::default();
    let mut outcomes = Vec::with_capacity(pending_writes.len());
    for pending in pending_writes {
        if !outcomes.is_empty() && deadline.has_passed() {
            break;
        }
        let outcome = tx
            .attempt(|tx| deliver_write(tx, &mut foreign_changes, pending, registration_defaults));
        outcomes.push(match outcome {
            // A write that the rules forbid must not block the others.
            Err(error) if is_permanent(&error) => DeliveryOutcome::Refused(error.to_string()),
            other => other?,
        });
    }
    Ok(outcomes)
}

/// Whether an error is about the write itself or the rows that it concerns, not the database.
const fn is_permanent(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Denied { .. } | StoreError::Invalid { .. } | StoreError::Unreadable { .. }
    )
}

/// When sessions were last changed by anything but a write that waited. Nobody else writes while
/// the transaction lasts, so each session is looked up once.
type ForeignChanges = BTreeMap<SessionId, Option<Timestamp>>;

/// A change of a session's state.
struct DeliveredChange {
    fields: BTreeMap<StateField, FieldValue>,
    branch: Option<String>,
    mark: Option<InterruptionMark>,
}

fn deliver_write(
    tx: &mut impl Tx,
    foreign_changes: &mut ForeignChanges,
    pending: &PendingWrite,
    registration_defaults: &RegistrationDefaults,
) -> Result<DeliveryOutcome> {
    prefetch_for_delivery(tx, pending);
    let session = match load_session(tx, &pending.session)? {
        Some(session) => session,
        // Written while the database could not even take the registration.
        None => register_session(tx, &default_registration(pending, registration_defaults))?,
    };
    match &pending.write {
        PendingChange::Task { task, subject } => {
            let task = crate::store::SessionTask { task: task.clone(), subject: subject.clone() };
            upsert_task(tx, &session.id, &task)?;
            Ok(DeliveryOutcome::Written)
        }
        PendingChange::Resumed => resume_session(tx, &session, registration_defaults),
        PendingChange::Checkpoint { operations, reason } => {
            let provenance = delivery_provenance(pending, reason);
            record_checkpoint(tx, &session.id, *operations, &provenance)?;
            Ok(DeliveryOutcome::Written)
        }
        PendingChange::End { reason } => deliver_end(tx, &session, pending, reason),
        PendingChange::TaskStarted { task } => {
            let started = load_task(tx, &session.id, task)?.map(|task| task.subject);
            match started {
                Some(subject) => {
                    let change = current_task_change(Some(subject));
                    apply_change(tx, foreign_changes, &session, pending, change)
                }
                None => Ok(DeliveryOutcome::Written),
            }
        }
        PendingChange::TaskFinished { task } => {
            let finished = load_task(tx, &session.id, task)?.map(|task| task.subject);
            // Another task than the current one was finished.
            if finished.is_none() || finished != session.execution_state().work.task {
                return Ok(DeliveryOutcome::Written);
            }
            apply_change(tx, foreign_changes, &session, pending, current_task_change(None))
        }
        PendingChange::State { changes, branch } => {
            let change =
                DeliveredChange { fields: changes.clone(), branch: branch.clone(), mark: None };
            apply_change(tx, foreign_changes, &session, pending, change)
        }
    }
}

/// Says what will be read before a write is delivered.
fn prefetch_for_delivery(tx: &mut impl Tx, pending: &PendingWrite) {
    match &pending.write {
        PendingChange::Task { .. } => prefetch_is_registered(tx, &pending.session),
        PendingChange::Resumed | PendingChange::Checkpoint { .. } => {}
        PendingChange::TaskStarted { task } | PendingChange::TaskFinished { task } => {
            prefetch_task(tx, &pending.session, task);
            tx.prefetch(&LOAD_MOVED_REVISION, args![pending.session]);
        }
        PendingChange::End { .. } | PendingChange::State { .. } => {
            tx.prefetch(&LOAD_MOVED_REVISION, args![pending.session]);
        }
    }
}

fn default_registration(
    pending: &PendingWrite,
    registration_defaults: &RegistrationDefaults,
) -> SessionRegistration {
    SessionRegistration {
        session: pending.session.clone(),
        repo: None,
        worktree: None,
        branch: None,
        host: registration_defaults.host.clone(),
        process: None,
        predecessor: None,
        lease_seconds: registration_defaults.lease_seconds,
        provenance: Provenance::new(pending.session.as_str(), DELIVERY_REASON),
    }
}

fn delivery_provenance(pending: &PendingWrite, reason: &str) -> Provenance {
    Provenance::new(pending.session.as_str(), reason).under_id(pending.op_id.clone())
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
    registration_defaults: &RegistrationDefaults,
) -> Result<DeliveryOutcome> {
    if !session.status.is_present() {
        record_heartbeat_of_any(
            tx,
            &HeartbeatRequest {
                session: session.id.clone(),
                lease_seconds: Some(registration_defaults.lease_seconds),
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
    session: &Session,
    pending: &PendingWrite,
    reason: &str,
) -> Result<DeliveryOutcome> {
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
        let foreign_revision = load_foreign_revision(tx, &session.id)?;
        let push = state_push(session, interruption_change, interruption);
        push_delivered(tx, &push, foreign_revision)?;
    }
    write_end(tx, &session.id, reason, &end_provenance)?;
    Ok(DeliveryOutcome::Written)
}

/// Changes a session's state, but not over what others changed after the write was made.
fn apply_change(
    tx: &mut impl Tx,
    foreign_changes: &mut ForeignChanges,
    session: &Session,
    pending: &PendingWrite,
    change: DeliveredChange,
) -> Result<DeliveryOutcome> {
    let provenance = delivery_provenance(pending, DELIVERY_REASON);
    if tx.is_replay(&provenance)? {
        return Ok(DeliveryOutcome::Written);
    }
    let foreign_revision = load_foreign_revision(tx, &session.id)?;
    let stale_reason = find_stale_reason(tx, foreign_changes, session, pending, foreign_revision)?;
    if let Some(reason) = stale_reason {
        return Ok(DeliveryOutcome::Superseded(RejectedEdit {
            session: session.id.clone(),
            reason,
            base: pending.origin.as_ref().and_then(|origin| origin.base),
            database: session.revision,
            fields: change.fields,
        }));
    }
    let push = state_push(session, change, provenance);
    if !push.is_in_place(session) {
        push_delivered(tx, &push, foreign_revision)?;
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
    foreign_changes: &mut ForeignChanges,
    session: &Session,
    pending: &PendingWrite,
    foreign_revision: Revision,
) -> Result<Option<RejectionReason>> {
    let Some(origin) = &pending.origin else {
        // Written by a version that recorded only the time; a future time is ignored.
        let changed_at = load_foreign_change_time(tx, foreign_changes, &session.id)?;
        let is_late = changed_at.is_some_and(|at| at >= pending.at) || pending.at > session.read_at;
        return Ok(is_late.then_some(RejectionReason::DatabaseMovedOn));
    };
    let claim = session.item.clone().zip(session.epoch);
    if origin.claim.is_some() && origin.claim != claim {
        return Ok(Some(RejectionReason::ClaimLost));
    }
    // Where nothing was known of the session, nothing but its registration may have been there.
    let base = origin.base.unwrap_or(Revision(1));
    // A base that the database has not reached belongs to a state that it lost, or never had.
    let is_late = foreign_revision > base || base > session.revision;
    Ok(is_late.then_some(RejectionReason::DatabaseMovedOn))
}

fn load_foreign_revision(tx: &mut impl Tx, id: &SessionId) -> Result<Revision> {
    let revision = tx.one_row(&LOAD_MOVED_REVISION, args![id], |row| row.get::<i64>(0))?;
    Ok(Revision(u64::try_from(revision).unwrap_or(0)))
}

fn load_foreign_change_time(
    tx: &mut impl Tx,
    foreign_changes: &mut ForeignChanges,
    id: &SessionId,
) -> Result<Option<Timestamp>> {
    if let Some(known) = foreign_changes.get(id) {
        return Ok(*known);
    }
    let at = tx.row(&FOREIGN_CHANGE_TIME, args![id, DELIVERY_REASON], |row| row.get(0))?;
    foreign_changes.insert(id.clone(), at);
    Ok(at)
}

/// Pushes, and leaves the revision of the last foreign change as it is.
fn push_delivered(tx: &mut impl Tx, push: &StatePush, foreign_revision: Revision) -> Result<()> {
    write_push(tx, push)?;
    tx.execute(&SET_MOVED_REVISION, args![push.session, foreign_revision])?;
    Ok(())
}
