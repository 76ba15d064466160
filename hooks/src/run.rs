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
use trueup_core::diagnostics::Level;
use trueup_core::hook::{self, PayloadError};
use trueup_core::settings::{Environment, Settings};
use trueup_core::text::redact::redact_tokens;
use trueup_core::text::{one_line, without_runner_commands};

use crate::{Call, Outcome};

/// How long a payload is waited for.
const PAYLOAD_TIME: Duration = Duration::from_millis(PAYLOAD_WAIT.most);

/// How much is read at once, in bytes.
const CHUNK: usize = 8 * 1024;

/// The shortest and the longest time that may be configured.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST_TIME: Duration = Duration::from_mins(10);

/// The exit code that refuses.
const REFUSE: u8 = 2;

/// Runs a hook on stdin.
pub fn run(name: &'static str, time: Duration, handle: fn(&Call) -> Outcome) -> ExitCode {
    run_or(name, time, handle, |_| None)
}

/// Runs a hook on stdin; what is no payload goes to `broken` first, which may know an answer.
pub fn run_or(
    name: &'static str,
    time: Duration,
    handle: fn(&Call) -> Outcome,
    broken: fn(&[u8]) -> Option<Outcome>,
) -> ExitCode {
    // A broken hook must never stop a session: with exit 0 the client goes on.
    panic::set_hook(Box::new(move |info| {
        end(&format!("trueup: {name} failed: {info}"));
    }));
    // What the parent ignores or blocks is left ignored and blocked to its children.
    arm();
    watch(PAYLOAD_TIME);
    let environment = Environment::of_process();
    let settings = match Settings::load_leniently(&environment) {
        Err(error) => return print(name, &Outcome::note(format!("trueup: {name}: {error}"))),
        Ok(settings) => settings,
    };
    let time = settings
        .deadline
        .unwrap_or(time)
        .clamp(SHORTEST, LONGEST_TIME);
    let call = match call(environment, settings, time) {
        Ok(Some(call)) => call,
        Ok(None) => return print(name, &Outcome::default()),
        Err(NoCall { input, problem }) => {
            let known = broken(&input);
            let note = || Outcome::note(format!("trueup: {name}: {problem}"));
            return print(name, &known.unwrap_or_else(note));
        }
    };
    let outcome = outcome(name, &call, handle);
    let code = print(name, &outcome);
    if let Some(afterwards) = outcome.afterwards {
        afterwards(&call);
    }
    code
}

/// Makes the alarm end the process, whatever this process inherited.
fn arm() {
    // Neither fails for a signal that there is; if they did, the deadline would still hold.
    let _ = flag::register_conditional_default(SIGALRM, Arc::new(AtomicBool::new(true)));
    let mut alarm = SigSet::empty();
    alarm.add(Signal::SIGALRM);
    let _ = alarm.thread_unblock();
}

/// Ends the process in case a file system blocks that knows no deadline. A thread that does
/// so with a better word costs every call 3 % of its time, so it is left to the kernel, in
/// whole seconds; a client takes that end for a failed hook and goes on.
fn watch(time: Duration) {
    let seconds = time.as_secs().saturating_add(2);
    // This replaces what was set before.
    let _ = alarm::set(u32::try_from(seconds).unwrap_or(u32::MAX));
}

#[expect(clippy::exit, reason = "a broken hook must let the session go on")]
fn end(line: &str) {
    say(line);
    process::exit(0);
}

fn say(line: &str) {
    // With stderr gone there is nobody left to tell.
    let line = one_line(line, NOTE.len());
    let line = redact_tokens(&line);
    let _ = writeln!(io::stderr(), "{}", without_runner_commands(&line));
}

/// Why nothing can be called for, and what was read.
struct NoCall {
    /// The whole of stdin; empty when its end was not met.
    input: Vec<u8>,
    problem: String,
}

/// Reads what is called for; `None` when that is nothing. Its time counts from then on.
fn call(
    environment: Environment,
    settings: Settings,
    time: Duration,
) -> Result<Option<Call>, NoCall> {
    let input = read_input(Deadline::after(PAYLOAD_TIME)).map_err(|problem| NoCall {
        input: Vec::new(),
        problem: format!("stdin {problem}"),
    })?;
    watch(time);
    let deadline = Deadline::after(time);
    let payload = hook::parse(&input).map_err(|error| NoCall {
        problem: error.to_string(),
        // A session that is none is no broken payload.
        input: match error {
            PayloadError::Syntax(_) => input,
            PayloadError::Empty | PayloadError::Session(_) => Vec::new(),
        },
    })?;
    Ok(payload.map(|payload| Call::new(payload, environment, settings, deadline)))
}

fn outcome(name: &str, call: &Call, handle: fn(&Call) -> Outcome) -> Outcome {
    let mut outcome = handle(call);
    let warnings = call
        .site
        .warnings
        .iter()
        .map(|warning| format!("trueup: {warning}"));
    outcome.notes.splice(0..0, warnings);
    let more = outcome.notes.len().saturating_sub(NOTES.len());
    if more > 0 {
        outcome.notes.truncate(NOTES.len());
        outcome.notes.push(format!("trueup: and {more} more lines"));
    }
    for note in &outcome.notes {
        call.site.log(Level::Warn, name, note);
    }
    outcome
}

/// Reads stdin to its end, but no longer than the deadline and no more than a payload may
/// hold. What came in time counts: a client that keeps stdin open may have said all.
fn read_input(deadline: Deadline) -> Result<Vec<u8>, String> {
    let stdin = io::stdin();
    let mut input = Vec::new();
    let mut chunk = [0; CHUNK];
    loop {
        let left = Timespec::try_from(deadline.left()).map_err(|error| error.to_string())?;
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        match event::poll(&mut ready, Some(&left)) {
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

fn print(name: &str, outcome: &Outcome) -> ExitCode {
    if let Some(line) = outcome.response.render() {
        let mut stdout = io::stdout().lock();
        if let Err(error) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            say(&format!(
                "trueup: {name}: stdout cannot be written: {error}"
            ));
        }
    }
    for note in &outcome.notes {
        say(note);
    }
    if outcome.refuse {
        ExitCode::from(REFUSE)
    } else {
        ExitCode::SUCCESS
    }
}
