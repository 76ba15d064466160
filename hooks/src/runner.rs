//! What all hooks share: reading stdin, the deadline, panics and output.

use std::io::{self, Write as _};
use std::panic;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::alarm;
use signal_hook::consts::SIGALRM;
use signal_hook::flag;
use trueup_core::bounds::{NOTE, NOTES, PAYLOAD, PAYLOAD_WAIT};
use trueup_core::deadline::Deadline;
use trueup_core::hook::{self, PayloadError, TerminalAlert};
use trueup_core::log::LogLevel;
use trueup_core::settings::{Environment, Settings};
use trueup_core::text::redact::redact_tokens;
use trueup_core::text::{one_line, without_runner_commands};

use crate::bounded_read::{ReadError, read_within};
use crate::hook::Hook;
use crate::hook_context::{HookContext, HookOutcome};

/// How long to wait for the payload.
const PAYLOAD_TIMEOUT: Duration = Duration::from_millis(PAYLOAD_WAIT.most);

/// The shortest and the longest deadline that may be configured.
const MIN_TIMEOUT: Duration = Duration::from_millis(1);
const MAX_TIMEOUT: Duration = Duration::from_mins(10);

/// The exit code of a refusal.
const REFUSAL_EXIT_CODE: u8 = 2;

/// Runs a hook on the payload from stdin.
pub fn run_hook(hook: Hook) -> ExitCode {
    let name = hook.program;
    // A hook that panics must not stop the session: after exit code 0 the client goes on.
    panic::set_hook(Box::new(move |info| {
        exit_with_note(&format!("trueup: {name} failed: {info}"));
    }));
    // A child inherits ignored and blocked signals from its parent.
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
    let timeout = settings.deadline.unwrap_or(hook.timeout).clamp(MIN_TIMEOUT, MAX_TIMEOUT);
    let context = match read_context(environment, settings, timeout) {
        Ok(Some(context)) => context,
        Ok(None) => return print_outcome(name, &HookOutcome::default()),
        Err(failure) => return print_outcome(name, &answer_failure(&hook, failure)),
    };
    let outcome = run_handler(name, &context, hook.handle);
    let code = print_outcome(name, &outcome);
    if let Some(afterwards) = outcome.after_output {
        afterwards(&context);
    }
    code
}

/// Answers a payload in this process, as [`run_hook`] does between reading stdin and printing. What
/// is due after the answer was printed is left to the caller. A panic unwinds.
pub fn answer_payload(
    hook: &Hook,
    input: Vec<u8>,
    environment: Environment,
    settings: Settings,
    deadline: Deadline,
) -> HookOutcome {
    match parse_input(input, environment, settings, deadline) {
        Ok(Some(context)) => run_handler(hook.program, &context, hook.handle),
        Ok(None) => HookOutcome::default(),
        Err(failure) => answer_failure(hook, failure),
    }
}

/// Makes SIGALRM end the process, whatever disposition was inherited.
fn restore_alarm_signal() {
    // Neither fails for an existing signal. If one did, the deadline would still hold.
    let _ = flag::register_conditional_default(SIGALRM, Arc::new(AtomicBool::new(true)));
    let mut alarm = SigSet::empty();
    alarm.add(Signal::SIGALRM);
    let _ = alarm.thread_unblock();
}

/// Sets an alarm that ends the process when a file system blocks past the deadline. The kernel's
/// alarm has whole seconds and no message, but a watchdog thread would cost every call 3 % of its
/// time. The client takes such an end for a failed hook and goes on.
fn set_watchdog(timeout: Duration) {
    let seconds = timeout.as_secs().saturating_add(2);
    // A new alarm replaces the one before.
    let _ = alarm::set(u32::try_from(seconds).unwrap_or(u32::MAX));
}

#[expect(clippy::exit, reason = "a broken hook must let the session go on")]
fn exit_with_note(line: &str) {
    print_note(line);
    process::exit(0);
}

fn print_note(line: &str) {
    // If stderr is closed, the line is dropped.
    let line = one_line(line, NOTE.len());
    let line = redact_tokens(&line);
    let _ = writeln!(io::stderr(), "{}", without_runner_commands(&line));
}

/// Why there is no payload, and the bytes that were read.
struct PayloadFailure {
    /// All of stdin; empty when it was not read to its end.
    input: Vec<u8>,
    problem: String,
}

fn answer_failure(hook: &Hook, failure: PayloadFailure) -> HookOutcome {
    let PayloadFailure { input, problem } = failure;
    let note = || HookOutcome::from_note(format!("trueup: {}: {problem}", hook.program));
    (hook.handle_broken)(&input).unwrap_or_else(note)
}

/// Reads the payload and builds the context; `None` for an event that no hook handles. The deadline
/// starts once the payload was read.
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
    parse_input(input, environment, settings, Deadline::after(timeout))
}

/// Builds the context of a payload that was read; `None` for an event that no hook handles.
fn parse_input(
    input: Vec<u8>,
    environment: Environment,
    settings: Settings,
    deadline: Deadline,
) -> Result<Option<HookContext>, PayloadFailure> {
    let payload = match hook::parse_payload(&input) {
        Ok(Some(payload)) => payload,
        Ok(None) => return Ok(None),
        Err(error) => {
            return Err(PayloadFailure {
                problem: error.to_string(),
                // The payload is whole, so there is nothing for `handle_broken` to look at.
                input: match error {
                    PayloadError::Syntax(_) => input,
                    PayloadError::Empty | PayloadError::Session(_) => Vec::new(),
                },
            });
        }
    };
    Ok(Some(HookContext::new(payload, environment, settings, deadline)))
}

fn run_handler(
    name: &str,
    context: &HookContext,
    handle: fn(&HookContext) -> HookOutcome,
) -> HookOutcome {
    let mut outcome = handle(context);
    outcome.response.alert = alert_user(context);
    context.payload.client.fit_response(&mut outcome.response, &context.payload.event);
    let warnings = context.run.warnings.iter().map(|warning| format!("trueup: {warning}"));
    outcome.notes.splice(0..0, warnings);
    let omitted = outcome.notes.len().saturating_sub(NOTES.len());
    if omitted > 0 {
        outcome.notes.truncate(NOTES.len());
        outcome.notes.push(format!("trueup: and {omitted} more lines"));
    }
    for note in &outcome.notes {
        context.run.log(LogLevel::Warn, name, note);
    }
    outcome
}

/// Makes what the terminal tells of what this run reported to need a person, where the user asked
/// for that.
fn alert_user(context: &HookContext) -> Option<TerminalAlert> {
    let notice = context.run.settings.notify?;
    let raised = context.run.take_raised();
    let (first, more) = raised.split_first()?;
    let line = match more.len() {
        0 => first.clone(),
        count => format!("{first} (and {count} more)"),
    };
    Some(TerminalAlert { notice, line })
}

/// Reads stdin to its end, within the deadline and the bound of a payload. At the deadline, what
/// came so far counts: a client may keep stdin open after the whole payload.
fn read_input(deadline: Deadline) -> Result<Vec<u8>, String> {
    match read_within(io::stdin(), deadline, PAYLOAD.len()) {
        Ok(read) if read.bytes.is_empty() && !read.is_complete => {
            Err("was empty until the deadline; nothing was done".to_owned())
        }
        Ok(read) => Ok(read.bytes),
        Err(ReadError::TooLarge) => {
            Err(format!("is larger than {} MiB; nothing was done", PAYLOAD.most / (1024 * 1024)))
        }
        Err(ReadError::Failed(error)) => Err(format!("cannot be read: {error}")),
    }
}

fn print_outcome(name: &str, outcome: &HookOutcome) -> ExitCode {
    if let Some(line) = outcome.response.render() {
        let mut stdout = io::stdout().lock();
        if let Err(error) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            print_note(&format!("trueup: {name}: stdout cannot be written: {error}"));
        }
    }
    for note in &outcome.notes {
        print_note(note);
    }
    if outcome.is_refusal { ExitCode::from(REFUSAL_EXIT_CODE) } else { ExitCode::SUCCESS }
}
