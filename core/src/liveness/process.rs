//! Reads of the process table. Where the system has no `/proc`, the answer is "cannot tell".

use std::io;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::ProcessEvidence;
use crate::files::{read_bytes, read_text};
use crate::model::{ProcessId, Session};

/// Largest file of `/proc` read, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Returns this machine's name, as `uname -n` gives it.
pub fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Identifies a running process so that a later one of the same number is told apart.
pub fn identify(pid: u32) -> ProcessId {
    ProcessId {
        pid,
        started: started(pid).ok().flatten(),
        boot: boot(),
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
    let (Some(then), Some(now)) = (&process.boot, boot()) else {
        return ProcessEvidence::Unknown;
    };
    // A machine that has booted since runs nothing of before.
    if *then != now {
        return ProcessEvidence::Gone;
    }
    match (started(process.pid), process.started) {
        (Ok(Some(now)), Some(then)) if now == then => ProcessEvidence::Running,
        // Nothing runs under the number, or something else does.
        (Ok(None), _) | (Ok(Some(_)), Some(_)) => ProcessEvidence::Gone,
        // Something runs, but whether it is the same nobody can tell.
        (Ok(Some(_)), None) | (Err(_), _) => ProcessEvidence::Unknown,
    }
}

fn boot() -> Option<String> {
    let text = read_text(Path::new("/proc/sys/kernel/random/boot_id"), LARGEST, true).ok()?;
    Some(text.trim().to_owned())
}

/// Asks the kernel itself whether a number is used: a `/proc` mounted with `hidepid` shows the
/// processes of others as absent.
fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

/// Reads field 22 of `/proc/PID/stat`; `None` when nothing runs under the number. The name in
/// field 2 may hold spaces, brackets and half a character, so counting starts behind its last
/// closing bracket, in bytes. A zombie counts as gone.
fn started(pid: u32) -> io::Result<Option<u64>> {
    let stat = match read_bytes(Path::new(&format!("/proc/{pid}/stat")), LARGEST, true) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && exists(pid) => {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let strange = || io::Error::other("no form of /proc/PID/stat that is known");
    let name_ends = stat
        .iter()
        .rposition(|byte| *byte == b')')
        .ok_or_else(strange)?;
    let rest = stat.get(name_ends + 1..).ok_or_else(strange)?;
    let mut fields = std::str::from_utf8(rest)
        .map_err(io::Error::other)?
        .split_ascii_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return Ok(None);
    }
    let ticks = fields.nth(18).and_then(|ticks| ticks.parse().ok());
    ticks.map(Some).ok_or_else(strange)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::model::SessionStatus;
    use crate::model::fixture::session;

    #[test]
    fn this_process_is_running_and_a_reused_number_is_not() {
        let me = identify(std::process::id());
        assert!(me.started.is_some() && me.boot.is_some());
        let mut session = session("s", SessionStatus::Active, 0);
        session.host = Some(host_name());
        session.process = Some(me.clone());
        assert_eq!(evidence(&session, &host_name()), ProcessEvidence::Running);
        assert_eq!(evidence(&session, "elsewhere"), ProcessEvidence::Unknown);

        session.process = Some(ProcessId {
            started: me.started.map(|s| s + 1),
            ..me.clone()
        });
        assert_eq!(
            evidence(&session, &host_name()),
            ProcessEvidence::Gone,
            "reused number"
        );
        session.process = Some(ProcessId {
            boot: Some("before".to_owned()),
            ..me
        });
        assert_eq!(
            evidence(&session, &host_name()),
            ProcessEvidence::Gone,
            "other boot"
        );
        session.process = None;
        assert_eq!(evidence(&session, &host_name()), ProcessEvidence::Unknown);
    }
}
