//! The names of phases.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of work in a workflow, in the usual order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhaseName {
    /// Writes the plan.
    Plan,
    /// Records the errors that exist before the change.
    Validate,
    /// Makes the change.
    Build,
    /// Checks its style.
    Lint,
    /// Tests it.
    Test,
    /// Reviews it.
    Review,
    /// Documents it.
    Document,
    /// Merges it.
    Ship,
    /// Cleans up.
    Cleanup,
    /// Checks that it works where it was shipped.
    Verify,
}

/// The error for a word that names no phase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown phase {0:?}; known are {known}", known = PhaseName::ALL.map(PhaseName::as_str).join(", "))]
pub struct UnknownPhase(String);

/// Longest excerpt of an unknown word in an error, in characters.
const MAX_EXCERPT_CHARS: usize = 40;

impl PhaseName {
    /// Every phase, in the order of a workflow.
    pub const ALL: [Self; 10] = [
        Self::Plan,
        Self::Validate,
        Self::Build,
        Self::Lint,
        Self::Test,
        Self::Review,
        Self::Document,
        Self::Ship,
        Self::Cleanup,
        Self::Verify,
    ];

    /// Returns the stored text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Validate => "validate",
            Self::Build => "build",
            Self::Lint => "lint",
            Self::Test => "test",
            Self::Review => "review",
            Self::Document => "document",
            Self::Ship => "ship",
            Self::Cleanup => "cleanup",
            Self::Verify => "verify",
        }
    }
}

impl FromStr for PhaseName {
    type Err = UnknownPhase;

    /// Parses a name; case and surrounding space are ignored.
    fn from_str(text: &str) -> Result<Self, UnknownPhase> {
        let word = text.trim();
        Self::ALL
            .into_iter()
            .find(|name| name.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| UnknownPhase(word.chars().take(MAX_EXCERPT_CHARS).collect()))
    }
}

impl fmt::Display for PhaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
