//! Starting `trueup pull` beside the session.
//!
//! It brings what waits to the server and reads the session anew. Only the start of a session waits
//! for it, and only within its deadline. Of many that are started for a session, one works and one
//! waits for its turn; the others end at once, since the one that waits does their work.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trueup_core::deadline::Deadline;
use trueup_core::fs::FileLock;
use trueup_core::hook::{HookEvent, StartSource};
use trueup_core::log::LogLevel;
use trueup_core::store::StoreError;

use crate::HookContext;
use crate::bounded_read::read_within;
use crate::hook_context::render_failure;
use crate::pull_error::PullError;
use crate::share_state::has_unshared_state;
use crate::trueup_program::{PROGRAM, find_program};

/// From which age on the replica is read anew at a prompt, in seconds.
const PROMPT_AGE_SECONDS: u64 = 60;

/// Largest answer of a pull that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why the pull of a session's start brought nothing. `trueup pull` prints it for the hook.
#[derive(Debug, Serialize, Deserialize)]
pub struct PullFailure {
    /// The cause alone.
    pub reason: String,
    /// The line for a person, with the cause.
    pub line: String,
    /// Whether the server has no database of trueup, and none was ever found there.
    pub is_never_created: bool,
}

impl PullFailure {
    /// Describes an error of the pull.
    pub fn new(context: &HookContext, error: &PullError) -> Self {
        let reason = error.to_string();
        match error {
            PullError::Sync(error) => Self {
                reason,
                line: render_failure(error),
                is_never_created: context.is_never_created(error),
            },
            PullError::Replica(_) => {
                Self { line: format!("trueup: {reason}"), reason, is_never_created: false }
            }
        }
    }

    /// Describes what went wrong on this machine, before the server was asked.
    pub fn of_problem(problem: String) -> Self {
        Self { line: format!("trueup: {problem}"), reason: problem, is_never_created: false }
    }

    /// Renders it for the hook.
    pub fn to_answer(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// The server did not answer while the hook could wait.
    pub(crate) fn no_answer(context: &HookContext) -> Self {
        Self::before_contact(context, "no answer in time; trueup pull goes on")
    }

    fn before_contact(context: &HookContext, problem: &str) -> Self {
        let database = &context.run.settings.database;
        let error = StoreError::unavailable(format!("{database}: {problem}"));
        Self::new(context, &error.into())
    }
}

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
    let settings = &context.run.settings;
    let locks = settings.paths.pull_locks(&settings.database_address(), &context.payload.session);
    let next = locks.next;
    if next.exists() && FileLock::acquire(&next, Duration::ZERO).is_err() {
        return;
    }
    if let Err(problem) = spawn_pull(context, &[], Stdio::null()) {
        context.run.log(LogLevel::Warn, "pull", &problem);
    }
}

/// Pulls for the start of a session, and waits for the end of that until the deadline. The pull goes
/// on behind it.
///
/// # Errors
///
/// Why it brought nothing.
pub(crate) fn run_start_pull(
    context: &HookContext,
    source: StartSource,
    deadline: Deadline,
) -> Result<(), PullFailure> {
    let pull = spawn_pull(context, &["--start", source.name()], Stdio::piped());
    let pull = pull.map_err(|problem| PullFailure::before_contact(context, &problem))?;
    let answer = pull.stdout.and_then(|pipe| read_within(pipe, deadline, MAX_ANSWER_BYTES).ok());
    let no_answer = || PullFailure::no_answer(context);
    match answer.filter(|answer| answer.is_complete) {
        Some(answer) if answer.bytes.is_empty() => Ok(()),
        Some(answer) => Err(serde_json::from_slice(&answer.bytes).unwrap_or_else(|_| no_answer())),
        None => Err(no_answer()),
    }
}

fn spawn_pull(context: &HookContext, more: &[&str], stdout: Stdio) -> Result<Child, String> {
    let program = find_program(&context.environment).ok_or_else(|| {
        format!("{PROGRAM}, which connects to it, is neither beside this hook nor on PATH")
    })?;
    let run = &context.run;
    let mut command = Command::new(&program);
    command
        .args(["pull", "--detached", "--session", context.payload.session.as_str()])
        .args(more)
        .current_dir(run.cwd.as_ref().filter(|dir| dir.is_dir()).unwrap_or(&run.project.dir))
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::null());
    // Its deadline is its own: nobody waits for it for longer than he wants.
    command.env_remove("TRUEUP_DEADLINE_MS");
    let client = context.payload.client;
    if let Some(agent) = client.label() {
        command.args(["--agent", agent]);
    }
    for variable in client.foreign_variables() {
        command.env_remove(variable);
    }
    if let Some(client) = run.client_pid.or_else(|| run.client_process().map(|it| it.pid)) {
        // Behind the end of this hook it has no ancestor that is the client.
        command.env("CLAUDE_PID", client.to_string());
    }
    command.spawn().map_err(|error: io::Error| format!("{}: {error}", program.display()))
}
