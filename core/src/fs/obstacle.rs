//! What stands in the place of a file of trueup's own, as a crash or somebody else left it.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Tells whether something that is no regular file stands here.
pub(crate) fn is_obstructed(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| !data.is_file())
}

/// Renames what is no regular file, so that it blocks nothing. Who was slower finds it gone.
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

/// Tells whether the file opened is still the one of this name.
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

/// A file that is open cannot be renamed here.
#[cfg(not(unix))]
pub(crate) fn is_still_of(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}
