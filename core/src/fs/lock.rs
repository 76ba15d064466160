//! File locks and disk space: the only user of fs2.
//!
//! The kernel releases a lock when its process dies. trueup deletes a lock file only while holding
//! it; a process that waited for it then notices that the path names another file and starts over.
//! A protected file is never its own lock file, because it is replaced by rename.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use fs2::FileExt;

use super::open_to_update;

/// An exclusive lock that is held until dropped.
#[derive(Debug)]
pub struct FileLock(
    // Closing the file releases the lock.
    File,
);

impl FileLock {
    /// Locks a lock file, creating it if it is missing, and waits at most `patience`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if another process held it until then; others if the file
    /// cannot be opened or the file system has no locks.
    pub fn acquire(path: &Path, patience: Duration) -> io::Result<Self> {
        let end = Instant::now() + patience;
        loop {
            let file = open_to_update(path)?;
            let remaining = end.saturating_duration_since(Instant::now());
            let lock = match FileExt::try_lock_exclusive(&file) {
                Ok(()) => Self(file),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait_for_lock(file, remaining)?
                }
                Err(error) => return Err(error),
            };
            if lock.is_lock_on(path)? {
                return Ok(lock);
            }
        }
    }

    /// Writes the holder's name into the lock file for as long as the lock is held.
    ///
    /// # Errors
    ///
    /// When the name cannot be written.
    pub(crate) fn sign_as(self, name: &str) -> io::Result<SignedLock> {
        let mut signed = SignedLock(self);
        signed.0.0.set_len(0)?;
        io::Write::write_all(&mut signed.0.0, name.as_bytes())?;
        Ok(signed)
    }

    /// Returns the locked file. A child process that inherits it keeps the lock when this process
    /// dies.
    pub(crate) fn into_file(self) -> File {
        self.0
    }

    /// Returns whether `path` still names the locked file.
    #[cfg(unix)]
    fn is_lock_on(&self, path: &Path) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt as _;
        let mine = self.0.metadata()?;
        match fs::symlink_metadata(path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (mine.dev(), mine.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// An open file cannot be deleted on this system.
    #[cfg(not(unix))]
    fn is_lock_on(&self, _path: &Path) -> io::Result<bool> {
        Ok(true)
    }
}

/// A lock whose file contains the holder's name.
#[derive(Debug)]
pub(crate) struct SignedLock(FileLock);

impl Drop for SignedLock {
    fn drop(&mut self) {
        // A name left behind belongs to a process that holds nothing, which does no harm.
        let _ = self.0.0.set_len(0);
    }
}

/// Waits in the kernel's queue, which wakes one waiter at a time and in order; polling would wake
/// all of them. After a timeout the thread lives on until it gets the lock, and then drops it.
fn wait_for_lock(file: File, patience: Duration) -> io::Result<FileLock> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let locked = FileExt::lock_exclusive(&file).map(|()| FileLock(file));
        // After a timeout there is no receiver, and the lock is dropped with the message.
        let _ = sender.send(locked);
    });
    receiver.recv_timeout(patience).unwrap_or_else(|_| Err(fs2::lock_contended_error()))
}

/// Removes a lock file that nobody holds; returns whether it did.
///
/// The file is removed while it is locked. A process that waited for it, or had just opened it,
/// notices that the path names another file and starts over.
///
/// # Errors
///
/// When it cannot be opened or removed.
pub fn remove_idle_lock(path: &Path) -> io::Result<bool> {
    match FileLock::acquire(path, Duration::ZERO) {
        Ok(_lock) => fs::remove_file(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the bytes available to this user on the file system of `path`.
///
/// # Errors
///
/// When the file system cannot be queried.
pub fn available_space(path: &Path) -> io::Result<u64> {
    fs2::available_space(path)
}

/// Reserves space for a file that is about to be written, so that a full disk is noticed before
/// anything is replaced. A file system that cannot reserve is not an error.
///
/// # Errors
///
/// When there is no space.
pub(crate) fn reserve_space(file: &File, bytes: u64) -> io::Result<()> {
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
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = FileLock::acquire(&path, Duration::ZERO).unwrap();
        let refused = FileLock::acquire(&path, Duration::from_millis(1)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);

        let waiter = {
            let path = path.clone();
            thread::spawn(move || FileLock::acquire(&path, Duration::from_mins(1)).is_ok())
        };
        drop(first);
        assert!(waiter.join().unwrap());
    }

    /// Asks the kernel whether anyone waits for the lock.
    #[cfg(target_os = "linux")]
    fn is_waited_for(lock: &FileLock) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let inode = format!(":{} ", lock.0.metadata().unwrap().ino());
        let waits = |line: &str| line.contains("-> FLOCK") && line.contains(&inode);
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(waits)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_lock_file_that_vanishes_while_waited_for_lets_nobody_in_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let take = |patience| FileLock::acquire(&path, patience);
        let first = take(Duration::ZERO).unwrap();
        let (told, tell) = mpsc::channel();
        thread::scope(|scope| {
            let path = &path;
            scope.spawn(move || {
                let lock = FileLock::acquire(path, Duration::from_mins(1));
                told.send(lock.is_ok()).unwrap();
                lock
            });
            while !is_waited_for(&first) {
                thread::yield_now();
            }
            fs::remove_file(path).unwrap();
            let second = take(Duration::ZERO).unwrap();
            drop(first);
            // The waiter got the lock of the removed file and queues for the new one.
            while !is_waited_for(&second) {
                assert!(tell.try_recv().is_err(), "two are in");
                thread::yield_now();
            }
            drop(second);
            assert!(tell.recv().unwrap());
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_is_no_lock_file() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        std::os::unix::fs::symlink(&target, dir.path().join("lock")).unwrap();
        assert!(FileLock::acquire(&dir.path().join("lock"), Duration::ZERO).is_err());
        assert!(!target.exists());
    }
}
