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
    let scratch = tempfile::tempdir().named("create a directory in", &std::env::temp_dir())?;
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
    show(
        places,
        report,
        "demo",
        "a drifted session was trued up",
        "run trueup demo",
    )
}

/// Lets the doctor look, and shows what it found.
pub(crate) fn doctor(places: &Places, report: &mut Report) -> Result<()> {
    let hint = "trueup doctor --fix fixes what it can";
    show(places, report, "doctor", "no problems found", hint)
}

/// Runs a command of `trueup` that has something to show. Silence proves nothing.
fn show(places: &Places, report: &mut Report, name: &str, fine: &str, hint: &str) -> Result<()> {
    let ended = trueup(places, &[name])?;
    let said = ended.stdout.trim_end();
    if !said.is_empty() {
        report.say(&format!("{said}\n"));
    }
    match ended.status.code() {
        Some(0) if !said.is_empty() => report.row(name, State::Fine, fine),
        Some(0) => report.row_with_hint(name, State::Missing, "no output", hint),
        Some(1) if !said.is_empty() => {
            let detail = "found problems: see above";
            report.row_with_hint(name, State::Missing, detail, hint);
        }
        _ => report.row_with_hint(name, State::Missing, ended.complaint(), hint),
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
        hint: "was it built for this machine? Omit --bin-dir to build it here".to_owned(),
    }
}
