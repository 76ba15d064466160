//! `pre-handoff-validate --span`: announces the quiet period of a command that may run long. No
//! hook fires during a tool call, so without it the session would look dead.

use std::time::Duration;

use crate::embedded_database::EmbeddedDatabase;
use crate::replica_database::ReplicaDatabase;
use crate::session_database::SessionDatabase;
use crate::{HookContext, HookOutcome};
use trueup_core::hook::{HookEvent, ToolCall};
use trueup_core::liveness::quiet_period_of_command;
use trueup_core::log::LogLevel;
use trueup_core::model::Session;
use trueup_core::store::{HeartbeatRequest, HookStore, StoreError};

/// The client's variable for the default timeout of a shell command, in milliseconds.
const DEFAULT_TIMEOUT_VARIABLE: &str = "BASH_DEFAULT_TIMEOUT_MS";

/// Handles `PreToolUse` of a shell command. It never refuses, and prints only a failure.
pub(crate) fn handle_event(context: &HookContext) -> HookOutcome {
    let Some(seconds) = quiet_seconds(context) else {
        return HookOutcome::default();
    };
    let announced = if context.is_remote() {
        open_and_announce::<ReplicaDatabase>(context, seconds)
    } else {
        open_and_announce::<EmbeddedDatabase>(context, seconds)
    };
    match announced {
        Ok(()) => HookOutcome::default(),
        Err(error) => {
            HookOutcome::from_note(format!("trueup: quiet period not announced: {error}"))
        }
    }
}

/// Returns how many seconds the session may be quiet, if that is long enough to announce.
fn quiet_seconds(context: &HookContext) -> Option<u64> {
    let HookEvent::BeforeTool(ToolCall::Bash(shell)) = &context.payload.event else {
        return None;
    };
    if shell.in_background {
        return None;
    }
    let user_default = || {
        let text = context.environment.text(DEFAULT_TIMEOUT_VARIABLE)?;
        Some(Duration::from_millis(text.parse().ok()?))
    };
    quiet_period_of_command(
        shell.timeout.or_else(user_default)?,
        context.run.settings.lease_seconds,
    )
}

fn open_and_announce<S: SessionDatabase>(
    context: &HookContext,
    seconds: u64,
) -> Result<(), StoreError> {
    let mut store = match S::open(context) {
        // Without a database no session is registered.
        Err(StoreError::Missing(_)) if !context.was_synced() => return Ok(()),
        other => other?,
    };
    if let Some(session) = store.load_session(&context.payload.session)? {
        announce_silence(context, &mut store, &session, seconds)?;
    }
    for problem in S::close(context, store) {
        context.run.log(LogLevel::Warn, "pre-handoff-validate", &problem);
    }
    Ok(())
}

/// Announces a quiet period from now on. A longer one announced before stays.
pub(crate) fn announce_silence(
    context: &HookContext,
    store: &mut dyn HookStore,
    session: &Session,
    seconds: u64,
) -> Result<(), StoreError> {
    if session.quiet_seconds_left() >= seconds {
        return Ok(());
    }
    let settings = &context.run.settings;
    let lease_due = session.is_renewal_due(settings.renewal_seconds());
    store.record_heartbeat(&HeartbeatRequest {
        session: session.id.clone(),
        lease_seconds: lease_due.then_some(settings.lease_seconds),
        status: None,
        quiet_seconds: Some(seconds),
    })
}
