//! The lock of the files of trackers.

use std::path::Path;

use trueup_core::fs::{FileLock, LockedChange, lock_for_change};

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;

/// The name of the lock.
const LOCK_NAME: &str = "trackers";

/// Waits for the files of trackers. Whoever reads one, decides what is new in it and lets the items
/// remember it does all of that under this lock. It is one for all of them, since an item may be in
/// several files, and in the same file of several worktrees.
pub(crate) fn lock_trackers(context: &CommandContext, path: &Path) -> CommandResult<FileLock> {
    let lock = context.run.settings.paths.locks().join(LOCK_NAME);
    let change = LockedChange { lock: &lock, patience: context.deadline().remaining() };
    Ok(lock_for_change(path, change)?)
}
