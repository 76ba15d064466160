//! What a hook finds that needs a person.

use trueup_core::diagnostic::{Divergence, Severity};
use trueup_core::hook::HookEvent;
use trueup_core::model::{AttentionKind, NewAttention, Session};
use trueup_core::store::HookStore;
use trueup_core::sync::{HandoffReadiness, SessionReports, TrueUpOutcome};
use trueup_core::text::CommandLine;

use crate::HookContext;

/// Reports a hand-off that is refused; one that passes ends the report of an earlier one.
pub(crate) fn report_handoff(
    context: &HookContext,
    store: &mut dyn HookStore,
    session: &Session,
    standing: &HandoffReadiness,
) {
    let refusal = (!standing.forbidding.is_empty()).then(|| {
        let lines = render_messages(standing.forbidding.iter());
        let line = format!("hand-off refused: {lines}");
        let command =
            SessionReports::command_from_anywhere(&standing.fixes, &context.run, &session.id);
        NewAttention { command, ..about(context, session, AttentionKind::GateRefusal, line) }
    });
    let reports = SessionReports::read(&context.run, &session.id);
    let found = refusal.as_slice();
    reports.update(store, &context.run, &[AttentionKind::GateRefusal], found, "hand-off");
}

/// Reports divergences that stayed though the hook trued the session up, and that its agent waits.
/// What is over ends: once the copies agree, an earlier hand-off would not be refused either.
pub(crate) fn report_session(
    context: &HookContext,
    store: &mut dyn HookStore,
    synced: &TrueUpOutcome,
) {
    use AttentionKind::{Divergence, GateRefusal, WaitsForInput};
    let session = &synced.session;
    let reports = SessionReports::read(&context.run, &session.id);
    let has_ended = matches!(context.payload.event, HookEvent::SessionEnd(_));
    let standing: Vec<_> =
        synced.remaining.iter().filter(|found| found.severity == Severity::Error).collect();
    let mut kinds = vec![WaitsForInput, Divergence];
    let mut found = Vec::new();
    if has_ended || synced.handoff_readiness().forbidding.is_empty() {
        kinds.push(GateRefusal);
    }
    if !has_ended && !standing.is_empty() {
        let advice: Vec<_> = standing.iter().map(|found| found.advice.clone()).collect();
        let command = SessionReports::command_from_anywhere(&advice, &context.run, &session.id);
        let line = render_messages(standing.into_iter());
        found.push(NewAttention { command, ..about(context, session, Divergence, line) });
    }
    if let HookEvent::WaitsForInput(message) = &context.payload.event {
        let line = format!("waits for input: {message}");
        // Only who is at its terminal can answer; this tells where that is.
        let show = CommandLine::new("trueup sessions show").with_word(session.id.as_str());
        let command = Some(show.to_string());
        found.push(NewAttention { command, ..about(context, session, WaitsForInput, line) });
    }
    reports.update(store, &context.run, &kinds, &found, event_reason(&context.payload.event));
}

const fn event_reason(event: &HookEvent) -> &'static str {
    match event {
        HookEvent::Prompt(_) => "prompt",
        HookEvent::SessionStart(_) => "session start",
        HookEvent::SessionEnd(_) => "session end",
        HookEvent::Stop { .. } => "end of a turn",
        _ => "observed",
    }
}

fn about(
    context: &HookContext,
    session: &Session,
    kind: AttentionKind,
    line: String,
) -> NewAttention {
    NewAttention {
        session: Some(session.id.clone()),
        item: session.item.clone(),
        repo: session.repo.clone(),
        host: Some(context.run.host.clone()),
        ..NewAttention::new(SessionReports::id_of(&session.id, kind), kind, line)
    }
}

fn render_messages<'a>(found: impl Iterator<Item = &'a Divergence>) -> String {
    found.map(|found| found.message.as_str()).collect::<Vec<_>>().join("; ")
}
