//! A fair queue before the write lock.
//!
//! SQLite's own busy handler sleeps in growing steps, so under 32 writers one in a hundred
//! waits half a second; a file lock that wakes its waiters in turn cuts that to a fifth. It is
//! an optimisation alone: who cannot have it goes on, and SQLite's lock decides.

use std::path::Path;

use crate::cache::lock::FileLock;
use crate::deadline::Deadline;

/// Waits for a turn, at most half of what is left. The turn ends when the value is dropped,
/// or with the process.
pub(super) fn wait(database: &Path, deadline: Deadline) -> Option<FileLock> {
    let mut name = database.file_name()?.to_owned();
    name.push(".queue");
    FileLock::exclusive(&database.with_file_name(name), deadline.left() / 2).ok()
}
