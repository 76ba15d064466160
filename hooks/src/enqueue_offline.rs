//! What an event said while the database cannot take it.

use std::collections::BTreeMap;
use std::io;

use trueup_core::hook::{HookEvent, TaskChange};
use trueup_core::model::{FieldValue, StateField};
use trueup_core::outbox::{PendingChange, PendingWrite};
use trueup_core::sync::{SyncError, now};

use crate::record_event::{clean_task_text, find_task_change};
use crate::{HookContext, HookOutcome};

/// Keeps what the event said while the database cannot take it; a later hook sends it.
pub(crate) fn enqueue_after_error(context: &HookContext, error: &SyncError) -> HookOutcome {
    let mut notes = vec![format!("trueup: {error}")];
    if !context.is_event_recorded() {
        notes.extend(enqueue_event(context));
    }
    HookOutcome {
        notes,
        ..HookOutcome::default()
    }
}

/// Keeps what the event said, behind what waits already: what a session says is written in the
/// order in which it was said. Says what came of it.
pub(crate) fn enqueue_event(context: &HookContext) -> Vec<String> {
    let Some(write) = build_write(context) else {
        return Vec::new();
    };
    match append_write(context, write) {
        Ok(()) if context.run.outbox().is_nearly_full() => {
            vec!["trueup: saved in the outbox, which is nearly full; see trueup doctor".to_owned()]
        }
        Ok(()) => vec!["trueup: saved in the outbox; it is sent later".to_owned()],
        Err(error) => vec![format!(
            "trueup: lost, because the outbox cannot be written: {error}"
        )],
    }
}

/// Notes, behind what waits, that the session was taken up again.
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

/// Returns what the event said of the session's work.
fn build_write(context: &HookContext) -> Option<PendingChange> {
    if let HookEvent::SessionEnd(reason) = &context.payload.event {
        return Some(PendingChange::End {
            reason: reason.clone(),
        });
    }
    Some(match find_task_change(context)? {
        TaskChange::List(task) => build_task_write(task.as_deref()),
        TaskChange::Started {
            subject: Some(subject),
            ..
        } => build_task_write(Some(subject)),
        TaskChange::Created { id, subject } => PendingChange::Task {
            task: id.clone(),
            subject: clean_task_text(subject),
        },
        // What a task's number means is in the database: it is resolved there.
        TaskChange::Started { id, .. } => PendingChange::TaskStarted { task: id.clone() },
        TaskChange::Finished { id } => PendingChange::TaskFinished { task: id.clone() },
    })
}

fn build_task_write(task: Option<&str>) -> PendingChange {
    PendingChange::State {
        changes: BTreeMap::from([(
            StateField::Task,
            FieldValue::Text(task.map(clean_task_text)),
        )]),
        branch: None,
    }
}
