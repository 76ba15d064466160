//! What a write that waited comes to, for the session as it is now: the same over every adapter.

use std::collections::BTreeMap;

use super::{
    DeliveryOutcome, HeartbeatRequest, InterruptionMark, Provenance, RegistrationDefaults, Result,
    SessionRegistration, SessionTask, StatePush,
};
use crate::model::{
    FieldValue, Revision, Session, SessionId, SessionStatus, StateField, Timestamp,
};
use crate::outbox::{PendingChange, PendingWrite, end_op_id};
use crate::reconcile::{RejectedEdit, RejectionReason};

/// What the word for all writes that waited is, in the record of changes.
pub(super) const DELIVERY_REASON: &str = "outbox";

/// What a delivery needs of an adapter, within the transaction it runs in.
pub(super) trait DeliveryTarget {
    fn load_session(&mut self, id: &SessionId) -> Result<Option<Session>>;
    fn register_session(&mut self, registration: &SessionRegistration) -> Result<Session>;
    fn record_heartbeat(&mut self, heartbeat: &HeartbeatRequest) -> Result<()>;
    fn is_replay(&mut self, by: &Provenance) -> Result<bool>;
    fn load_task(&mut self, session: &SessionId, task: &str) -> Result<Option<SessionTask>>;
    fn upsert_task(&mut self, session: &SessionId, note: &SessionTask) -> Result<()>;
    fn end_session(&mut self, id: &SessionId, reason: &str, by: &Provenance) -> Result<()>;
    /// Returns the revision at which the session's state was last changed otherwise than by
    /// writes that waited.
    fn foreign_revision(&mut self, id: &SessionId) -> Result<Revision>;
    /// Returns when that was, by the database's clock.
    fn foreign_changed_at(&mut self, id: &SessionId) -> Result<Option<Timestamp>>;
    /// Pushes, and leaves `moved` as it is.
    fn push_delivered(&mut self, push: &StatePush, moved: Revision) -> Result<()>;
}

/// A change of a session's state.
struct DeliveredChange {
    fields: BTreeMap<StateField, FieldValue>,
    branch: Option<String>,
    mark: Option<InterruptionMark>,
}

/// Carries a write out.
pub(super) fn deliver_write(
    target: &mut impl DeliveryTarget,
    pending: &PendingWrite,
    registration_defaults: &RegistrationDefaults,
) -> Result<DeliveryOutcome> {
    let session = match target.load_session(&pending.session)? {
        Some(session) => session,
        // Written while the database could not even take the registration.
        None => target.register_session(&default_registration(pending, registration_defaults))?,
    };
    match &pending.write {
        PendingChange::Task { task, subject } => {
            let note = SessionTask {
                task: task.clone(),
                subject: subject.clone(),
            };
            target.upsert_task(&session.id, &note)?;
            Ok(DeliveryOutcome::Written)
        }
        PendingChange::Resumed => resume_session(target, &session, registration_defaults),
        PendingChange::End { reason } => end_session(target, &session, pending, reason),
        PendingChange::TaskStarted { task } => {
            let started = target
                .load_task(&session.id, task)?
                .map(|note| note.subject);
            match started {
                Some(subject) => apply_change(
                    target,
                    &session,
                    pending,
                    current_task_change(Some(subject)),
                ),
                None => Ok(DeliveryOutcome::Written),
            }
        }
        PendingChange::TaskFinished { task } => {
            let finished = target
                .load_task(&session.id, task)?
                .map(|note| note.subject);
            // Another task than the current one was finished.
            if finished.is_none() || finished != session.execution_state().work.task {
                return Ok(DeliveryOutcome::Written);
            }
            apply_change(target, &session, pending, current_task_change(None))
        }
        PendingChange::State { changes, branch } => {
            let change = DeliveredChange {
                fields: changes.clone(),
                branch: branch.clone(),
                mark: None,
            };
            apply_change(target, &session, pending, change)
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
    Provenance {
        actor: pending.session.to_string(),
        reason: Some(reason.into()),
        op_id: pending.op_id.clone(),
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
    target: &mut impl DeliveryTarget,
    session: &Session,
    registration_defaults: &RegistrationDefaults,
) -> Result<DeliveryOutcome> {
    if !session.status.is_present() {
        target.record_heartbeat(&HeartbeatRequest {
            session: session.id.clone(),
            lease_seconds: Some(registration_defaults.lease_seconds),
            status: Some(SessionStatus::Active),
            quiet_seconds: None,
        })?;
    }
    Ok(DeliveryOutcome::Written)
}

/// Ends a session. What it held is broken off, whoever changed its state since.
fn end_session(
    target: &mut impl DeliveryTarget,
    session: &Session,
    pending: &PendingWrite,
    reason: &str,
) -> Result<DeliveryOutcome> {
    let end_provenance = Provenance {
        op_id: end_op_id(&pending.op_id),
        ..delivery_provenance(pending, reason)
    };
    if target.is_replay(&end_provenance)? {
        return Ok(DeliveryOutcome::Written);
    }
    let interruption_change = DeliveredChange {
        fields: BTreeMap::from([(StateField::WasInterrupted, FieldValue::Flag(true))]),
        branch: None,
        mark: Some(InterruptionMark::Interrupted),
    };
    let interruption = delivery_provenance(pending, DELIVERY_REASON);
    if session.item.is_some() && !target.is_replay(&interruption)? {
        let foreign_revision = target.foreign_revision(&session.id)?;
        target.push_delivered(
            &state_push(session, interruption_change, interruption),
            foreign_revision,
        )?;
    }
    target.end_session(&session.id, reason, &end_provenance)?;
    Ok(DeliveryOutcome::Written)
}

/// Changes a session's state, but not over what others changed after the write was made.
fn apply_change(
    target: &mut impl DeliveryTarget,
    session: &Session,
    pending: &PendingWrite,
    change: DeliveredChange,
) -> Result<DeliveryOutcome> {
    let provenance = delivery_provenance(pending, DELIVERY_REASON);
    if target.is_replay(&provenance)? {
        return Ok(DeliveryOutcome::Written);
    }
    let foreign_revision = target.foreign_revision(&session.id)?;
    if let Some(stale_reason) = find_stale_reason(target, session, pending, foreign_revision)? {
        return Ok(DeliveryOutcome::Superseded(RejectedEdit {
            session: session.id.clone(),
            reason: stale_reason,
            base: pending.origin.as_ref().and_then(|origin| origin.base),
            database: session.revision,
            fields: change.fields,
        }));
    }
    target.push_delivered(&state_push(session, change, provenance), foreign_revision)?;
    Ok(DeliveryOutcome::Written)
}

fn state_push(session: &Session, change: DeliveredChange, provenance: Provenance) -> StatePush {
    StatePush {
        session: session.id.clone(),
        base: session.revision,
        fencing_token: None,
        changes: change.fields,
        branch: change.branch,
        mark: change.mark,
        acknowledge: true,
        provenance,
    }
}

/// Tells whether, and why, a write comes too late.
fn find_stale_reason(
    target: &mut impl DeliveryTarget,
    session: &Session,
    pending: &PendingWrite,
    foreign_revision: Revision,
) -> Result<Option<RejectionReason>> {
    let Some(origin) = &pending.origin else {
        // Written by a version that knew the time alone; one that is not over is no time.
        let changed_at = target.foreign_changed_at(&session.id)?;
        let is_late = changed_at.is_some_and(|at| at >= pending.at) || pending.at > session.read_at;
        return Ok(is_late.then_some(RejectionReason::DatabaseMovedOn));
    };
    let claim = session.item.clone().zip(session.epoch);
    if origin.claim.is_some() && origin.claim != claim {
        return Ok(Some(RejectionReason::ClaimLost));
    }
    // Where nothing was known of the session, nothing but its registration may have been there.
    let base = origin.base.unwrap_or(Revision(1));
    // A base that the database has not reached is of a state that it lost, or none.
    let is_late = foreign_revision > base || base > session.revision;
    Ok(is_late.then_some(RejectionReason::DatabaseMovedOn))
}
