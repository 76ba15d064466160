//! `pre-handoff-validate`: nothing is handed on while copies disagree.

use trueup_core::hook::{Decision, Event, Response, Tool};
use trueup_core::reconcile::{Divergence, Reading};
use trueup_core::store::{Store as _, StoreError};
use trueup_core::sync::{Mode, SyncError, drain, observe_without_database, true_up};

use crate::handoff::is_handoff;
use crate::{Call, Outcome};

/// Where work is handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a tool runs.
    Tool,
    /// Before a turn ends.
    Stop,
}

/// Answers `PreToolUse` and `Stop`.
pub fn handle(call: &Call) -> Outcome {
    let Some(place) = place(call) else {
        return Outcome::default();
    };
    match divergences(call) {
        Ok(found) if found.is_empty() => Outcome::default(),
        Ok(found) => refuse(call, place, &found),
        Err(error) => unknown(call, place, &error),
    }
}

fn place(call: &Call) -> Option<Place> {
    match &call.payload.event {
        Event::BeforeTool(Tool::Agent) => Some(Place::Tool),
        Event::BeforeTool(Tool::Bash(command)) => {
            let patterns = call.site.settings.handoff_commands(&call.site.repository);
            is_handoff(command, &patterns).then_some(Place::Tool)
        }
        // One refusal is enough: who goes on after it has been told.
        Event::Stop { again: false } => Some(Place::Stop),
        _ => None,
    }
}

/// Trues up, and returns what forbids handing on even then.
fn divergences(call: &Call) -> Result<Vec<Divergence>, SyncError> {
    let mut store = match call.open() {
        // Where there never was a database nothing was claimed, so nothing can disagree.
        Err(StoreError::Missing(_)) if !was_synced(call) => return Ok(Vec::new()),
        other => other?,
    };
    drain(&mut store, &call.site);
    let Some(session) = store.session(&call.payload.session)? else {
        return Ok(Vec::new());
    };
    let synced = true_up(&mut store, session, &[], &call.site, Mode::Automatic)?;
    Ok(synced
        .remaining
        .into_iter()
        .filter(|d| d.code.forbids_handoff())
        .collect())
}

/// Tells whether a database was here before: then a missing one is one that cannot be asked.
fn was_synced(call: &Call) -> bool {
    let observation = observe_without_database(&call.payload.session, "", &call.site);
    matches!(observation.snapshot.cache, Reading::Fresh(cache) if cache.is_stamped())
}

fn refuse(call: &Call, place: Place, found: &[Divergence]) -> Outcome {
    let lines: Vec<&str> = found.iter().map(|d| d.message.as_str()).collect();
    let lines = lines.join("\n");
    let fix = found
        .iter()
        .find_map(|d| d.fix.as_deref())
        .unwrap_or("validate-session-state --fix");
    let advice = format!("Nothing is handed on while copies disagree. Run: {fix}");
    // The lines quote state, so a model sees them fenced; a person sees them as they are.
    let reason = format!("{}\n{advice}", call.fence().quoted(&lines));
    let response = match place {
        Place::Tool => Response {
            decision: Some((Decision::Deny, reason)),
            ..Response::default()
        },
        Place::Stop => Response {
            block: Some(reason),
            ..Response::default()
        },
    };
    Outcome {
        response,
        notes: lines.lines().map(str::to_owned).chain([advice]).collect(),
        refuse: true,
    }
}

/// When nobody can know, a person is asked; where there is none, the work goes on, warned.
fn unknown(call: &Call, place: Place, error: &SyncError) -> Outcome {
    let line = format!("⚠️ database unreachable: this hand-off could not be checked ({error})");
    let attended = call.environment.text("CLAUDE_CODE_SESSION_ATTENDED") == Some("1");
    let response = if attended && place == Place::Tool {
        Response {
            decision: Some((Decision::Ask, format!("{line}. Run: trueup doctor"))),
            ..Response::default()
        }
    } else {
        Response {
            system_message: Some(line.clone()),
            ..Response::default()
        }
    };
    Outcome {
        response,
        notes: vec![line],
        refuse: false,
    }
}
