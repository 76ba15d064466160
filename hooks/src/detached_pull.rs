//! Starting `trueup pull` beside the session.
//!
//! It brings what waits to the server and reads the session anew, and no hook waits for it. Of many
//! that are started for a session, one works and one waits for its turn; the others end at once,
//! since the one that waits does their work.

use std::process::{Command, Stdio};
use std::time::Duration;

use trueup_core::fs::FileLock;
use trueup_core::hook::HookEvent;
use trueup_core::log::LogLevel;

use crate::HookContext;
use crate::share_state::has_unshared_state;
use crate::trueup_program::find_program;

/// From which age on the replica is read anew at a prompt, in seconds.
const PROMPT_AGE_SECONDS: u64 = 60;

/// Starts a pull if something has to reach the server, or the replica is old. `age` is the
/// replica's in seconds, if it is known.
pub(crate) fn start_pull_if_due(context: &HookContext, age: Option<u64>, has_marks: bool) {
    let oldest = match context.payload.event {
        HookEvent::Prompt(_) | HookEvent::SessionStart(_) => PROMPT_AGE_SECONDS,
        _ => context.run.settings.renewal_seconds(),
    };
    let is_due = has_marks
        || age.is_none_or(|age| age >= oldest)
        || !context.run.outbox().is_idle()
        || has_unshared_state(context);
    if is_due {
        start_pull(context);
    }
}

/// Starts a pull of the event's session, unless one waits for its turn already.
pub(crate) fn start_pull(context: &HookContext) {
    let [_, next] = context.run.settings.paths.pull_locks(&context.payload.session);
    if next.exists() && FileLock::acquire(&next, Duration::ZERO).is_err() {
        return;
    }
    let Some(program) = find_program(&context.environment) else {
        context.run.log(LogLevel::Warn, "pull", "trueup is neither beside this hook nor on PATH");
        return;
    };
    let session = context.payload.session.as_str();
    let mut command = Command::new(program);
    command
        .args(["pull", "--detached", "--session", session])
        .current_dir(&context.run.project.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Its deadline is its own: nobody waits for it.
    command.env_remove("TRUEUP_DEADLINE_MS");
    if let Err(error) = command.spawn() {
        context.run.log(LogLevel::Warn, "pull", &format!("it cannot be started: {error}"));
    }
}
