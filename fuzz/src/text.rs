//! What several laws say of texts and of edits in them.

use std::ops::Range;

/// Returns how many lines a text has; only `\n` ends one.
pub(crate) fn lines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count()
}

/// Asserts that one piece of a text was replaced and every other byte stayed.
#[track_caller]
pub(crate) fn assert_replaced(before: &[u8], after: &[u8], piece: &Range<usize>, new: &str) {
    let expected = [&before[..piece.start], new.as_bytes(), &before[piece.end..]].concat();
    assert_eq!(after, expected, "{piece:?} became {new:?}");
}

/// Asserts that what a person is told stands on one line and does nothing to a terminal.
#[track_caller]
pub(crate) fn assert_one_line(told: &str) {
    assert!(!told.chars().any(char::is_control), "{told:?}");
}
