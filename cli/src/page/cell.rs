//! A cell of a table.

use super::{Span, Tone};

/// The text of an absent value, so that a row has a word in every column.
pub(super) const ABSENT: &str = "-";

/// A cell: one text with one tone. It is never padded; the table does that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell(pub(super) Span);

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::toned(Tone::Plain, text)
    }

    pub(crate) fn toned(tone: Tone, text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::absent() } else { Self(Span::new(tone, text)) }
    }

    /// Makes a cell of a value that may be absent.
    pub(crate) fn optional(text: Option<impl Into<String>>) -> Self {
        text.map_or_else(Self::absent, |text| Self::new(text))
    }

    /// Makes a cell without a value.
    pub(crate) fn absent() -> Self {
        Self(Span::new(Tone::Faint, ABSENT))
    }

    /// Makes an empty cell of the last column, where a word would only be noise.
    pub(crate) fn nothing() -> Self {
        Self(Span::from(""))
    }

    /// Makes a cell of less interest, such as an age.
    pub(crate) fn faint(text: impl Into<String>) -> Self {
        Self::toned(Tone::Faint, text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
