//! Checks that the installation works.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::artifacts;
use crate::compile;
use crate::error::{Error, IoResultExt, Result};
use crate::layout::Layout;
use crate::manifest::Manifest;
use crate::process::{self, CommandOutput};
use crate::report::{Report, RowState};

const RUN_TIMEOUT: Duration = Duration::from_mins(1);

/// Runs every staged binary once, in a scratch directory.
pub(crate) fn check_binaries(stage: &Path) -> Result<()> {
    let scratch =
        tempfile::tempdir().with_action("create a directory in", &std::env::temp_dir())?;
    let run_quietly = |name: &str, arg: Option<&str>, input: &[u8]| {
        let path = stage.join("bin").join(name);
        let mut command = Command::new(&path);
        command.args(arg).current_dir(scratch.path()).env("TRUEUP_HOME", scratch.path());
        command.env_remove("TRUEUP_DATABASE_URL").env_remove("CLAUDE_PROJECT_DIR");
        let ended =
            process::run_bounded(&mut command, input, RUN_TIMEOUT).with_action("run", &path)?;
        if ended.status.success() { Ok(()) } else { Err(run_failure(&path, &ended)) }
    };
    for name in artifacts::HOOK_BINARIES {
        run_quietly(name, None, b"{}\n")?;
    }
    for name in artifacts::COMMAND_BINARIES.into_iter().chain([artifacts::INSTALLER]) {
        run_quietly(name, Some("--version"), b"")?;
    }
    Ok(())
}

/// Creates or upgrades the database.
pub(crate) fn run_migration(layout: &Layout, report: &mut Report) -> Result<()> {
    let ended = run_trueup(layout, &["db", "migrate"])?;
    if ended.status.success() {
        let said = ended.stdout.lines().next().unwrap_or("ready").trim().to_owned();
        report.add_row("database", RowState::Fine, said);
    } else {
        let detail = ended.first_error_line();
        report.add_row_with_hint("database", RowState::Missing, detail, "run trueup doctor");
    }
    Ok(())
}

/// Shows what lies in repositories, or removes it. To remove only a part would leave the rest without
/// a program that knows it, so nothing is removed where not all of it can be seen.
pub(crate) fn run_leftovers(
    layout: &Layout,
    manifest: &Manifest,
    removes: bool,
    report: &mut Report,
) -> Result<()> {
    // A plugin that was only staged has seen no repository.
    let is_used = !layout.has_prefix
        || manifest.has_database
        || layout.data.join(artifacts::DATABASE_FILE).exists();
    if !is_used {
        return Ok(());
    }
    let Some(path) = find_trueup(&manifest.stage) else {
        return if removes { Err(unseen_leftovers("no trueup is there to look")) } else { Ok(()) };
    };
    let list = run_for_removal(&path, &["leftovers"])?;
    let warning = list.stderr.lines().find_map(|line| line.strip_prefix("warning: "));
    let failure = (!list.status.success()).then(|| list.first_error_line());
    let unseen = failure.or_else(|| warning.map(str::to_owned));
    match unseen {
        Some(why) if removes => return Err(unseen_leftovers(&why)),
        Some(why) => {
            report.add_row("repositories", RowState::Skipped, format!("not looked at: {why}"));
        }
        None => {}
    }
    let shown = if removes { run_for_removal(&path, &["leftovers", "--remove"])? } else { list };
    let lines = shown.stdout.trim_end();
    if lines.is_empty() {
        return Ok(());
    }
    report.print_text(&format!("{lines}\n"));
    if removes {
        report.add_row("repositories", RowState::Done, "cleared: see above");
    } else {
        report.add_row_with_hint(
            "repositories",
            RowState::Skipped,
            "files stay there: see above",
            "to remove them too: trueup leftovers --remove, before you uninstall",
        );
    }
    Ok(())
}

fn unseen_leftovers(why: &str) -> Error {
    Error::Tool {
        what: "what lies in repositories cannot be looked at".to_owned(),
        detail: why.to_owned(),
        hint: "nothing was removed; try again when that is put right, or leave out --repositories"
            .to_owned(),
    }
}

/// A database outside of the data directory, which no purge removes.
#[derive(Debug)]
pub(crate) enum ForeignDatabase {
    /// A file.
    File(PathBuf),
    /// One on a server.
    Server(String),
}

/// Finds out whether the database is another than the one in the data directory.
pub(crate) fn find_foreign_database(layout: &Layout, stage: &Path) -> Option<ForeignDatabase> {
    let program = find_trueup(stage)?;
    let status = run_for_removal(&program, &["--json", "db", "status"]).ok()?;
    let answer: serde_json::Value = serde_json::from_str(&status.stdout).ok()?;
    let text = |key: &str| answer.pointer(key).and_then(serde_json::Value::as_str);
    match text("/data/path").map(PathBuf::from) {
        Some(path) if path.starts_with(&layout.data) => None,
        Some(path) => Some(ForeignDatabase::File(path)),
        None => text("/data/url").map(|url| ForeignDatabase::Server(url.to_owned())),
    }
}

/// Refuses to remove writes that wait for a database.
pub(crate) fn check_nothing_waits(layout: &Layout, stage: &Path) -> Result<()> {
    let Some(path) = find_trueup(stage).filter(|_| layout.data.join("outbox.jsonl").exists())
    else {
        return Ok(());
    };
    let list = run_for_removal(&path, &["--json", "outbox", "list"])?;
    let answer: serde_json::Value = serde_json::from_str(&list.stdout).unwrap_or_default();
    let waiting = answer.pointer("/data/records").and_then(|records| records.as_array());
    match waiting.map_or(0, Vec::len) {
        0 => Ok(()),
        count => Err(Error::Refused {
            path: layout.data.join("outbox.jsonl"),
            why: format!("holds {count} writes that are not in the database yet"),
            hint: "trueup outbox drain sends them, trueup outbox drop ID drops one; nothing was removed"
                .to_owned(),
        }),
    }
}

/// Finds the staged program, else the one beside this installer.
pub(crate) fn find_trueup(stage: &Path) -> Option<PathBuf> {
    let staged = stage.join("bin");
    let dirs = [staged, compile::installer_dir()];
    dirs.into_iter().map(|dir| dir.join(artifacts::PLUGIN_NAME)).find(|path| path.is_file())
}

fn run_for_removal(program: &Path, arguments: &[&str]) -> Result<CommandOutput> {
    process::run_bounded(Command::new(program).args(arguments), b"", RUN_TIMEOUT)
        .with_action("run", program)
}

/// Runs the demo and shows its output.
pub(crate) fn run_demo(layout: &Layout, report: &mut Report) -> Result<()> {
    run_and_report(layout, report, "demo", "a drifted session was trued up", "run trueup demo")
}

/// Runs the doctor and shows its output.
pub(crate) fn run_doctor(layout: &Layout, report: &mut Report) -> Result<()> {
    let hint = "what helps stands under each finding; trueup doctor looks again";
    run_and_report(layout, report, "doctor", "no problems found", hint)
}

/// Runs a command of `trueup` and shows its output. No output counts as a failure.
fn run_and_report(
    layout: &Layout,
    report: &mut Report,
    name: &str,
    fine: &str,
    hint: &str,
) -> Result<()> {
    let ended = run_trueup(layout, &[name])?;
    let said = ended.stdout.trim_end();
    if !said.is_empty() {
        report.print_text(&format!("{said}\n"));
    }
    match ended.status.code() {
        Some(0) if !said.is_empty() => report.add_row(name, RowState::Fine, fine),
        Some(0) => report.add_row_with_hint(name, RowState::Missing, "no output", hint),
        Some(1) if !said.is_empty() => {
            let detail = "found problems: see above";
            report.add_row_with_hint(name, RowState::Missing, detail, hint);
        }
        _ => report.add_row_with_hint(name, RowState::Missing, ended.first_error_line(), hint),
    }
    Ok(())
}

fn run_trueup(layout: &Layout, args: &[&str]) -> Result<CommandOutput> {
    let path = layout.binary_path(artifacts::PLUGIN_NAME);
    process::run_bounded(Command::new(&path).args(args), b"", RUN_TIMEOUT).with_action("run", &path)
}

fn run_failure(path: &Path, ended: &CommandOutput) -> Error {
    Error::Tool {
        what: path.display().to_string(),
        detail: match ended.first_error_line() {
            line if line == ended.status.to_string() => format!("does not work here: {line}"),
            line => format!("does not work here ({}): {line}", ended.status),
        },
        hint: "was it built for this machine? Take the release for it, or compile a checkout: \
               sh install/install.sh"
            .to_owned(),
    }
}
