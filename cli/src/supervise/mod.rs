//! Running a command under supervision: its end, signals to this process and the passing of
//! time are the only things that wake it.

mod signals;
mod ward;

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use trueup_core::model::ProcessId;

pub(crate) use signals::{Signals, die_by, name_of};
pub(crate) use ward::become_command;

/// Time between two signs of life (seed 4).
pub(crate) const EVERY: Duration = Duration::from_secs(10);

/// What is told after a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Go on.
    GoOn,
    /// End the command.
    Stop,
}

/// Starts a command as a ward of this process: it does not outlive it.
pub(crate) fn spawn(
    command: &[OsString],
    environment: &[(&str, &str)],
    stdout: Option<Stdio>,
) -> io::Result<Child> {
    let mut ward = Command::new(std::env::current_exe()?);
    ward.args(["orchestrator", "exec"])
        .arg(std::process::id().to_string())
        .arg("--")
        .args(command)
        .envs(environment.iter().copied());
    if let Some(stdout) = stdout {
        ward.stdout(stdout);
    }
    ward.spawn()
}

/// Waits for the end of a command, passes signals on to it and gives signs of life.
pub(crate) fn supervise(
    child: &mut Child,
    signals: &mut Signals,
    mut beat: impl FnMut() -> Told,
) -> io::Result<ExitStatus> {
    let mut due = Instant::now() + EVERY;
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        for signal in signals.wait(due.saturating_duration_since(Instant::now()))? {
            told = true;
            forward(child, signal);
        }
        if Instant::now() < due {
            continue;
        }
        due = Instant::now() + EVERY;
        if beat() == Told::Stop && !told {
            told = true;
            forward(child, Signal::TERM);
        }
    }
}

fn forward(child: &Child, signal: Signal) {
    // It was not waited for yet, so its number is still its own; one that has just ended needs
    // no signal.
    let _ = kill_process(Pid::from_child(child), signal);
}

/// Asks a supervising process of this machine to end its command. One that cannot be asked
/// learns of its end by its next sign of life.
#[cfg(target_os = "linux")]
pub(crate) fn terminate(process: &ProcessId, host: &str, this_host: &str) {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    use trueup_core::liveness::{ProcessEvidence, evidence_of};
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    // Opened before the look at who it is: the handle cannot pass to a later process.
    let handle = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let evidence = evidence_of(Some(process), Some(host), this_host);
    if let Some(handle) = handle.filter(|_| evidence == ProcessEvidence::Running) {
        // One of another user is told by its next sign of life.
        let _ = pidfd_send_signal(handle, Signal::TERM);
    }
}

/// Without `/proc` nobody can tell whose process it is: it learns of its end by its next sign
/// of life.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn terminate(_: &ProcessId, _: &str, _: &str) {}
