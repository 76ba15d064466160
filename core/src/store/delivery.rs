//! What a write that waited comes to, for the session as it is now: the same over every adapter.

use std::collections::BTreeMap;

use super::{
    Delivered, Heartbeat, Mark, Newcomer, Provenance, Push, Registration, Result, TaskNote,
};
use crate::model::{Field, Revision, Session, SessionId, SessionStatus, Timestamp, Value};
use crate::outbox::{Pending, Write, ending};
use crate::reconcile::{Lost, LostReason};

/// What the word for all writes that waited is, in the record of changes.
pub(super) const REASON: &str = "outbox";

/// What a delivery needs of an adapter, within the transaction it runs in.
pub(super) trait Counter {
    fn session(&mut self, id: &SessionId) -> Result<Option<Session>>;
    fn register(&mut self, registration: &Registration) -> Result<Session>;
    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<()>;
    fn is_done(&mut self, by: &Provenance) -> Result<bool>;
    fn task(&mut self, session: &SessionId, task: &str) -> Result<Option<TaskNote>>;
    fn note_task(&mut self, session: &SessionId, note: &TaskNote) -> Result<()>;
    fn end(&mut self, id: &SessionId, reason: &str, by: &Provenance) -> Result<()>;
    /// Returns the revision at which the session's state was last changed otherwise than by
    /// writes that waited.
    fn moved(&mut self, id: &SessionId) -> Result<Revision>;
    /// Returns when that was, by the database's clock.
    fn moved_at(&mut self, id: &SessionId) -> Result<Option<Timestamp>>;
    /// Pushes, and leaves `moved` as it is.
    fn push_waited(&mut self, push: &Push, moved: Revision) -> Result<()>;
}

/// A change of a session's state.
struct Change {
    fields: BTreeMap<Field, Value>,
    branch: Option<String>,
    mark: Option<Mark>,
}

/// Carries a write out.
pub(super) fn deliver(
    counter: &mut impl Counter,
    pending: &Pending,
    newcomer: &Newcomer,
) -> Result<Delivered> {
    let session = match counter.session(&pending.session)? {
        Some(session) => session,
        // Written while the database could not even take the registration.
        None => counter.register(&registration(pending, newcomer))?,
    };
    match &pending.write {
        Write::Task { task, subject } => {
            let note = TaskNote {
                task: task.clone(),
                subject: subject.clone(),
            };
            counter.note_task(&session.id, &note)?;
            Ok(Delivered::Written)
        }
        Write::Resumed => resume(counter, &session, newcomer),
        Write::End { reason } => end(counter, &session, pending, reason),
        Write::TaskStarted { task } => {
            let started = counter.task(&session.id, task)?.map(|note| note.subject);
            match started {
                Some(subject) => change(counter, &session, pending, now_at(Some(subject))),
                None => Ok(Delivered::Written),
            }
        }
        Write::TaskFinished { task } => {
            let finished = counter.task(&session.id, task)?.map(|note| note.subject);
            // Another task than the current one was finished.
            if finished.is_none() || finished != session.execution_state().work.task {
                return Ok(Delivered::Written);
            }
            change(counter, &session, pending, now_at(None))
        }
        Write::State { changes, branch } => {
            let wished = Change {
                fields: changes.clone(),
                branch: branch.clone(),
                mark: None,
            };
            change(counter, &session, pending, wished)
        }
    }
}

fn registration(pending: &Pending, newcomer: &Newcomer) -> Registration {
    Registration {
        session: pending.session.clone(),
        repo: None,
        worktree: None,
        branch: None,
        host: newcomer.host.clone(),
        process: None,
        predecessor: None,
        lease_seconds: newcomer.lease_seconds,
        provenance: Provenance::new(pending.session.as_str(), REASON),
    }
}

fn by(pending: &Pending, reason: &str) -> Provenance {
    Provenance {
        actor: pending.session.to_string(),
        reason: Some(reason.into()),
        op_id: pending.op_id.clone(),
    }
}

fn now_at(task: Option<String>) -> Change {
    Change {
        fields: BTreeMap::from([(Field::Task, Value::Text(task))]),
        branch: None,
        mark: None,
    }
}

fn resume(counter: &mut impl Counter, session: &Session, newcomer: &Newcomer) -> Result<Delivered> {
    if !session.status.is_present() {
        counter.heartbeat(&Heartbeat {
            session: session.id.clone(),
            lease_seconds: Some(newcomer.lease_seconds),
            status: Some(SessionStatus::Active),
            span_seconds: None,
        })?;
    }
    Ok(Delivered::Written)
}

/// Ends a session. What it held is broken off, whoever changed its state since.
fn end(
    counter: &mut impl Counter,
    session: &Session,
    pending: &Pending,
    reason: &str,
) -> Result<Delivered> {
    let end = Provenance {
        op_id: ending(&pending.op_id),
        ..by(pending, reason)
    };
    if counter.is_done(&end)? {
        return Ok(Delivered::Written);
    }
    let wished = Change {
        fields: BTreeMap::from([(Field::WasInterrupted, Value::Flag(true))]),
        branch: None,
        mark: Some(Mark::Interrupted),
    };
    let broken_off = by(pending, REASON);
    if session.item.is_some() && !counter.is_done(&broken_off)? {
        let moved = counter.moved(&session.id)?;
        counter.push_waited(&push(session, wished, broken_off), moved)?;
    }
    counter.end(&session.id, reason, &end)?;
    Ok(Delivered::Written)
}

/// Changes a session's state, but not over what others changed after the write was made.
fn change(
    counter: &mut impl Counter,
    session: &Session,
    pending: &Pending,
    wished: Change,
) -> Result<Delivered> {
    let provenance = by(pending, REASON);
    if counter.is_done(&provenance)? {
        return Ok(Delivered::Written);
    }
    let moved = counter.moved(&session.id)?;
    if let Some(reason) = lost(counter, session, pending, moved)? {
        return Ok(Delivered::Lost(Lost {
            session: session.id.clone(),
            reason,
            base: pending.origin.as_ref().and_then(|origin| origin.base),
            database: session.revision,
            fields: wished.fields,
        }));
    }
    counter.push_waited(&push(session, wished, provenance), moved)?;
    Ok(Delivered::Written)
}

fn push(session: &Session, wished: Change, provenance: Provenance) -> Push {
    Push {
        session: session.id.clone(),
        base: session.revision,
        fence: None,
        changes: wished.fields,
        branch: wished.branch,
        mark: wished.mark,
        acknowledge: true,
        provenance,
    }
}

/// Tells whether, and why, a write comes too late.
fn lost(
    counter: &mut impl Counter,
    session: &Session,
    pending: &Pending,
    moved: Revision,
) -> Result<Option<LostReason>> {
    let Some(origin) = &pending.origin else {
        // Written by a version that knew the time alone; one that is not over is no time.
        let moved_at = counter.moved_at(&session.id)?;
        let late = moved_at.is_some_and(|at| at >= pending.at) || pending.at > session.read_at;
        return Ok(late.then_some(LostReason::DatabaseMovedOn));
    };
    let claim = session.item.clone().zip(session.epoch);
    if origin.claim.is_some() && origin.claim != claim {
        return Ok(Some(LostReason::ClaimLost));
    }
    // Where nothing was known of the session, nothing but its registration may have been there.
    let base = origin.base.unwrap_or(Revision(1));
    // A base that the database has not reached is of a state that it lost, or none.
    let late = moved > base || base > session.revision;
    Ok(late.then_some(LostReason::DatabaseMovedOn))
}
