//! Making directories and remembering which ones were not there before.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Named, Result};
use crate::files;

/// Makes a directory with its parents, readable by their owner alone as the data in them is,
/// and returns those that are new, outermost first.
pub(crate) fn make(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut new: Vec<PathBuf> = dir
        .ancestors()
        .take_while(|path| !path.exists())
        .map(Path::to_owned)
        .collect();
    new.reverse();
    files::make_dirs(dir, 0o700).named("create the directory", dir)?;
    Ok(new)
}

/// Removes those of the directories that are empty, innermost first, and returns them.
pub(crate) fn remove_empty(dirs: &[PathBuf]) -> Vec<PathBuf> {
    let mut sorted = dirs.to_vec();
    sorted.sort_by_key(|dir| std::cmp::Reverse(dir.components().count()));
    sorted
        .into_iter()
        .filter(|dir| fs::remove_dir(dir).is_ok())
        .collect()
}

/// Removes a file, a link or a whole directory; one that is gone already is fine.
pub(crate) fn remove_all(path: &Path) -> Result<bool> {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(false);
    };
    if meta.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
    .named("remove", path)
    .map(|()| true)
}
