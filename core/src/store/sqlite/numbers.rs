//! A queue of numbers, as at a counter: who comes draws the next one and waits for the one
//! before it to be done.
//!
//! A plain file lock lets whoever comes while it is free pass all that wait; of 128 writers one
//! in a hundred then waited five times as long as most. Here the file holds the number drawn
//! last, and each process locks the byte of its own and waits for the byte before. Locks end
//! with their process, so a crash lets the next one in. That can be early, when the process that
//! died was waiting itself; and after a reset of the file two may be in: it is a queue, no lock.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::byte_range;

/// The byte that is locked while a number is drawn; the bytes of the numbers follow.
const COUNTER: i64 = 0;

/// Numbers begin anew after so many.
const NUMBERS: u64 = 1 << 40;

/// What a waiting thread needs of memory: it makes a few system calls.
const STACK: usize = 64 * 1024;

/// A number whose turn it is, until dropped.
#[derive(Debug)]
pub(super) struct Number(
    // Closing the file gives the number back.
    #[expect(dead_code, reason = "held for its locks")] File,
);

/// Draws a number and waits for its turn, at most for `patience`.
///
/// # Errors
///
/// When the file cannot be used, or it took too long.
pub(super) fn wait(path: &Path, patience: Duration) -> io::Result<Number> {
    let file = open(path)?;
    let before = if locked(&file, COUNTER, Patience::None)? {
        let before = draw(&file)?;
        if locked(&file, before, Patience::None)? {
            return Ok(Number(file));
        }
        Some(before)
    } else {
        None
    };
    // A wait in the kernel has no end: a thread waits, and is left behind.
    // One place, made here: a thread that allocates begins a heap of its own.
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new().stack_size(STACK).spawn(move || {
        // Nobody listens any more: the number is given back with the message.
        let _ = sender.send(queue(file, before));
    })?;
    receiver
        .recv_timeout(patience)
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// Waits for the number before, drawing one first where that is still to do.
fn queue(file: File, before: Option<i64>) -> io::Result<Number> {
    let before = if let Some(before) = before {
        before
    } else {
        locked(&file, COUNTER, Patience::Endless)?;
        draw(&file)?
    };
    locked(&file, before, Patience::Endless)?;
    Ok(Number(file))
}

/// Draws the next number, the counter being locked, and unlocks that; returns the byte of the
/// number before. Whatever the file says is taken for a number.
fn draw(file: &File) -> io::Result<i64> {
    let mut drawn = [0; 8];
    let known = file.read_at(&mut drawn, 0)? == drawn.len();
    let last = if known {
        u64::from_le_bytes(drawn) % NUMBERS
    } else {
        0
    };
    let mine = (last + 1) % NUMBERS;
    file.write_all_at(&mine.to_le_bytes(), 0)?;
    locked(file, byte(mine), Patience::Endless)?;
    change(file, COUNTER, libc::F_UNLCK, Patience::None)?;
    Ok(byte(last))
}

fn byte(number: u64) -> i64 {
    COUNTER + 1 + i64::try_from(number).unwrap_or(0)
}

/// How long to wait for a lock.
#[derive(Debug, Clone, Copy)]
enum Patience {
    None,
    Endless,
}

/// Locks a byte; tells whether it did.
fn locked(file: &File, at: i64, patience: Patience) -> io::Result<bool> {
    match change(file, at, libc::F_WRLCK, patience) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        other => other.map(|()| true),
    }
}

fn change(file: &File, at: i64, kind: libc::c_int, patience: Patience) -> io::Result<()> {
    let range = byte_range::lock(kind, at, 1);
    let change = match patience {
        Patience::None => FcntlArg::F_OFD_SETLK(&range),
        Patience::Endless => FcntlArg::F_OFD_SETLKW(&range),
    };
    fcntl(file, change).map(drop).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn queue_file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue");
        (folder, path)
    }

    /// The numbers drawn so far.
    fn drawn(path: &Path) -> u64 {
        u64::from_le_bytes(std::fs::read(path).unwrap().try_into().unwrap())
    }

    #[test]
    fn a_turn_is_free_when_nobody_has_one_and_after_each_that_ended() {
        let (_folder, path) = queue_file();
        for number in 1..=3 {
            wait(&path, Duration::ZERO).unwrap();
            assert_eq!(drawn(&path), number);
        }
    }

    #[test]
    fn who_waits_gives_up_when_told_and_the_others_keep_their_order() {
        let (_folder, path) = queue_file();
        let first = wait(&path, Duration::ZERO).unwrap();
        let gone = wait(&path, Duration::from_millis(1)).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::TimedOut);
        drop(first);
        wait(&path, LONG).unwrap();
    }

    #[test]
    fn nobody_overtakes() {
        let (_folder, path) = queue_file();
        let first = wait(&path, Duration::ZERO).unwrap();
        let (enter, entered) = mpsc::channel();
        thread::scope(|scope| {
            for waiter in 2..=8 {
                let (path, enter) = (&path, enter.clone());
                scope.spawn(move || {
                    let turn = wait(path, LONG).unwrap();
                    enter.send(waiter).unwrap();
                    drop(turn);
                });
                while drawn(path) < waiter {
                    thread::yield_now();
                }
            }
            drop(first);
            // Whoever comes now comes last, however free the lock looks.
            let last = wait(&path, LONG).unwrap();
            assert_eq!(
                entered.try_iter().collect::<Vec<_>>(),
                [2, 3, 4, 5, 6, 7, 8]
            );
            drop(last);
        });
    }

    #[test]
    fn any_content_is_a_number() {
        let (_folder, path) = queue_file();
        for content in [&[0xff; 8][..], b"", b"abc", &[7; 100]] {
            std::fs::write(&path, content).unwrap();
            drop(wait(&path, Duration::ZERO).unwrap());
            drop(wait(&path, Duration::ZERO).unwrap());
        }
    }
}
