//! Changing a file: locked, read, decided, replaced whole.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{PRIVATE, Replacement, Written, read_bytes, sweep_drafts};
use crate::cache::lock::FileLock;

/// How often a file is read again that others save meanwhile without taking the lock.
const ROUNDS: usize = 20;

/// How a change is protected from others.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
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
    Restless {
        /// The file.
        path: PathBuf,
    },
}

impl ChangeError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
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
pub(crate) fn locked<T, E>(
    path: &Path,
    change: Change<'_>,
    failed: impl Fn(ChangeError) -> E,
    mut round: impl FnMut() -> Result<Option<T>, E>,
) -> Result<T, E> {
    let _lock = lock(path, change).map_err(&failed)?;
    for _ in 0..ROUNDS {
        if let Some(answer) = round()? {
            return Ok(answer);
        }
    }
    let path = path.to_owned();
    Err(failed(ChangeError::Restless { path }))
}

fn lock(path: &Path, change: Change<'_>) -> Result<FileLock, ChangeError> {
    let folder = change.lock.parent().unwrap_or_else(|| Path::new("."));
    crate::settings::private_dir(folder).map_err(|source| ChangeError::io(folder, source))?;
    FileLock::exclusive(change.lock, change.patience).map_err(|source| match source.kind() {
        ErrorKind::WouldBlock => ChangeError::Busy {
            path: path.to_owned(),
            source,
        },
        _ => ChangeError::io(change.lock, source),
    })
}

/// Replaces a file of at most `limit` bytes whole and for good, with the permissions it has,
/// if it still says what was read; `None` was read where there is no file.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn replace(
    path: &Path,
    content: &[u8],
    old: Option<&[u8]>,
    limit: u64,
) -> Result<Written, ChangeError> {
    if old == Some(content) {
        return Ok(Written::Same);
    }
    let replacement = Replacement {
        path,
        content,
        mode: mode(path),
        durable: true,
        exists: old.is_some(),
    };
    let is_as_read = |path: &Path| {
        let found = read_bytes(path, limit, false);
        found.is_ok_and(|found| Some(&found[..]) == old)
    };
    let written = replacement.carry_out(&is_as_read);
    let written = written.map_err(|source| ChangeError::io(path, source))?;
    if written == Written::Yes {
        sweep_drafts(path);
    }
    Ok(written)
}

/// Returns the permission bits to write with: those the file has.
#[cfg(unix)]
pub(super) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    let data = fs::symlink_metadata(path);
    data.map_or(PRIVATE, |data| data.mode() & 0o777)
}

/// Returns the permission bits to write with, of which this system has none.
#[cfg(not(unix))]
pub(super) fn mode(_path: &Path) -> u32 {
    PRIVATE
}
