//! Check that other users cannot read or write trueup's files, which an earlier release, a copy or
//! a shell may have left open.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use trueup_core::text::{path_to_text, pluralize};

use super::check_result::CheckResult;
use crate::command_context::CommandContext;

/// Most files inspected, in case the data directory is set to a large foreign directory by mistake.
const MAX_FILES_INSPECTED: usize = 10_000;

/// Mode bits that give access to others.
const OTHERS_MASK: u32 = 0o077;

/// Checks the database with its logs, and everything in the data directory except the user's
/// configuration. With `fix` access of others is removed.
pub(super) fn check_private_files(context: &CommandContext, fix: bool) -> CheckResult {
    let data_paths = &context.run.settings.paths;
    let mut paths_to_check: Vec<PathBuf> = Vec::new();
    if let Ok(database) = context.sqlite_file() {
        paths_to_check.extend(["", "-wal", "-shm"].map(|end| append_suffix(database, end)));
    }
    list_files_below(&data_paths.data, &mut paths_to_check);
    paths_to_check.sort();
    paths_to_check.dedup();
    // Installed files are not secret.
    let installed = data_paths.data.join("plugin");
    paths_to_check
        .retain(|path| *path != data_paths.config_file() && !path.starts_with(&installed));
    let mut open_files: Vec<&PathBuf> =
        paths_to_check.iter().filter(|path| is_open_to_others(path)).collect();
    let found = open_files.len();
    if fix {
        open_files.retain(|path| close_to_others(path).is_err());
    }
    match open_files.as_slice() {
        [] if found > 0 => {
            CheckResult::ok(format!("made {} private", pluralize(found, "file", "files")))
        }
        [] => CheckResult::ok("trueup's files are private"),
        [first, ..] => CheckResult::warn(
            format!(
                "{} can be read by others, such as {}",
                pluralize(open_files.len(), "file", "files"),
                path_to_text(first)
            ),
            if fix {
                format!("chmod go= {}", path_to_text(first))
            } else {
                "trueup doctor --fix".to_owned()
            },
        ),
    }
}

fn append_suffix(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Lists files and folders below a folder, without following symbolic links.
fn list_files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if found.len() >= MAX_FILES_INSPECTED {
            return;
        }
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            found.push(entry.path());
            list_files_below(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

fn is_open_to_others(path: &Path) -> bool {
    let data = fs::symlink_metadata(path);
    data.is_ok_and(|data| !data.is_symlink() && data.permissions().mode() & OTHERS_MASK != 0)
}

fn close_to_others(path: &Path) -> std::io::Result<()> {
    let mode = fs::symlink_metadata(path)?.permissions().mode();
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777 & !OTHERS_MASK))
}
