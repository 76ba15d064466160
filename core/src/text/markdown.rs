//! Blocks of Markdown: lines, indentation, code fences, comments and headings, by the rules of
//! <https://spec.commonmark.org>.
//!
//! Plans, workplans and the file of other repositories' states all read facts from Markdown. They
//! share these rules, so that a line that is code to one of them is code to the others. Two
//! differences stay, and are chosen by each reader: what ends a line ([`LineEnd`]), and whether a
//! fence may be indented as far as the lists of a plan are.

use std::ops::Range;

/// The characters that may surround a value and are no part of it.
pub(crate) const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// The column from which on an indented line is code, and neither a fence nor a heading.
pub(crate) const CODE_INDENT: usize = 4;

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// `\n` and `\r\n`. Any other `\r` is a blank of its line, as in YAML values that hold one.
    Newline,
    /// `\n`, `\r\n` and `\r`, for files that people write in any editor.
    Any,
}

/// A line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NumberedLine<'a> {
    /// From 1.
    pub(crate) number: u32,
    /// The offset of its first byte.
    pub(crate) start: usize,
    /// The offset of the first byte of the next line.
    pub(crate) next_start: usize,
    /// Its text, without its end and the blanks before that.
    pub(crate) text: &'a str,
}

impl NumberedLine<'_> {
    /// Returns the offset behind its text.
    pub(crate) fn text_end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The lines of a part of a text.
#[derive(Debug, Clone)]
pub(crate) struct NumberedLines<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    number: u32,
    line_end: LineEnd,
}

impl<'a> NumberedLines<'a> {
    /// Reads the lines of a part of a text, which begins with a line of this number and in which
    /// only `\n` and `\r\n` end one.
    pub(crate) fn new(text: &'a str, bytes: Range<usize>, number: u32) -> Self {
        Self { text, at: bytes.start, end: bytes.end, number, line_end: LineEnd::Newline }
    }

    /// Reads the lines of a whole file, without its byte order mark.
    pub(crate) fn from_text(text: &'a str, line_end: LineEnd) -> Self {
        let start = text.len() - strip_byte_order_mark(text).len();
        Self { line_end, ..Self::new(text, start..text.len(), 1) }
    }

    /// Returns the offset at which the next line begins.
    pub(crate) fn next_offset(&self) -> usize {
        self.at
    }

    /// Returns the unread lines that end before an offset.
    pub(crate) fn until(&self, end: usize) -> Self {
        Self { end, ..self.clone() }
    }
}

impl<'a> Iterator for NumberedLines<'a> {
    type Item = NumberedLine<'a>;

    fn next(&mut self) -> Option<NumberedLine<'a>> {
        let rest = self.text.get(self.at..self.end).filter(|r| !r.is_empty())?;
        // Byte by byte: lines are short, and a check reads millions of them.
        let bytes = rest.as_bytes();
        let end = match self.line_end {
            LineEnd::Newline => bytes.iter().position(|byte| *byte == b'\n'),
            LineEnd::Any => {
                let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                let is_pair = |at: usize| rest.get(at..).is_some_and(|end| end.starts_with("\r\n"));
                end.map(|at| at + usize::from(is_pair(at)))
            }
        };
        let length = end.map_or(rest.len(), |at| at + 1);
        let is_text = |byte: &u8| !matches!(byte, b'\n' | b' ' | b'\t' | b'\r');
        let text = bytes.get(..length).unwrap_or_default();
        let text = text.iter().rposition(is_text).map_or(0, |last| last + 1);
        let line = NumberedLine {
            number: self.number,
            start: self.at,
            next_start: self.at + length,
            text: rest.get(..text).unwrap_or_default(),
        };
        self.at = line.next_start;
        self.number = self.number.saturating_add(1);
        Some(line)
    }
}

/// Returns the text behind its byte order mark.
pub(crate) fn strip_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Splits a line's indentation off: the columns that it takes, where a tab goes on to the next
/// fourth one, and the text behind it.
pub(crate) fn split_indentation(line: &str) -> (usize, &str) {
    split_blanks_at(0, line)
}

/// Splits blanks off that begin at a column: the column behind them, and the text there.
pub(crate) fn split_blanks_at(column: usize, rest: &str) -> (usize, &str) {
    let (column, length) = measure_blanks(column, rest.as_bytes());
    (column, rest.get(length..).unwrap_or_default())
}

/// Returns the column behind the blanks that begin at a column, and how many bytes they are.
fn measure_blanks(column: usize, rest: &[u8]) -> (usize, usize) {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let length = rest.iter().position(is_text).unwrap_or(rest.len());
    let blanks = rest.iter().take(length);
    let column = blanks.fold(column, |column, blank| match blank {
        b'\t' => column / 4 * 4 + 4,
        _ => column + 1,
    });
    (column, length)
}

/// A fence of a code block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CodeFence {
    /// A backtick or a tilde.
    pub(crate) marker: u8,
    /// How often it stands there.
    pub(crate) length: usize,
}

impl CodeFence {
    /// Reads a line that begins with a fence: the fence, and the bytes behind it.
    pub(crate) fn read(line: &[u8]) -> Option<(Self, &[u8])> {
        let (columns, blanks) = measure_blanks(0, line);
        let text = line.get(blanks..)?;
        Self::read_text(text).filter(|_| columns < CODE_INDENT)
    }

    fn read_text(text: &[u8]) -> Option<(Self, &[u8])> {
        let marker = *text.first().filter(|byte| matches!(byte, b'`' | b'~'))?;
        let length = text.iter().take_while(|byte| **byte == marker).count();
        (length >= 3).then_some((Self { marker, length }, text.get(length..)?))
    }

    /// Returns whether this fence opens a block. Backticks with more of them behind on their line
    /// are code within the line.
    pub(crate) fn can_open(self, behind: &[u8]) -> bool {
        self.marker == b'~' || !behind.contains(&self.marker)
    }

    /// Returns whether this fence, with nothing behind it, closes the block that another one opened.
    pub(crate) fn closes(self, opening: Self) -> bool {
        self.marker == opening.marker && self.length >= opening.length
    }

    /// Reads a line that opens a code block: its fence, and what the line says behind that.
    pub(crate) fn parse_opening(line: &str) -> Option<(Self, &str)> {
        let (columns, text) = split_indentation(line);
        if columns >= CODE_INDENT {
            return None;
        }
        let (fence, behind) = Self::read_text(text.as_bytes())?;
        let info = text.get(fence.length..)?;
        fence.can_open(behind).then_some((fence, info))
    }

    /// Returns whether a line closes the code block that this fence opened. `text_column` is the
    /// column at which the text around the block begins.
    pub(crate) fn is_closed_by(self, line: &str, text_column: usize) -> bool {
        let (columns, text) = split_indentation(line);
        columns < text_column + CODE_INDENT
            && Self::read_text(text.as_bytes())
                .is_some_and(|(fence, behind)| fence.closes(self) && is_blank(behind))
    }
}

/// Returns whether nothing but blanks and line ends stands in a text.
pub(crate) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Returns whether a text, without its indentation, begins a comment that goes on in the next line.
pub(crate) fn opens_comment(text: &str) -> bool {
    // `<!-->` is a whole comment.
    text.starts_with("<!--") && !ends_comment(text)
}

/// Returns whether a comment ends in a line.
pub(crate) fn ends_comment(line: &str) -> bool {
    line.contains("-->")
}

/// Reads a heading that begins with `#`: its level, and its title without the `#` that close it.
/// The text is without its indentation.
pub(crate) fn parse_heading(text: &str) -> Option<(usize, &str)> {
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let title = rest.trim();
    let opened = title.trim_end_matches('#');
    let is_closed = opened.is_empty() || opened.ends_with([' ', '\t']);
    Some((level, if is_closed { opened.trim_end() } else { title }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, line_end: LineEnd) -> Vec<(u32, usize, &str)> {
        let lines = NumberedLines::from_text(text, line_end);
        lines.map(|line| (line.number, line.start, line.text)).collect()
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line_only_where_any_end_does() {
        let text = "\u{feff}a \r\nb\rc\n\r\n\r\td";
        assert_eq!(
            lines(text, LineEnd::Any),
            [(1, 3, "a"), (2, 7, "b"), (3, 9, "c"), (4, 11, ""), (5, 13, ""), (6, 14, "\td")]
        );
        assert_eq!(
            lines(text, LineEnd::Newline),
            [(1, 3, "a"), (2, 7, "b\rc"), (3, 11, ""), (4, 13, "\r\td")]
        );
    }

    #[test]
    fn a_fence_is_closed_by_as_many_of_its_marks() {
        for (opening, closing, is_closed) in [
            ("```rust", "```", true),
            ("   ~~~", "  ~~~~ ", true),
            ("````", "```", false),
            ("```", "~~~", false),
            ("```", "``` x", false),
            ("```", "    ```", false),
        ] {
            let (fence, _) = CodeFence::parse_opening(opening).unwrap();
            assert_eq!(fence.is_closed_by(closing, 0), is_closed, "{opening} {closing}");
        }
        for line in ["``", "```a`", "    ```", "\t~~~", "> ```"] {
            assert_eq!(CodeFence::parse_opening(line), None, "{line}");
        }
        let (fence, behind) = CodeFence::read(b"~~~\xff `\n").unwrap();
        assert!(fence.can_open(behind) && behind == b"\xff `\n");
    }

    #[test]
    fn headings_lose_the_marks_that_close_them() {
        for (text, expected) in [
            ("# One", Some((1, "One"))),
            ("## Two ##", Some((2, "Two"))),
            ("### C#", Some((3, "C#"))),
            ("#", Some((1, ""))),
            ("## ##", Some((2, ""))),
            ("#hashtag", None),
            ("####### seven", None),
        ] {
            assert_eq!(parse_heading(text), expected, "{text}");
        }
        assert!(opens_comment("<!-- a") && !opens_comment("<!-->") && !opens_comment("a <!--"));
    }
}
