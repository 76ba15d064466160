//! The process between a supervisor and its command. It makes sure that the command and its
//! descendants do not outlive the supervisor, even if they ignore signals.
//!
//! The kernel signals the death of the supervisor, and orphans of the command become children of
//! the guard. If the guard itself is killed, the kernel kills the command.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{ExitStatusExt as _, parent_id};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use trueup_core::fs::FileLock;

use super::{Signals, end_by_signal, process_tree};
use crate::command_error::{CommandError, CommandResult, OrchestratorCase};

/// How long a command may take to end after SIGTERM, once its supervisor is dead.
const TERMINATION_GRACE: Duration = Duration::from_secs(5);

/// How long to wait for the command of a previous run: its termination grace, and time to be
/// killed.
const PREVIOUS_RUN_PATIENCE: Duration = Duration::from_secs(20);

/// Interval of polling where no event wakes this process: for the death of the supervisor on
/// systems that do not signal it, for killed processes, and for the lock.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Interval of polling for the death of the supervisor, which Linux signals.
const ORPHAN_POLL_INTERVAL: Duration =
    if cfg!(target_os = "linux") { Duration::from_hours(1) } else { POLL_INTERVAL };

/// Shells add the number of the signal that ended a command to this exit code.
const SIGNAL_EXIT_BASE: i32 = 128;

/// Runs a command for a supervisor, and ends this process as the command ends. `lock` is held while
/// any process of the command lives, so that the next run waits for its end even if the supervisor
/// was killed. Returns only on failure, or when the supervisor is gone.
pub(crate) fn run_guard(supervisor: u32, lock: &Path, command: &[OsString]) -> CommandError {
    match run_guarded(supervisor, lock, command) {
        Ok(Some(status)) => exit_like(status),
        Ok(None) => {
            CommandError::new(OrchestratorCase::Orphaned, format!("process {supervisor} is gone"))
        }
        Err(error) => error,
    }
}

/// Ends this process as the command ended.
#[expect(clippy::exit, reason = "main would report on a run that is the command's alone")]
fn exit_like(status: ExitStatus) -> ! {
    if let Some(signal) = status.signal() {
        end_by_signal(signal);
    }
    let by_signal = || SIGNAL_EXIT_BASE + status.signal().unwrap_or_default();
    std::process::exit(status.code().unwrap_or_else(by_signal))
}

/// Returns how the command ended; absent when the supervisor died first.
fn run_guarded(
    supervisor: u32,
    lock: &Path,
    command: &[OsString],
) -> CommandResult<Option<ExitStatus>> {
    let mut signals = Signals::watch()?;
    process_tree::adopt_orphans()?;
    // This signal is not forwarded; it only wakes the loops below.
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
            // The child was not waited for yet, so its pid cannot have been reused.
            let _ = kill_process(child, signal);
        }
    }
}

/// Waits until no process of a previous run lives; absent when the supervisor has died.
fn wait_for_previous_run(
    lock: &Path,
    signals: &mut Signals,
    is_orphan: impl Fn() -> bool,
) -> CommandResult<Option<FileLock>> {
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
                    OrchestratorCase::CommandStillRuns,
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

/// Reaps ended children, including orphans of the command; returns how the command ended.
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

/// Terminates the command and all descendants of this process: with SIGTERM, and after the grace
/// period with SIGKILL.
fn terminate_all(command: Pid, signals: &mut Signals) -> io::Result<()> {
    let asked_at = Instant::now();
    let mut command_lives = true;
    let send = |signal, lives: bool, below: &[process_tree::Process]| {
        if lives {
            // Where descendants cannot be listed, the command itself is signaled.
            let _ = kill_process(command, signal);
        }
        for process in below {
            process.send(signal);
        }
    };
    let below = process_tree::descendants();
    send(Signal::TERM, command_lives, &below);
    // A stopped process receives SIGTERM only when it continues.
    send(Signal::CONT, command_lives, &below);
    loop {
        // Every descendant is a child by now, or becomes one when its parent ends.
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
        // Other signals are ignored: this process must end last.
        signals.wait(if time.is_zero() { POLL_INTERVAL } else { time })?;
    }
}
