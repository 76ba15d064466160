//! Changing a file: locked, read, decided, replaced whole.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{FileLock, create_private_dir};
use super::{FileReplacement, PRIVATE_MODE, WriteOutcome, read_bytes, sweep_temp_files};

/// How often a file is read again that others save meanwhile without taking the lock.
const MAX_ROUNDS: usize = 20;

/// How a change is protected from others.
#[derive(Debug, Clone, Copy)]
pub struct LockedChange<'a> {
    /// The file locked; never the changed one, which is replaced.
    pub lock: &'a Path,
    /// How long others may hold it.
    pub patience: Duration,
}

/// Why a file was not changed; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The system refused, or it is no plain file, or too large.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others held its lock for too long.
    #[error("{path}: another process was writing it until the deadline: {source}")]
    Busy {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something that takes no lock saved it again and again.
    #[error("{path}: another program keeps changing it")]
    KeepsChanging {
        /// The file.
        path: PathBuf,
    },
}

impl ChangeError {
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// Carries out a change of a file under its lock: a round reads, decides and replaces, and
/// returns `None` when something that takes no lock saved the file meanwhile; then it is asked
/// again.
///
/// # Errors
///
/// Those of a round, and, through `failed`, those of the lock.
pub(crate) fn retry_under_lock<T, E>(
    path: &Path,
    change: LockedChange<'_>,
    to_error: impl Fn(ChangeError) -> E,
    mut round: impl FnMut() -> Result<Option<T>, E>,
) -> Result<T, E> {
    let _lock = take_lock(path, change).map_err(&to_error)?;
    for _ in 0..MAX_ROUNDS {
        if let Some(answer) = round()? {
            return Ok(answer);
        }
    }
    let path = path.to_owned();
    Err(to_error(ChangeError::KeepsChanging { path }))
}

fn take_lock(path: &Path, change: LockedChange<'_>) -> Result<FileLock, ChangeError> {
    let folder = change.lock.parent().unwrap_or_else(|| Path::new("."));
    create_private_dir(folder).map_err(|source| ChangeError::from_io(folder, source))?;
    FileLock::acquire(change.lock, change.patience).map_err(|source| match source.kind() {
        ErrorKind::WouldBlock => ChangeError::Busy {
            path: path.to_owned(),
            source,
        },
        _ => ChangeError::from_io(change.lock, source),
    })
}

/// Replaces a file of at most `limit` bytes whole and for good, with the permissions it has,
/// if it still says what was read; `None` was read where there is no file.
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

/// Returns the permission bits to write with: those the file has.
#[cfg(unix)]
pub(super) fn current_mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    let data = fs::symlink_metadata(path);
    data.map_or(PRIVATE_MODE, |data| data.mode() & 0o777)
}

/// Returns the permission bits to write with, of which this system has none.
#[cfg(not(unix))]
pub(super) fn current_mode(_path: &Path) -> u32 {
    PRIVATE_MODE
}
