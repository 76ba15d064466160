//! The lock that lets one check at a time change a checkout.
//!
//! Invariant: a check that a git hook starts inside another check does not wait for that check,
//! which waits for the hook. The environment could not tell, because it belongs to the user;
//! therefore the lock file names the process that holds it.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::fs::{FileLock, SignedLock, create_private_dir};

/// How long to wait for another check of the same checkout.
const LOCK_TIMEOUT: Duration = Duration::from_mins(1);

/// Whether a check may go on.
#[derive(Debug)]
pub(super) enum CheckLock {
    /// It may. No other check changes the checkout while the lock is held; a check that only
    /// reads holds none.
    Granted(Option<SignedLock>),
    /// It runs inside another check.
    WithinCheck,
}

/// Tells a check that only reads whether it runs inside one that writes.
pub(super) fn probe_lock(lock: &Path) -> CheckLock {
    if is_within_check(lock) { CheckLock::WithinCheck } else { CheckLock::Granted(None) }
}

/// Waits until no other check writes, and takes the lock.
pub(super) fn acquire_lock(lock: &Path, root: &Path) -> io::Result<CheckLock> {
    if is_within_check(lock) {
        return Ok(CheckLock::WithinCheck);
    }
    create_private_dir(lock.parent().unwrap_or(Path::new(".")))?;
    let locked = FileLock::acquire(lock, LOCK_TIMEOUT).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::other(format!(
            "{}: another check has been running --fix on it for {LOCK_TIMEOUT:?}",
            root.display()
        )),
        _ => error,
    })?;
    let signature = process_signature(std::process::id());
    Ok(CheckLock::Granted(Some(locked.sign_as(&signature)?)))
}

/// Returns whether an ancestor of this process holds the lock.
fn is_within_check(lock: &Path) -> bool {
    /// Longest signature, in bytes.
    const MAX_SIGNATURE_BYTES: u64 = 100;
    let Ok(held_by) = crate::fs::read_bytes(lock, MAX_SIGNATURE_BYTES, false) else {
        return false;
    };
    if held_by.is_empty() {
        return false;
    }
    list_ancestors().any(|pid| process_signature(pid).as_bytes() == held_by)
}

/// Returns a text that differs for a later process with the same number.
fn process_signature(pid: u32) -> String {
    let process = crate::liveness::identify_process(pid);
    let started = process.started.unwrap_or_default();
    format!("{} {started} {}\n", process.pid, process.place.boot.unwrap_or_default())
}

/// Lists the ancestors of this process, its parent first.
fn list_ancestors() -> impl Iterator<Item = u32> {
    /// More than shells nest. The process table changes while it is read, and may seem to have a
    /// cycle.
    const MAX_ANCESTORS: usize = 64;
    let parent_of = crate::liveness::find_parent;
    std::iter::successors(parent_of(std::process::id()), move |pid| parent_of(*pid))
        .take(MAX_ANCESTORS)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_known_to_its_descendants_alone() {
        let dir = tempfile::tempdir().unwrap();
        let lock = dir.path().join("lock");
        assert!(!is_within_check(&lock), "there is none");
        let parent = process_signature(std::os::unix::process::parent_id());
        for (signed, expected) in [
            (parent.clone(), true),
            (process_signature(std::process::id()), false),
            // Another start time: the number was used again.
            (parent.replacen(' ', " 1", 1), false),
            (String::new(), false),
            ("x".repeat(1_000), false),
        ] {
            fs::write(&lock, &signed).unwrap();
            assert_eq!(is_within_check(&lock), expected, "{signed}");
        }
    }

    #[test]
    fn a_lock_that_is_given_back_names_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let lock = acquire_lock(&path, dir.path()).unwrap();
        let held_by = fs::read_to_string(&path).unwrap();
        assert_eq!(held_by, process_signature(std::process::id()));
        assert!(matches!(lock, CheckLock::Granted(Some(_))));
        drop(lock);
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }
}
