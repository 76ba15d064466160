//! Appends an event to the outbox while the database cannot be written.

use std::collections::BTreeMap;
use std::io;

use trueup_core::hook::{HookEvent, TaskChange};
use trueup_core::model::{FieldValue, StateField};
use trueup_core::outbox::{PendingChange, PendingWrite};
use trueup_core::sync::{SyncError, now};

use crate::hook_context::render_failure;
use crate::record_event::{clean_task_text, find_task_change};
use crate::{HookContext, HookOutcome};

/// What became of a write that the database could not take.
#[derive(Debug, Default)]
pub(crate) struct QueuedEvent {
    /// Lines about it.
    pub(crate) notes: Vec<String>,
    /// What the user has to know: the write is lost.
    pub(crate) lost: Option<String>,
}

/// Enqueues the event after the database failed, unless it is recorded already.
pub(crate) fn enqueue_after_error(context: &HookContext, error: &SyncError) -> HookOutcome {
    let mut notes = vec![render_failure(error)];
    let mut lost = None;
    if !context.is_event_recorded() && !context.is_never_created(error) {
        let queued = enqueue_event(context);
        notes.extend(queued.notes);
        lost = queued.lost;
    }
    let outcome = HookOutcome { notes, ..HookOutcome::default() };
    outcome.with_user_lines(lost.into_iter().collect())
}

/// Appends the event's write to the outbox. Writes are sent in the order in which they were
/// appended, by a later hook.
pub(crate) fn enqueue_event(context: &HookContext) -> QueuedEvent {
    let Some(write) = build_write(context) else {
        return QueuedEvent::default();
    };
    let note = match append_write(context, write) {
        Ok(()) if context.run.outbox().is_nearly_full() => {
            "trueup: saved in the outbox, which is nearly full; see trueup doctor".to_owned()
        }
        Ok(()) => "trueup: saved in the outbox; it is sent later".to_owned(),
        Err(error) => {
            let line = format!("the write is lost, because the outbox cannot be written: {error}");
            let note = format!("trueup: {line}");
            return QueuedEvent { notes: vec![note], lost: Some(format!("⚠️ {line}")) };
        }
    };
    QueuedEvent { notes: vec![note], lost: None }
}

/// Appends to the outbox that the session was resumed.
pub(crate) fn enqueue_resumed(context: &HookContext) -> Vec<String> {
    match append_write(context, PendingChange::Resumed) {
        Ok(()) => Vec::new(),
        Err(error) => vec![format!("trueup: the outbox cannot be written: {error}")],
    }
}

fn append_write(context: &HookContext, write: PendingChange) -> io::Result<()> {
    context.run.outbox().put(&PendingWrite {
        op_id: context.op_id().to_owned(),
        at: now(),
        session: context.payload.session.clone(),
        origin: Some(context.resolve_origin()),
        write,
    })
}

/// Builds the write that records the event, if it changes anything.
pub(crate) fn build_write(context: &HookContext) -> Option<PendingChange> {
    if let HookEvent::SessionEnd(reason) = &context.payload.event {
        return Some(PendingChange::End { reason: reason.clone() });
    }
    Some(match find_task_change(context)? {
        TaskChange::List(task) => build_task_write(task.as_deref()),
        TaskChange::Started { subject: Some(subject), .. } => build_task_write(Some(subject)),
        TaskChange::Created { id, subject } => {
            PendingChange::Task { task: id.clone(), subject: clean_task_text(subject) }
        }
        // Only the database knows the subject of a task id, so the id is resolved at delivery.
        TaskChange::Started { id, .. } => PendingChange::TaskStarted { task: id.clone() },
        TaskChange::Finished { id } => PendingChange::TaskFinished { task: id.clone() },
    })
}

fn build_task_write(task: Option<&str>) -> PendingChange {
    PendingChange::State {
        changes: BTreeMap::from([(StateField::Task, FieldValue::Text(task.map(clean_task_text)))]),
        branch: None,
    }
}
