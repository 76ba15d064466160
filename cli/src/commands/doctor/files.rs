//! trueup's own files: configuration, data directory and journal.

use std::fs;
use std::path::Path;

use trueup_core::cache::lock::available_space;
use trueup_core::files::private_dir;
use trueup_core::settings::{RepositoryConfig, Settings};

use super::Finding;
use crate::desk::Desk;

/// Space below which writes may soon fail, in bytes.
const LITTLE_SPACE: u64 = 64 * 1024 * 1024;

/// The user's `config.toml`. With a broken one every other command ends with exit code 3, while
/// hooks go on with the defaults.
pub(super) fn configuration(desk: &Desk, _: bool) -> Finding {
    let path = desk.site.settings.paths.config_file();
    let settings = match Settings::load(&desk.environment) {
        Ok(settings) => settings,
        Err(error) => {
            return Finding::fail(
                format!("{error}; hooks use the defaults, commands stop"),
                format!("correct that line of {}, or remove it", path.display()),
            );
        }
    };
    let nothing = RepositoryConfig::default();
    if settings.branch_pattern(&nothing).is_some()
        && let Err(error) = desk.site.branch_pattern()
    {
        return Finding::fail(
            format!("{}: {error}", path.display()),
            "correct branch_pattern, or remove it to use the default",
        );
    }
    if let [first, ..] = settings.warnings.as_slice() {
        return Finding::warn(first.clone(), "correct it, or unset it to use the default");
    }
    if path.exists() {
        Finding::ok(path.display().to_string())
    } else {
        Finding::ok("defaults")
    }
}

pub(super) fn data_directory(desk: &Desk, fix: bool) -> Finding {
    let path = &desk.site.settings.paths.data;
    if fix && let Err(error) = private_dir(path) {
        return Finding::fail(
            format!("{}: {error}", path.display()),
            "correct its owner and permissions",
        );
    }
    let shown = path.display();
    match fs::metadata(path) {
        Err(_) => Finding::warn(format!("{shown} is missing"), "trueup db migrate"),
        Ok(data) if !data.is_dir() => {
            Finding::fail(format!("{shown} is not a directory"), "move it away")
        }
        Ok(data) => privacy(path, &data, fix).unwrap_or_else(|| Finding::ok(shown.to_string())),
    }
}

/// The bits of a mode that let others in.
#[cfg(unix)]
const OTHERS_BITS: u32 = 6;

#[cfg(unix)]
fn privacy(path: &Path, data: &fs::Metadata, fix: bool) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    if data.permissions().mode().trailing_zeros() >= OTHERS_BITS {
        return None;
    }
    if fix && fs::set_permissions(path, fs::Permissions::from_mode(0o700)).is_ok() {
        return None;
    }
    let detail = format!("{} can be read by others", path.display());
    Some(Finding::warn(
        detail,
        format!("chmod 700 {}", path.display()),
    ))
}

#[cfg(not(unix))]
fn privacy(_: &Path, _: &fs::Metadata, _: bool) -> Option<Finding> {
    None
}

pub(super) fn space(desk: &Desk, _: bool) -> Finding {
    let path = &desk.site.settings.paths.data;
    let existing = path.ancestors().find(|path| path.exists()).unwrap_or(path);
    match available_space(existing) {
        Ok(bytes) if bytes < LITTLE_SPACE => Finding::warn(
            format!("{} MiB free at {}", bytes >> 20, existing.display()),
            "free some space: even reading the database fails on a full disk",
        ),
        Ok(bytes) => Finding::ok(format!("{} GiB free", bytes >> 30)),
        Err(error) => Finding::warn(format!("{}: {error}", existing.display()), "df"),
    }
}

pub(super) fn journal(desk: &Desk, _: bool) -> Finding {
    let journal = desk.site.journal();
    match (journal.entries(), journal.damaged()) {
        (Ok(entries), Ok(0)) => Finding::ok(format!("{} rejected edits", entries.len())),
        (Ok(_), Ok(damaged)) => Finding::warn(
            format!("{damaged} damaged lines were skipped"),
            "trueup journal list",
        ),
        (Err(error), _) | (_, Err(error)) => {
            let path = desk.site.settings.paths.journal();
            Finding::fail(
                format!("{}: {error}", path.display()),
                "correct its owner and permissions",
            )
        }
    }
}
