//! The step between a supervisor and its command that sees to it that the command does not
//! outlive the supervisor, whatever signals it ignores and whatever it has started.
//!
//! It is told of the supervisor's death by the kernel, and adopts what the command leaves
//! behind. It dies itself only with the command: of its own death the command is told with a
//! signal that nothing can ignore.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{ExitStatusExt as _, parent_id};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use trueup_core::fs::FileLock;

use super::process_tree;
use super::{Signals, end_by_signal};
use crate::command_error::{CommandError, ErrorCase};

/// How long a command may take to end after SIGTERM, once its supervisor is dead.
const TERMINATION_GRACE: Duration = Duration::from_secs(5);

/// How long the command of a run before is waited for: its grace, and the time to die.
const PREVIOUS_RUN_PATIENCE: Duration = Duration::from_secs(20);

/// Pause between two looks where nothing wakes this process: whether it is an orphan, on
/// systems that tell nobody; whether what it killed is gone; whether the lock is free.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Pause between two looks where the kernel tells of the supervisor's death.
const ORPHAN_POLL_INTERVAL: Duration = if cfg!(target_os = "linux") {
    Duration::from_hours(1)
} else {
    POLL_INTERVAL
};

/// The exit code of shells for a command that a signal ended, to which its number is added.
const SIGNAL_EXIT_BASE: i32 = 128;

/// Runs a command for a supervisor, and ends as it does. `lock` is held as long as anything of
/// it lives: a run that begins after a supervisor was killed waits for the end of the one
/// before. Returns why it cannot, or that the supervisor is gone.
pub(crate) fn run_guard(supervisor: u32, lock: &Path, command: &[OsString]) -> CommandError {
    match run_guarded(supervisor, lock, command) {
        Ok(Some(status)) => exit_like(status),
        Ok(None) => CommandError::new(ErrorCase::Orphaned, format!("process {supervisor} is gone")),
        Err(error) => error,
    }
}

/// Ends this process as the command ended.
#[expect(
    clippy::exit,
    reason = "main would report on a run that is the command's alone"
)]
fn exit_like(status: ExitStatus) -> ! {
    if let Some(signal) = status.signal() {
        end_by_signal(signal);
    }
    let by_signal = || SIGNAL_EXIT_BASE + status.signal().unwrap_or_default();
    std::process::exit(status.code().unwrap_or_else(by_signal))
}

/// Returns how the command ended; nothing when the supervisor died first.
fn run_guarded(
    supervisor: u32,
    lock: &Path,
    command: &[OsString],
) -> Result<Option<ExitStatus>, CommandError> {
    let mut signals = Signals::watch()?;
    process_tree::adopt_orphans()?;
    // Watched, and passed on to nobody: it wakes the loops below.
    process_tree::be_told_of_parents_death(Signal::CHILD)?;
    let is_orphan = || parent_id() != supervisor;
    let Some(_lock) = wait_for_previous_run(lock, &mut signals, is_orphan)? else {
        return Ok(None);
    };
    let mut exec_shim = Command::new(std::env::current_exe()?);
    exec_shim
        .args(["orchestrator", "exec"])
        .arg(std::process::id().to_string())
        .arg("--")
        .args(command);
    let child = Pid::from_child(&exec_shim.spawn()?);
    loop {
        if let Some(status) = reap_children(child)? {
            return Ok(Some(status));
        }
        if is_orphan() {
            terminate_all(child, &mut signals)?;
            return Ok(None);
        }
        for signal in signals.wait(ORPHAN_POLL_INTERVAL)? {
            // It was not waited for yet, so its number is still its own.
            let _ = kill_process(child, signal);
        }
    }
}

/// Waits until nothing of a run before lives; nothing when this one is not wanted any more.
fn wait_for_previous_run(
    lock: &Path,
    signals: &mut Signals,
    is_orphan: impl Fn() -> bool,
) -> Result<Option<FileLock>, CommandError> {
    if let Some(folder) = lock.parent() {
        trueup_core::fs::create_private_dir(folder)?;
    }
    let give_up_at = Instant::now() + PREVIOUS_RUN_PATIENCE;
    loop {
        match FileLock::acquire(lock, Duration::ZERO) {
            Ok(turn) => return Ok(Some(turn)),
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < give_up_at => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(CommandError::new(
                    ErrorCase::CommandStillRuns,
                    "the command of an earlier run, whose supervisor was killed, is still running",
                ));
            }
            Err(error) => return Err(error.into()),
        }
        if is_orphan() {
            return Ok(None);
        }
        if let Some(signal) = signals.wait(POLL_INTERVAL)?.first() {
            end_by_signal(signal.as_raw());
        }
    }
}

/// Reaps what has ended, the orphans of the command too; returns how the command ended.
fn reap_children(command: Pid) -> io::Result<Option<ExitStatus>> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == command => {
                return Ok(Some(ExitStatus::from_raw(status.as_raw())));
            }
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) | Err(Errno::CHILD) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Ends the command and everything below this process: asks it to, and after a while does not
/// ask any more.
fn terminate_all(command: Pid, signals: &mut Signals) -> io::Result<()> {
    let asked_at = Instant::now();
    let mut command_lives = true;
    let send = |signal, lives: bool, below: &[process_tree::Process]| {
        if lives {
            // Where nobody tells what is below, there is the command at least.
            let _ = kill_process(command, signal);
        }
        for process in below {
            process.send(signal);
        }
    };
    let below = process_tree::descendants();
    send(Signal::TERM, command_lives, &below);
    // One that is stopped hears of it when it goes on.
    send(Signal::CONT, command_lives, &below);
    loop {
        // What is below is a child by now, or will be when its parent is gone.
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, _))) => {
                command_lives &= pid != command;
                continue;
            }
            Err(Errno::CHILD) => return Ok(()),
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(None) => {}
        }
        let below = process_tree::descendants();
        let time = TERMINATION_GRACE.saturating_sub(asked_at.elapsed());
        if time.is_zero() {
            send(Signal::KILL, command_lives, &below);
        }
        // Another's signal is no reason to leave: this process goes last.
        signals.wait(if time.is_zero() { POLL_INTERVAL } else { time })?;
    }
}
