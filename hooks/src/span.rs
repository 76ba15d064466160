//! `pre-handoff-validate --span`: a command that may run long announces the silence it brings,
//! for no hook fires inside a tool call.

use std::time::Duration;

use trueup_core::hook::{Event, Tool};
use trueup_core::liveness::span_of_command;
use trueup_core::model::Session;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Heartbeat, Store as _, StoreError};

use crate::{Call, Outcome};

/// Where the client's user sets how long a command may take that says nothing, in
/// milliseconds.
const DEFAULT_LIMIT: &str = "BASH_DEFAULT_TIMEOUT_MS";

/// Answers `PreToolUse` of a shell command: with nothing, whatever comes of it.
pub fn handle(call: &Call) -> Outcome {
    let Some(seconds) = seconds(call) else {
        return Outcome::default();
    };
    match declare(call, seconds) {
        Ok(()) => Outcome::default(),
        Err(error) => Outcome::note(format!("trueup: quiet period not announced: {error}")),
    }
}

/// Returns how long the session will be silent, when that is worth a word.
fn seconds(call: &Call) -> Option<u64> {
    let Event::BeforeTool(Tool::Bash(shell)) = &call.payload.event else {
        return None;
    };
    if shell.in_background {
        return None;
    }
    let set = || {
        let text = call.environment.text(DEFAULT_LIMIT)?;
        Some(Duration::from_millis(text.parse().ok()?))
    };
    span_of_command(
        shell.timeout.or_else(set)?,
        call.site.settings.lease_seconds,
    )
}

fn declare(call: &Call, seconds: u64) -> Result<(), StoreError> {
    let mut store = match call.open() {
        // Where nothing was registered nobody is waited for.
        Err(StoreError::Missing(_)) if !call.was_synced() => return Ok(()),
        other => other?,
    };
    match store.session(&call.payload.session)? {
        Some(session) => announce(call, &mut store, &session, seconds),
        None => Ok(()),
    }
}

/// Announces silence from now on. A longer one that was announced before stays.
pub(crate) fn announce(
    call: &Call,
    store: &mut SqliteStore,
    session: &Session,
    seconds: u64,
) -> Result<(), StoreError> {
    if session.announced_seconds() >= seconds {
        return Ok(());
    }
    let settings = &call.site.settings;
    let due = session.renewal_is_due(settings.renewal_seconds());
    store.heartbeat(&Heartbeat {
        session: session.id.clone(),
        lease_seconds: due.then_some(settings.lease_seconds),
        status: None,
        span_seconds: Some(seconds),
    })
}
