//! A queue of numbered tickets: a process draws the next number and waits until the holder of the
//! number before is done.
//!
//! A plain file lock lets a process that arrives while it is free overtake all that wait; of 128
//! writers one in a hundred then waited five times as long as most. Here the file holds the number
//! drawn last, and each process locks the byte of its own number until it is done. The next
//! process tries that lock, and in between listens on a socket that its predecessor writes to when
//! it leaves. A process that dies does not write, and one in another network namespace is not
//! heard, so a waiting process also tries the lock at intervals.
//!
//! The kernel's own wait for a lock would need no socket, but it cannot time out; leaving a thread
//! behind in it cost more than the rest of the queue.
//!
//! It is a queue, not a lock: when a process gives up or dies while it waits, or the file starts
//! over, two processes may have a turn at once.

use std::fs::File;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::super::byte_range;
use crate::fs::open_to_update;

/// The byte that is locked while a number is drawn; the bytes of the numbers follow it.
const COUNTER_BYTE: i64 = 0;

/// Numbers start over after this many.
const NUMBER_LIMIT: u64 = 1 << 40;

/// How long to wait before trying to draw again. Drawing takes microseconds, unless the process
/// that draws was preempted.
const DRAW_INTERVAL: Duration = Duration::from_millis(1);

/// How long to listen before trying the lock again: the delay that a dead predecessor causes.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A number, from when it is drawn until it is dropped; then the next process is woken.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Ticket {
    /// Holds the lock of this number's byte; absent only while the ticket is dropped.
    file: Option<File>,
    number: u64,
    /// The start of the names of this queue's sockets.
    socket_prefix: String,
}

/// Draws a number and waits for its turn, for at most `patience`.
///
/// # Errors
///
/// When the file or the socket cannot be used, or it took too long.
pub(super) fn draw_and_wait(path: &Path, patience: Duration) -> io::Result<Ticket> {
    let end = Instant::now() + patience;
    let file = open_to_update(path)?;
    while !try_lock_byte(&file, COUNTER_BYTE)? {
        let left = time_left_until(end)?;
        thread::sleep(left.min(DRAW_INTERVAL));
    }
    let (previous, ticket) = draw_ticket(file)?;
    if ticket.try_take_turn(previous)? {
        return Ok(ticket);
    }
    let wake_socket = UnixDatagram::bind_addr(&ticket.wake_address(ticket.number)?)?;
    // A predecessor that left before the socket was bound woke nobody.
    while !ticket.try_take_turn(previous)? {
        let left = time_left_until(end)?;
        wake_socket.set_read_timeout(Some(left.min(POLL_INTERVAL)))?;
        // A message, a timeout or a signal: in every case it is time to try the lock.
        let _ = wake_socket.recv(&mut []);
    }
    Ok(ticket)
}

/// Returns the time left, which is never zero.
fn time_left_until(end: Instant) -> io::Result<Duration> {
    let remaining = end.saturating_duration_since(Instant::now());
    if remaining.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(remaining)
}

/// Draws the next number while the counter is locked, and unlocks it; returns the previous number
/// and the ticket drawn. Any content of the file counts as a number.
fn draw_ticket(file: File) -> io::Result<(u64, Ticket)> {
    let about = file.metadata()?;
    let socket_prefix = format!("trueup-queue-{:x}-{:x}", about.dev(), about.ino());
    let mut counter = [0; 8];
    let is_complete = file.read_at(&mut counter, 0)? == counter.len();
    let previous = if is_complete { u64::from_le_bytes(counter) % NUMBER_LIMIT } else { 0 };
    let number = (previous + 1) % NUMBER_LIMIT;
    file.write_all_at(&number.to_le_bytes(), 0)?;
    try_lock_byte(&file, ticket_byte(number))?;
    set_byte_lock(&file, COUNTER_BYTE, libc::F_UNLCK)?;
    let file = Some(file);
    Ok((previous, Ticket { file, number, socket_prefix }))
}

impl Ticket {
    /// Whether the holder of the previous number is done.
    fn try_take_turn(&self, previous: u64) -> io::Result<bool> {
        self.file.as_ref().map_or(Ok(true), |file| try_lock_byte(file, ticket_byte(previous)))
    }

    /// The address at which the process with a number listens: an abstract name, without a file.
    fn wake_address(&self, number: u64) -> io::Result<SocketAddr> {
        SocketAddr::from_abstract_name(format!("{}-{number:x}", self.socket_prefix))
    }

    fn wake_next(&self) -> io::Result<()> {
        let next = self.wake_address((self.number + 1) % NUMBER_LIMIT)?;
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(&[], &next).map(drop)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Closing the file unlocks the number, so that the next process finds it done.
        drop(self.file.take());
        // Mostly no process listens.
        let _ = self.wake_next();
    }
}

fn ticket_byte(number: u64) -> i64 {
    COUNTER_BYTE + 1 + i64::try_from(number).unwrap_or(0)
}

/// Locks a byte that no other process has locked; returns whether it did.
fn try_lock_byte(file: &File, at: i64) -> io::Result<bool> {
    match set_byte_lock(file, at, libc::F_WRLCK) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        other => other.map(|()| true),
    }
}

fn set_byte_lock(file: &File, at: i64, kind: libc::c_int) -> io::Result<()> {
    let range = byte_range::lock_request(kind, at, 1);
    fcntl(file, FcntlArg::F_OFD_SETLK(&range)).map(drop).map_err(io::Error::from)
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
    fn numbers_drawn(path: &Path) -> u64 {
        u64::from_le_bytes(std::fs::read(path).unwrap().try_into().unwrap())
    }

    #[test]
    fn a_turn_is_free_when_nobody_has_one_and_after_each_that_ended() {
        let (_folder, path) = queue_file();
        for number in 1..=3 {
            draw_and_wait(&path, Duration::ZERO).unwrap();
            assert_eq!(numbers_drawn(&path), number);
        }
    }

    #[test]
    fn who_waits_gives_up_when_told() {
        let (_folder, path) = queue_file();
        let first = draw_and_wait(&path, Duration::ZERO).unwrap();
        let gone = draw_and_wait(&path, Duration::from_millis(1)).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::TimedOut);
        drop(first);
        draw_and_wait(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn who_goes_without_a_word_holds_nobody_up() {
        let (_folder, path) = queue_file();
        let mut dead = draw_and_wait(&path, Duration::ZERO).unwrap();
        let waiter = {
            let path = path.clone();
            thread::spawn(move || draw_and_wait(&path, LONG).is_ok())
        };
        while numbers_drawn(&path) < 2 {
            thread::yield_now();
        }
        drop(dead.file.take());
        std::mem::forget(dead);
        assert!(waiter.join().unwrap());
    }

    #[test]
    fn who_goes_rings_for_the_next() {
        let (_folder, path) = queue_file();
        let first = draw_and_wait(&path, Duration::ZERO).unwrap();
        let next = UnixDatagram::bind_addr(&first.wake_address(2).unwrap()).unwrap();
        next.set_nonblocking(true).unwrap();
        next.recv(&mut []).unwrap_err();
        drop(first);
        next.recv(&mut []).unwrap();
    }

    #[test]
    fn nobody_overtakes() {
        let (_folder, path) = queue_file();
        let first = draw_and_wait(&path, Duration::ZERO).unwrap();
        let (enter, entered) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            for waiter in 2..=8 {
                let (path, enter) = (&path, enter.clone());
                scope.spawn(move || {
                    let turn = draw_and_wait(path, LONG).unwrap();
                    enter.send(waiter).unwrap();
                    drop(turn);
                });
                while numbers_drawn(path) < waiter {
                    thread::yield_now();
                }
            }
            drop(first);
            // Whoever comes now comes last, however free the lock looks.
            let last = draw_and_wait(&path, LONG).unwrap();
            assert_eq!(entered.try_iter().collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8]);
            drop(last);
        });
    }

    #[test]
    fn any_content_is_a_number() {
        let (_folder, path) = queue_file();
        for content in [&[0xff; 8][..], b"", b"abc", &[7; 100]] {
            std::fs::write(&path, content).unwrap();
            drop(draw_and_wait(&path, Duration::ZERO).unwrap());
            drop(draw_and_wait(&path, Duration::ZERO).unwrap());
        }
    }
}
