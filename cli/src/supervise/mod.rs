//! Supervision of a command. The supervisor wakes only for the end of the command, for signals, and
//! for heartbeats.

mod exec_shim;
mod guard;
mod process_tree;
mod signals;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use trueup_core::model::ProcessId;

pub(crate) use exec_shim::become_command;
pub(crate) use guard::run_guard;
pub(crate) use signals::{Signals, describe_signal, end_by_signal};

/// Interval of heartbeats.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

/// What the supervisor does after a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// Keep the command running.
    Continue,
    /// End the command.
    Stop,
}

/// Starts a command under a guard, so that none of its processes outlives this one. The command
/// starts when no process of a previous run holds the lock.
pub(crate) fn spawn_guarded(
    command: &[OsString],
    lock: &Path,
    environment: &[(&str, &str)],
    stdout: Option<Stdio>,
) -> io::Result<Child> {
    let mut guard = Command::new(std::env::current_exe()?);
    guard
        .args(["orchestrator", "guard"])
        .arg(std::process::id().to_string())
        .arg(lock)
        .arg("--")
        .args(command)
        .envs(environment.iter().copied());
    if let Some(stdout) = stdout {
        guard.stdout(stdout);
    }
    guard.spawn()
}

/// Waits for the end of a command, forwards signals to it, and sends a heartbeat at each interval.
pub(crate) fn supervise_child(
    child: &mut Child,
    signals: &mut Signals,
    heartbeat_interval: Duration,
    mut send_heartbeat: impl FnMut() -> Control,
) -> io::Result<ExitStatus> {
    let mut next_heartbeat = Instant::now() + heartbeat_interval;
    let mut was_told_to_end = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        for signal in signals.wait(next_heartbeat.saturating_duration_since(Instant::now()))? {
            was_told_to_end = true;
            forward_signal(child, signal);
        }
        if Instant::now() < next_heartbeat {
            continue;
        }
        next_heartbeat = Instant::now() + heartbeat_interval;
        if send_heartbeat() == Control::Stop && !was_told_to_end {
            was_told_to_end = true;
            forward_signal(child, Signal::TERM);
        }
    }
}

fn forward_signal(child: &Child, signal: Signal) {
    // The child was not waited for yet, so its pid cannot have been reused. An error means that it
    // has just ended.
    let _ = kill_process(Pid::from_child(child), signal);
}

/// Asks a supervisor of this machine to end its command. One that cannot be signaled learns of the
/// stop with its next heartbeat.
#[cfg(target_os = "linux")]
pub(crate) fn terminate(process: &ProcessId, host: &str, this_host: &str) {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    use trueup_core::liveness::check_process;
    use trueup_core::model::ProcessState;
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    // Opened before the identity is checked, so that the handle cannot refer to a later process.
    let handle = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let evidence = check_process(Some(process), Some(host), this_host);
    if let Some(handle) = handle.filter(|_| evidence == ProcessState::Running) {
        // A supervisor of another user learns of the stop with its next heartbeat.
        let _ = pidfd_send_signal(handle, Signal::TERM);
    }
}

/// Without `/proc` the process cannot be identified. The supervisor learns of the stop with its
/// next heartbeat.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn terminate(_: &ProcessId, _: &str, _: &str) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    /// A command that ends when its stdin is closed.
    fn reader() -> Child {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).spawn().unwrap()
    }

    const SOON: Duration = Duration::from_millis(1);

    #[test]
    fn signs_of_life_are_given_until_the_command_ends() {
        let (mut child, mut signals) = (reader(), Signals::watch().unwrap());
        let mut stdin = child.stdin.take();
        let mut beats = 0;
        let status = supervise_child(&mut child, &mut signals, SOON, || {
            beats += 1;
            if beats == 5 {
                stdin = None;
            }
            Control::Continue
        });
        assert_eq!(status.unwrap().code(), Some(0));
        assert!(beats >= 5, "{beats}");
        assert!(stdin.is_none());
    }

    #[test]
    fn a_command_that_is_to_stop_is_told_once() {
        let (mut child, mut signals) = (reader(), Signals::watch().unwrap());
        let status = supervise_child(&mut child, &mut signals, SOON, || Control::Stop);
        assert_eq!(status.unwrap().signal(), Some(15));
    }

    #[test]
    fn the_end_of_a_command_needs_no_sign_of_life() {
        let mut signals = Signals::watch().unwrap();
        let mut child = Command::new("true").spawn().unwrap();
        let hour = Duration::from_hours(1);
        let status = supervise_child(&mut child, &mut signals, hour, || unreachable!());
        assert!(status.unwrap().success());
    }
}
