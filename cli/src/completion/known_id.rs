//! An id that may follow in a command line.

use trueup_core::text::one_line;

/// Longest description, in characters.
const MAX_ABOUT_CHARS: usize = 60;

/// An id, and what it is of, for shells that show that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownId {
    pub(super) id: String,
    pub(super) about: String,
}

impl KnownId {
    pub(super) fn new(id: &impl ToString, about: impl AsRef<str>) -> Self {
        Self { id: id.to_string(), about: one_line(about.as_ref(), MAX_ABOUT_CHARS) }
    }
}
