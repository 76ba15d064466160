//! Records in the database what an event says about the session's work: its task, its branch, its
//! end.

use std::collections::BTreeMap;

use serde_json::{Map, json};
use trueup_core::bounds::TASK;
use trueup_core::hook::{HookEvent, TaskChange, ToolCall};
use trueup_core::model::{FieldValue, Session, StateField};
use trueup_core::outbox::end_op_id;
use trueup_core::reconcile::{RejectedEdit, RejectionReason};
use trueup_core::store::{HookStore, InterruptionMark, SessionTask, StoreError};
use trueup_core::sync::{
    PushOutcome, RetriedPush, SyncError, TrueUpOutcome, now, push_with_retry, report_journal_entry,
};
use trueup_core::text::redact::RedactedText;

use crate::HookContext;

/// Writes the event to the database. Returns the session as it is now, where its state changed.
pub(crate) fn record_session_work(
    context: &HookContext,
    store: &mut dyn HookStore,
    synced: TrueUpOutcome,
) -> Result<Option<Session>, SyncError> {
    let session = synced.session;
    let branch = synced.observation.snapshot.branch.map(|branch| branch.name);
    let branch = branch.filter(|branch| session.branch() != Some(branch));
    let mut changes = BTreeMap::new();
    if let TaskUpdate::Set(task) = apply_task_change(context, store, &session)?
        && session.execution_state().work.task != task
    {
        changes.insert(StateField::Task, FieldValue::Text(task));
    }
    let end_reason = match &context.payload.event {
        HookEvent::SessionEnd(reason) => Some(reason),
        _ => None,
    };
    let is_interrupted = end_reason.is_some() && session.item.is_some();
    if is_interrupted {
        changes.insert(StateField::WasInterrupted, FieldValue::Flag(true));
    }
    let has_changes = !changes.is_empty() || branch.is_some();
    let mut changed_session = match branch {
        // A new branch alone does not raise the revision.
        Some(branch) if changes.is_empty() => {
            let patch = Map::from_iter([("branch".to_owned(), json!(branch))]);
            let provenance = context.build_provenance("observed");
            Some(store.merge_metadata(&session.id, &patch, &provenance)?)
        }
        branch if has_changes => {
            let mark = is_interrupted.then_some(InterruptionMark::Interrupted);
            context.run.note_work_before_change(&session);
            Some(push_observation(context, store, session, changes, branch, mark)?)
        }
        _ => None,
    };
    if let Some(reason) = end_reason {
        let end_provenance = context.build_provenance(reason).under_id(end_op_id(context.op_id()));
        let ended = store.end_session(&context.payload.session, reason, &end_provenance)?;
        changed_session = changed_session.map(|_| ended);
    }
    context.mark_event_recorded();
    Ok(changed_session)
}

/// Pushes an observation under the claim it was made with. If the session lost its item
/// meanwhile, the observation goes to the journal instead. Returns the session as it is now.
fn push_observation(
    context: &HookContext,
    store: &mut dyn HookStore,
    session: Session,
    changes: BTreeMap<StateField, FieldValue>,
    branch: Option<String>,
    mark: Option<InterruptionMark>,
) -> Result<Session, SyncError> {
    let request = RetriedPush {
        changes,
        metadata: Map::new(),
        branch,
        mark,
        acknowledge: true,
        // If the answer is lost, the same write waits in the outbox. The id keeps it from being
        // made twice.
        provenance: context.build_provenance("observed").under_id(context.op_id().to_owned()),
    };
    match push_with_retry(store, session, &request)? {
        PushOutcome::Done { after: session, .. } | PushOutcome::InPlace(session) => Ok(*session),
        PushOutcome::ClaimLost(session) => {
            let lost = RejectedEdit {
                session: session.id.clone(),
                reason: RejectionReason::ClaimLost,
                base: None,
                database: session.revision,
                fields: request.changes,
            };
            let recorded = context.run.journal().record(&lost, now());
            if let Some(entry) = recorded.map_err(SyncError::Journal)? {
                report_journal_entry(store, &context.run, &entry);
            }
            Ok(*session)
        }
    }
}

/// How an event changes the current task.
enum TaskUpdate {
    /// It does not.
    Unchanged,
    /// This is the current task now, or there is no current task any more.
    Set(Option<String>),
}

/// Applies the event's change of the task list and returns how the current task changes.
fn apply_task_change(
    context: &HookContext,
    store: &mut dyn HookStore,
    session: &Session,
) -> Result<TaskUpdate, StoreError> {
    let Some(change) = find_task_change(context) else {
        return Ok(TaskUpdate::Unchanged);
    };
    Ok(match change {
        TaskChange::List(current) => TaskUpdate::Set(current.as_deref().map(clean_task_text)),
        TaskChange::Created { id, subject } => {
            let note = SessionTask { task: id.clone(), subject: clean_task_text(subject) };
            store.upsert_task(&session.id, &note)?;
            TaskUpdate::Unchanged
        }
        TaskChange::Started { id, subject } => match (subject, store.load_task(&session.id, id)?) {
            (Some(subject), known) => {
                let subject = clean_task_text(subject);
                // When the task ends, the event names only its id, so the latest subject is kept.
                if known.is_none_or(|note| note.subject != subject) {
                    let task = id.clone();
                    let note = SessionTask { task, subject: subject.clone() };
                    store.upsert_task(&session.id, &note)?;
                }
                TaskUpdate::Set(Some(subject))
            }
            (None, Some(note)) => TaskUpdate::Set(Some(note.subject)),
            (None, None) => TaskUpdate::Unchanged,
        },
        TaskChange::Finished { id } => {
            let current_task = session.execution_state().work.task;
            match store.load_task(&session.id, id)? {
                Some(note) if Some(&note.subject) == current_task.as_ref() => TaskUpdate::Set(None),
                // The task that ended is not the current one.
                _ => TaskUpdate::Unchanged,
            }
        }
    })
}

pub(crate) fn clean_task_text(task: &str) -> String {
    // This must equal what the database stores, or the next event would see a change.
    let task: String = task.chars().take(TASK.len()).collect();
    RedactedText::from(task).into()
}

/// Returns the event's change of the session's task list. A subagent's list is not the session's.
pub(crate) fn find_task_change(context: &HookContext) -> Option<&TaskChange> {
    match &context.payload.event {
        HookEvent::Task(change) | HookEvent::AfterTool(ToolCall::Tasks(change))
            if !context.payload.is_subagent =>
        {
            Some(change)
        }
        _ => None,
    }
}
