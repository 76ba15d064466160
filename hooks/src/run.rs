//! What the three binaries share: stdin, deadline, panics, output.

use std::io::{self, Read as _, Write as _};
use std::panic;
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::diagnostics::Level;
use trueup_core::hook;
use trueup_core::settings::{Environment, Settings};
use trueup_core::text::one_line;

use crate::{Call, Outcome};

/// Largest payload, in bytes. A Write of 3 MB comes as 6 MB after the tool ran.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What a hook may take beyond its deadline before it ends itself.
const GRACE: Duration = Duration::from_millis(500);

/// Longest line on stderr, in characters.
const LONGEST: usize = 4_000;

/// The exit code that refuses.
const REFUSE: u8 = 2;

/// Runs a hook on stdin.
pub fn run(name: &'static str, time: Duration, handle: fn(&Call) -> Outcome) -> ExitCode {
    // A broken hook must never stop a session: with exit 0 the client goes on.
    panic::set_hook(Box::new(move |info| {
        end(&format!("trueup: {name} failed: {info}"))
    }));
    let environment = Environment::of_process();
    let time = environment
        .number("TRUEUP_DEADLINE_MS")
        .ok()
        .flatten()
        .map_or(time, |millis| {
            Duration::from_millis(millis.clamp(1, 600_000))
        });
    watch(name, time + GRACE);
    let deadline = Deadline::after(time);
    let outcome = outcome(name, environment, deadline, handle);
    print(name, &outcome)
}

/// Ends the process in case something blocks that knows no deadline: a client that never
/// closes stdin, a file system that does not answer.
fn watch(name: &'static str, time: Duration) {
    thread::spawn(move || {
        thread::sleep(time);
        end(&format!(
            "trueup: {name} gave up after {} ms; nothing was changed",
            time.as_millis()
        ));
    });
}

#[expect(clippy::exit, reason = "the only ways out of a blocked or broken hook")]
fn end(line: &str) {
    say(line);
    process::exit(0);
}

fn say(line: &str) {
    // With stderr gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{}", one_line(line, LONGEST));
}

fn outcome(
    name: &str,
    environment: Environment,
    deadline: Deadline,
    handle: fn(&Call) -> Outcome,
) -> Outcome {
    let mut input = Vec::new();
    if let Err(error) = io::stdin().lock().take(LARGEST + 1).read_to_end(&mut input) {
        return Outcome::note(format!("trueup: {name}: stdin cannot be read: {error}"));
    }
    if input.len() as u64 > LARGEST {
        return Outcome::note(format!(
            "trueup: {name}: stdin holds more than {} MiB; nothing was done",
            LARGEST / (1024 * 1024)
        ));
    }
    let payload = match hook::parse(&input) {
        Ok(Some(payload)) => payload,
        Ok(None) => return Outcome::default(),
        Err(error) => return Outcome::note(format!("trueup: {name}: {error}")),
    };
    drop(input);
    let settings = match Settings::load_leniently(&environment) {
        Ok(settings) => settings,
        Err(error) => return Outcome::note(format!("trueup: {name}: {error}")),
    };
    let call = Call::new(payload, environment, settings, deadline);
    let mut outcome = handle(&call);
    let warnings = call
        .site
        .warnings
        .iter()
        .map(|warning| format!("trueup: {warning}"));
    outcome.notes.splice(0..0, warnings);
    for note in &outcome.notes {
        call.site.log(Level::Warn, name, note);
    }
    outcome
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
