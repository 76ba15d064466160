//! Changes a user's file after backing it up.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::locked_change::current_mode;
use super::temp_file::temp_path_for;
use super::{
    ChangeError, FileReplacement, LockedChange, WriteOutcome, read_bytes, replace_if_unchanged,
    retry_under_lock,
};

/// Most backups with the same timestamp.
const MAX_BACKUPS: usize = 100;

/// Changes a file of at most `limit` bytes: lock, read, decide, back up to `<name>.bak-<moment>`
/// beside it, replace. `decide` returns the new content, or `None` to leave the file alone, and a
/// result; it is called again if the file was saved meanwhile without the lock. Returns that
/// result, and the path of the backup if the file changed.
///
/// The backup is complete and on disk before the file changes.
///
/// # Errors
///
/// Those of `decide`, and when the file cannot be read or written; it is unchanged then.
pub fn change_with_backup<T, E: From<ChangeError>>(
    path: &Path,
    limit: u64,
    change: LockedChange<'_>,
    moment: &str,
    mut decide: impl FnMut(&[u8]) -> Result<(Option<Vec<u8>>, T), E>,
) -> Result<(T, Option<PathBuf>), E> {
    let failed = |source| ChangeError::from_io(path, source);
    retry_under_lock(path, change, E::from, || {
        let old = read_bytes(path, limit, false).map_err(failed)?;
        let (new, answer) = decide(&old)?;
        let Some(new) = new.filter(|new| *new != old) else {
            return Ok(Some((answer, None)));
        };
        let backup = write_backup(path, &old, moment).map_err(failed)?;
        let written = replace_if_unchanged(path, &new, Some(&old), limit);
        if matches!(written, Ok(WriteOutcome::Replaced)) {
            return Ok(Some((answer, Some(backup))));
        }
        // Remove the backup of a file that did not change. If the file may have changed after all,
        // such as when the disk failed at the end, the backup is the last copy and stays.
        let is_untouched = match &written {
            Ok(_) => true,
            Err(_) => read_bytes(path, limit, false).is_ok_and(|found| found == old),
        };
        if is_untouched {
            let _ = fs::remove_file(&backup);
        }
        written.map(|_| None).map_err(E::from)
    })
}

/// Writes a file's content under a name that is not taken.
fn write_backup(path: &Path, content: &[u8], moment: &str) -> io::Result<PathBuf> {
    for number in 1..=MAX_BACKUPS {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".bak-{moment}"));
        if number > 1 {
            name.push(format!("-{number}"));
        }
        let backup = path.with_file_name(name);
        // Checked first, because not every file system can refuse to overwrite.
        if fs::symlink_metadata(&backup).is_ok() {
            continue;
        }
        let replacement = FileReplacement {
            path: &backup,
            content,
            mode: current_mode(path),
            durable: true,
            exists: false,
        };
        let is_unused = |path: &Path| fs::symlink_metadata(path).is_err();
        if replacement.apply_through(&temp_path_for(path), &is_unused)? == WriteOutcome::Replaced {
            return Ok(backup);
        }
    }
    Err(io::Error::new(
        ErrorKind::AlreadyExists,
        format!("there are already {MAX_BACKUPS} backups with this timestamp"),
    ))
}

#[cfg(test)]
mod tests;
