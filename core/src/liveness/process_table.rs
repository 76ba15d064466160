//! Looks up processes. On systems without `/proc` the answer is "cannot tell".

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::proc_stat::{self, ProcStat};
use super::process_place::current_place;
use crate::model::{ProcessId, ProcessPlace, ProcessState, Session};

/// Returns this machine's name, as `uname -n` prints it.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Identifies a running process, so that a later one with the same pid can be told apart.
pub fn identify_process(pid: u32) -> ProcessId {
    ProcessId {
        pid,
        started: match look_up_pid(pid) {
            PidEntry::Used(started) => Some(started),
            PidEntry::Free | PidEntry::Unreadable => None,
        },
        place: current_place().clone(),
    }
}

/// Checks the process of a session on this machine.
pub fn check_session_process(session: &Session, this_host: &str) -> ProcessState {
    check_process(session.process.as_ref(), session.host.as_deref(), this_host)
}

/// Checks a process that was recorded on `host`.
pub fn check_process(
    process: Option<&ProcessId>,
    host: Option<&str>,
    this_host: &str,
) -> ProcessState {
    let (Some(process), Some(host)) = (process, host) else {
        return ProcessState::Unknown;
    };
    if host != this_host {
        return ProcessState::Unknown;
    }
    decide_process_state(process, current_place(), || look_up_pid(process.pid))
}

/// What the process table says about a pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PidEntry {
    /// No process has it.
    Free,
    /// A process has it that started at this time.
    Used(u64),
    /// It cannot be read.
    Unreadable,
}

/// Decides the state of a process. The table is consulted only if the process was recorded in this
/// place: a process elsewhere cannot be seen, which does not mean that it is gone.
fn decide_process_state(
    process: &ProcessId,
    here: &ProcessPlace,
    look: impl FnOnce() -> PidEntry,
) -> ProcessState {
    if !process.place.is_same_place(here) {
        return ProcessState::Unknown;
    }
    match (look(), process.started) {
        (PidEntry::Used(now), Some(then)) if now == then => ProcessState::Running,
        // No process has the pid, or another one does.
        (PidEntry::Free, _) | (PidEntry::Used(_), Some(_)) => ProcessState::Gone,
        // A process has the pid, but nobody can tell whether it is the same.
        (PidEntry::Used(_), None) | (PidEntry::Unreadable, _) => ProcessState::Unknown,
    }
}

/// Returns the parent of a process; `None` if there is none or it cannot be seen.
pub fn find_parent(pid: u32) -> Option<u32> {
    let parent = proc_stat::parse_stat(&proc_stat::read_stat(pid).ok()?)?.parent;
    (parent != 0).then_some(parent)
}

/// Looks up a pid. A zombie counts as gone.
fn look_up_pid(pid: u32) -> PidEntry {
    match proc_stat::read_stat(pid) {
        Ok(text) => match proc_stat::parse_stat(&text) {
            Some(ProcStat { ended: true, .. }) => PidEntry::Free,
            Some(ProcStat { started, .. }) => PidEntry::Used(started),
            None => PidEntry::Unreadable,
        },
        Err(error) if is_no_such_process(&error) && !is_pid_used(pid) => PidEntry::Free,
        Err(_) => PidEntry::Unreadable,
    }
}

/// Returns whether an error means that there is no such process. If the process ends while its file
/// is read, the error is `ESRCH`.
fn is_no_such_process(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// Asks the kernel whether a pid is in use: `/proc` mounted with `hidepid` hides the processes of
/// others.
fn is_pid_used(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::sample_place;

    #[test]
    fn only_a_number_of_this_place_is_looked_up() {
        for elsewhere in [
            sample_place("another", "b", "n"),
            sample_place("m", "another", "n"),
            sample_place("m", "b", "another"),
            // Older rows have fewer parts.
            sample_place("", "b", ""),
            sample_place("", "", ""),
        ] {
            let process = ProcessId { pid: 1, started: Some(7), place: elsewhere };
            let evidence =
                decide_process_state(&process, &sample_place("m", "b", "n"), || unreachable!());
            assert_eq!(evidence, ProcessState::Unknown, "{process:?}");
        }
        // A part that this process cannot read compares with nothing.
        for unknown in
            [sample_place("", "b", "n"), sample_place("m", "", "n"), sample_place("m", "b", "")]
        {
            let process = ProcessId { pid: 1, started: Some(7), place: unknown.clone() };
            let evidence = decide_process_state(&process, &unknown, || unreachable!());
            assert_eq!(evidence, ProcessState::Unknown, "{process:?}");
        }
    }

    #[test]
    fn here_the_table_decides() {
        use ProcessState as Is;
        for (entry, started, expected) in [
            (PidEntry::Used(7), Some(7), Is::Running),
            (PidEntry::Used(8), Some(7), Is::Gone),
            (PidEntry::Free, Some(7), Is::Gone),
            (PidEntry::Free, None, Is::Gone),
            (PidEntry::Used(7), None, Is::Unknown),
            (PidEntry::Unreadable, Some(7), Is::Unknown),
            (PidEntry::Unreadable, None, Is::Unknown),
        ] {
            let process = ProcessId { pid: 1, started, place: sample_place("m", "b", "n") };
            let evidence = decide_process_state(&process, &sample_place("m", "b", "n"), || entry);
            assert_eq!(evidence, expected, "{entry:?} {started:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_running_and_a_reused_number_is_not() {
        let me = identify_process(std::process::id());
        assert!(me.started.is_some() && me.place.is_same_place(&me.place));
        let judged = |process: Option<&ProcessId>, host: Option<&str>| {
            check_process(process, host, &host_name())
        };
        let (name, other) = (host_name(), Some("elsewhere"));
        assert_eq!(judged(Some(&me), Some(&name)), ProcessState::Running);
        assert_eq!(judged(Some(&me), other), ProcessState::Unknown);
        assert_eq!(judged(Some(&me), None), ProcessState::Unknown);
        assert_eq!(judged(None, Some(&name)), ProcessState::Unknown);
        let later = ProcessId { started: me.started.map(|s| s + 1), ..me };
        assert_eq!(judged(Some(&later), Some(&name)), ProcessState::Gone);
    }
}
