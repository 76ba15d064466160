//! `pre-handoff-validate`: refuses a hand-off while the copies of the session's state differ.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::detached_pull::start_pull;
use crate::embedded_database::EmbeddedDatabase;
use crate::handoff_command::{
    CommandPatterns, is_handoff_command, may_become_handoff, script_hands_off,
};
use crate::hook_context::{render_failure, render_findings, render_unfixed};
use crate::quiet_period::announce_silence;
use crate::replica_database::{ReplicaDatabase, may_server_answer};
use crate::report_attention::report_handoff;
use crate::session_database::SessionDatabase;
use crate::{HookContext, HookOutcome};
use trueup_core::deadline::Deadline;
use trueup_core::diagnostic::{Advice, AdviceKind, Divergence};
use trueup_core::hook::{
    Client, HookEvent, HookResponse, ToolCall, ToolDecision, ToolVerdict, find_commands,
};
use trueup_core::liveness::MAX_QUIET_SECONDS;
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::{HookStore as _, StoreError};
use trueup_core::sync::{DrainReport, HandoffReadiness, SyncError, true_up};
use trueup_core::text::one_line;

/// The moment at which work would be handed off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HandoffPoint {
    /// Before a tool or a skill's shell line runs; the value is the name of the event.
    Before(&'static str),
    /// Before a turn ends.
    Stop,
}

/// Name of the event before a tool runs.
const PRE_TOOL_USE: &str = "PreToolUse";

/// Name of the event before a skill's shell line runs.
const PRE_SKILL_COMMAND: &str = "PreSkillShellCommand";

/// The pause between two looks at what a pull brought.
const PULL_INTERVAL: Duration = Duration::from_millis(20);

/// Longest reason why something was not fixed, in characters.
const MAX_REASON_CHARS: usize = 300;

/// Whether an event hands work off.
enum HandoffIntent {
    /// It does not.
    NoHandoff,
    /// It does, at this point.
    Handoff(HandoffPoint),
    /// Unknown: the named field of the payload cannot be read.
    Unreadable(HandoffPoint, &'static str),
}

/// Answers `PreToolUse`, `PreSkillShellCommand` and `Stop`.
pub(crate) fn handle_event(context: &HookContext) -> HookOutcome {
    let point = match classify_event(context) {
        HandoffIntent::NoHandoff => return HookOutcome::default(),
        HandoffIntent::Handoff(place) => place,
        HandoffIntent::Unreadable(place, field) => {
            let line = format!("⚠️ this may be a hand-off, but its {field} cannot be read");
            return ask_or_warn(&context.environment, place, line, None);
        }
    };
    let mut drained = DrainReport::default();
    let found = if context.is_remote() {
        find_divergences_on_replica(context, &mut drained)
    } else {
        find_divergences::<EmbeddedDatabase>(context, &mut drained)
    };
    let found = found.map(|found| match point {
        HandoffPoint::Before(_) => found,
        // The end of a turn comes too often to tell each time.
        HandoffPoint::Stop => GuardFindings { basis: None, ..found },
    });
    let outcome = match found {
        Ok(found) if found.standing.forbidding.is_empty() && found.is_branch_unreadable => {
            let line = "⚠️ the current branch cannot be read (.git/HEAD): this hand-off could not \
                        be checked";
            ask_or_warn(&context.environment, point, line.to_owned(), None)
        }
        Ok(found) if found.standing.forbidding.is_empty() => allow_handoff(found),
        Ok(found) => refuse_handoff(context, point, &found),
        Err(error) if context.is_never_created(&error) => {
            HookOutcome::from_note(render_failure(&error))
        }
        Err(error) => {
            let line =
                format!("⚠️ database unreachable: this hand-off could not be checked ({error})");
            let advice = match &error {
                SyncError::Store(error) => AdviceKind::from_store_error(error.code()),
                SyncError::Journal(_) => AdviceKind::FixReportedCause,
            };
            ask_or_warn(&context.environment, point, line, Some(&advice.into()))
        }
    };
    outcome.with_user_lines(drained.describe_problems(&context.run, Some(&context.payload.session)))
}

/// Answers a payload that is not valid JSON. If it contains what may be a hand-off command, the
/// hand-off cannot be checked, so the outcome asks or warns.
pub(crate) fn handle_broken_payload(input: &[u8]) -> Option<HookOutcome> {
    let text = String::from_utf8_lossy(input);
    let environment = Environment::from_process();
    let settings = Settings::load_leniently(&environment).ok()?;
    let working_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let repository = Project::find(&environment, &working_dir).read_config();
    let patterns =
        CommandPatterns::new(&settings.handoff_commands(&repository.unwrap_or_default()));
    let commands = find_commands(&text);
    let may_hand_on = if commands.is_empty() {
        text.contains("\"tool_") && text.to_lowercase().contains("handoff")
    } else {
        commands.iter().any(|(command, was_cut)| {
            script_hands_off(command, &patterns)
                || *was_cut && may_become_handoff(command, &patterns)
        })
    };
    let point = HandoffPoint::Before(if text.contains(PRE_SKILL_COMMAND) {
        PRE_SKILL_COMMAND
    } else {
        PRE_TOOL_USE
    });
    let line = "⚠️ the payload is truncated or broken: this may be a hand-off that could not be \
                checked";
    may_hand_on.then(|| {
        let mut outcome = ask_or_warn(&environment, point, line.to_owned(), None);
        let event = HookEvent::BeforeTool(ToolCall::Other);
        Client::guess_sender(&text).fit_response(&mut outcome.response, &event);
        outcome
    })
}

fn classify_event(context: &HookContext) -> HandoffIntent {
    let (point, tool) = match &context.payload.event {
        HookEvent::BeforeTool(tool) => (HandoffPoint::Before(PRE_TOOL_USE), tool),
        HookEvent::BeforeSkillLine(tool) => (HandoffPoint::Before(PRE_SKILL_COMMAND), tool),
        // One refusal is enough: an agent that stops again has already read it.
        HookEvent::Stop { is_repeated: false } => {
            return HandoffIntent::Handoff(HandoffPoint::Stop);
        }
        _ => return HandoffIntent::NoHandoff,
    };
    match tool {
        ToolCall::Agent => HandoffIntent::Handoff(point),
        ToolCall::Bash(shell) if is_handoff_command(&shell.command, &collect_patterns(context)) => {
            HandoffIntent::Handoff(point)
        }
        ToolCall::Unreadable(field) => HandoffIntent::Unreadable(point, field),
        _ => HandoffIntent::NoHandoff,
    }
}

fn collect_patterns(context: &HookContext) -> Vec<String> {
    context.run.settings.handoff_commands(&context.run.repository)
}

/// Allows the hand-off, and reports what was fixed or could not be written. A copy that cannot be
/// written does not block: the database is right, and no command could end such a refusal.
fn allow_handoff(findings: GuardFindings) -> HookOutcome {
    let mut shown = findings.fixed;
    shown.extend(findings.standing.unwritable);
    let mut lines: Vec<String> = render_findings(&shown).into_iter().collect();
    if !lines.is_empty() {
        lines.extend(findings.unfixed.iter().cloned());
    }
    lines.extend(findings.basis);
    HookOutcome {
        response: HookResponse {
            system_message: (!lines.is_empty()).then(|| lines.join("\n")),
            ..HookResponse::default()
        },
        notes: findings.unfixed.into_iter().chain(findings.notes).collect(),
        ..HookOutcome::default()
    }
}

/// The result of truing up before a hand-off.
#[derive(Default)]
struct GuardFindings {
    /// What still forbids the hand-off, and how to end it.
    standing: HandoffReadiness,
    /// Divergences that were fixed; the user is shown those that touch his own work.
    fixed: Vec<Divergence>,
    /// Why something could not be fixed, one line each.
    unfixed: Vec<String>,
    /// Other failures, for stderr.
    notes: Vec<String>,
    /// On how old an answer this rests.
    basis: Option<String>,
    /// Whether the session holds an item while the checked-out branch cannot be read.
    is_branch_unreadable: bool,
}

/// Does what [`find_divergences`] does on the replica. What that does not hold, such as whether a
/// branch that was just checked out names an item, a pull may bring in time.
fn find_divergences_on_replica(
    context: &HookContext,
    drained: &mut DrainReport,
) -> Result<GuardFindings, SyncError> {
    let mut found = find_divergences::<ReplicaDatabase>(context, drained);
    if found.is_err() {
        start_pull(context);
    }
    if found.is_err() && may_server_answer(context) {
        let patience = Deadline::after(context.run.deadline.remaining() / 2);
        while found.is_err() && !patience.has_passed() {
            thread::sleep(PULL_INTERVAL);
            found = find_divergences::<ReplicaDatabase>(context, drained);
        }
    }
    found
}

/// Trues up and collects what still forbids the hand-off.
fn find_divergences<S: SessionDatabase>(
    context: &HookContext,
    drained: &mut DrainReport,
) -> Result<GuardFindings, SyncError> {
    let mut store = match S::open(context) {
        // Without a database nothing was ever claimed, so nothing can differ.
        Err(StoreError::Missing(_)) if !context.was_synced() => return Ok(GuardFindings::default()),
        other => other?,
    };
    let basis = S::describe_basis(context, &mut store)?;
    drained.add(S::drain_waiting(context, &mut store));
    let Some(session) = store.load_session(&context.payload.session)? else {
        return Ok(GuardFindings::default());
    };
    let synced = true_up(&mut store, session, &[], &context.run)?;
    let mut fixed = synced.fixed_findings();
    fixed.retain(|d| d.code.touches_user_edits());
    let standing = synced.handoff_readiness();
    report_handoff(context, &mut store, &synced.session, &standing);
    let run = &context.run;
    let is_branch_unreadable =
        synced.session.item.is_some() && run.project.has_unreadable_branch(run.cwd.as_deref());
    let mut notes = Vec::new();
    // A subagent may run for long, during which the session sends no heartbeat.
    if standing.forbidding.is_empty()
        && context.payload.event == HookEvent::BeforeTool(ToolCall::Agent)
        && let Err(error) =
            announce_silence(context, &mut store, &synced.session, MAX_QUIET_SECONDS)
    {
        notes.push(format!("trueup: quiet period not announced: {error}"));
    }
    notes.extend(S::close(context, store));
    Ok(GuardFindings {
        standing,
        fixed,
        unfixed: render_unfixed(&synced.problems),
        notes,
        basis,
        is_branch_unreadable,
    })
}

fn refuse_handoff(
    context: &HookContext,
    point: HandoffPoint,
    findings: &GuardFindings,
) -> HookOutcome {
    let mut lines = render_findings(&findings.standing.forbidding).unwrap_or_default();
    for why in &findings.unfixed {
        lines = format!("{lines}\n{}", one_line(why, MAX_REASON_CHARS));
    }
    let advice = render_advice(&findings.standing);
    let advice = findings.basis.iter().fold(advice, |advice, basis| format!("{advice}\n{basis}"));
    // The lines quote stored state: the agent gets them inside a delimiter, a person as they are.
    let reason = format!("{}\n{advice}", context.new_delimiter().wrap_quoted(&lines));
    let shown = if context.payload.client.tells_stderr {
        reason.clone()
    } else {
        format!("{lines}\n{advice}")
    };
    let response = match point {
        HandoffPoint::Before(event) => HookResponse {
            verdict: Some(ToolVerdict { event, decision: ToolDecision::Deny, reason }),
            ..HookResponse::default()
        },
        HandoffPoint::Stop => HookResponse { block: Some(reason), ..HookResponse::default() },
    };
    let notes = shown.lines().map(str::to_owned).collect();
    HookOutcome { response, notes, is_refusal: true, ..HookOutcome::default() }
}

/// Renders the commands that end the refusal, one a line.
fn render_advice(standing: &HandoffReadiness) -> String {
    let commands = standing.fixes.iter().enumerate().map(|(at, command)| {
        let word = if at == 0 { "Run" } else { "Then" };
        (word, command)
    });
    let alternatives = standing.alternatives.iter().map(|command| ("Or", command));
    let lines = commands.chain(alternatives);
    let lines: Vec<String> = lines.map(|(word, command)| format!("{word}: {command}")).collect();
    format!("Hand-offs are refused until the copies agree. {}", lines.join("\n"))
}

/// Asks a person whether to go on when the hand-off could not be checked. In an unattended session
/// the work goes on with a warning.
fn ask_or_warn(
    environment: &Environment,
    point: HandoffPoint,
    line: String,
    advice: Option<&Advice>,
) -> HookOutcome {
    let attended = environment.text("CLAUDE_CODE_SESSION_ATTENDED") == Some("1");
    let response = match point {
        HandoffPoint::Before(event) if attended => HookResponse {
            verdict: Some(ToolVerdict {
                event,
                decision: ToolDecision::Ask,
                reason: match advice {
                    Some(advice) if advice.by_hand().is_some() => format!("{line}. First {advice}"),
                    Some(advice) => format!("{line}. Run: {advice}"),
                    None => line.clone(),
                },
            }),
            ..HookResponse::default()
        },
        _ => HookResponse { system_message: Some(line.clone()), ..HookResponse::default() },
    };
    HookOutcome { response, notes: vec![line], ..HookOutcome::default() }
}
