//! Runs a process with everything it starts, and ends it at a deadline.
//!
//! Invariants: we wait for the process to exit, not for its output to end: a daemon that a hook or
//! ssh leaves behind keeps the pipes open for as long as it lives. The process is reaped after the
//! last signal to its group, so that the group's id cannot be reused before. Output is read as it
//! comes, so that a full pipe blocks nobody, and is kept up to a limit.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::deadline::Deadline;

/// Time for a process to clean up, such as git removing its lock files, and then to die.
const GRACE_PERIOD: Duration = Duration::from_secs(2);

/// Most bytes of standard output that are kept, from the beginning.
const MAX_STDOUT_BYTES: usize = 16 * 1024 * 1024;

/// Most bytes of error output that are kept, up to the end.
const MAX_STDERR_BYTES: usize = 64 * 1024;

/// The output of a process that exited by itself.
#[derive(Debug)]
pub(super) struct ProcessOutput {
    /// Its exit status.
    pub(super) status: ExitStatus,
    /// Its standard output.
    pub(super) stdout: Vec<u8>,
    /// Whether it wrote more than was kept.
    pub(super) is_truncated: bool,
    /// The end of its error output.
    pub(super) stderr: Vec<u8>,
}

/// Runs a command in its own process group; `None` if it had to be killed or had no time to begin
/// with.
///
/// # Errors
///
/// When it cannot be started or its output not be read; it is killed then.
pub(super) fn run_process(
    command: &mut Command,
    deadline: Deadline,
) -> io::Result<Option<ProcessOutput>> {
    if deadline.has_passed() {
        return Ok(None);
    }
    let mut child =
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdout = BoundedOutput::new(child.stdout.take(), KeptEnd::First, MAX_STDOUT_BYTES);
    let mut stderr = BoundedOutput::new(child.stderr.take(), KeptEnd::Last, MAX_STDERR_BYTES);
    let pid = Pid::from_child(&child);
    let exit_socket = match watch_exit(pid) {
        Ok(over) => over,
        Err(error) => {
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = child.wait();
            return Err(error);
        }
    };
    let exited = read_until_exit(&exit_socket, &mut stdout, &mut stderr, deadline);
    if !matches!(exited, Ok(true)) {
        stop_process_group(&mut child, &exit_socket);
        return exited.map(|_| None);
    }
    let status = child.wait()?;
    Ok(Some(ProcessOutput {
        status,
        stdout: stdout.bytes,
        is_truncated: stdout.is_truncated,
        stderr: stderr.bytes,
    }))
}

/// Returns a socket that is closed when the process exits. The process is left to be reaped.
fn watch_exit(pid: Pid) -> io::Result<UnixStream> {
    let (over, held) = UnixStream::pair()?;
    thread::Builder::new().spawn(move || {
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), ended), Err(Errno::INTR)) {}
        drop(held);
    })?;
    Ok(over)
}

/// Reads output until the process exits; `false` if the deadline comes first.
fn read_until_exit(
    exit_socket: &UnixStream,
    stdout: &mut BoundedOutput<impl Read + AsFd>,
    stderr: &mut BoundedOutput<impl Read + AsFd>,
    deadline: Deadline,
) -> io::Result<bool> {
    loop {
        let [ended, out, err] = poll_ready(exit_socket, stdout, stderr, deadline.remaining())?;
        if out {
            stdout.read_once()?;
        }
        if err {
            stderr.read_once()?;
        }
        // After the exit, all its output is in the pipes.
        if ended && !out && !err {
            return Ok(true);
        }
        if deadline.has_passed() {
            return Ok(ended);
        }
    }
}

/// Waits until there is output or the process has exited.
fn poll_ready(
    exit_socket: &UnixStream,
    stdout: &BoundedOutput<impl AsFd>,
    stderr: &BoundedOutput<impl AsFd>,
    longest: Duration,
) -> io::Result<[bool; 3]> {
    let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
    let files = [
        Some(exit_socket.as_fd()),
        stdout.pipe.as_ref().map(AsFd::as_fd),
        stderr.pipe.as_ref().map(AsFd::as_fd),
    ];
    let mut polled: Vec<PollFd<'_>> =
        files.iter().flatten().map(|file| PollFd::new(file, PollFlags::IN)).collect();
    match poll(&mut polled, Some(&longest)) {
        Ok(_) => {}
        Err(Errno::INTR) => return Ok([false; 3]),
        Err(error) => return Err(error.into()),
    }
    let mut polled = polled.iter().map(|file| !file.revents().is_empty());
    Ok(files.map(|file| file.is_some() && polled.next().unwrap_or(false)))
}

/// Ends a process with its whole group.
fn stop_process_group(child: &mut Child, exit_socket: &UnixStream) {
    let group = Pid::from_child(child);
    // A process that waits for a terminal is stopped and must continue to receive the signal.
    for signal in [Signal::TERM, Signal::CONT] {
        let _ = kill_process_group(group, signal);
    }
    exits_within(exit_socket, GRACE_PERIOD);
    // Kill what is left: a hook that ignored the signal, or a child that it did not reach.
    let _ = kill_process_group(group, Signal::KILL);
    // Do not wait for a process that the kernel holds, such as on a dead file system.
    if exits_within(exit_socket, GRACE_PERIOD) {
        let _ = child.wait();
    }
}

fn exits_within(exit_socket: &UnixStream, longest: Duration) -> bool {
    let deadline = Deadline::after(longest);
    let nothing = BoundedOutput::<UnixStream>::new(None, KeptEnd::First, 0);
    loop {
        match poll_ready(exit_socket, &nothing, &nothing, deadline.remaining()) {
            Ok([true, ..]) => return true,
            Ok(_) if !deadline.has_passed() => {}
            _ => return false,
        }
    }
}

/// Which end of a long output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeptEnd {
    First,
    Last,
}

/// An output, kept up to a limit.
struct BoundedOutput<R> {
    pipe: Option<R>,
    bytes: Vec<u8>,
    end: KeptEnd,
    limit: usize,
    is_truncated: bool,
}

impl<R> BoundedOutput<R> {
    const fn new(pipe: Option<R>, end: KeptEnd, most: usize) -> Self {
        Self { pipe, bytes: Vec::new(), end, limit: most, is_truncated: false }
    }

    fn append_bounded(&mut self, more: &[u8]) {
        match self.end {
            KeptEnd::First => {
                let room = self.limit - self.bytes.len();
                self.is_truncated |= more.len() > room;
                self.bytes.extend(more.iter().take(room));
            }
            KeptEnd::Last => {
                self.bytes.extend(more);
                // Dropping only beyond twice the limit moves each byte at most once.
                if self.bytes.len() > 2 * self.limit {
                    self.is_truncated = true;
                    self.bytes.drain(..self.bytes.len() - self.limit);
                }
            }
        }
    }
}

impl<R: Read> BoundedOutput<R> {
    /// Reads once; this does not block if there is something to read.
    fn read_once(&mut self) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(());
        };
        let mut chunk = [0; 16 * 1024];
        match pipe.read(&mut chunk) {
            Ok(0) => self.pipe = None,
            Ok(count) => self.append_bounded(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::repository::tests::Gate;
    use std::io::Write as _;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn both_outputs_are_read_and_the_status_is_kept() {
        let ended = run_process(&mut sh("echo out; echo err >&2; exit 3"), Deadline::after(LONG));
        let ended = ended.unwrap().unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(ended.stdout, b"out\n");
        assert_eq!(ended.stderr, b"err\n");
        assert!(!ended.is_truncated);
    }

    #[test]
    fn more_output_than_a_pipe_holds_blocks_nobody() {
        let script = "head -c 3000000 /dev/zero >&2; head -c 18000000 /dev/zero; echo end >&2";
        let ended = run_process(&mut sh(script), Deadline::after(LONG)).unwrap().unwrap();
        assert!(ended.status.success());
        assert_eq!((ended.stdout.len(), ended.is_truncated), (MAX_STDOUT_BYTES, true));
        assert!(ended.stderr.len() <= 2 * MAX_STDERR_BYTES);
        assert!(ended.stderr.ends_with(b"\0end\n"));
    }

    #[test]
    fn what_was_written_before_the_end_is_read_after_it() {
        let output = || {
            let (mut writing, reading) = UnixStream::pair().unwrap();
            writing.write_all(&vec![b'x'; 60_000]).unwrap();
            BoundedOutput::new(Some(reading), KeptEnd::First, 100_000)
        };
        let (mut stdout, mut stderr) = (output(), output());
        let (over, _) = UnixStream::pair().unwrap();
        let deadline = Deadline::after(LONG);
        assert!(read_until_exit(&over, &mut stdout, &mut stderr, deadline).unwrap());
        assert_eq!((stdout.bytes.len(), stderr.bytes.len()), (60_000, 60_000));
    }

    #[test]
    fn a_daemon_that_holds_the_output_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut gate = Gate::new(&dir.path().join("gate"));
        let mut command = sh("exec 9>gate; echo here; sleep 1000 & echo $! >pid");
        command.current_dir(dir.path());
        let ended = run_process(&mut command, Deadline::after(LONG)).unwrap().unwrap();
        assert_eq!(ended.stdout, b"here\n");
        let daemon = std::fs::read_to_string(dir.path().join("pid")).unwrap();
        let daemon = daemon.trim().parse().ok().and_then(Pid::from_raw).unwrap();
        rustix::process::kill_process(daemon, Signal::KILL).unwrap();
        assert_eq!(gate.wait(), b"");
    }

    #[test]
    fn at_the_deadline_the_whole_group_dies_even_if_it_does_not_want_to() {
        let dir = tempfile::tempdir().unwrap();
        let mut gate = Gate::new(&dir.path().join("gate"));
        let script = "trap '' TERM; exec 9>gate; (sleep 1000 & wait) & echo >&9; sleep 1000";
        // Doubled until the script reached the pipe.
        for limit in (0..9).map(|power| Duration::from_millis(100 << power)) {
            let mut command = sh(script);
            command.current_dir(dir.path());
            let ended = run_process(&mut command, Deadline::after(limit)).unwrap();
            assert!(ended.is_none());
            if gate.wait() == b"\n" {
                return;
            }
        }
        panic!("the script never began");
    }

    #[test]
    fn a_process_is_asked_before_it_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let script =
            "touch lock; trap 'rm lock; exit' TERM; echo >begun; while :; do sleep 1; done";
        for limit in (0..9).map(|power| Duration::from_millis(100 << power)) {
            let mut command = sh(script);
            command.current_dir(dir.path());
            assert!(run_process(&mut command, Deadline::after(limit)).unwrap().is_none());
            if dir.path().join("begun").exists() {
                assert!(!dir.path().join("lock").exists());
                return;
            }
        }
        panic!("the script never began");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let mut command = Command::new("/nowhere/program");
        let error = run_process(&mut command, Deadline::after(LONG)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
