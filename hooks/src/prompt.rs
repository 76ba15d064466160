//! `UserPromptSubmit`: what others changed of the session is told to its agent.

use trueup_core::diagnostic::Code;
use trueup_core::hook::HookResponse;
use trueup_core::model::{Session, SessionStatus};
use trueup_core::store::{HeartbeatRequest, HookStore, StoreError};
use trueup_core::sync::{
    DrainReport, HandoffNotice, SyncError, is_known_by_id_only, render_database_change,
    render_handoffs, true_up,
};

use crate::hook_context::{
    keep_changes_to_user_work, render_failure, render_findings, render_unfixed,
};
use crate::report_attention::report_session;
use crate::session_database::SessionDatabase;
use crate::{HookContext, HookOutcome};

/// Begins a session whose start was missed.
pub(crate) type StartMissed = fn(&HookContext, &mut DrainReport) -> Result<HookOutcome, SyncError>;

/// Answers a prompt: tells what others changed, once.
pub(crate) fn handle_prompt<S: SessionDatabase>(
    context: &HookContext,
    start_missed: StartMissed,
) -> HookOutcome {
    let mut drained = DrainReport::default();
    let outcome = match update_prompt_context::<S>(context, &mut drained, start_missed) {
        Ok(outcome) => outcome,
        // The next prompt tries again. A system message would bother the user at every prompt.
        Err(error) => {
            S::retry_later(context);
            HookOutcome::from_note(render_failure(&error))
        }
    };
    outcome.with_user_lines(drained.describe_problems(&context.run, Some(&context.payload.session)))
}

fn update_prompt_context<S: SessionDatabase>(
    context: &HookContext,
    drained: &mut DrainReport,
    start_missed: StartMissed,
) -> Result<HookOutcome, SyncError> {
    let mut store = match S::open(context) {
        // Only a session start creates a database.
        Err(StoreError::Missing(_)) if !context.was_synced() => return Ok(HookOutcome::default()),
        other => other?,
    };
    drained.add(S::drain_waiting(context, &mut store));
    let id = &context.payload.session;
    let stored = store.load_session(id)?;
    let Some(mut session) = stored.filter(|it| !is_known_by_id_only(it)) else {
        // The session's start was missed, so the agent knows nothing yet.
        return start_missed(context, drained).map(|mut outcome| {
            if let Some((event, _)) = &mut outcome.response.context {
                *event = "UserPromptSubmit";
            }
            outcome
        });
    };
    let renewal = context.run.settings.renewal_seconds();
    let lease_due = session.is_renewal_due(renewal) || !session.status.is_present();
    let client_is_gone = session.status == SessionStatus::Ended && context.run.client_is_gone();
    if client_is_gone {
        // The session ended and its client is gone: a late hook must not make it active again.
    } else if lease_due || session.status != SessionStatus::Active {
        store.record_heartbeat(&HeartbeatRequest {
            session: id.clone(),
            lease_seconds: lease_due.then_some(context.run.settings.lease_seconds),
            status: Some(SessionStatus::Active),
            quiet_seconds: None,
        })?;
        session.status = SessionStatus::Active;
    }
    let synced = true_up(&mut store, session, &[], &context.run)?;
    report_session(context, &mut store, &synced);
    let session = &synced.session;
    // The revision after truing up: the agent must learn of what this hook changed as well.
    let briefing = S::take_briefing(&mut store);
    let has_news = session.revision > session.acknowledged
        || S::has_unread_handoffs(&store)
        || briefing.as_ref().is_some_and(|briefing| briefing.metadata != session.metadata);
    if has_news {
        store.acknowledge_revision(id, session.revision)?;
    }
    let mut shown = keep_changes_to_user_work(synced.fixed_findings());
    let mut response = HookResponse::default();
    if has_news {
        let lost_claim = synced.remaining.iter().find(|d| d.code == Code::ClaimTakenAway);
        shown.extend(lost_claim.cloned());
        let title = load_item_title(&mut store, session)?;
        let lost_claim_message = lost_claim.map(|d| d.message.as_str());
        let delimiter = context.new_delimiter();
        let mut text =
            render_database_change(session, title.as_deref(), lost_claim_message, &delimiter);
        // Loaded after the revision was acknowledged: a hand-off made from now on raises it again,
        // so the next prompt shows it.
        let notices = take_handoff_notices(&mut store, session, false)?;
        if !notices.is_empty() {
            text = format!("{text}\n{}", render_handoffs(&notices, &delimiter));
        }
        response.context = Some(("UserPromptSubmit", text));
    }
    if let Some(briefing) = briefing {
        let change = response.context.map(|(_, change)| format!("\n{change}"));
        let text = format!("{}{}", briefing.text, change.unwrap_or_default());
        response.context = Some(("UserPromptSubmit", text));
    }
    response.system_message = render_findings(&shown);
    let news = S::take_news(&mut store);
    let mut notes = render_unfixed(&synced.problems);
    notes.extend(S::close(context, store));
    let outcome = HookOutcome { response, notes, ..HookOutcome::default() };
    Ok(outcome.with_user_lines(news))
}

/// Loads the title of the item that the session holds.
pub(crate) fn load_item_title(
    store: &mut dyn HookStore,
    session: &Session,
) -> Result<Option<String>, StoreError> {
    Ok(match &session.item {
        Some(key) => store.load_item_title(key)?,
        None => None,
    })
}

/// Loads the hand-offs to show to the agent, and marks them as shown.
pub(crate) fn take_handoff_notices(
    store: &mut dyn HookStore,
    session: &Session,
    is_start: bool,
) -> Result<Vec<HandoffNotice>, StoreError> {
    let notices = store.list_handoff_notices(&session.id, is_start)?;
    for (_, handoff) in notices.iter().filter(|(_, handoff)| handoff.is_unread()) {
        store.mark_handoff_shown(handoff)?;
    }
    Ok(notices)
}
