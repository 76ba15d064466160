//! Checks that dead sessions can be detected by their processes.

use crate::command_context::CommandContext;
use trueup_core::liveness::unreadable_place_parts;
use trueup_core::model::Session;

use super::check_result::CheckResult;
use super::session_sample::{is_live_here, list_present_sessions};

/// Checks that a dead session is detected by its process, not only by its silence.
pub(super) fn check_client_processes(context: &CommandContext, _: bool) -> CheckResult {
    let sessions = list_present_sessions(context);
    let without_process = sessions.iter().filter(|session| is_without_process(session, context));
    let environment = &context.environment;
    let is_in_session = environment.os_value("CLAUDE_CODE_SESSION_ID").is_some();
    let is_pid_unset = is_in_session && environment.os_value("CLAUDE_PID").is_none();
    assess_processes(
        &unreadable_place_parts(),
        without_process.count(),
        sessions.len(),
        is_pid_unset,
    )
}

/// Tells whether a live session of this machine has no recorded process.
fn is_without_process(session: &Session, context: &CommandContext) -> bool {
    session.process.is_none() && is_live_here(session, context)
}

/// Assesses the parts of process identity that cannot be read here, the number of sessions without
/// a process, and whether the client of this command sets no `CLAUDE_PID`.
fn assess_processes(
    missing: &[&str],
    without_process: usize,
    sessions: usize,
    is_pid_unset: bool,
) -> CheckResult {
    if !missing.is_empty() {
        return CheckResult::warn(
            format!(
                "{} cannot be read, so it is unknown which processes run: dead sessions are freed only after the ceiling",
                missing.join(" and ")
            ),
            "mount /proc, and give the machine an id: `systemd-machine-id-setup`",
        );
    }
    if without_process > 0 {
        return CheckResult::fail(
            format!(
                "{without_process} of {sessions} sessions have an unknown process: their client does not set CLAUDE_PID, and no parent of their hooks is the client"
            ),
            "update Claude Code: `claude update`",
        );
    }
    if is_pid_unset {
        return CheckResult::fail(
            "the client of this session does not set CLAUDE_PID: it is an older version, found through the parents of its hooks",
            "update Claude Code: `claude update`",
        );
    }
    CheckResult::ok("dead sessions are detected by their process")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        for (missing, unnamed, is_unset, word, says) in [
            (&[][..], 0, false, "ok", "detected by their process"),
            (&[], 0, true, "fail", "does not set CLAUDE_PID"),
            (&[], 2, true, "fail", "2 of 5 sessions have an unknown"),
            (&["machine id", "boot id"], 2, true, "warn", "machine id and boot id cannot be read"),
        ] {
            let check = assess_processes(missing, unnamed, 5, is_unset);
            assert_eq!(check.status.as_str(), word, "{}", check.detail);
            assert!(check.detail.contains(says), "{}", check.detail);
            assert_eq!(check.fix.is_some(), word != "ok");
        }
    }
}
