//! The processes below this one.

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

    /// A process, however its number is used later.
    #[derive(Debug)]
    pub(in crate::supervise) struct Process(OwnedFd);

    impl Process {
        /// Sends a signal. One that has ended needs none.
        pub(in crate::supervise) fn send(&self, signal: Signal) {
            let _ = pidfd_send_signal(&self.0, signal);
        }

        /// Takes hold of a process that was seen a moment ago, if it still is the same.
        fn open_if_same(seen: &Descendant) -> Option<Self> {
            let pid = Pid::from_raw(i32::try_from(seen.pid).ok()?)?;
            let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
            // Opened before the second look: the handle cannot pass to a later process.
            seen.is_still_running().then_some(Self(handle))
        }
    }

    /// Makes what loses its parent below this process its own child.
    pub(in crate::supervise) fn adopt_orphans() -> io::Result<()> {
        Ok(set_child_subreaper(Some(getpid()))?)
    }

    /// Asks for a signal when the parent dies, for this process and what it becomes.
    pub(in crate::supervise) fn be_told_of_parents_death(signal: Signal) -> io::Result<()> {
        Ok(set_parent_process_death_signal(Some(signal))?)
    }

    /// Lists what lives below this process.
    pub(in crate::supervise) fn descendants() -> Vec<Process> {
        let seen = liveness::list_descendants(std::process::id());
        seen.iter().filter_map(Process::open_if_same).collect()
    }
}

/// Other systems tell nobody of a parent's death and let nobody adopt: the command ends at the
/// guard's next look, and what it started is its own.
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
