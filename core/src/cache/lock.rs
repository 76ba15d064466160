//! File locks: the only user of fs2.
//!
//! A lock dies with its process. Lock files are never deleted, so nobody can lock a file that
//! another process has just unlinked, and the file protected is never itself the lock, since
//! it is replaced.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fs2::FileExt;

/// An exclusive lock, held until dropped.
#[derive(Debug)]
pub struct FileLock(
    // Closing the file releases the lock.
    #[expect(dead_code, reason = "held, not read")] File,
);

impl FileLock {
    /// Takes the lock of a file made for locking, waiting at most `patience`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] when it was held until then; others when the file cannot
    /// be opened or the file system knows no locks.
    pub fn exclusive(path: &Path, patience: Duration) -> io::Result<Self> {
        let file = open(path)?;
        match FileExt::try_lock_exclusive(&file) {
            Ok(()) => return Ok(Self(file)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        wait(file, patience)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options
            .mode(0o600)
            .custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0));
    }
    options.open(path)
}

/// Waits in the kernel's queue, which wakes one waiter at a time and in order; polling would
/// wake all of them. The thread of a wait given up dies with the process, and drops a lock
/// it should still get.
fn wait(file: File, patience: Duration) -> io::Result<FileLock> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let locked = FileExt::lock_exclusive(&file).map(|()| FileLock(file));
        // Nobody listens any more: the lock is dropped with the message.
        let _ = sender.send(locked);
    });
    receiver
        .recv_timeout(patience)
        .unwrap_or_else(|_| Err(fs2::lock_contended_error()))
}

/// Returns the bytes free for this user on the file system of `path`.
///
/// # Errors
///
/// When the file system cannot be asked.
pub fn available_space(path: &Path) -> io::Result<u64> {
    fs2::available_space(path)
}

/// Reserves space for a file about to be written, so that a full disk is met before anything
/// is replaced. A file system that cannot reserve is no error.
///
/// # Errors
///
/// When there is no space.
pub(crate) fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    match file.allocate(bytes) {
        Err(error) if error.kind() != io::ErrorKind::StorageFull => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_waits_no_longer_than_told_and_gets_it_after_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = FileLock::exclusive(&path, Duration::ZERO).unwrap();
        let refused = FileLock::exclusive(&path, Duration::from_millis(1)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);

        let waiter = {
            let path = path.clone();
            thread::spawn(move || FileLock::exclusive(&path, Duration::from_mins(1)).is_ok())
        };
        drop(first);
        assert!(waiter.join().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_is_no_lock_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::os::unix::fs::symlink(&target, folder.path().join("lock")).unwrap();
        assert!(FileLock::exclusive(&folder.path().join("lock"), Duration::ZERO).is_err());
        assert!(!target.exists());
    }
}
