//! Whether the client's processes can be asked whether they run.

use trueup_core::liveness::missing_parts;
use trueup_core::model::{Session, SessionStatus};
use trueup_core::store::{SessionFilter, Store as _};

use super::Finding;
use crate::desk::Desk;

/// Sessions looked at, the latest sign of life first.
const RECENT: u32 = 100;

/// Tells whether a session that dies is found out by its process, or only by its silence.
pub(super) fn processes(desk: &Desk, _: bool) -> Finding {
    // Other checks tell of a database that cannot be asked.
    let sessions = desk.open().ok().and_then(|mut store| {
        let filter = SessionFilter {
            statuses: SessionStatus::PRESENT,
            limit: RECENT,
            ..SessionFilter::default()
        };
        store.sessions(&filter).ok()
    });
    let sessions = sessions.unwrap_or_default();
    let unnamed = sessions.iter().filter(|session| is_unnamed(session, desk));
    judge(&missing_parts(), unnamed.count(), sessions.len())
}

/// Tells whether nobody knows the process of a session that is at work on this machine.
fn is_unnamed(session: &Session, desk: &Desk) -> bool {
    session.process.is_none()
        && !session.lease_expired()
        && session.host.as_ref() == Some(&desk.site.host)
}

fn judge(missing: &[&str], unnamed: usize, sessions: usize) -> Finding {
    if !missing.is_empty() {
        return Finding::warn(
            format!(
                "no {} can be read here, so that no process can be asked whether it runs: what dies is given up after the ceiling alone",
                missing.join(" and no ")
            ),
            "mount /proc, and give the machine an id: `systemd-machine-id-setup`",
        );
    }
    if unnamed > 0 {
        return Finding::fail(
            format!(
                "of {sessions} sessions {unnamed} do not say which process is theirs: their client sets no CLAUDE_PID, and nothing above their hooks is the client"
            ),
            "update Claude Code: `claude update`",
        );
    }
    Finding::ok("what dies is found out by its process")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        for (missing, unnamed, word, says) in [
            (&[][..], 0, "ok", "found out by its process"),
            (&[], 2, "fail", "of 5 sessions 2 do not say"),
            (
                &["machine id", "boot id"],
                2,
                "warn",
                "no machine id and no boot id",
            ),
        ] {
            let check = judge(missing, unnamed, 5);
            assert_eq!(check.status.as_str(), word, "{}", check.detail);
            assert!(check.detail.contains(says), "{}", check.detail);
            assert_eq!(check.fix.is_some(), word != "ok");
        }
    }
}
