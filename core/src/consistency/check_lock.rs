//! One check at a time mends a checkout.
//!
//! Invariant: a check that a hook of git starts within another check does not wait for it: the
//! other waits for the hook. Nothing of that is in the environment, which is the user's; the
//! lock's file says whose it is.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::fs::{FileLock, SignedLock, create_private_dir};

/// How long another check of the same checkout may take before this one gives up.
const LOCK_TIMEOUT: Duration = Duration::from_mins(1);

/// Whether a check may go on.
#[derive(Debug)]
pub(super) enum CheckLock {
    /// It may, and as long as it holds this no other mends.
    Granted(Option<SignedLock>),
    /// It runs within another.
    WithinCheck,
}

/// Looks whether this runs within a check that mends.
pub(super) fn probe_lock(lock: &Path) -> CheckLock {
    if is_within_check(lock) {
        CheckLock::WithinCheck
    } else {
        CheckLock::Granted(None)
    }
}

/// Waits until no other check mends the checkout.
pub(super) fn acquire_lock(lock: &Path, root: &Path) -> io::Result<CheckLock> {
    if is_within_check(lock) {
        return Ok(CheckLock::WithinCheck);
    }
    create_private_dir(lock.parent().unwrap_or(Path::new(".")))?;
    // Two that mend at once would each read what the other is about to change.
    let locked = FileLock::acquire(lock, LOCK_TIMEOUT).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::other(format!(
            "{}: another check has been running --fix on it for {LOCK_TIMEOUT:?}",
            root.display()
        )),
        _ => error,
    })?;
    Ok(CheckLock::Granted(Some(
        locked.sign_as(&process_signature(std::process::id()))?,
    )))
}

/// Tells whether the lock is held by a process that this one descends from.
fn is_within_check(lock: &Path) -> bool {
    /// Longest signature, in bytes.
    const LONGEST: u64 = 100;
    let Ok(held_by) = crate::fs::read_bytes(lock, LONGEST, false) else {
        return false;
    };
    if held_by.is_empty() {
        return false;
    }
    list_ancestors().any(|pid| process_signature(pid).as_bytes() == held_by)
}

/// Names a process so that a later one of the same number is another.
fn process_signature(pid: u32) -> String {
    let process = crate::liveness::identify_process(pid);
    let started = process.started.unwrap_or_default();
    format!(
        "{} {started} {}\n",
        process.pid,
        process.place.boot.unwrap_or_default()
    )
}

/// Lists the processes that this one descends from, its parent first.
fn list_ancestors() -> impl Iterator<Item = u32> {
    /// More than any shell nests; a table of processes that is read while it changes may seem
    /// to have a circle.
    const MOST: usize = 64;
    let parent_of = crate::liveness::find_parent;
    std::iter::successors(parent_of(std::process::id()), move |pid| parent_of(*pid)).take(MOST)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_known_to_its_descendants_alone() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        assert!(!is_within_check(&lock), "there is none");
        let parent = std::os::unix::process::parent_id();
        for (signed, expected) in [
            (process_signature(parent), true),
            (process_signature(std::process::id()), false),
            // A number that was used again.
            (process_signature(parent).replacen(' ', " 1", 1), false),
            (String::new(), false),
            ("x".repeat(1_000), false),
        ] {
            fs::write(&lock, &signed).unwrap();
            assert_eq!(is_within_check(&lock), expected, "{signed}");
        }
    }

    #[test]
    fn a_lock_that_is_given_back_names_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        let turn = acquire_lock(&lock, folder.path()).unwrap();
        let held_by = fs::read_to_string(&lock).unwrap();
        assert_eq!(held_by, process_signature(std::process::id()));
        assert!(matches!(turn, CheckLock::Granted(Some(_))));
        drop(turn);
        assert_eq!(fs::read_to_string(&lock).unwrap(), "");
    }
}
