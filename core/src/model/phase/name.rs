//! The closed vocabulary of phases.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of work in a workflow (seed 1), in the usual order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhaseName {
    /// Writes the plan.
    Plan,
    /// Records the errors that are there before.
    Validate,
    /// Makes the change.
    Build,
    /// Checks its form.
    Lint,
    /// Checks what it does.
    Test,
    /// Reads it.
    Review,
    /// Describes it.
    Document,
    /// Merges it.
    Ship,
    /// Clears up.
    Cleanup,
    /// Looks whether it works where it went.
    Verify,
}

/// A word that names no phase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown phase {0:?}; known are {known}", known = PhaseName::ALL.map(PhaseName::as_str).join(", "))]
pub struct UnknownPhase(String);

/// Longest excerpt of an unknown word that the error repeats, in characters.
const MAX_EXCERPT_CHARS: usize = 40;

impl PhaseName {
    /// Every phase, in the order in which a workflow goes through them.
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

    /// Returns the stored spelling.
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

    /// Reads a name; case and surrounding space do not matter.
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
