//! `trueup statusline`: prints one line about the session, even where the database fails.

use std::io::{IsTerminal as _, Read as _};

use serde_json::{Value, json};
use trueup_core::model::{Session, SessionId};
use trueup_core::sync::now;
use trueup_core::text::{one_line, pluralize};

use crate::command_context::CommandContext;
use crate::command_context::find_session_by_prefix;
use crate::command_error::{CallerCase, CommandResult};
use crate::output::Output;

/// Longest task shown, in characters.
const MAX_TASK_CHARS: usize = 60;

/// From which age on the line says when the session was read from its server.
const NOTEWORTHY_SECONDS: u64 = 60;

/// Largest stdin read, in bytes.
const MAX_INPUT_BYTES: u64 = 1024 * 1024;

pub(super) fn cmd_statusline(context: &CommandContext) -> Output {
    match render_statusline(context) {
        Ok(line) => Output::new(vec![line.clone()], json!({"line": line})),
        // A status line never prints an error over several lines.
        Err(error) => {
            // A session registers with its first prompt, so this is no error.
            let line = if error.is(&CallerCase::PhantomSession) {
                "trueup: session not registered yet".to_owned()
            } else if error.is(&CallerCase::NoSession) {
                "trueup: no session here".to_owned()
            } else {
                format!("trueup: {}", one_line(&error.message, MAX_TASK_CHARS))
            };
            Output::new(vec![line.clone()], json!({"line": line}))
        }
    }
}

fn render_statusline(context: &CommandContext) -> CommandResult<String> {
    // `--session` takes precedence over the session in the JSON of the client.
    let named = context.named_session.clone().or_else(read_session_from_stdin);
    let known = named.as_ref().and_then(|id| context.read_replica(id));
    let age = known.as_ref().map(|replica| replica.age_seconds(now()));
    let is_away = known.as_ref().is_some_and(|replica| replica.outage_since.is_some());
    let session = match (known, named) {
        // The client asks after every message, and must not wait for a server.
        (Some(replica), _) => replica.session,
        (None, Some(id)) => find_session_by_prefix(&mut *context.open_for_reading()?, &id)?,
        (None, None) => context.require_session(&mut *context.open_for_reading()?)?,
    };
    let work = session.execution_state().work;
    let mut parts = vec![match &session.item {
        Some(item) => item.to_string(),
        None => "no item".to_owned(),
    }];
    parts.extend(work.phase.map(|phase| one_line(&phase, MAX_TASK_CHARS)));
    parts.extend(work.task.map(|task| one_line(&task, MAX_TASK_CHARS)));
    if work.was_interrupted {
        parts.push("interrupted".to_owned());
    }
    if session.acknowledged < session.revision {
        let Session { acknowledged, revision, .. } = &session;
        parts.push(format!("agent has seen revision {acknowledged} of {revision}"));
    }
    match age {
        Some(Some(seconds)) if is_away || seconds >= NOTEWORTHY_SECONDS => {
            parts.push(format!("read {seconds} s ago"));
        }
        Some(None) => parts.push("read at an unknown time".to_owned()),
        _ => {}
    }
    let waiting = context.run.outbox().count_backlog().map_or(0, |backlog| backlog.waiting);
    if waiting > 0 {
        parts.push(format!("{} waiting", pluralize(waiting, "write", "writes")));
    }
    Ok(parts.join(" · "))
}

/// Reads the session id from the JSON of the client on stdin.
fn read_session_from_stdin() -> Option<SessionId> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return None;
    }
    let mut bytes = Vec::new();
    stdin.lock().take(MAX_INPUT_BYTES).read_to_end(&mut bytes).ok()?;
    let json: Value = trueup_core::text::lenient_json::from_slice(&bytes).ok()?;
    json.get("session_id")?.as_str()?.parse().ok()
}
