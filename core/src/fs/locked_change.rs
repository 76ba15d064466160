//! Changes a file under a lock: read, decide, replace.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{FileLock, create_private_dir};
use super::{FileReplacement, PRIVATE_MODE, WriteOutcome, read_bytes, sweep_temp_files};

/// Most rounds for a file that others keep saving without the lock.
const MAX_ROUNDS: usize = 20;

/// The lock that protects a change, and how long to wait for it.
#[derive(Debug, Clone, Copy)]
pub struct LockedChange<'a> {
    /// The lock file; never the changed file itself, which is replaced by rename.
    pub lock: &'a Path,
    /// Longest wait for the lock.
    pub patience: Duration,
}

/// Why a file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The system refused, or it is not a regular file, or too large.
    #[error("{path}: {source}")]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Others held the lock until the deadline.
    #[error("{path}: another process was writing it until the deadline: {source}")]
    Busy {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It was saved again and again without the lock.
    #[error("{path}: another program keeps changing it")]
    KeepsChanging {
        /// The path of the file.
        path: PathBuf,
    },
}

impl ChangeError {
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

impl From<ChangeError> for io::Error {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Io { source, .. } | ChangeError::Busy { source, .. } => source,
            ChangeError::KeepsChanging { .. } => Self::other(error),
        }
    }
}

/// Runs a change under its lock. A round reads, decides and replaces; it returns `None` if the file
/// was saved meanwhile without the lock, and is then run again.
///
/// # Errors
///
/// Those of a round, and those of the lock, converted by `to_error`.
pub(crate) fn retry_under_lock<T, E>(
    path: &Path,
    change: LockedChange<'_>,
    to_error: impl Fn(ChangeError) -> E,
    mut round: impl FnMut() -> Result<Option<T>, E>,
) -> Result<T, E> {
    let _lock = lock_for_change(path, change).map_err(&to_error)?;
    for _ in 0..MAX_ROUNDS {
        if let Some(answer) = round()? {
            return Ok(answer);
        }
    }
    let path = path.to_owned();
    Err(to_error(ChangeError::KeepsChanging { path }))
}

/// Changes a file of at most `limit` bytes: lock, read, decide, replace. `decide` returns the new
/// content; it is called again if the file was saved meanwhile without the lock. Returns whether
/// the file changed.
///
/// # Errors
///
/// When the file cannot be read or written; it is unchanged then.
pub fn change_under_lock(
    path: &Path,
    limit: u64,
    change: LockedChange<'_>,
    decide: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<bool, ChangeError> {
    retry_under_lock(
        path,
        change,
        |error| error,
        || {
            let old = read_bytes(path, limit, false);
            let old = old.map_err(|source| ChangeError::from_io(path, source))?;
            Ok(match replace_if_unchanged(path, &decide(&old), Some(&old), limit)? {
                WriteOutcome::Replaced => Some(true),
                WriteOutcome::Unchanged => Some(false),
                WriteOutcome::ChangedMeanwhile => None,
            })
        },
    )
}

/// Takes the lock of a change that reads, decides and replaces by itself.
///
/// # Errors
///
/// When others hold the lock, or the system refuses.
pub fn lock_for_change(path: &Path, change: LockedChange<'_>) -> Result<FileLock, ChangeError> {
    let dir = change.lock.parent().unwrap_or_else(|| Path::new("."));
    create_private_dir(dir).map_err(|source| ChangeError::from_io(dir, source))?;
    FileLock::acquire(change.lock, change.patience).map_err(|source| match source.kind() {
        ErrorKind::WouldBlock => ChangeError::Busy { path: path.to_owned(), source },
        _ => ChangeError::from_io(change.lock, source),
    })
}

/// Replaces a file of at most `limit` bytes durably, keeping its permissions, if it still has the
/// content `old`; `None` stands for a missing file.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn replace_if_unchanged(
    path: &Path,
    content: &[u8],
    old: Option<&[u8]>,
    limit: u64,
) -> Result<WriteOutcome, ChangeError> {
    if old == Some(content) {
        return Ok(WriteOutcome::Unchanged);
    }
    let replacement = FileReplacement {
        path,
        content,
        mode: current_mode(path),
        durable: true,
        exists: old.is_some(),
    };
    let is_as_read = |path: &Path| {
        let content = read_bytes(path, limit, false);
        content.is_ok_and(|found| Some(&found[..]) == old)
    };
    let written = replacement.apply(&is_as_read);
    let written = written.map_err(|source| ChangeError::from_io(path, source))?;
    if written == WriteOutcome::Replaced {
        sweep_temp_files(path);
    }
    Ok(written)
}

/// Returns the permission bits that the file has now.
#[cfg(unix)]
pub(super) fn current_mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    let data = fs::symlink_metadata(path);
    data.map_or(PRIVATE_MODE, |data| data.mode() & 0o777)
}

/// Returns the default permission bits; this system has none.
#[cfg(not(unix))]
pub(super) fn current_mode(_path: &Path) -> u32 {
    PRIVATE_MODE
}
