//! Findings of a check, and how they are worded.

use super::fix::Fix;
use crate::authority::Authority;
use crate::diagnostic::{AdviceKind, Code, Divergence, FileLine};
use crate::text::one_line;
use crate::text::redact::redact;
use crate::workplan::TextPosition;

/// Longest value shown in a finding, in characters.
const MAX_VALUE_CHARS: usize = 200;

/// A divergence between a file, the database and git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFinding {
    /// What differs, with the advice for a person.
    pub divergence: Divergence,
    /// Path of the file, from the root of the repository.
    pub path: Option<String>,
    /// Position in the file.
    pub place: Option<TextPosition>,
    /// What `check --fix` does about it; `None` when a person has to act.
    pub fix: Option<Fix>,
    /// Whether a fix ended it.
    pub is_fixed: bool,
}

impl CheckFinding {
    /// Creates a finding whose advice is `check --fix` until [`advise`](Self::advise) says
    /// otherwise.
    pub(super) fn new(
        code: Code,
        subject: impl Into<String>,
        authority: Authority,
        text: impl Into<String>,
    ) -> Self {
        Self {
            divergence: Divergence::new(code, subject, text, AdviceKind::FixCheckout)
                .with_authority(authority),
            path: None,
            place: None,
            fix: None,
            is_fixed: false,
        }
    }

    /// Sets the position, which the message begins with, as that of a compiler does.
    pub(super) fn at(mut self, path: &str, place: Option<TextPosition>) -> Self {
        let message = &mut self.divergence.message;
        *message = match place {
            Some(TextPosition { line, column }) => format!("{path}:{line}:{column}: {message}"),
            None => format!("{path}: {message}"),
        };
        self.path = Some(path.to_owned());
        self.place = place;
        self
    }

    /// Sets the value of the authority, and the value of the side that differs.
    pub(super) fn with_values(mut self, expected: Option<&str>, found: Option<&str>) -> Self {
        self.divergence.expected = expected.map(redacted_line);
        self.divergence.found = found.map(redacted_line);
        self
    }

    /// Sets what a person has to do.
    pub(super) fn advise(mut self, advice: AdviceKind) -> Self {
        self.divergence.advice = advice.into();
        self
    }

    /// Sets what `check --fix` does.
    pub(super) fn with_fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Returns what makes a finding the same one in a later snapshot. The position is not part
    /// of it: an edit above moves it.
    pub(super) fn identity(&self) -> (Code, &str, Option<&str>, Option<&str>) {
        let it = &self.divergence;
        // One task may lack several dependencies.
        let dependency = it.expected.as_deref().filter(|_| it.code == Code::DependencyMissing);
        (it.code, &it.subject, self.path.as_deref(), dependency)
    }

    /// Returns whether the finding is that a file does not exist.
    pub(super) fn is_missing_file(&self) -> bool {
        let missing = [
            Code::NoWorkplans,
            Code::OpenWorkplanWithoutFile,
            Code::FinishedWorkplanWithoutFile,
            Code::UnlinkedDuplicate,
        ];
        missing.contains(&self.divergence.code)
    }
}

/// Shows a value of a file or the database as one short line without secrets: findings end up in
/// logs that others read.
pub(super) fn redacted_line(text: &str) -> String {
    let line = one_line(text, MAX_VALUE_CHARS);
    redact(&line).text.into_owned()
}

/// Shows an error of git without secrets: an address may hold a password.
pub(super) fn redacted_error(error: &dyn std::fmt::Display) -> String {
    redact(&error.to_string()).text.into_owned()
}

/// Returns a position in a file as advice to a person names it.
pub(super) fn file_line(path: &str, place: TextPosition) -> FileLine {
    FileLine::new(path, place.line)
}
