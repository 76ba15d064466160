//! Signals as events, and ending this process by a signal.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::iterator::exfiltrator::origin::Origin;
use signal_hook::low_level::siginfo::Cause;
use signal_hook::low_level::{emulate_default_handler, signal_name};
use trueup_core::fs::read_text;

/// Largest `/proc/self/status` read, in bytes.
const MAX_STATUS_BYTES: u64 = 64 * 1024;

/// Signals that are forwarded to the command.
const FORWARDED_SIGNALS: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

/// Signals that were sent to this process.
#[derive(Debug)]
pub(crate) struct Signals(SignalDelivery<UnixStream, WithOrigin>);

impl Signals {
    /// Starts to receive signals. Signals that are ignored, as under `nohup`, stay ignored here and
    /// in the command.
    pub(crate) fn watch() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        let ignored = read_ignored_signals();
        let taken = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
            .into_iter()
            .filter(|signal| ignored & (1 << (signal - 1)) == 0)
            .chain([SIGCHLD]);
        SignalDelivery::with_pipe(read, write, WithOrigin::default(), taken).map(Self)
    }

    /// Waits for a signal or the end of a child, at most `timeout`; returns the signals to forward.
    pub(crate) fn wait(&mut self, timeout: Duration) -> io::Result<Vec<Signal>> {
        let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
        let mut ready = [PollFd::new(self.0.get_read(), PollFlags::IN)];
        match poll(&mut ready, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let pending = self.0.pending();
        Ok(pending.filter_map(|origin| signal_to_forward(&origin)).collect())
    }
}

/// Returns the signal to forward. Signals of terminal keys reach the command by themselves, and
/// many programs react differently to a second one.
fn signal_to_forward(origin: &Origin) -> Option<Signal> {
    let is_terminal_key =
        origin.cause == Cause::Kernel && [SIGINT, SIGQUIT].contains(&origin.signal);
    let known = FORWARDED_SIGNALS.into_iter().find(|s| s.as_raw() == origin.signal);
    known.filter(|_| !is_terminal_key)
}

/// Reads the mask of ignored signals; 0 where the system does not provide it.
fn read_ignored_signals() -> u64 {
    let status =
        read_text(Path::new("/proc/self/status"), MAX_STATUS_BYTES, true).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Returns the name of a signal, or its number.
pub(crate) fn describe_signal(signal: i32) -> String {
    signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

/// Ends this process by a signal, so that its caller sees what ended the command. Returns if the
/// signal does not end a process.
pub(crate) fn end_by_signal(signal: i32) {
    // No core file, because it would replace that of the command.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // An error only means that a core file may be written.
    let _ = setrlimit(Resource::Core, none);
    let _ = emulate_default_handler(signal);
}
