//! `trueup upgrade`: the newest release in the place of this one, by the way trueup was installed.

mod bundle;
mod origin;
mod release;
mod version;

use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use serde_json::{Value, json};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::path_to_text;

use self::bundle::Bundle;
use self::origin::Origin;
use self::release::Release;
use self::version::Version;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, FileCase, InstallationCase, UNABLE};
use crate::output::Output;
use crate::printer::print_status;

#[derive(Debug, Args)]
pub(crate) struct UpgradeArgs {
    /// Only say which version is the newest
    #[arg(long, conflicts_with = "from")]
    check: bool,
    /// Install this release archive, or the directory it unpacks to, without a network
    #[arg(long, value_name = "FILE_OR_DIR")]
    from: Option<PathBuf>,
    /// Install an older version as well
    #[arg(long)]
    force: bool,
    /// Where trueup was compiled from a checkout: pull and compile without asking
    #[arg(long)]
    yes: bool,
}

pub(super) fn cmd_upgrade(context: &CommandContext, arguments: &UpgradeArgs) -> CommandResult {
    let this_version = Version::of_this_program()
        .map_err(|problem| CommandError::new(FileCase::Internal, problem))?;
    if let Some(path) = &arguments.from {
        let bundle = Bundle::open(path)?;
        return install_bundle(context, arguments, &this_version, &bundle);
    }
    let origin = Origin::read(&context.run.settings.paths)?;
    if arguments.check {
        return check_for_newer(context, &this_version, &origin);
    }
    if let Some(command) = origin.upgrade_command() {
        return upgrade_by_command(context, arguments, &origin, &command);
    }
    let release = Release::find_newest(&context.environment)?;
    if release.version == this_version && !arguments.force {
        let text = vec![format!("trueup {this_version} is the newest version")];
        let data = build_view(&this_version, Some(&origin), Some(&release.version), None);
        return Ok(Output::new(text, data).with_warnings(describe_newer_schema(context)));
    }
    check_direction(arguments, &this_version, &release.version)?;
    print_status(&format!("downloading trueup {}", release.version));
    let (name, archive) = release.download_archive()?;
    let bundle = Bundle::from_download(&name, &archive)?;
    install_bundle(context, arguments, &this_version, &bundle)
}

fn check_for_newer(
    context: &CommandContext,
    this_version: &Version,
    origin: &Origin,
) -> CommandResult {
    let release = Release::find_newest(&context.environment)?;
    let newest = &release.version;
    let text = if newest > this_version {
        let command = origin.upgrade_command();
        let command = command.unwrap_or_else(|| "trueup upgrade".to_owned());
        vec![format!("trueup {newest} is there, this is {this_version}; to upgrade: {command}")]
    } else {
        vec![format!("trueup {this_version} is the newest version")]
    };
    let command = origin.upgrade_command();
    let data = build_view(this_version, Some(origin), Some(newest), command.as_deref());
    Ok(Output::new(text, data).with_warnings(describe_newer_schema(context)))
}

/// Says how another program upgrades it; a checkout is upgraded here when the user agrees.
fn upgrade_by_command(
    context: &CommandContext,
    arguments: &UpgradeArgs,
    origin: &Origin,
    command: &str,
) -> CommandResult {
    let this_version = Version::of_this_program().ok();
    let data = json!({
        "version": this_version.map(|it| it.to_string()),
        "origin": origin.as_str(),
        "newest": null,
        "command": command,
        "exit_code": null,
    });
    if arguments.yes && matches!(origin, Origin::Source { .. }) {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]);
        return run_command(context, shell, data);
    }
    let mut text = vec![format!("this trueup came by {}; to upgrade it:", describe_origin(origin))];
    text.push(format!("  {command}"));
    text.extend(origin.describe_alternatives().map(|line| format!("  ({line})")));
    if matches!(origin, Origin::Source { .. }) {
        text.push("trueup upgrade --yes runs that".to_owned());
    }
    Ok(Output::new(text, data))
}

const fn describe_origin(origin: &Origin) -> &'static str {
    match origin {
        Origin::Archive => "a release archive",
        Origin::Source { .. } => "a checkout",
        Origin::Npm => "npm",
        Origin::Pypi => "a Python package",
        Origin::Deb => "a Debian package",
    }
}

fn install_bundle(
    context: &CommandContext,
    arguments: &UpgradeArgs,
    this_version: &Version,
    bundle: &Bundle,
) -> CommandResult {
    let version = bundle.read_version();
    let mut warnings = Vec::new();
    let mut install_command = bundle.install_command();
    if let Some(version) = &version {
        check_direction(arguments, this_version, version)?;
        if version < this_version {
            install_command.arg("--force");
            warnings.extend(describe_schema(context));
        }
    }
    let data = build_view(this_version, None, version.as_ref(), None);
    let output = run_command(context, install_command, data)?;
    Ok(output.with_warnings(warnings))
}

/// Refuses an older version.
fn check_direction(
    arguments: &UpgradeArgs,
    this_version: &Version,
    other: &Version,
) -> CommandResult<()> {
    if other >= this_version || arguments.force {
        return Ok(());
    }
    let message = format!("{other} is older than this trueup, {this_version}");
    Err(CommandError::new(InstallationCase::Downgrade, message))
}

/// Runs an installer, which writes to the terminal itself. With `--json` its output is in the
/// object.
fn run_command(context: &CommandContext, mut command: Command, mut data: Value) -> CommandResult {
    let not_started = |error: std::io::Error| {
        CommandError::new(InstallationCase::InstallerUnusable, format!("sh: {error}"))
    };
    let status = if context.json {
        let run = command.output().map_err(not_started)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        data["stdout"] = json!(text(&run.stdout));
        data["stderr"] = json!(text(&run.stderr));
        run.status
    } else {
        command.status().map_err(not_started)?
    };
    let exit_code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(UNABLE);
    data["exit_code"] = json!(exit_code);
    Ok(Output { exit_code, ..Output::new(Vec::new(), data) })
}

fn build_view(
    version: &Version,
    origin: Option<&Origin>,
    newest: Option<&Version>,
    command: Option<&str>,
) -> Value {
    json!({
        "version": version.to_string(),
        "origin": origin.map(Origin::as_str),
        "newest": newest.map(ToString::to_string),
        "command": command,
        "exit_code": null,
    })
}

/// Names the database and its schema, which an older program may not know.
fn describe_schema(context: &CommandContext) -> Option<String> {
    let path = context.run.settings.sqlite_path().ok()?;
    let schema = SqliteStore::read_schema_status(path, context.deadline()).ok()?;
    let path = path_to_text(path);
    Some(format!("{path} has schema {}; a trueup that does not know it refuses it", schema.version))
}

/// Names a database that a newer program has migrated.
fn describe_newer_schema(context: &CommandContext) -> Option<String> {
    let path = context.run.settings.sqlite_path().ok()?;
    let schema = SqliteStore::read_schema_status(path, context.deadline()).ok()?;
    (schema.version > schema.newest_known).then(|| {
        let path = path_to_text(path);
        format!(
            "{path} has schema {}, and this trueup knows {} at most",
            schema.version, schema.newest_known
        )
    })
}
