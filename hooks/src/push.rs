//! `checkpoint-push`: local change to the database.

use trueup_core::hook::{Event, Response};
use trueup_core::model::{Session, SessionStatus};
use trueup_core::reconcile::{Code, Divergence};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Heartbeat, Store as _, StoreError};
use trueup_core::sync::{Drained, SyncError, drain, is_known_by_name_alone, register, true_up};

use crate::call::{lines, not_mended, users_own};
use crate::capture::capture;
use crate::spill::{keep, wait_in_outbox};
use crate::state::pass_on;
use crate::{Call, Outcome, counter, offer, untold};

/// Answers the events at which something may have changed.
pub fn handle(call: &Call) -> Outcome {
    if matches!(
        call.payload.event,
        Event::SessionStart(_)
            | Event::Prompt(_)
            | Event::BeforeTool(_)
            | Event::BeforeSkillLine(_)
    ) {
        return Outcome::default();
    }
    if call.payload.event == Event::FileChanged {
        return file_changed(call);
    }
    let operations = operations(call);
    let mut sent = Drained::default();
    let mut lost = Vec::new();
    let mut outcome = match checkpoint(call, operations, &mut sent, &mut lost) {
        Ok(outcome) => outcome,
        Err(error) => wait_in_outbox(call, &error),
    };
    // The next session is another one than that whose writes came too late.
    lost.extend(sent.lost_lines(None));
    outcome.notes.extend(untold::keep(call, &lost));
    outcome.telling(sent.lines(&call.site, Some(&call.payload.session)))
}

/// Gives a state on that somebody saved. No session is at work then, so nothing else is due.
fn file_changed(call: &Call) -> Outcome {
    match call.open() {
        Ok(mut store) => Outcome {
            notes: pass_on(call, &mut store),
            ..Outcome::default()
        },
        // Nothing was registered yet.
        Err(StoreError::Missing(_)) => Outcome::default(),
        Err(error) => Outcome::note(format!("trueup: STATE.md was not shared: {error}")),
    }
}

/// Counts a tool call; `None` for other events, and where it cannot be counted.
fn operations(call: &Call) -> Option<u64> {
    if !matches!(call.payload.event, Event::AfterTool(_)) {
        return None;
    }
    counter::count(&call.site.settings.paths.counters(), &call.payload.session).ok()
}

fn checkpoint(
    call: &Call,
    operations: Option<u64>,
    sent: &mut Drained,
    lost: &mut Vec<String>,
) -> Result<Outcome, SyncError> {
    let mut store = match call.open() {
        // Nothing was registered yet: the next start does.
        Err(StoreError::Missing(_)) if !call.was_synced() => return Ok(Outcome::default()),
        other => other?,
    };
    sent.add(drain(&mut store, &call.site));
    let known = store.session(&call.payload.session)?;
    let session = if let Some(session) = known.filter(|it| !is_known_by_name_alone(it)) {
        session
    } else {
        let session = register(&mut store, &call.payload.session, None, &call.site)?;
        // A registration is no change that its own model must be told of.
        store.acknowledge(&session.id, session.revision)?;
        session
    };
    call.saw(&session);
    renew(call, &mut store, &session)?;
    let registered_at = session.registered_at;
    // Local edits first: what is captured below raises the revision they were made from.
    let synced = true_up(&mut store, session, &[], &call.site)?;
    call.saw(&synced.session);
    lost.extend(losses(&synced.found));
    let mut found = users_own(synced.mended_findings());
    let mut notes = not_mended(&synced.problems);
    let stuck = !synced.problems.is_empty();
    let wrote = if sent.tally.waits {
        notes.extend(keep(call));
        call.note_captured();
        false
    } else {
        capture(call, &mut store, synced)?
    };
    if wrote
        && !stuck
        && let Some(session) = store.session(&call.payload.session)?
    {
        let again = true_up(&mut store, session, &[], &call.site)?;
        lost.extend(losses(&again.found));
        found.extend(again.found.into_iter().filter(|d| d.code == Code::S11));
    }
    if matches!(call.payload.event, Event::AfterTool(_) | Event::Stop { .. }) {
        notes.extend(pass_on(call, &mut store));
    }
    let mut told: Vec<String> = lines(&found).into_iter().collect();
    if call.payload.event == (Event::Stop { again: false }) {
        let offer = offer::workplans(call, registered_at);
        told.extend(offer.line);
        notes.extend(offer.notes);
    }
    let mut response = Response {
        system_message: (!told.is_empty()).then(|| told.join("\n")),
        ..Response::default()
    };
    let due = operations.filter(|count| count % call.site.settings.checkpoint_every == 0);
    if let Some(count) = due {
        store.checkpoint(&call.payload.session, count, &call.provenance("operations"))?;
        response.context = reminder(call, &mut store, count)?;
    }
    if call.payload.event == Event::BeforeCompaction {
        let count = operations.unwrap_or(0);
        store.checkpoint(&call.payload.session, count, &call.provenance("compaction"))?;
    }
    Ok(Outcome {
        response,
        notes,
        ..Outcome::default()
    })
}

/// Returns the lines of edits that lost.
fn losses(found: &[Divergence]) -> impl Iterator<Item = String> {
    let lost = found.iter().filter(|d| d.code == Code::S11);
    lost.map(|d| d.message.clone())
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
    // A hook that runs on after its client was closed brings nobody back.
    if session.status == SessionStatus::Ended && call.site.client_is_gone() {
        return Ok(());
    }
    let due = session.renewal_is_due(call.site.settings.renewal_seconds());
    let turns = status.is_some_and(|status| status != session.status);
    let ends = matches!(call.payload.event, Event::SessionEnd(_));
    if ends || !(due || turns) {
        return Ok(());
    }
    store.heartbeat(&Heartbeat {
        session: session.id.clone(),
        // A turn that ends is no sign of life worth a renewal of its own.
        lease_seconds: due.then_some(call.site.settings.lease_seconds),
        status,
        span_seconds: None,
    })
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
