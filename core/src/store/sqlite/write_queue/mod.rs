//! A fair queue before the write lock.
//!
//! SQLite's own busy handler sleeps in growing steps, so under 32 writers one in a hundred waits
//! half a second. Here each writer waits for the one before it and is woken alone. The queue is an
//! optimization: a writer that gets no turn goes on, and SQLite's lock decides.

#[cfg(target_os = "linux")]
mod ticket;

use std::path::PathBuf;

use crate::deadline::Deadline;
use crate::fs::{FileLock, ResolvedPath};

#[cfg(not(target_os = "linux"))]
use FileLock as Turn;
#[cfg(target_os = "linux")]
use ticket::{self as turns, Ticket as Turn};
#[cfg(not(target_os = "linux"))]
mod turns {
    pub(super) use super::FileLock;

    pub(super) fn draw_and_wait(
        path: &std::path::Path,
        patience: std::time::Duration,
    ) -> std::io::Result<FileLock> {
        FileLock::acquire(path, patience)
    }
}

/// Waits for a turn, for at most half of the remaining time. The turn ends when the value is
/// dropped, or with the process.
pub(super) fn wait_for_turn(database: &ResolvedPath, deadline: Deadline) -> Option<Turn> {
    turns::draw_and_wait(&queue_file(database), deadline.remaining() / 2).ok()
}

/// Waits until no other process creates this database, for at most half of the remaining time.
pub(super) fn lock_for_creation(database: &ResolvedPath, deadline: Deadline) -> Option<FileLock> {
    FileLock::acquire(&queue_file(database), deadline.remaining() / 2).ok()
}

/// The queue lies beside the resolved file: processes that open one database by two names must
/// share one queue.
fn queue_file(database: &ResolvedPath) -> PathBuf {
    database.with_suffix(".queue")
}
