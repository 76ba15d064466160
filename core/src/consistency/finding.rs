//! What was found, and where.

use crate::authority::Authority;
use crate::reconcile::{Code, Divergence, FileLine, Severity, Way};
use crate::text::one_line;
use crate::text::redact::redact;
use crate::workplan::TextPosition;

/// A finding with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFinding {
    /// What it is.
    pub divergence: Divergence,
    /// The file, from the repository's root.
    pub path: Option<String>,
    /// The place in it.
    pub place: Option<TextPosition>,
}

/// Makes findings of one kind of subject.
#[derive(Debug, Clone)]
pub(super) struct FindingBuilder {
    code: Code,
    subject: String,
    authority: Authority,
    path: Option<String>,
    place: Option<TextPosition>,
    expected: Option<String>,
    found: Option<String>,
    severity: Severity,
    fix: Way,
}

/// Longest value shown, in characters.
const MAX_VALUE_CHARS: usize = 200;

/// Shows what a file or the database says: a line of bounded length, without secrets, since
/// findings end up in the logs of others.
pub(super) fn redacted_line(text: &str) -> String {
    let line = one_line(text, MAX_VALUE_CHARS);
    redact(&line).text.into_owned()
}

/// Shows what git said: an address may hold a password.
pub(super) fn redacted_error(error: &dyn std::fmt::Display) -> String {
    redact(&error.to_string()).text.into_owned()
}

/// Returns a place in a file, for a person who changes it.
pub(super) fn file_line(path: &str, place: TextPosition) -> FileLine {
    FileLine::new(path, place.line)
}

/// Counts things for a person.
pub(super) fn count_of(count: u64, noun: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{end}")
}

impl FindingBuilder {
    /// Begins a finding that `check --fix` ends, unless another way is said.
    pub(super) fn new(code: Code, subject: impl Into<String>, authority: Authority) -> Self {
        Self {
            code,
            subject: subject.into(),
            authority,
            path: None,
            place: None,
            expected: None,
            found: None,
            severity: code.severity(),
            fix: Way::FixCheckout,
        }
    }

    pub(super) fn at_place(mut self, path: &str, place: Option<TextPosition>) -> Self {
        self.path = Some(path.to_owned());
        self.place = place;
        self
    }

    /// What the authority says, and what the other one does.
    pub(super) fn with_values(mut self, expected: Option<&str>, found: Option<&str>) -> Self {
        self.expected = expected.map(redacted_line);
        self.found = found.map(redacted_line);
        self
    }

    pub(super) const fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says what ends it.
    pub(super) fn with_fix(mut self, way: Way) -> Self {
        self.fix = way;
        self
    }

    /// Says it. The line begins with the place, as a compiler's does.
    pub(super) fn build(self, text: &str) -> CheckFinding {
        let message = match (&self.path, self.place) {
            (Some(path), Some(place)) => {
                format!("{path}:{}:{}: {text}", place.line, place.column)
            }
            (Some(path), None) => format!("{path}: {text}"),
            (None, _) => text.to_owned(),
        };
        CheckFinding {
            divergence: Divergence {
                code: self.code,
                severity: self.severity,
                subject: self.subject,
                authority: self.authority.as_str(),
                expected: self.expected,
                found: self.found,
                message,
                fix: self.fix.into(),
            },
            path: self.path,
            place: self.place,
        }
    }
}
