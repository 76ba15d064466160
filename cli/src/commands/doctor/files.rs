//! Checks of trueup's own files: configuration, data directory and journal.

use std::fs;
use std::path::Path;

use trueup_core::fs::{available_space, create_private_dir};
use trueup_core::settings::{RepositoryConfig, Settings};

use trueup_core::text::pluralize;

use super::check_result::CheckResult;
use crate::command_context::CommandContext;

/// Space below which writes may soon fail, in bytes.
const LOW_SPACE_BYTES: u64 = 64 * 1024 * 1024;

/// Checks the user's `config.toml`. With an invalid one every other command ends with exit code 3,
/// while hooks use the defaults.
pub(super) fn check_configuration(context: &CommandContext, _: bool) -> CheckResult {
    let path = context.run.settings.paths.config_file();
    let settings = match Settings::load(&context.environment) {
        Ok(settings) => settings,
        Err(error) => {
            return CheckResult::fail(
                format!("{error}; hooks use the defaults, commands stop"),
                format!("correct that line of {}, or remove it", path.display()),
            );
        }
    };
    let no_repository_config = RepositoryConfig::default();
    if settings.branch_pattern(&no_repository_config).is_some()
        && let Err(error) = context.run.branch_pattern()
    {
        return CheckResult::fail(
            format!("{}: {error}", path.display()),
            "correct branch_pattern, or remove it to use the default",
        );
    }
    if let [first, ..] = settings.warnings.as_slice() {
        return CheckResult::warn(first.clone(), "correct it, or unset it to use the default");
    }
    if path.exists() {
        CheckResult::ok(path.display().to_string())
    } else {
        CheckResult::ok("defaults")
    }
}

pub(super) fn check_data_directory(context: &CommandContext, fix: bool) -> CheckResult {
    let path = &context.run.settings.paths.data;
    if fix && let Err(error) = create_private_dir(path) {
        return CheckResult::fail(
            format!("{}: {error}", path.display()),
            "correct its owner and permissions",
        );
    }
    let shown = path.display();
    match fs::metadata(path) {
        Err(_) => CheckResult::warn(format!("{shown} is missing"), "trueup db migrate"),
        Ok(data) if !data.is_dir() => {
            CheckResult::fail(format!("{shown} is not a directory"), "move it away")
        }
        Ok(data) => find_write_problem(path)
            .or_else(|| check_privacy(path, &data, fix))
            .unwrap_or_else(|| CheckResult::ok(shown.to_string())),
    }
}

/// Reports what cannot be written, by its permissions or because its file system is read-only. Nothing
/// is written to find out.
pub(super) fn find_write_problem(path: &Path) -> Option<CheckResult> {
    let error = rustix::fs::access(path, rustix::fs::Access::WRITE_OK).err()?;
    let error = std::io::Error::from(error);
    let fix = match error.kind() {
        std::io::ErrorKind::ReadOnlyFilesystem => {
            "remount its file system for writing, or set TRUEUP_HOME to another directory"
                .to_owned()
        }
        _ => format!("correct its owner and permissions: ls -ld {}", path.display()),
    };
    Some(CheckResult::fail(format!("{} cannot be written: {error}", path.display()), fix))
}

/// Mode bits that give access to others.
#[cfg(unix)]
const OTHERS_BITS: u32 = 6;

#[cfg(unix)]
fn check_privacy(path: &Path, data: &fs::Metadata, fix: bool) -> Option<CheckResult> {
    use std::os::unix::fs::PermissionsExt as _;
    if data.permissions().mode().trailing_zeros() >= OTHERS_BITS {
        return None;
    }
    if fix && fs::set_permissions(path, fs::Permissions::from_mode(0o700)).is_ok() {
        return None;
    }
    let detail = format!("{} can be read by others", path.display());
    Some(CheckResult::warn(detail, format!("chmod 700 {}", path.display())))
}

#[cfg(not(unix))]
fn check_privacy(_: &Path, _: &fs::Metadata, _: bool) -> Option<CheckResult> {
    None
}

pub(super) fn check_disk_space(context: &CommandContext, _: bool) -> CheckResult {
    let path = &context.run.settings.paths.data;
    let existing = path.ancestors().find(|path| path.exists()).unwrap_or(path);
    match available_space(existing) {
        Ok(bytes) if bytes < LOW_SPACE_BYTES => CheckResult::warn(
            format!("{} MiB free at {}", bytes >> 20, existing.display()),
            "free some space: even reading the database fails on a full disk",
        ),
        Ok(bytes) => CheckResult::ok(format!("{} GiB free", bytes >> 30)),
        Err(error) => CheckResult::warn(format!("{}: {error}", existing.display()), "df"),
    }
}

pub(super) fn check_journal(context: &CommandContext, _: bool) -> CheckResult {
    let journal = context.run.journal();
    match (journal.entries(), journal.count_damaged()) {
        (Ok(entries), Ok(0)) => {
            CheckResult::ok(pluralize(entries.len(), "rejected edit", "rejected edits"))
        }
        (Ok(_), Ok(damaged)) => CheckResult::warn(
            pluralize(damaged, "damaged line was skipped", "damaged lines were skipped"),
            "trueup journal list",
        ),
        (Err(error), _) | (_, Err(error)) => {
            let path = context.run.settings.paths.journal();
            CheckResult::fail(
                format!("{}: {error}", path.display()),
                "correct its owner and permissions",
            )
        }
    }
}
