//! Obstacles in place of trueup's own files, left by a crash or by others.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Returns whether something that is not a regular file is in the path's place.
pub(crate) fn is_obstructed(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| !data.is_file())
}

/// Renames an obstacle so that it blocks nothing. Another process may have renamed it first.
///
/// # Errors
///
/// When it cannot be renamed.
pub(crate) fn move_obstacle_aside(path: &Path) -> io::Result<()> {
    if !is_obstructed(path) {
        return Ok(());
    }
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".in-the-way-{}", uuid::Uuid::now_v7().simple()));
    match fs::rename(path, aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether `path` still names the opened file.
#[cfg(unix)]
pub(crate) fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let opened = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// An open file cannot be renamed on this system.
#[cfg(not(unix))]
pub(crate) fn is_still_of(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}
