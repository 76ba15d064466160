//! A fair queue before the write lock.
//!
//! SQLite's own busy handler sleeps in growing steps, so under 32 writers one in a hundred
//! waits half a second. Here each waits for the one before it and is woken alone. It is an
//! optimisation: who cannot have a turn goes on, and SQLite's lock decides.

use std::path::PathBuf;

use crate::cache::lock::FileLock;
use crate::deadline::Deadline;
use crate::files::ResolvedPath;

#[cfg(target_os = "linux")]
use super::numbers::{self as turns, Number as Turn};
#[cfg(not(target_os = "linux"))]
use FileLock as Turn;
#[cfg(not(target_os = "linux"))]
mod turns {
    pub(super) use super::FileLock;

    pub(super) fn wait(
        path: &std::path::Path,
        patience: std::time::Duration,
    ) -> std::io::Result<FileLock> {
        FileLock::exclusive(path, patience)
    }
}

/// Waits for a turn, at most half of what is left. The turn ends when the value is dropped,
/// or with the process.
pub(super) fn wait(database: &ResolvedPath, deadline: Deadline) -> Option<Turn> {
    turns::wait(&file(database), deadline.left() / 2).ok()
}

/// Waits until no other process makes this database, at most half of what is left.
pub(super) fn alone(database: &ResolvedPath, deadline: Deadline) -> Option<FileLock> {
    FileLock::exclusive(&file(database), deadline.left() / 2).ok()
}

/// The queue lies beside the file itself, whatever name a process has for that: else one database
/// would have two queues.
fn file(database: &ResolvedPath) -> PathBuf {
    database.beside(".queue")
}
