//! File access of the installer: reads are bounded and only of regular files, and new files get the
//! given mode whatever the umask. `clippy.toml` forbids other ways.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;

/// Largest file read, in bytes: ten times a binary with symbols.
const MAX_FILE_BYTES: u64 = 1024 * 1024 * 1024;

/// Reads a regular file, following links. It does not block on a FIFO.
pub(crate) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0))
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut bytes = Vec::new();
    if file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)? as u64 > MAX_FILE_BYTES {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Creates a file with this mode and content, and syncs it to disk.
pub(crate) fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode & 0o700).open(path)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Creates a directory with its parents; the new ones get this mode.
pub(crate) fn create_dirs_with_mode(path: &Path, mode: u32) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|dir| !dir.exists()).collect();
    for dir in missing.into_iter().rev().filter(|dir| !dir.as_os_str().is_empty()) {
        match fs::DirBuilder::new().mode(mode & 0o700).create(dir) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => {}
            outcome => {
                outcome?;
                fs::set_permissions(dir, fs::Permissions::from_mode(mode))?;
            }
        }
    }
    Ok(())
}

/// Opens a directory, to lock it.
pub(crate) fn open_dir(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(OFlags::DIRECTORY.bits()).unwrap_or(0))
        .open(path)
}

/// How long an installation waits for another one.
const INSTALLATION_PATIENCE: Duration = Duration::from_mins(15);

/// Locks a home directory against other installations of the same user until the result is dropped, so
/// that two at once do not put their plugins in one place. The directory itself is locked, so no lock
/// file is left behind. Where it cannot be locked, the installation goes on without.
pub(crate) fn lock_installation(home: &Path) -> Option<File> {
    lock_file(open_dir(home).ok()?, INSTALLATION_PATIENCE).ok()
}

/// Locks a file until the result is dropped; waits at most `timeout`.
pub(crate) fn lock_file(file: File, timeout: Duration) -> io::Result<File> {
    let (sender, receiver) = mpsc::channel();
    // After a timeout the thread lives until the process ends, and drops a lock it still gets.
    thread::spawn(move || {
        let locked = file.lock().map(|()| file);
        // If the receiver is gone, the lock is dropped with the message.
        let _ = sender.send(locked);
    });
    receiver.recv_timeout(timeout).unwrap_or_else(|_| Err(ErrorKind::WouldBlock.into()))
}
