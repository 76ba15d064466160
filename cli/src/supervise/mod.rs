//! Running a command under supervision: its end, signals to this process and the passing of
//! time are the only things that wake it.

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

/// Time between two signs of life (seed 4).
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

/// What is told after a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// Go on.
    Continue,
    /// End the command.
    Stop,
}

/// Starts a command under a guard: nothing of it outlives this process, and it starts when
/// nothing of a run before, which held the same lock, is left.
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

/// Waits for the end of a command, passes signals on to it and gives a sign of life every so
/// often.
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
    // It was not waited for yet, so its number is still its own; one that has just ended needs
    // no signal.
    let _ = kill_process(Pid::from_child(child), signal);
}

/// Asks a supervising process of this machine to end its command. One that cannot be asked
/// learns of its end by its next sign of life.
#[cfg(target_os = "linux")]
pub(crate) fn terminate(process: &ProcessId, host: &str, this_host: &str) {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    use trueup_core::liveness::{ProcessState, check_process};
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    // Opened before the look at who it is: the handle cannot pass to a later process.
    let handle = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let evidence = check_process(Some(process), Some(host), this_host);
    if let Some(handle) = handle.filter(|_| evidence == ProcessState::Running) {
        // One of another user is told by its next sign of life.
        let _ = pidfd_send_signal(handle, Signal::TERM);
    }
}

/// Without `/proc` nobody can tell whose process it is: it learns of its end by its next sign
/// of life.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn terminate(_: &ProcessId, _: &str, _: &str) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    /// A command that ends when its stdin does.
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
