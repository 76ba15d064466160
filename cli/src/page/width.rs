//! Columns that a text takes on a terminal, and shortening a text to some.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr as _};

/// What stands for the part of a text that was left out.
const ELLIPSIS: &str = "…";

/// Which part of a text is left out where there is no room for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Omit {
    /// Of ids that begin alike: what tells them apart is at their ends.
    Middle,
    /// The end, as of a title.
    End,
    /// The beginning, as of a path.
    Beginning,
}

/// Returns the columns that a text takes.
pub(super) fn display_width(text: &str) -> usize {
    if is_ascii(text) { text.len() } else { graphemes(text).map(|(_, width)| width).sum() }
}

/// Splits a text into what a person sees as one character each, with its columns.
pub(super) fn graphemes(text: &str) -> impl DoubleEndedIterator<Item = (&str, usize)> {
    text.graphemes(true).map(|grapheme| {
        // Terminals differ on joined emoji: the wider reading never runs over the edge.
        let apart = grapheme.chars().filter_map(UnicodeWidthChar::width).sum();
        (grapheme, grapheme.width().max(apart))
    })
}

/// Most columns kept of an end behind a middle that is left out.
const MAX_END_COLUMNS: usize = 12;

/// Shortens a text to at most `columns`, with `…` in place of what is left out.
pub(super) fn shorten(text: &str, columns: usize, omit: Omit) -> String {
    if display_width(text) <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(display_width(ELLIPSIS)) else {
        return String::new();
    };
    match omit {
        Omit::End => {
            let end = fitting_bytes(graphemes(text), room);
            text.get(..end).unwrap_or_default().trim_end().to_owned() + ELLIPSIS
        }
        Omit::Middle => {
            let end = fitting_bytes(graphemes(text).rev(), (room / 2).min(MAX_END_COLUMNS));
            let end = text.get(text.len() - end..).unwrap_or_default();
            let start = fitting_bytes(graphemes(text), room - display_width(end));
            text.get(..start).unwrap_or_default().to_owned() + ELLIPSIS + end
        }
        Omit::Beginning => {
            let kept = fitting_bytes(graphemes(text).rev(), room);
            let start = text.len() - kept;
            ELLIPSIS.to_owned() + text.get(start..).unwrap_or_default().trim_start()
        }
    }
}

/// Adds spaces up to a width, before or after the text.
pub(super) fn padding(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(display_width(text)))
}

/// Returns how many bytes of leading graphemes fit into `room` columns.
fn fitting_bytes<'a>(parts: impl Iterator<Item = (&'a str, usize)>, room: usize) -> usize {
    let mut used = 0;
    let fitting = parts.take_while(|(_, width)| {
        used += width;
        used <= room
    });
    fitting.map(|(part, _)| part.len()).sum()
}

fn is_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_combining_characters_count_as_they_are_shown() {
        for (text, columns) in
            [("abc", 3), ("日本", 4), ("e\u{301}a", 2), ("👩\u{200d}💻", 4), ("🇩🇪", 2), ("", 0)]
        {
            assert_eq!(display_width(text), columns, "{text:?}");
        }
    }

    #[test]
    fn a_shortened_text_fits_and_keeps_whole_characters() {
        for (text, columns, omit, expected) in [
            ("title", 5, Omit::End, "title"),
            ("title", 4, Omit::End, "tit…"),
            ("日本語", 4, Omit::End, "日…"),
            ("日本語", 5, Omit::End, "日本…"),
            ("e\u{301}e\u{301}e\u{301}", 2, Omit::End, "e\u{301}…"),
            ("one two", 5, Omit::End, "one…"),
            ("/home/ann/shop", 6, Omit::Beginning, "…/shop"),
            ("3f9a2c41-d07b-4a5e:12", 11, Omit::Middle, "3f9a2…5e:12"),
            ("日本語日本語", 6, Omit::Middle, "日…語"),
            ("title", 1, Omit::Middle, "…"),
            ("title", 1, Omit::End, "…"),
            ("title", 0, Omit::End, ""),
        ] {
            assert_eq!(shorten(text, columns, omit), expected);
            assert!(display_width(&shorten(text, columns, omit)) <= columns);
        }
    }
}
