//! Applies queued writes, in order, in one transaction.

use std::collections::BTreeMap;

use serde_json::Map;

use super::engine::{Tx, args};
use super::events::write_checkpoint;
use super::session_tasks::{load_task, prefetch_task, write_task};
use super::sessions::{
    load_session, prefetch_session, record_heartbeat_of_any, register_session, write_end,
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
    let mut known = KnownRows::default();
    if tx.has_costly_later_reads() && pending_writes.len() > 1 {
        known.load_ahead(tx, pending_writes)?;
    }
    let mut outcomes = Vec::with_capacity(pending_writes.len());
    for pending in pending_writes {
        if !outcomes.is_empty() && deadline.has_passed() {
            break;
        }
        let outcome =
            tx.attempt(|tx| deliver_write(tx, &mut known, pending, registration_defaults));
        if outcome.is_err() {
            known.forget_session(&pending.session);
        }
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
        PendingChange::End { .. } | PendingChange::Resumed => false,
    };
    let together = pending_writes.iter().take(most).take_while(is_predictable);
    together.count().max(1)
}

/// A session, and the revision at which it was last changed by anything but a write that waited.
#[derive(Debug, Clone)]
struct KnownSession {
    session: Session,
    foreign_revision: Revision,
}

/// What is known of the rows that a transaction delivers to. Nobody else writes while it lasts, so
/// each is read once; where a read behind a write is costly, before the first write, and what a
/// write makes of it is predicted. A prediction that is wrong leads to a condition that does not
/// hold, and nothing is written.
#[derive(Debug, Default)]
struct KnownRows {
    sessions: BTreeMap<SessionId, KnownSession>,
    /// The subjects of tasks.
    tasks: BTreeMap<(SessionId, String), Option<String>>,
    /// The operations of which it is known whether they were carried out.
    operations: BTreeMap<String, bool>,
    /// When sessions were last changed by anything but a write that waited.
    foreign_changes: BTreeMap<SessionId, Option<Timestamp>>,
}

impl KnownRows {
    /// Reads what the writes need.
    fn load_ahead(&mut self, tx: &mut impl Tx, pending_writes: &[&PendingWrite]) -> Result<()> {
        for pending in pending_writes {
            prefetch_session(tx, &pending.session);
            prefetch_for_delivery(tx, pending);
        }
        for pending in pending_writes {
            let provenance = delivery_provenance(pending, DELIVERY_REASON);
            self.is_carried_out(tx, &provenance)?;
            if self.find_session(tx, &pending.session)?.is_some()
                && let PendingChange::TaskStarted { task } | PendingChange::TaskFinished { task } =
                    &pending.write
            {
                self.find_task(tx, &pending.session, task)?;
            }
        }
        Ok(())
    }

    fn find_session(&mut self, tx: &mut impl Tx, id: &SessionId) -> Result<Option<KnownSession>> {
        if let Some(known) = self.sessions.get(id) {
            return Ok(Some(known.clone()));
        }
        let Some(session) = load_session(tx, id)? else {
            return Ok(None);
        };
        self.note_session(tx, session).map(Some)
    }

    fn note_session(&mut self, tx: &mut impl Tx, session: Session) -> Result<KnownSession> {
        let foreign_revision = load_foreign_revision(tx, &session.id)?;
        let known = KnownSession { session, foreign_revision };
        self.sessions.insert(known.session.id.clone(), known.clone());
        Ok(known)
    }

    fn find_task(
        &mut self,
        tx: &mut impl Tx,
        session: &SessionId,
        task: &str,
    ) -> Result<Option<String>> {
        let key = (session.clone(), task.to_owned());
        if let Some(known) = self.tasks.get(&key) {
            return Ok(known.clone());
        }
        let subject = load_task(tx, session, task)?.map(|task| task.subject);
        self.tasks.insert(key, subject.clone());
        Ok(subject)
    }

    /// Whether an operation was carried out before, by this transaction as well.
    fn is_carried_out(&mut self, tx: &mut impl Tx, provenance: &Provenance) -> Result<bool> {
        if let Some(known) = self.operations.get(&provenance.op_id) {
            return Ok(*known);
        }
        let is_carried_out = tx.is_replay(provenance)?;
        self.operations.insert(provenance.op_id.clone(), is_carried_out);
        Ok(is_carried_out)
    }

    fn note_operation(&mut self, provenance: &Provenance) {
        self.operations.insert(provenance.op_id.clone(), true);
    }

    /// Notes what a push made of a session.
    fn note_push(&mut self, tx: &impl Tx, push: &StatePush) {
        self.note_operation(&push.provenance);
        let known = self.sessions.get_mut(&push.session);
        let is_predicted = tx.has_costly_later_reads()
            && known.is_some_and(|known| push.predict_outcome(&mut known.session));
        if !is_predicted {
            self.forget_session(&push.session);
        }
    }

    fn forget_session(&mut self, id: &SessionId) {
        self.sessions.remove(id);
        self.tasks.retain(|(session, _), _| session != id);
    }
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
    registration_defaults: &RegistrationDefaults,
) -> Result<DeliveryOutcome> {
    prefetch_for_delivery(tx, pending);
    let found = if let Some(found) = known.find_session(tx, &pending.session)? {
        found
    } else {
        // Written while the database could not even take the registration.
        let registration = default_registration(pending, registration_defaults);
        let session = register_session(tx, &registration)?;
        known.note_session(tx, session)?
    };
    let session = &found.session;
    match &pending.write {
        PendingChange::Task { task, subject } => {
            let note = crate::store::SessionTask { task: task.clone(), subject: subject.clone() };
            write_task(tx, &session.id, &note)?;
            known.tasks.remove(&(session.id.clone(), note.task));
            Ok(DeliveryOutcome::Written)
        }
        PendingChange::Resumed => {
            known.forget_session(&pending.session);
            resume_session(tx, session, registration_defaults)
        }
        PendingChange::Checkpoint { operations, reason } => {
            let provenance = delivery_provenance(pending, reason);
            if !known.is_carried_out(tx, &provenance)? {
                write_checkpoint(tx, &session.id, *operations, &provenance)?;
                known.note_operation(&provenance);
            }
            Ok(DeliveryOutcome::Written)
        }
        PendingChange::End { reason } => {
            known.forget_session(&pending.session);
            deliver_end(tx, &found, pending, reason)
        }
        PendingChange::TaskStarted { task } => match known.find_task(tx, &session.id, task)? {
            Some(subject) => {
                apply_change(tx, known, &found, pending, current_task_change(Some(subject)))
            }
            None => Ok(DeliveryOutcome::Written),
        },
        PendingChange::TaskFinished { task } => {
            let finished = known.find_task(tx, &session.id, task)?;
            // Another task than the current one was finished.
            if finished.is_none() || finished != session.execution_state().work.task {
                return Ok(DeliveryOutcome::Written);
            }
            apply_change(tx, known, &found, pending, current_task_change(None))
        }
        PendingChange::State { changes, branch } => {
            let change =
                DeliveredChange { fields: changes.clone(), branch: branch.clone(), mark: None };
            apply_change(tx, known, &found, pending, change)
        }
    }
}

/// Says what will be read before a write is delivered.
fn prefetch_for_delivery(tx: &mut impl Tx, pending: &PendingWrite) {
    tx.prefetch(&LOAD_MOVED_REVISION, args![pending.session]);
    if let PendingChange::TaskStarted { task } | PendingChange::TaskFinished { task } =
        &pending.write
    {
        prefetch_task(tx, &pending.session, task);
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
        push_delivered(tx, &push, *foreign_revision)?;
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
    change: DeliveredChange,
) -> Result<DeliveryOutcome> {
    let KnownSession { session, foreign_revision } = found;
    let provenance = delivery_provenance(pending, DELIVERY_REASON);
    if known.is_carried_out(tx, &provenance)? {
        return Ok(DeliveryOutcome::Written);
    }
    let stale_reason = find_stale_reason(tx, known, session, pending, *foreign_revision)?;
    if let Some(reason) = stale_reason {
        return Ok(DeliveryOutcome::Superseded(RejectedEdit {
            session: session.id.clone(),
            reason,
            base: pending.origin.as_ref().and_then(|origin| origin.base_in(&session.lineage)),
            database: session.revision,
            fields: change.fields,
        }));
    }
    let push = state_push(session, change, provenance);
    if !push.is_in_place(session) {
        push_delivered(tx, &push, *foreign_revision)?;
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
        let changed_at = load_foreign_change_time(tx, known, &session.id)?;
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

fn load_foreign_revision(tx: &mut impl Tx, id: &SessionId) -> Result<Revision> {
    let revision = tx.one_row(&LOAD_MOVED_REVISION, args![id], |row| row.get::<i64>(0))?;
    Ok(Revision(u64::try_from(revision).unwrap_or(0)))
}

fn load_foreign_change_time(
    tx: &mut impl Tx,
    known: &mut KnownRows,
    id: &SessionId,
) -> Result<Option<Timestamp>> {
    if let Some(at) = known.foreign_changes.get(id) {
        return Ok(*at);
    }
    let at = tx.row(&FOREIGN_CHANGE_TIME, args![id, DELIVERY_REASON], |row| row.get(0))?;
    known.foreign_changes.insert(id.clone(), at);
    Ok(at)
}

/// Pushes, and leaves the revision of the last foreign change as it is.
fn push_delivered(tx: &mut impl Tx, push: &StatePush, foreign_revision: Revision) -> Result<()> {
    write_push(tx, push)?;
    tx.execute(&SET_MOVED_REVISION, args![push.session, foreign_revision])?;
    Ok(())
}
