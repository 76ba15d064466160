//! Proof that what was put in place works.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Named, Result};
use crate::parts;
use crate::places::Places;
use crate::process::{self, Ended};
use crate::report::{Report, State};

const LIMIT: Duration = Duration::from_mins(1);

/// Runs every staged binary once, in a scratch place of its own.
pub(crate) fn read_back(stage: &Path) -> Result<()> {
    let scratch = tempfile::tempdir().named("make a directory in", &std::env::temp_dir())?;
    let quiet = |name: &str, arg: Option<&str>, input: &[u8]| {
        let path = stage.join("bin").join(name);
        let mut command = Command::new(&path);
        command
            .args(arg)
            .current_dir(scratch.path())
            .env("TRUEUP_HOME", scratch.path());
        command
            .env_remove("TRUEUP_DATABASE_URL")
            .env_remove("CLAUDE_PROJECT_DIR");
        let ended = process::run(&mut command, input, LIMIT).named("run", &path)?;
        if ended.status.success() {
            Ok(())
        } else {
            Err(refusal(&path, &ended))
        }
    };
    for name in parts::HOOKS {
        quiet(name, None, b"{}\n")?;
    }
    for name in parts::COMMANDS {
        quiet(name, Some("--version"), b"")?;
    }
    Ok(())
}

/// Makes or upgrades the database.
pub(crate) fn migrate(places: &Places, report: &mut Report) -> Result<()> {
    let ended = trueup(places, &["db", "migrate"])?;
    if ended.status.success() {
        let said = ended
            .stdout
            .lines()
            .next()
            .unwrap_or("ready")
            .trim()
            .to_owned();
        report.row("database", State::Fine, said);
    } else {
        let detail = ended.complaint();
        report.row_with_hint("database", State::Missing, detail, "run trueup doctor");
    }
    Ok(())
}

/// Plays the demo and shows it.
pub(crate) fn demo(places: &Places, report: &mut Report) -> Result<()> {
    let ended = trueup(places, &["demo"])?;
    report.say(ended.stdout.trim_end());
    if ended.status.success() {
        report.row("demo", State::Fine, "a drifted session was trued up");
    } else {
        let detail = ended.complaint();
        report.row_with_hint("demo", State::Missing, detail, "run trueup demo");
    }
    Ok(())
}

/// Lets the doctor look, and shows what it found.
pub(crate) fn doctor(places: &Places, report: &mut Report) -> Result<()> {
    let ended = trueup(places, &["doctor"])?;
    report.say(ended.stdout.trim_end());
    match ended.status.code() {
        Some(0) => report.row("doctor", State::Fine, "finds nothing wrong"),
        Some(1) => report.row_with_hint(
            "doctor",
            State::Missing,
            "found something: see above",
            "trueup doctor --fix mends what it can",
        ),
        _ => report.row_with_hint(
            "doctor",
            State::Missing,
            ended.complaint(),
            "run trueup doctor",
        ),
    }
    Ok(())
}

fn trueup(places: &Places, args: &[&str]) -> Result<Ended> {
    let path = places.binary(parts::NAME);
    process::run(Command::new(&path).args(args), b"", LIMIT).named("run", &path)
}

fn refusal(path: &Path, ended: &Ended) -> Error {
    Error::Tool {
        what: path.display().to_string(),
        detail: format!(
            "does not work here ({}): {}",
            ended.status,
            ended.complaint()
        ),
        hint: "was it built for this machine? Leave out --bin-dir to build it here".to_owned(),
    }
}
