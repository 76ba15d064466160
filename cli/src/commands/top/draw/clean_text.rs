//! Cleaning what is drawn: it may come from the database.

use trueup_core::text::one_line;

/// Longest text that is cleaned for one place of the screen, in characters.
const MAX_TEXT_CHARS: usize = 400;

/// Cleans a text for the screen.
pub(super) fn clean(text: &str) -> String {
    one_line(text, MAX_TEXT_CHARS)
}
