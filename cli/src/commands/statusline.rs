//! `trueup statusline`: one line, from the database, whatever happens.

use std::io::{IsTerminal as _, Read as _};

use serde_json::{Value, json};
use trueup_core::model::SessionId;
use trueup_core::text::one_line;

use crate::caller::find_session_by_prefix;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;

/// Longest task shown, in characters.
const MAX_TASK_CHARS: usize = 60;

/// Largest input read, in bytes.
const MAX_INPUT_BYTES: u64 = 1024 * 1024;

pub(super) fn cmd_statusline(context: &CommandContext) -> Output {
    match render_statusline(context) {
        Ok(line) => Output::new(vec![line.clone()], json!({"line": line})),
        // A status line that fails must not fill the screen.
        Err(error) => {
            let line = match *error.case {
                // Before its first prompt a session is not there yet, which is as it should be.
                ErrorCase::PhantomSession => "trueup: session not registered yet".to_owned(),
                ErrorCase::NoSession => "trueup: no session here".to_owned(),
                _ => format!("trueup: {}", one_line(&error.message, MAX_TASK_CHARS)),
            };
            Output::new(vec![line.clone()], json!({"line": line}))
        }
    }
}

fn render_statusline(context: &CommandContext) -> Result<String, CommandError> {
    let mut store = context.open_for_reading()?;
    // The flag is a person's word; the client's JSON only says whose line this is.
    let session = match context
        .named_session
        .clone()
        .or_else(read_session_from_stdin)
    {
        Some(id) => find_session_by_prefix(&mut store, &id)?,
        None => context.require_session(&mut store)?,
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
        parts.push(format!(
            "model is at revision {} of {}",
            session.acknowledged, session.revision
        ));
    }
    let waiting = context
        .run
        .outbox()
        .count_backlog()
        .map_or(0, |backlog| backlog.waiting);
    if waiting > 0 {
        parts.push(format!("{waiting} writes waiting"));
    }
    Ok(parts.join(" · "))
}

/// Reads the session out of the client's JSON.
fn read_session_from_stdin() -> Option<SessionId> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return None;
    }
    let mut bytes = Vec::new();
    stdin
        .lock()
        .take(MAX_INPUT_BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    let json: Value = trueup_core::text::lenient_json::from_slice(&bytes).ok()?;
    json.get("session_id")?.as_str()?.parse().ok()
}
