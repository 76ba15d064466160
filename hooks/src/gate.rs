//! `pre-handoff-validate`: nothing is handed on while copies disagree.

use std::path::PathBuf;

use trueup_core::hook::{Decision, Event, Response, Tool, Verdict, commands_of};
use trueup_core::liveness::LONGEST_SPAN_SECONDS;
use trueup_core::reconcile::{Advice, Divergence, Way};
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::{Store as _, StoreError};
use trueup_core::sync::{Drained, Standing, SyncError, drain, true_up};
use trueup_core::text::one_line;

use crate::call::{lines, not_mended};
use crate::handoff::{Patterns, hands_on, is_handoff, may_become_handoff};
use crate::span::announce;
use crate::{Call, Outcome};

/// Where work is handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before something runs, at this event.
    Before(&'static str),
    /// Before a turn ends.
    Stop,
}

/// The event before a tool runs.
const TOOL: &str = "PreToolUse";

/// The event before a shell line of a skill runs.
const SKILL_LINE: &str = "PreSkillShellCommand";

/// Longest reason why something was not mended, in characters.
const LONGEST_REASON: usize = 300;

/// What an event means for the gate.
enum Concern {
    /// Nothing is handed on.
    Nothing,
    /// Work is handed on there.
    HandOff(Place),
    /// It may be: the field that would tell cannot be read.
    Unreadable(Place, &'static str),
}

/// Answers `PreToolUse`, `PreSkillShellCommand` and `Stop`.
pub fn handle(call: &Call) -> Outcome {
    let place = match concern(call) {
        Concern::Nothing => return Outcome::default(),
        Concern::HandOff(place) => place,
        Concern::Unreadable(place, field) => {
            let line = format!("⚠️ this may be a hand-off, but its {field} cannot be read");
            return unknown(&call.environment, place, line, None);
        }
    };
    let mut sent = Drained::default();
    let outcome = match divergences(call, &mut sent) {
        Ok(found) if found.standing.forbidding.is_empty() && found.hides_its_branch => {
            let line = "⚠️ the current branch cannot be read (.git/HEAD): this hand-off could not \
                        be checked";
            unknown(&call.environment, place, line.to_owned(), None)
        }
        Ok(found) if found.standing.forbidding.is_empty() => pass(found),
        Ok(found) => refuse(call, place, &found),
        Err(error) => {
            let line =
                format!("⚠️ database unreachable: this hand-off could not be checked ({error})");
            let way = match &error {
                SyncError::Store(error) => Way::out_of_store_error(error.code()),
                SyncError::Journal(_) => Way::EndTrouble,
            };
            unknown(&call.environment, place, line, Some(&way.into()))
        }
    };
    outcome.telling(sent.lines(&call.site, Some(&call.payload.session)))
}

/// Answers a payload that is no JSON: what is cut or broken around what may be a hand-off command
/// is one that nobody can check.
pub fn broken(input: &[u8]) -> Option<Outcome> {
    let text = String::from_utf8_lossy(input);
    let environment = Environment::of_process();
    let settings = Settings::load_leniently(&environment).ok()?;
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let repository = Project::find(&environment, &here).config();
    let patterns = Patterns::new(&settings.handoff_commands(&repository.unwrap_or_default()));
    let commands = commands_of(&text);
    let may_hand_on = if commands.is_empty() {
        text.contains("\"tool_") && text.to_lowercase().contains("handoff")
    } else {
        commands.iter().any(|(command, was_cut)| {
            is_handoff(command, &patterns) || *was_cut && may_become_handoff(command, &patterns)
        })
    };
    let place = Place::Before(if text.contains(SKILL_LINE) {
        SKILL_LINE
    } else {
        TOOL
    });
    let line = "⚠️ the payload is truncated or broken: this may be a hand-off that could not be \
                checked";
    may_hand_on.then(|| unknown(&environment, place, line.to_owned(), None))
}

fn concern(call: &Call) -> Concern {
    let (place, tool) = match &call.payload.event {
        Event::BeforeTool(tool) => (Place::Before(TOOL), tool),
        Event::BeforeSkillLine(tool) => (Place::Before(SKILL_LINE), tool),
        // One refusal is enough: who goes on after it has been told.
        Event::Stop { again: false } => return Concern::HandOff(Place::Stop),
        _ => return Concern::Nothing,
    };
    match tool {
        Tool::Agent => Concern::HandOff(place),
        Tool::Bash(shell) if hands_on(&shell.command, &patterns(call)) => Concern::HandOff(place),
        Tool::Unreadable(field) => Concern::Unreadable(place, field),
        _ => Concern::Nothing,
    }
}

fn patterns(call: &Call) -> Vec<String> {
    call.site.settings.handoff_commands(&call.site.repository)
}

/// What a copy alone says does not hold up the work when nobody can write that copy: the
/// database is right all the same, and a refusal could be ended by nothing.
fn pass(found: Found) -> Outcome {
    let mut told = found.mended;
    told.extend(found.standing.stuck);
    let mut lines: Vec<String> = lines(&told).into_iter().collect();
    if !lines.is_empty() {
        lines.extend(found.why.iter().cloned());
    }
    Outcome {
        response: Response {
            system_message: (!lines.is_empty()).then(|| lines.join("\n")),
            ..Response::default()
        },
        notes: found.why.into_iter().chain(found.notes).collect(),
        ..Outcome::default()
    }
}

/// What a true-up came to.
#[derive(Default)]
struct Found {
    /// Whether it may be handed on even now.
    standing: Standing,
    /// What was put right on the way; a user is told of it all the same.
    mended: Vec<Divergence>,
    /// Why something could not be mended, a line each.
    why: Vec<String>,
    /// What went wrong beside it.
    notes: Vec<String>,
    /// Whether something is held, and nobody can tell on which branch.
    hides_its_branch: bool,
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
    let standing = synced.standing();
    let site = &call.site;
    let hides_its_branch =
        synced.session.item.is_some() && site.project.hides_its_branch(site.cwd.as_deref());
    let mut notes = Vec::new();
    // Subagents run long, and the session is silent meanwhile; how long, nobody says.
    if standing.forbidding.is_empty()
        && call.payload.event == Event::BeforeTool(Tool::Agent)
        && let Err(error) = announce(call, &mut store, &synced.session, LONGEST_SPAN_SECONDS)
    {
        notes.push(format!("trueup: quiet period not announced: {error}"));
    }
    Ok(Found {
        standing,
        mended,
        why: not_mended(&synced.problems),
        notes,
        hides_its_branch,
    })
}

fn refuse(call: &Call, place: Place, found: &Found) -> Outcome {
    let mut lines = lines(&found.standing.forbidding).unwrap_or_default();
    for why in &found.why {
        lines = format!("{lines}\n{}", one_line(why, LONGEST_REASON));
    }
    let advice = advice(&found.standing);
    // The lines quote state, so a model sees them fenced; a person sees them as they are.
    let reason = format!("{}\n{advice}", call.fence().quoted(&lines));
    let response = match place {
        Place::Before(event) => Response {
            verdict: Some(Verdict {
                event,
                decision: Decision::Deny,
                reason,
            }),
            ..Response::default()
        },
        Place::Stop => Response {
            block: Some(reason),
            ..Response::default()
        },
    };
    let notes = lines.lines().chain(advice.lines()).map(str::to_owned);
    Outcome {
        response,
        notes: notes.collect(),
        refuse: true,
        ..Outcome::default()
    }
}

/// Names every command that ends what was found, each on a line of its own.
fn advice(standing: &Standing) -> String {
    let ways = standing.ways.iter().enumerate().map(|(at, command)| {
        let word = if at == 0 { "Run" } else { "Then" };
        (word, command)
    });
    let others = standing.other_ways.iter().map(|command| ("Or", command));
    let lines = ways.chain(others);
    let lines: Vec<String> = lines
        .map(|(word, command)| format!("{word}: {command}"))
        .collect();
    format!(
        "Hand-offs are refused until the copies agree. {}",
        lines.join("\n")
    )
}

/// When nobody can know, a person is asked; where there is none, the work goes on, warned.
fn unknown(
    environment: &Environment,
    place: Place,
    line: String,
    advice: Option<&Advice>,
) -> Outcome {
    let attended = environment.text("CLAUDE_CODE_SESSION_ATTENDED") == Some("1");
    let response = match place {
        Place::Before(event) if attended => Response {
            verdict: Some(Verdict {
                event,
                decision: Decision::Ask,
                reason: match advice {
                    Some(advice) if advice.by_hand().is_some() => format!("{line}. First {advice}"),
                    Some(advice) => format!("{line}. Run: {advice}"),
                    None => line.clone(),
                },
            }),
            ..Response::default()
        },
        _ => Response {
            system_message: Some(line.clone()),
            ..Response::default()
        },
    };
    Outcome {
        response,
        notes: vec![line],
        ..Outcome::default()
    }
}
