//! The names of phases.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::typing_error::is_one_typing_error;

/// A kind of work in a workflow. The usual ones come first, in the usual order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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
    /// What a project calls a kind of work of its own.
    Own(OwnPhaseName),
}

/// The name of a kind of work that is none of the usual ones, such as `security-review`.
///
/// 1 to 32 characters: small letters, digits and dashes, starting with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnPhaseName(Box<str>);

/// The error for a text that cannot name a phase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "phase name {0:?} is not a word of at most {MAX_CHARS} small letters, digits and dashes that \
     starts with a letter"
)]
pub struct PhaseNameError(String);

/// Longest name of a phase, in characters.
const MAX_CHARS: usize = 32;

/// Longest excerpt of a bad name in an error, in characters.
const MAX_EXCERPT_CHARS: usize = 40;

impl PhaseName {
    /// The usual phases, in the order of a workflow.
    pub const USUAL: [Self; 10] = [
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

    /// What the text of every name matches.
    pub const PATTERN: &str = "^[a-z][a-z0-9-]{0,31}$";

    /// Returns the stored text.
    pub fn as_str(&self) -> &str {
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
            Self::Own(name) => &name.0,
        }
    }

    /// Returns the usual phase that an own name is one typing error away from.
    pub fn find_intended(&self) -> Option<Self> {
        let Self::Own(name) = self else {
            return None;
        };
        Self::USUAL.into_iter().find(|usual| is_one_typing_error(&name.0, usual.as_str()))
    }
}

impl FromStr for PhaseName {
    type Err = PhaseNameError;

    /// Parses a name; surrounding space is ignored, and in usual names case.
    fn from_str(text: &str) -> Result<Self, PhaseNameError> {
        let word = text.trim();
        let usual = Self::USUAL.into_iter().find(|name| name.as_str().eq_ignore_ascii_case(word));
        match usual {
            Some(usual) => Ok(usual),
            None if is_own_name(word) => Ok(Self::Own(OwnPhaseName(word.into()))),
            None => Err(PhaseNameError(word.chars().take(MAX_EXCERPT_CHARS).collect())),
        }
    }
}

fn is_own_name(word: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    word.len() <= MAX_CHARS
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(is_allowed)
}

impl TryFrom<String> for PhaseName {
    type Error = PhaseNameError;

    fn try_from(text: String) -> Result<Self, PhaseNameError> {
        text.parse()
    }
}

impl From<PhaseName> for String {
    fn from(name: PhaseName) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for PhaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
