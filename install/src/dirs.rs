//! Creates directories and reports which ones are new.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{IoResultExt, Result};
use crate::files;

/// Lists what is missing of a directory and its parents, outermost first.
pub(crate) fn list_missing(dir: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> =
        dir.ancestors().take_while(|path| !path.exists()).map(Path::to_owned).collect();
    missing.reverse();
    missing
}

/// Creates a directory with its parents, private to the user, and returns the new ones, outermost
/// first.
pub(crate) fn create_dirs(dir: &Path) -> Result<Vec<PathBuf>> {
    let missing = list_missing(dir);
    files::create_dirs_with_mode(dir, 0o700).with_action("create the directory", dir)?;
    Ok(missing)
}

/// Removes the empty ones of the directories, innermost first, and returns them.
pub(crate) fn remove_empty(dirs: &[PathBuf]) -> Vec<PathBuf> {
    let mut sorted = dirs.to_vec();
    sorted.sort_by_key(|dir| std::cmp::Reverse(dir.components().count()));
    sorted.into_iter().filter(|dir| fs::remove_dir(dir).is_ok()).collect()
}

/// Removes a file, a link or a whole directory. Returns whether it was there.
pub(crate) fn remove_all(path: &Path) -> Result<bool> {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(false);
    };
    if meta.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
        .with_action("remove", path)
        .map(|()| true)
}
