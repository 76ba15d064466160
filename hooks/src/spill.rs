//! What an event said while the database cannot take it.

use std::collections::BTreeMap;
use std::io;

use trueup_core::hook::{Event, TaskChange};
use trueup_core::model::{Field, Value};
use trueup_core::outbox::{Pending, Write};
use trueup_core::sync::{SyncError, now};

use crate::capture::{bounded, task_change};
use crate::{Call, Outcome};

/// Keeps what the event said while the database cannot take it; a later hook sends it.
pub(crate) fn wait_in_outbox(call: &Call, error: &SyncError) -> Outcome {
    let mut notes = vec![format!("trueup: {error}")];
    if !call.is_captured() {
        notes.extend(keep(call));
    }
    Outcome {
        notes,
        ..Outcome::default()
    }
}

/// Keeps what the event said, behind what waits already: what a session says is written in the
/// order in which it was said. Says what came of it.
pub(crate) fn keep(call: &Call) -> Vec<String> {
    let Some(write) = said(call) else {
        return Vec::new();
    };
    match put(call, write) {
        Ok(()) if call.site.outbox().is_nearly_full() => {
            vec!["trueup: saved in the outbox, which is nearly full; see trueup doctor".to_owned()]
        }
        Ok(()) => vec!["trueup: saved in the outbox; it is sent later".to_owned()],
        Err(error) => vec![format!(
            "trueup: lost, because the outbox cannot be written: {error}"
        )],
    }
}

/// Notes, behind what waits, that the session was taken up again.
pub(crate) fn keep_resumed(call: &Call) -> Vec<String> {
    match put(call, Write::Resumed) {
        Ok(()) => Vec::new(),
        Err(error) => vec![format!("trueup: the outbox cannot be written: {error}")],
    }
}

fn put(call: &Call, write: Write) -> io::Result<()> {
    call.site.outbox().put(&Pending {
        op_id: call.op_id().to_owned(),
        at: now(),
        session: call.payload.session.clone(),
        origin: Some(call.origin()),
        write,
    })
}

/// Returns what the event said of the session's work.
fn said(call: &Call) -> Option<Write> {
    if let Event::SessionEnd(reason) = &call.payload.event {
        return Some(Write::End {
            reason: reason.clone(),
        });
    }
    Some(match task_change(call)? {
        TaskChange::List(task) => task_is(task.as_deref()),
        TaskChange::Started {
            subject: Some(subject),
            ..
        } => task_is(Some(subject)),
        TaskChange::Created { id, subject } => Write::Task {
            task: id.clone(),
            subject: bounded(subject),
        },
        // What a task's number means is in the database: it is resolved there.
        TaskChange::Started { id, .. } => Write::TaskStarted { task: id.clone() },
        TaskChange::Finished { id } => Write::TaskFinished { task: id.clone() },
    })
}

fn task_is(task: Option<&str>) -> Write {
    Write::State {
        changes: BTreeMap::from([(Field::Task, Value::Text(task.map(bounded)))]),
        branch: None,
    }
}
