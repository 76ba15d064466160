//! The check of one repository, as it is reported.

use std::path::PathBuf;

use trueup_core::consistency::{CheckError, CheckFinding, CheckReport, Checkout};
use trueup_core::diagnostic::{AdviceKind, Code, Divergence};
use trueup_core::text::path_to_text;

use crate::command_context::CommandContext;

/// The check of one repository.
pub(super) struct RepoCheck {
    /// Slug or path.
    pub(super) repo: String,
    pub(super) root: PathBuf,
    /// Absent where the repository was skipped.
    pub(super) outcome: Option<CheckReport>,
    /// Why the repository was skipped.
    pub(super) skip_reason: Option<String>,
}

impl RepoCheck {
    /// Adds the directory of the repository to its fixes, unless the reader is in it.
    pub(super) fn set_fix_directories(&mut self, context: &CommandContext) {
        if self.root == context.cwd() {
            return;
        }
        let findings = self.outcome.iter_mut().flat_map(|it| &mut it.findings);
        for finding in findings {
            finding.divergence.advice.set_directory(&self.root);
        }
    }
}

/// Builds the report of a repository whose check failed.
pub(super) fn build_failed_outcome(target: &Checkout, error: &CheckError) -> CheckReport {
    let slug = target.slug.as_ref().map(ToString::to_string);
    let name = slug.unwrap_or_else(|| path_to_text(&target.root));
    let code = match error {
        CheckError::Store(error) => error.code(),
        CheckError::Io(_) => "io",
    };
    CheckReport {
        findings: vec![build_failed_check_finding(&name, &error.to_string(), code)],
        repo: name,
        ..CheckReport::default()
    }
}

/// Makes the finding that the check itself failed; `code` is the code of the error.
pub(super) fn build_failed_check_finding(subject: &str, reason: &str, code: &str) -> CheckFinding {
    CheckFinding {
        divergence: Divergence::new(
            Code::CheckFailed,
            subject,
            format!("{subject} could not be checked: {reason}"),
            AdviceKind::from_store_error(code),
        ),
        path: None,
        place: None,
        fix: None,
        is_fixed: false,
    }
}
