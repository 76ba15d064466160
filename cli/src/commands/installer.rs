//! `trueup install` and `trueup uninstall`: run the installer that lies beside this program.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::json;
use trueup_core::text::path_to_text;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, InstallationCase, UNABLE};
use crate::output::Output;

/// The name of the installer.
const INSTALLER: &str = "trueup-install";

#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// Arguments of trueup-install
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct UninstallArgs {
    /// Also remove the database, the data directory and config.toml
    #[arg(long)]
    purge: bool,
    /// Also remove what lies in repositories, as `trueup leftovers --remove` does
    #[arg(long)]
    repositories: bool,
    /// Show what would be done, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl UninstallArgs {
    /// Lists the arguments of the installer.
    fn list_arguments(&self) -> Vec<OsString> {
        let flags = [
            (true, "--uninstall"),
            (self.purge, "--purge"),
            (self.repositories, "--repositories"),
            (self.dry_run, "--dry-run"),
        ];
        flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag.into()).collect()
    }
}

pub(super) fn cmd_install(context: &CommandContext, arguments: &InstallArgs) -> CommandResult {
    run_installer(context, &arguments.arguments)
}

pub(super) fn cmd_uninstall(context: &CommandContext, arguments: &UninstallArgs) -> CommandResult {
    run_installer(context, &arguments.list_arguments())
}

/// Becomes the installer. With `--json` it is run instead, and its output is in the object.
fn run_installer(context: &CommandContext, arguments: &[OsString]) -> CommandResult {
    let installer = find_installer()?;
    let mut command = Command::new(&installer);
    command.args(arguments);
    if !context.json {
        return Err(not_started(&installer, &command.exec()));
    }
    let run = command.output().map_err(|error| not_started(&installer, &error))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let exit_code = run.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(UNABLE);
    let data = json!({
        "installer": path_to_text(&installer),
        "exit_code": exit_code,
        "stdout": text(&run.stdout),
        "stderr": text(&run.stderr),
    });
    Ok(Output { exit_code, ..Output::new(Vec::new(), data) })
}

fn not_started(installer: &Path, error: &std::io::Error) -> CommandError {
    let case = match error.kind() {
        ErrorKind::NotFound => InstallationCase::InstallerMissing,
        _ => InstallationCase::InstallerUnusable,
    };
    CommandError::new(case, format!("{}: {error}", installer.display()))
}

/// Finds the installer beside the file of this program, or in `bin` next to its directory.
fn find_installer() -> CommandResult<PathBuf> {
    let program = std::env::current_exe()?;
    // A package manager and the installer link to the program; the installer is beside the file.
    let program = program.canonicalize().unwrap_or(program);
    let dir = program.parent().unwrap_or(Path::new("/"));
    let places = [dir.join(INSTALLER), dir.join("../bin").join(INSTALLER)];
    let found = places.iter().find(|place| place.is_file()).cloned();
    found.ok_or_else(|| {
        let message = format!("{}: no {INSTALLER} beside this program", dir.display());
        CommandError::new(InstallationCase::InstallerMissing, message)
    })
}
