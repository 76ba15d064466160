//! Reads of the process table. Where the system has no `/proc`, the answer is "cannot tell".

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::ProcessEvidence;
use super::place::here;
use super::stat::{self, Stat};
use crate::model::{ProcessId, ProcessPlace, Session};

/// Returns this machine's name, as `uname -n` gives it.
pub fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Identifies a running process so that another of the same number is told apart.
pub fn identify(pid: u32) -> ProcessId {
    ProcessId {
        pid,
        started: match look(pid) {
            Entry::Used(started) => Some(started),
            Entry::Free | Entry::Unreadable => None,
        },
        place: here().clone(),
    }
}

/// Looks for the process of a session on this machine.
pub fn evidence(session: &Session, this_host: &str) -> ProcessEvidence {
    evidence_of(session.process.as_ref(), session.host.as_deref(), this_host)
}

/// Looks for a process of a host on this machine.
pub fn evidence_of(
    process: Option<&ProcessId>,
    host: Option<&str>,
    this_host: &str,
) -> ProcessEvidence {
    let (Some(process), Some(host)) = (process, host) else {
        return ProcessEvidence::Unknown;
    };
    if host != this_host {
        return ProcessEvidence::Unknown;
    }
    decide(process, here(), || look(process.pid))
}

/// What the process table says of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// Nothing runs under it.
    Free,
    /// Something does, since this time.
    Used(u64),
    /// Nobody may know.
    Unreadable,
}

/// Decides what became of a process. The table is looked at only where its numbers are those
/// of the process: a process of elsewhere cannot be seen, and what cannot be seen is not gone.
fn decide(
    process: &ProcessId,
    here: &ProcessPlace,
    look: impl FnOnce() -> Entry,
) -> ProcessEvidence {
    if !process.place.is_surely(here) {
        return ProcessEvidence::Unknown;
    }
    match (look(), process.started) {
        (Entry::Used(now), Some(then)) if now == then => ProcessEvidence::Running,
        // Nothing runs under the number, or something else does.
        (Entry::Free, _) | (Entry::Used(_), Some(_)) => ProcessEvidence::Gone,
        // Something runs, but whether it is the same nobody can tell.
        (Entry::Used(_), None) | (Entry::Unreadable, _) => ProcessEvidence::Unknown,
    }
}

/// Returns the parent of a process; `None` where there is none, or it cannot be seen.
pub fn parent_of(pid: u32) -> Option<u32> {
    let parent = stat::parse(&stat::read(pid).ok()?)?.parent;
    (parent != 0).then_some(parent)
}

/// Looks a number up. A zombie counts as gone.
fn look(pid: u32) -> Entry {
    match stat::read(pid) {
        Ok(text) => match stat::parse(&text) {
            Some(Stat { ended: true, .. }) => Entry::Free,
            Some(Stat { started, .. }) => Entry::Used(started),
            None => Entry::Unreadable,
        },
        Err(error) if is_absent(&error) && !exists(pid) => Entry::Free,
        Err(_) => Entry::Unreadable,
    }
}

/// Tells whether an error means that nothing is there. A process that ends while it is read
/// is told by another word.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// Asks the kernel itself whether a number is used: a `/proc` mounted with `hidepid` shows the
/// processes of others as absent.
fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::place;

    #[test]
    fn only_a_number_of_this_place_is_looked_up() {
        for elsewhere in [
            place("another", "b", "n"),
            place("m", "another", "n"),
            place("m", "b", "another"),
            // Rows of before name less.
            place("", "b", ""),
            place("", "", ""),
        ] {
            let process = ProcessId {
                pid: 1,
                started: Some(7),
                place: elsewhere,
            };
            let evidence = decide(&process, &place("m", "b", "n"), || unreachable!());
            assert_eq!(evidence, ProcessEvidence::Unknown, "{process:?}");
        }
        // What this process cannot find out about itself is no place to compare with.
        for unknown in [
            place("", "b", "n"),
            place("m", "", "n"),
            place("m", "b", ""),
        ] {
            let process = ProcessId {
                pid: 1,
                started: Some(7),
                place: unknown.clone(),
            };
            let evidence = decide(&process, &unknown, || unreachable!());
            assert_eq!(evidence, ProcessEvidence::Unknown, "{process:?}");
        }
    }

    #[test]
    fn here_the_table_decides() {
        use ProcessEvidence as Is;
        for (entry, started, expected) in [
            (Entry::Used(7), Some(7), Is::Running),
            (Entry::Used(8), Some(7), Is::Gone),
            (Entry::Free, Some(7), Is::Gone),
            (Entry::Free, None, Is::Gone),
            (Entry::Used(7), None, Is::Unknown),
            (Entry::Unreadable, Some(7), Is::Unknown),
            (Entry::Unreadable, None, Is::Unknown),
        ] {
            let process = ProcessId {
                pid: 1,
                started,
                place: place("m", "b", "n"),
            };
            let evidence = decide(&process, &place("m", "b", "n"), || entry);
            assert_eq!(evidence, expected, "{entry:?} {started:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_running_and_a_reused_number_is_not() {
        let me = identify(std::process::id());
        assert!(me.started.is_some() && me.place.is_surely(&me.place));
        let judged = |process: Option<&ProcessId>, host: Option<&str>| {
            evidence_of(process, host, &host_name())
        };
        let (name, other) = (host_name(), Some("elsewhere"));
        assert_eq!(judged(Some(&me), Some(&name)), ProcessEvidence::Running);
        assert_eq!(judged(Some(&me), other), ProcessEvidence::Unknown);
        assert_eq!(judged(Some(&me), None), ProcessEvidence::Unknown);
        assert_eq!(judged(None, Some(&name)), ProcessEvidence::Unknown);
        let later = ProcessId {
            started: me.started.map(|s| s + 1),
            ..me
        };
        assert_eq!(judged(Some(&later), Some(&name)), ProcessEvidence::Gone);
    }
}
