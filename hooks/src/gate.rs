//! `pre-handoff-validate`: nothing is handed on while copies disagree.

use trueup_core::hook::{Decision, Event, Response, Tool};
use trueup_core::liveness::LONGEST_SPAN_SECONDS;
use trueup_core::reconcile::Divergence;
use trueup_core::store::{Store as _, StoreError};
use trueup_core::sync::{Drained, SyncError, drain, true_up};

use crate::call::lines;
use crate::handoff::is_handoff;
use crate::span::announce;
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
    let mut sent = Drained::default();
    let outcome = match divergences(call, &mut sent) {
        Ok(found) if found.forbidding.is_empty() => Outcome {
            response: Response {
                system_message: lines(&found.mended),
                ..Response::default()
            },
            notes: found.notes,
            ..Outcome::default()
        },
        Ok(Found { forbidding, .. }) => refuse(call, place, &forbidding),
        Err(error) => unknown(call, place, &error),
    };
    outcome.telling(sent.lines(&call.site, Some(&call.payload.session)))
}

fn place(call: &Call) -> Option<Place> {
    match &call.payload.event {
        Event::BeforeTool(Tool::Agent) => Some(Place::Tool),
        Event::BeforeTool(Tool::Bash(shell)) => {
            let patterns = call.site.settings.handoff_commands(&call.site.repository);
            is_handoff(&shell.command, &patterns).then_some(Place::Tool)
        }
        // One refusal is enough: who goes on after it has been told.
        Event::Stop { again: false } => Some(Place::Stop),
        _ => None,
    }
}

/// What a true-up came to.
#[derive(Default)]
struct Found {
    /// What forbids handing on even now.
    forbidding: Vec<Divergence>,
    /// What was put right on the way; a user is told of it all the same.
    mended: Vec<Divergence>,
    /// What went wrong beside it.
    notes: Vec<String>,
}

/// Trues up, and looks what forbids handing on even then.
fn divergences(call: &Call, sent: &mut Drained) -> Result<Found, SyncError> {
    let mut store = match call.open() {
        // Where there never was a database nothing was claimed, so nothing can disagree.
        Err(StoreError::Missing(_)) if !call.was_synced() => return Ok(Found::default()),
        other => other?,
    };
    sent.add(drain(&mut store, &call.site));
    let Some(session) = store.session(&call.payload.session)? else {
        return Ok(Found::default());
    };
    let synced = true_up(&mut store, session, &[], &call.site)?;
    let mut mended = synced.mended_findings();
    mended.retain(|d| d.code.touches_the_users_own());
    let forbids = |d: &Divergence| d.code.forbids_handoff();
    let forbidding: Vec<Divergence> = synced.remaining.into_iter().filter(forbids).collect();
    let mut notes = Vec::new();
    // Subagents run long, and the session is silent meanwhile; how long, nobody says.
    if forbidding.is_empty()
        && call.payload.event == Event::BeforeTool(Tool::Agent)
        && let Err(error) = announce(call, &mut store, &synced.session, LONGEST_SPAN_SECONDS)
    {
        notes.push(format!("trueup: silence not announced: {error}"));
    }
    Ok(Found {
        forbidding,
        mended,
        notes,
    })
}

fn refuse(call: &Call, place: Place, found: &[Divergence]) -> Outcome {
    let lines = lines(found).unwrap_or_default();
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
        ..Outcome::default()
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
        ..Outcome::default()
    }
}
