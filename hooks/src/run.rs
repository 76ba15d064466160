//! What the three binaries share: stdin, deadline, panics, output.

use std::io::{self, Read as _, Write as _};
use std::panic;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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

/// The shortest and the longest time that may be configured.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST_TIME: Duration = Duration::from_secs(600);

/// How often the watchdog looks whether its limit was changed.
const STEP: Duration = Duration::from_millis(100);

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
    let limit = Arc::new(AtomicU64::new(millis(time + GRACE)));
    watch(name, Arc::clone(&limit));
    let environment = Environment::of_process();
    let outcome = match Settings::load_leniently(&environment) {
        Err(error) => Outcome::note(format!("trueup: {name}: {error}")),
        Ok(settings) => {
            let time = settings
                .deadline
                .unwrap_or(time)
                .clamp(SHORTEST, LONGEST_TIME);
            limit.store(millis(time + GRACE), Ordering::Relaxed);
            outcome(name, environment, settings, Deadline::after(time), handle)
        }
    };
    print(name, &outcome)
}

/// Ends the process in case something blocks that knows no deadline: a client that never
/// closes stdin, a file system that does not answer.
///
/// The limit is in milliseconds from now and may be changed while it runs.
fn watch(name: &'static str, limit: Arc<AtomicU64>) {
    let start = Instant::now();
    thread::spawn(move || {
        loop {
            let limit = Duration::from_millis(limit.load(Ordering::Relaxed));
            match limit
                .checked_sub(start.elapsed())
                .filter(|left| !left.is_zero())
            {
                // A limit that was changed is noticed within a step.
                Some(left) => thread::sleep(left.min(STEP)),
                None => end(&format!(
                    "trueup: {name} gave up after {} ms",
                    limit.as_millis()
                )),
            }
        }
    });
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
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
    settings: Settings,
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
