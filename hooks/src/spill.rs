//! What an event said while the database cannot take it.

use std::collections::BTreeMap;
use std::time::Duration;

use trueup_core::hook::{Event, TaskChange};
use trueup_core::model::{Field, Value};
use trueup_core::outbox::{Pending, Write};
use trueup_core::sync::{SyncError, now};

use crate::capture::{bounded, task_change};
use crate::{Call, Outcome};

/// Longest wait for the outbox's lock.
const PATIENCE: Duration = Duration::from_millis(50);

/// Keeps what the event said while the database cannot take it; a later hook sends it.
pub(crate) fn wait_in_outbox(call: &Call, error: &SyncError) -> Outcome {
    let mut notes = vec![format!("trueup: {error}")];
    let write = match &call.payload.event {
        Event::SessionEnd(reason) => Some(Write::End {
            reason: reason.clone(),
        }),
        _ => task_change(call).map(|change| match change {
            TaskChange::List(task) => Write::State {
                changes: BTreeMap::from([(Field::Task, Value::Text(task.as_deref().map(bounded)))]),
                branch: None,
            },
            TaskChange::Started {
                subject: Some(subject),
                ..
            } => Write::State {
                changes: BTreeMap::from([(Field::Task, Value::Text(Some(bounded(subject))))]),
                branch: None,
            },
            TaskChange::Created { id, subject } => Write::Task {
                task: id.clone(),
                subject: bounded(subject),
            },
            // What a task's number means is in the database: it is resolved there.
            TaskChange::Started { id, .. } => Write::TaskStarted { task: id.clone() },
            TaskChange::Finished { id } => Write::TaskFinished { task: id.clone() },
        }),
    };
    if let Some(write) = write {
        let pending = Pending {
            op_id: call.provenance("").op_id,
            at: now(),
            session: call.payload.session.clone(),
            write,
        };
        match call
            .site
            .outbox()
            .put(&pending, PATIENCE.min(call.site.deadline.left()))
        {
            Ok(()) => notes.push("trueup: it waits in the outbox and is sent later".to_owned()),
            Err(error) => notes.push(format!("trueup: it is lost, the outbox too fails: {error}")),
        }
    }
    Outcome {
        notes,
        ..Outcome::default()
    }
}
