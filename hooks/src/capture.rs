//! What an event says of the session's work: its task, its branch, its end.

use std::collections::BTreeMap;

use serde_json::{Map, json};
use trueup_core::bounds::TASK;
use trueup_core::hook::{Event, TaskChange, Tool};
use trueup_core::model::{Field, Session, Value};
use trueup_core::outbox::ending;
use trueup_core::reconcile::{Lost, LostReason};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Mark, Provenance, Store as _, StoreError, TaskNote};
use trueup_core::sync::{Insisted, Insistence, SyncError, TrueUp, insist, now};
use trueup_core::text::redact::Redacted;

use crate::Call;

/// Writes what the event says of the session's work; tells whether anything was written.
pub(crate) fn capture(
    call: &Call,
    store: &mut SqliteStore,
    synced: TrueUp,
) -> Result<bool, SyncError> {
    let session = synced.session;
    let branch = synced.observation.snapshot.branch.map(|branch| branch.name);
    let branch = branch.filter(|branch| session.branch() != Some(branch));
    let mut changes = BTreeMap::new();
    if let Current::Now(task) = task(call, store, &session)?
        && session.execution_state().work.task != task
    {
        changes.insert(Field::Task, Value::Text(task));
    }
    let ends = match &call.payload.event {
        Event::SessionEnd(reason) => Some(reason),
        _ => None,
    };
    let interrupts = ends.is_some() && session.item.is_some();
    if interrupts {
        changes.insert(Field::WasInterrupted, Value::Flag(true));
    }
    let wrote = !changes.is_empty() || branch.is_some();
    match branch {
        // A branch alone is nothing a revision counts.
        Some(branch) if changes.is_empty() => {
            let patch = Map::from_iter([("branch".to_owned(), json!(branch))]);
            store.merge_metadata(&session.id, &patch, &call.provenance("observed"))?;
        }
        branch if wrote => {
            let mark = interrupts.then_some(Mark::Interrupted);
            push(call, store, session, changes, branch, mark)?;
        }
        _ => {}
    }
    if let Some(reason) = ends {
        let ends = Provenance {
            op_id: ending(call.op_id()),
            ..call.provenance(reason)
        };
        store.end(&call.payload.session, reason, &ends)?;
    }
    call.note_captured();
    Ok(wrote)
}

/// Pushes an observation. It stays bound to the claim it was made under: what a session saw
/// that lost its item meanwhile goes to the journal.
fn push(
    call: &Call,
    store: &mut SqliteStore,
    session: Session,
    changes: BTreeMap<Field, Value>,
    branch: Option<String>,
    mark: Option<Mark>,
) -> Result<(), SyncError> {
    let insistence = Insistence {
        changes,
        branch,
        mark,
        acknowledge: true,
        // Should it wait in the outbox because its answer does not arrive, it is not made twice.
        provenance: Provenance {
            op_id: call.op_id().to_owned(),
            ..call.provenance("observed")
        },
    };
    match insist(store, session, &insistence)? {
        Insisted::Done(_) => Ok(()),
        Insisted::ClaimLost(session) => {
            let lost = Lost {
                session: session.id.clone(),
                reason: LostReason::ClaimLost,
                base: None,
                database: session.revision,
                fields: insistence.changes,
            };
            let kept = call.site.journal().keep(&lost, now());
            kept.map(|_| ()).map_err(SyncError::Journal)
        }
    }
}

/// What an event says of the current task.
enum Current {
    /// Nothing.
    Unchanged,
    /// It is this one now, or there is none any more.
    Now(Option<String>),
}

/// Reads the current task out of an event.
fn task(call: &Call, store: &mut SqliteStore, session: &Session) -> Result<Current, StoreError> {
    let Some(change) = task_change(call) else {
        return Ok(Current::Unchanged);
    };
    Ok(match change {
        TaskChange::List(current) => Current::Now(current.as_deref().map(bounded)),
        TaskChange::Created { id, subject } => {
            let note = TaskNote {
                task: id.clone(),
                subject: bounded(subject),
            };
            store.note_task(&session.id, &note)?;
            Current::Unchanged
        }
        TaskChange::Started { id, subject } => match (subject, store.task(&session.id, id)?) {
            (Some(subject), known) => {
                let subject = bounded(subject);
                // By what it is called now it is known when it ends.
                if known.is_none_or(|note| note.subject != subject) {
                    let task = id.clone();
                    let note = TaskNote {
                        task,
                        subject: subject.clone(),
                    };
                    store.note_task(&session.id, &note)?;
                }
                Current::Now(Some(subject))
            }
            (None, Some(note)) => Current::Now(Some(note.subject)),
            (None, None) => Current::Unchanged,
        },
        TaskChange::Finished { id } => {
            let current = session.execution_state().work.task;
            match store.task(&session.id, id)? {
                Some(note) if Some(&note.subject) == current.as_ref() => Current::Now(None),
                // Another task than the current one was finished.
                _ => Current::Unchanged,
            }
        }
    })
}

pub(crate) fn bounded(task: &str) -> String {
    // As the database keeps it, or the next event would find another one there.
    let task: String = task.chars().take(TASK.len()).collect();
    Redacted::from(task).into()
}

/// Returns what an event says of the task list of the session itself; a subagent's list is
/// its own.
pub(crate) fn task_change(call: &Call) -> Option<&TaskChange> {
    match &call.payload.event {
        Event::Task(change) | Event::AfterTool(Tool::Tasks(change))
            if !call.payload.is_subagent =>
        {
            Some(change)
        }
        _ => None,
    }
}
