//! What cannot be understood in a workplan file.

use crate::workplan::TextPosition;

/// A part of a file that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseProblem {
    /// Its position.
    pub place: TextPosition,
    /// The id it concerns, or the path where there is no id.
    pub subject: String,
    /// What is wrong, in one line.
    pub text: String,
}

impl ParseProblem {
    pub(super) fn new(place: TextPosition, subject: &str, text: impl Into<String>) -> Self {
        Self { place, subject: subject.chars().take(60).collect(), text: text.into() }
    }
}
