//! What the codes of a check are called.

use trueup_core::consistency::CheckFinding;
use trueup_core::reconcile::{Code, Divergence, Way};

/// Returns what a code is about, in a line.
pub(super) const fn describe_code(code: Code) -> &'static str {
    match code {
        Code::C00 => "the check itself failed",
        Code::C01 => "no workplans",
        Code::C02 => "does not parse",
        Code::C03 => "unknown to the database",
        Code::C04 => "workplan status differs",
        Code::C05 => "title differs",
        Code::C06 => "workplan is not linked",
        Code::C07 => "open workplan without a file",
        Code::C08 => "finished workplan without a file",
        Code::C09 => "wrong repository in the database",
        Code::C10 => "file is ahead of the database",
        Code::C11 => "task is not linked",
        Code::C12 => "task without a block",
        Code::C13 => "all tasks are finished, but the workplan is open",
        Code::C14 => "unlinked duplicate of a workplan",
        Code::C15 => "database is ahead of the file",
        Code::C16 => "branch is behind its remote",
        Code::C17 => "commits are not pushed",
        Code::C19 => "planning differs",
        Code::C20 => "dependency is missing in the database",
        Code::C22 => "description differs",
        Code::C23 => "task is in progress, but the workplan is not started",
        _ => "differs",
    }
}

/// Makes the finding of a check that could not be made; `code` is that of the error.
pub(super) fn build_failed_check_finding(subject: &str, reason: &str, code: &str) -> CheckFinding {
    CheckFinding {
        divergence: Divergence {
            code: Code::C00,
            severity: Code::C00.severity(),
            subject: subject.to_owned(),
            authority: "database",
            expected: None,
            found: None,
            message: format!("{subject} could not be checked: {reason}"),
            fix: Way::from_store_error(code).into(),
        },
        path: None,
        place: None,
    }
}
