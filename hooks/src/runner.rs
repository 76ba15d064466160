//! What the three binaries share: stdin, deadline, panics, output.

use std::io::{self, Write as _};
use std::panic;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::alarm;
use rustix::event::{self, PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use signal_hook::consts::SIGALRM;
use signal_hook::flag;
use trueup_core::bounds::{NOTE, NOTES, PAYLOAD, PAYLOAD_WAIT};
use trueup_core::deadline::Deadline;
use trueup_core::hook::{self, PayloadError};
use trueup_core::log::LogLevel;
use trueup_core::settings::{Environment, Settings};
use trueup_core::text::redact::redact_tokens;
use trueup_core::text::{one_line, without_runner_commands};

use crate::{HookContext, HookOutcome};

/// How long a payload is waited for.
const PAYLOAD_TIMEOUT: Duration = Duration::from_millis(PAYLOAD_WAIT.most);

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 8 * 1024;

/// The shortest and the longest time that may be configured.
const MIN_TIMEOUT: Duration = Duration::from_millis(1);
const MAX_TIMEOUT: Duration = Duration::from_mins(10);

/// The exit code that refuses.
const REFUSAL_EXIT_CODE: u8 = 2;

/// Runs a hook on stdin.
pub fn run_hook(
    name: &'static str,
    timeout: Duration,
    handle: fn(&HookContext) -> HookOutcome,
) -> ExitCode {
    run_hook_or(name, timeout, handle, |_| None)
}

/// Runs a hook on stdin; what is no payload goes to `broken` first, which may know an answer.
pub fn run_hook_or(
    name: &'static str,
    timeout: Duration,
    handle: fn(&HookContext) -> HookOutcome,
    handle_broken: fn(&[u8]) -> Option<HookOutcome>,
) -> ExitCode {
    // A broken hook must never stop a session: with exit 0 the client goes on.
    panic::set_hook(Box::new(move |info| {
        exit_with_note(&format!("trueup: {name} failed: {info}"));
    }));
    // What the parent ignores or blocks is left ignored and blocked to its children.
    restore_alarm_signal();
    set_watchdog(PAYLOAD_TIMEOUT);
    let environment = Environment::from_process();
    let settings = match Settings::load_leniently(&environment) {
        Err(error) => {
            return print_outcome(
                name,
                &HookOutcome::from_note(format!("trueup: {name}: {error}")),
            );
        }
        Ok(settings) => settings,
    };
    let timeout = settings
        .deadline
        .unwrap_or(timeout)
        .clamp(MIN_TIMEOUT, MAX_TIMEOUT);
    let context = match read_context(environment, settings, timeout) {
        Ok(Some(call)) => call,
        Ok(None) => return print_outcome(name, &HookOutcome::default()),
        Err(PayloadFailure { input, problem }) => {
            let answer = handle_broken(&input);
            let note = || HookOutcome::from_note(format!("trueup: {name}: {problem}"));
            return print_outcome(name, &answer.unwrap_or_else(note));
        }
    };
    let outcome = run_handler(name, &context, handle);
    let code = print_outcome(name, &outcome);
    if let Some(afterwards) = outcome.after_output {
        afterwards(&context);
    }
    code
}

/// Makes the alarm end the process, whatever this process inherited.
fn restore_alarm_signal() {
    // Neither fails for a signal that there is; if they did, the deadline would still hold.
    let _ = flag::register_conditional_default(SIGALRM, Arc::new(AtomicBool::new(true)));
    let mut alarm = SigSet::empty();
    alarm.add(Signal::SIGALRM);
    let _ = alarm.thread_unblock();
}

/// Ends the process in case a file system blocks that knows no deadline. A thread that does
/// so with a better word costs every call 3 % of its time, so it is left to the kernel, in
/// whole seconds; a client takes that end for a failed hook and goes on.
fn set_watchdog(timeout: Duration) {
    let seconds = timeout.as_secs().saturating_add(2);
    // This replaces what was set before.
    let _ = alarm::set(u32::try_from(seconds).unwrap_or(u32::MAX));
}

#[expect(clippy::exit, reason = "a broken hook must let the session go on")]
fn exit_with_note(line: &str) {
    print_note(line);
    process::exit(0);
}

fn print_note(line: &str) {
    // With stderr gone there is nobody left to tell.
    let line = one_line(line, NOTE.len());
    let line = redact_tokens(&line);
    let _ = writeln!(io::stderr(), "{}", without_runner_commands(&line));
}

/// Why nothing can be called for, and what was read.
struct PayloadFailure {
    /// The whole of stdin; empty when its end was not met.
    input: Vec<u8>,
    problem: String,
}

/// Reads what is called for; `None` when that is nothing. Its time counts from then on.
fn read_context(
    environment: Environment,
    settings: Settings,
    timeout: Duration,
) -> Result<Option<HookContext>, PayloadFailure> {
    let input = read_input(Deadline::after(PAYLOAD_TIMEOUT)).map_err(|problem| PayloadFailure {
        input: Vec::new(),
        problem: format!("stdin {problem}"),
    })?;
    set_watchdog(timeout);
    let deadline = Deadline::after(timeout);
    let payload = hook::parse_payload(&input).map_err(|error| PayloadFailure {
        problem: error.to_string(),
        // A session that is none is no broken payload.
        input: match error {
            PayloadError::Syntax(_) => input,
            PayloadError::Empty | PayloadError::Session(_) => Vec::new(),
        },
    })?;
    Ok(payload.map(|payload| HookContext::new(payload, environment, settings, deadline)))
}

fn run_handler(
    name: &str,
    context: &HookContext,
    handle: fn(&HookContext) -> HookOutcome,
) -> HookOutcome {
    let mut outcome = handle(context);
    let warnings = context
        .run
        .warnings
        .iter()
        .map(|warning| format!("trueup: {warning}"));
    outcome.notes.splice(0..0, warnings);
    let omitted = outcome.notes.len().saturating_sub(NOTES.len());
    if omitted > 0 {
        outcome.notes.truncate(NOTES.len());
        outcome
            .notes
            .push(format!("trueup: and {omitted} more lines"));
    }
    for note in &outcome.notes {
        context.run.log(LogLevel::Warn, name, note);
    }
    outcome
}

/// Reads stdin to its end, but no longer than the deadline and no more than a payload may
/// hold. What came in time counts: a client that keeps stdin open may have said all.
fn read_input(deadline: Deadline) -> Result<Vec<u8>, String> {
    let stdin = io::stdin();
    let mut input = Vec::new();
    let mut chunk = [0; CHUNK_BYTES];
    loop {
        let time_left =
            Timespec::try_from(deadline.remaining()).map_err(|error| error.to_string())?;
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        match event::poll(&mut ready, Some(&time_left)) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(format!("cannot be read: {error}")),
            Ok(0) if input.is_empty() => {
                return Err("was empty until the deadline; nothing was done".to_owned());
            }
            Ok(0) => return Ok(input),
            Ok(_) => {}
        }
        // Not through the standard library's buffer, which would read ahead of the poll.
        let count = rustix::io::read(&stdin, &mut chunk)
            .map_err(|error| format!("cannot be read: {error}"))?;
        if count == 0 {
            return Ok(input);
        }
        input.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if input.len() > PAYLOAD.len() {
            return Err(format!(
                "is larger than {} MiB; nothing was done",
                PAYLOAD.most / (1024 * 1024)
            ));
        }
    }
}

fn print_outcome(name: &str, outcome: &HookOutcome) -> ExitCode {
    if let Some(line) = outcome.response.render() {
        let mut stdout = io::stdout().lock();
        if let Err(error) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            print_note(&format!(
                "trueup: {name}: stdout cannot be written: {error}"
            ));
        }
    }
    for note in &outcome.notes {
        print_note(note);
    }
    if outcome.is_refusal {
        ExitCode::from(REFUSAL_EXIT_CODE)
    } else {
        ExitCode::SUCCESS
    }
}
