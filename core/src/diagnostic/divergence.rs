//! One difference between two copies.

use serde::Serialize;

use super::{Advice, Code, Severity};
use crate::authority::Authority;

/// One difference between two copies, as it is printed and as `--json` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Divergence {
    /// The kind of difference.
    pub code: Code,
    /// How much it matters; usually that of the code.
    pub severity: Severity,
    /// The session, item, workflow or file it is about.
    pub subject: String,
    /// The copy that is right: `database`, `file` or `git`.
    pub authority: &'static str,
    /// What the right copy says.
    pub expected: Option<String>,
    /// What the other copy says.
    pub found: Option<String>,
    /// The line for a person, complete in itself.
    pub message: String,
    /// What ends it.
    #[serde(rename = "fix")]
    pub advice: Advice,
}

impl Divergence {
    /// Makes a divergence with the severity and the authority of its code.
    pub fn new(
        code: Code,
        subject: impl Into<String>,
        message: impl Into<String>,
        advice: impl Into<Advice>,
    ) -> Self {
        Self {
            code,
            severity: code.severity(),
            subject: subject.into(),
            authority: code.authority().as_str(),
            expected: None,
            found: None,
            message: message.into(),
            advice: advice.into(),
        }
    }

    /// Replaces the severity of the code.
    #[must_use]
    pub const fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Replaces the authority of the code, for a code whose authority depends on ranks.
    #[must_use]
    pub const fn with_authority(mut self, authority: Authority) -> Self {
        self.authority = authority.as_str();
        self
    }

    /// Sets what the right copy and the other copy say.
    #[must_use]
    pub fn with_values(mut self, expected: Option<String>, found: Option<String>) -> Self {
        self.expected = expected;
        self.found = found;
        self
    }

    /// Replaces what ends it.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<Advice>) -> Self {
        self.advice = advice.into();
        self
    }

    /// Replaces what it is about.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }
}
