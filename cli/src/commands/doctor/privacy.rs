//! Whether others can read or write what is trueup's own: an earlier release, a copy or a shell
//! may have left it open.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use trueup_core::files::path_to_text;

use super::Finding;
use crate::desk::Desk;

/// Most files looked at, so that a directory of others that was named by mistake ends.
const MOST: usize = 10_000;

/// The bits of a mode that let others in.
const OTHERS: u32 = 0o077;

/// Looks at the database with its logs, and at everything in the data directory but the user's
/// own configuration. With `fix` it is closed to others.
pub(super) fn files(desk: &Desk, fix: bool) -> Finding {
    let paths = &desk.site.settings.paths;
    let mut all: Vec<PathBuf> = Vec::new();
    if let Ok(database) = desk.database() {
        all.extend(["", "-wal", "-shm"].map(|end| beside(database, end)));
    }
    list(&paths.data, &mut all);
    all.sort();
    all.dedup();
    // What is installed is no secret, and each installation lays it out anew.
    let installed = paths.data.join("plugin");
    all.retain(|path| *path != paths.config_file() && !path.starts_with(&installed));
    let mut open: Vec<&PathBuf> = all.iter().filter(|path| is_open(path)).collect();
    let found = open.len();
    if fix {
        open.retain(|path| close(path).is_err());
    }
    match open.as_slice() {
        [] if found > 0 => Finding::ok(format!("made {found} files private")),
        [] => Finding::ok("trueup's files are private"),
        [first, ..] => Finding::warn(
            format!(
                "{} files can be read by others, such as {}",
                open.len(),
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

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Lists what lies in a folder and below it; a symlink is nobody's file here.
fn list(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if found.len() >= MOST {
            return;
        }
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            found.push(entry.path());
            list(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

fn is_open(path: &Path) -> bool {
    let data = fs::symlink_metadata(path);
    data.is_ok_and(|data| !data.is_symlink() && data.permissions().mode() & OTHERS != 0)
}

fn close(path: &Path) -> std::io::Result<()> {
    let mode = fs::symlink_metadata(path)?.permissions().mode();
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777 & !OTHERS))
}
