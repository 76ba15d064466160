//! `checkpoint-push`: local change to the database.

use std::collections::BTreeMap;
use std::time::Duration;

use trueup_core::hook::{Event, Response, TaskChange, Tool};
use trueup_core::model::{Field, Session, SessionStatus, Value};
use trueup_core::outbox::{Pending, Write};
use trueup_core::reconcile::{Code, Lost, LostReason, Severity};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Heartbeat, Mark, Provenance, Store as _, StoreError, TaskNote};
use trueup_core::sync::{
    Insisted, Insistence, Mode, SyncError, TrueUp, drain, insist, now, register, true_up,
};

use crate::{Call, Outcome, counter};

/// Longest task kept, in characters.
const LONGEST_TASK: usize = 2_000;

/// Longest wait for the outbox's lock.
const PATIENCE: Duration = Duration::from_millis(50);

/// Answers the events at which something may have changed.
pub fn handle(call: &Call) -> Outcome {
    if matches!(
        call.payload.event,
        Event::SessionStart(_) | Event::Prompt(_) | Event::BeforeTool(_)
    ) {
        return Outcome::default();
    }
    let operations = operations(call);
    match checkpoint(call, operations) {
        Ok(outcome) => outcome,
        Err(error) => wait_in_outbox(call, &error),
    }
}

/// Counts a tool call; `None` for other events, and where it cannot be counted.
fn operations(call: &Call) -> Option<u64> {
    if !matches!(call.payload.event, Event::AfterTool(_)) {
        return None;
    }
    counter::count(&call.site.settings.paths.counters(), &call.payload.session).ok()
}

fn checkpoint(call: &Call, operations: Option<u64>) -> Result<Outcome, SyncError> {
    let mut store = call.open_or_create()?;
    drain(&mut store, &call.site);
    let session = match store.session(&call.payload.session)? {
        Some(session) => session,
        None => register(&mut store, &call.payload.session, None, &call.site)?,
    };
    renew(call, &mut store, &session)?;
    // Local edits first: what is captured below raises the revision they were made from.
    let mut synced = true_up(&mut store, session, &[], &call.site, Mode::Automatic)?;
    let mut found = std::mem::take(&mut synced.found);
    let problems = std::mem::take(&mut synced.problems);
    if capture(call, &mut store, synced)? {
        let session = store.session(&call.payload.session)?;
        if let Some(session) = session {
            let again = true_up(&mut store, session, &[], &call.site, Mode::Automatic)?;
            found.extend(again.found.into_iter().filter(|d| d.code == Code::S11));
        }
    }
    let mut notes: Vec<String> = problems
        .iter()
        .map(|problem| format!("trueup: not mended: {problem}"))
        .collect();
    let mut response = Response::default();
    let lost: Vec<&str> = found
        .iter()
        .filter(|d| matches!(d.code, Code::S08 | Code::S11) && d.severity > Severity::Info)
        .map(|d| d.message.as_str())
        .collect();
    if !lost.is_empty() {
        response.system_message = Some(lost.join("\n"));
    }
    let due = operations.filter(|count| count % call.site.settings.checkpoint_every == 0);
    if let Some(count) = due {
        store.checkpoint(
            &call.payload.session,
            count,
            &provenance(call, "operations"),
        )?;
        response.context = reminder(call, &mut store, count)?;
    }
    if call.payload.event == Event::BeforeCompaction {
        let count = operations.unwrap_or(0);
        let written = store.checkpoint(
            &call.payload.session,
            count,
            &provenance(call, "compaction"),
        );
        notes.extend(written.err().map(|error| format!("trueup: {error}")));
    }
    Ok(Outcome {
        response,
        notes,
        refuse: false,
    })
}

fn provenance(call: &Call, reason: &str) -> Provenance {
    Provenance::new(call.payload.session.as_str(), reason)
}

/// Renews the lease when it is due, and takes the status that the event means.
fn renew(call: &Call, store: &mut SqliteStore, session: &Session) -> Result<(), StoreError> {
    let status = match call.payload.event {
        Event::Stop { .. } => Some(SessionStatus::Idle),
        // A session that works is not lost, whatever a sweep believed.
        Event::AfterTool(_) | Event::Task(_) if !session.status.is_present() => {
            Some(SessionStatus::Active)
        }
        _ => None,
    };
    let due = session.silence_seconds() >= call.site.settings.renewal_seconds();
    let turns = status.is_some_and(|status| status != session.status);
    let ends = matches!(call.payload.event, Event::SessionEnd(_));
    if ends || !(due || turns) {
        return Ok(());
    }
    store.heartbeat(&Heartbeat {
        session: session.id.clone(),
        lease_seconds: call.site.settings.lease_seconds,
        status,
        span_seconds: None,
    })
}

/// Writes what the event says of the session's work; tells whether anything was written.
fn capture(call: &Call, store: &mut SqliteStore, synced: TrueUp) -> Result<bool, SyncError> {
    let session = synced.session;
    let branch = synced.observation.snapshot.branch.map(|branch| branch.name);
    let branch = branch.filter(|branch| session.branch() != Some(branch));
    let mut changes = BTreeMap::new();
    if let Some(task) = task(call, store, &session)? {
        let task = task.map(|text| text.chars().take(LONGEST_TASK).collect::<String>());
        if session.execution_state().work.task != task {
            changes.insert(Field::Task, Value::Text(task));
        }
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
    if wrote {
        let mark = interrupts.then_some(Mark::Interrupted);
        push(call, store, session, changes, branch, mark)?;
    }
    if let Some(reason) = ends {
        store.end(&call.payload.session, reason, &provenance(call, reason))?;
    }
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
        provenance: provenance(call, "observed"),
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

/// Reads the current task out of an event: `Some(None)` when there is none any more.
fn task(
    call: &Call,
    store: &mut SqliteStore,
    session: &Session,
) -> Result<Option<Option<String>>, StoreError> {
    let Some(change) = task_change(call) else {
        return Ok(None);
    };
    match change {
        TaskChange::List(current) => Ok(Some(current.clone())),
        TaskChange::Created { id, subject } => {
            let note = TaskNote {
                task: id.clone(),
                subject: subject.clone(),
            };
            store.note_task(&session.id, &note)?;
            Ok(None)
        }
        TaskChange::Started { id, subject } => {
            if let Some(subject) = subject {
                return Ok(Some(Some(subject.clone())));
            }
            Ok(store.task(&session.id, id)?.map(|note| Some(note.subject)))
        }
        TaskChange::Finished { id } => {
            let current = session.execution_state().work.task;
            let finished = store.task(&session.id, id)?.map(|note| note.subject);
            // Another task than the current one was finished: nothing changes.
            Ok((finished.is_some() && finished == current).then_some(None))
        }
    }
}

/// Returns what an event says of the task list of the session itself; a subagent's list is
/// its own.
fn task_change(call: &Call) -> Option<&TaskChange> {
    match &call.payload.event {
        Event::Task(change) | Event::AfterTool(Tool::Tasks(change))
            if !call.payload.is_subagent =>
        {
            Some(change)
        }
        _ => None,
    }
}

/// Reminds the model of recording its progress, where there is any to record.
fn reminder(
    call: &Call,
    store: &mut SqliteStore,
    count: u64,
) -> Result<Option<(&'static str, String)>, StoreError> {
    let session = store.session(&call.payload.session)?;
    Ok(session.filter(|session| session.item.is_some()).map(|_| {
        let text = format!(
            "trueup checkpoint: {count} operations in this session. If phase or task changed, \
             record it: `trueup set --phase P --task T`."
        );
        ("PostToolUse", text)
    }))
}

/// Keeps what the event said while the database cannot take it; a later hook sends it.
fn wait_in_outbox(call: &Call, error: &SyncError) -> Outcome {
    let mut notes = vec![format!("trueup: {error}")];
    let write = match &call.payload.event {
        Event::SessionEnd(reason) => Some(Write::End {
            reason: reason.clone(),
        }),
        _ => task_change(call).and_then(|change| match change {
            TaskChange::List(task) => Some(Write::State {
                changes: BTreeMap::from([(Field::Task, Value::Text(task.clone()))]),
                branch: None,
            }),
            TaskChange::Started {
                subject: Some(subject),
                ..
            } => Some(Write::State {
                changes: BTreeMap::from([(Field::Task, Value::Text(Some(subject.clone())))]),
                branch: None,
            }),
            TaskChange::Created { id, subject } => Some(Write::Task {
                task: id.clone(),
                subject: subject.clone(),
            }),
            // What a task's number means is in the database alone.
            TaskChange::Started { .. } | TaskChange::Finished { .. } => None,
        }),
    };
    if let Some(write) = write {
        let pending = Pending {
            op_id: provenance(call, "").op_id,
            at: now(),
            session: call.payload.session.clone(),
            write,
        };
        match call.site.outbox().put(&pending, PATIENCE) {
            Ok(()) => notes.push("trueup: it waits in the outbox and is sent later".to_owned()),
            Err(error) => notes.push(format!("trueup: it is lost, the outbox too fails: {error}")),
        }
    }
    Outcome {
        notes,
        ..Outcome::default()
    }
}
