//! Positions and byte ranges in a file, and problems at positions.

use crate::text::markdown::strip_byte_order_mark;

/// A position in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPosition {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1; a byte order mark does not count.
    pub column: u32,
}

impl TextPosition {
    /// The beginning of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

/// Something in a file that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {text}", place.line, place.column)]
pub struct Problem {
    /// Its position.
    pub place: TextPosition,
    /// What is wrong, in one line.
    pub text: String,
}

impl Problem {
    pub(super) fn new(place: TextPosition, text: impl Into<String>) -> Self {
        Self { place, text: text.into() }
    }
}

/// A byte range, `start..end`, in half the memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ByteSpan {
    start: u32,
    end: u32,
}

impl ByteSpan {
    /// Offsets fit into 32 bits, because larger files are not parsed.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: short(start), end: short(end) }
    }

    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Converts byte offsets into positions. It only goes forward, so that a line with thousands of
/// values is counted once, not once for each value.
#[derive(Debug, Clone)]
pub(super) struct PositionCounter<'a> {
    text: &'a str,
    at: usize,
    place: TextPosition,
}

impl<'a> PositionCounter<'a> {
    /// Begins at the first byte of a line.
    pub(super) fn new(text: &'a str, line_start: usize, line: u32) -> Self {
        Self { text, at: line_start, place: TextPosition { line, column: 1 } }
    }

    /// Returns the position of an offset, which is not before the previous one.
    pub(super) fn advance_to(&mut self, at: usize) -> TextPosition {
        for character in self.text.get(self.at..at).unwrap_or_default().chars() {
            if character == '\n' {
                self.place.line += 1;
                self.place.column = 1;
            } else {
                self.place.column += 1;
            }
        }
        self.at = self.at.max(at);
        self.place
    }
}

/// Returns the position after the last character of a text.
pub(super) fn end_of_text(text: &str) -> TextPosition {
    let start = text.len() - strip_byte_order_mark(text).len();
    PositionCounter::new(text, start, 1).advance_to(text.len())
}
