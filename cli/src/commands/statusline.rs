//! `trueup statusline`: one line, from the database, whatever happens.

use std::io::{IsTerminal as _, Read as _};

use serde_json::{Value, json};
use trueup_core::model::SessionId;
use trueup_core::text::one_line;

use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::report::Answer;
use crate::speaker::find_session;

/// Longest task shown, in characters.
const LONGEST: usize = 60;

/// Largest input read, in bytes.
const LARGEST: u64 = 1024 * 1024;

pub(super) fn run(desk: &Desk) -> Answer {
    match line(desk) {
        Ok(line) => Answer::new(vec![line.clone()], json!({"line": line})),
        // A status line that fails must not fill the screen.
        Err(failure) => {
            let line = match *failure.case {
                // Before its first prompt a session is not there yet, which is as it should be.
                ErrorCase::PhantomSession => "trueup: session not registered yet".to_owned(),
                ErrorCase::NoSession => "trueup: no session here".to_owned(),
                _ => format!("trueup: {}", one_line(&failure.message, LONGEST)),
            };
            Answer::new(vec![line.clone()], json!({"line": line}))
        }
    }
}

fn line(desk: &Desk) -> Result<String, Failure> {
    let mut store = desk.open()?;
    // The flag is a person's word; the client's JSON only says whose line this is.
    let session = match desk.named.clone().or_else(named) {
        Some(id) => find_session(&mut store, &id)?,
        None => desk.session(&mut store)?,
    };
    let work = session.execution_state().work;
    let mut parts = vec![match &session.item {
        Some(item) => item.to_string(),
        None => "no item".to_owned(),
    }];
    parts.extend(work.phase.map(|phase| one_line(&phase, LONGEST)));
    parts.extend(work.task.map(|task| one_line(&task, LONGEST)));
    if work.was_interrupted {
        parts.push("interrupted".to_owned());
    }
    if session.acknowledged < session.revision {
        parts.push(format!(
            "model is at revision {} of {}",
            session.acknowledged, session.revision
        ));
    }
    let waiting = desk
        .site
        .outbox()
        .backlog()
        .map_or(0, |backlog| backlog.waiting);
    if waiting > 0 {
        parts.push(format!("{waiting} writes waiting"));
    }
    Ok(parts.join(" · "))
}

/// Reads the session out of the client's JSON.
fn named() -> Option<SessionId> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return None;
    }
    let mut bytes = Vec::new();
    stdin.lock().take(LARGEST).read_to_end(&mut bytes).ok()?;
    let json: Value = trueup_core::text::lenient::from_slice(&bytes).ok()?;
    json.get("session_id")?.as_str()?.parse().ok()
}
