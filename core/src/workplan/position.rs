//! Where something stands, and what is wrong there.

use super::numbered_lines::strip_byte_order_mark;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPosition {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1; a byte order mark is none.
    pub column: u32,
}

impl TextPosition {
    /// Where a file begins.
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// What a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {text}", place.line, place.column)]
pub struct Problem {
    /// Where.
    pub place: TextPosition,
    /// What is wrong, in one line.
    pub text: String,
}

impl Problem {
    pub(super) fn new(place: TextPosition, text: impl Into<String>) -> Self {
        Self {
            place,
            text: text.into(),
        }
    }
}

/// Bytes of a file: `start..end` in half the memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ByteSpan {
    start: u32,
    end: u32,
}

impl ByteSpan {
    /// No file is longer than 32 bits can count, see [`super::parse`].
    pub(super) fn new(start: usize, end: usize) -> Self {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: short(start),
            end: short(end),
        }
    }

    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Counts places. It only goes forward, so that a line with thousands of values is counted
/// once and not once for each.
#[derive(Debug, Clone)]
pub(super) struct PositionCounter<'a> {
    text: &'a str,
    at: usize,
    place: TextPosition,
}

impl<'a> PositionCounter<'a> {
    /// Begins where a line begins.
    pub(super) fn new(text: &'a str, line_start: usize, line: u32) -> Self {
        Self {
            text,
            at: line_start,
            place: TextPosition { line, column: 1 },
        }
    }

    /// Returns the place of a byte that is not before the last one.
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

/// Returns the place behind a text.
pub(super) fn end_of_text(text: &str) -> TextPosition {
    let start = text.len() - strip_byte_order_mark(text).len();
    PositionCounter::new(text, start, 1).advance_to(text.len())
}
