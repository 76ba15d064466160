//! Descendants of this process.

use std::io;

#[cfg(target_os = "linux")]
pub(super) use linux::{Process, adopt_orphans, be_told_of_parents_death, descendants};
#[cfg(not(target_os = "linux"))]
pub(super) use others::{Process, adopt_orphans, be_told_of_parents_death, descendants};

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;

    use rustix::process::{
        Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal, set_child_subreaper,
        set_parent_process_death_signal,
    };
    use trueup_core::liveness::{self, Descendant};

    use super::io;

    /// A handle of a process, which stays valid when its pid is reused.
    #[derive(Debug)]
    pub(in crate::supervise) struct Process(OwnedFd);

    impl Process {
        /// Sends a signal. An error means that the process has ended.
        pub(in crate::supervise) fn send(&self, signal: Signal) {
            let _ = pidfd_send_signal(&self.0, signal);
        }

        /// Opens a process that was listed a moment ago, if it is still the same.
        fn open_if_same(seen: &Descendant) -> Option<Self> {
            let pid = Pid::from_raw(i32::try_from(seen.pid).ok()?)?;
            let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
            // Opened before the identity is checked, so that the handle cannot refer to a later
            // process.
            seen.is_still_running().then_some(Self(handle))
        }
    }

    /// Makes orphans among the descendants children of this process.
    pub(in crate::supervise) fn adopt_orphans() -> io::Result<()> {
        Ok(set_child_subreaper(Some(getpid()))?)
    }

    /// Requests a signal on the death of the parent, for this process and the program it executes.
    pub(in crate::supervise) fn be_told_of_parents_death(signal: Signal) -> io::Result<()> {
        Ok(set_parent_process_death_signal(Some(signal))?)
    }

    /// Lists the descendants of this process.
    pub(in crate::supervise) fn descendants() -> Vec<Process> {
        let seen = liveness::list_descendants(std::process::id());
        seen.iter().filter_map(Process::open_if_same).collect()
    }
}

/// Other systems neither signal the death of a parent nor let a process adopt orphans: the command
/// ends when the guard polls next, and its descendants are not terminated.
#[cfg(not(target_os = "linux"))]
mod others {
    use rustix::process::Signal;

    use super::io;

    #[derive(Debug)]
    pub(in crate::supervise) struct Process;

    impl Process {
        pub(in crate::supervise) const fn send(&self, _: Signal) {}
    }

    pub(in crate::supervise) const fn adopt_orphans() -> io::Result<()> {
        Ok(())
    }

    pub(in crate::supervise) const fn be_told_of_parents_death(_: Signal) -> io::Result<()> {
        Ok(())
    }

    pub(in crate::supervise) const fn descendants() -> Vec<Process> {
        Vec::new()
    }
}
