//! Lines with their bytes. Only `\n` and `\r\n` end one; any other `\r` is a blank of its line.

/// What stands around a value and is not a part of it.
pub(super) const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// A line.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberedLine<'a> {
    /// From 1.
    pub(super) number: u32,
    /// Its first byte.
    pub(super) start: usize,
    /// The first byte of the next one.
    pub(super) next_start: usize,
    /// What it says, without what ends it and without blanks before that.
    pub(super) text: &'a str,
}

impl NumberedLine<'_> {
    /// Returns the byte behind what it says.
    pub(super) fn text_end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The lines of a part of a text.
#[derive(Debug, Clone)]
pub(super) struct NumberedLines<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    number: u32,
}

impl<'a> NumberedLines<'a> {
    /// Begins at a byte where a line begins, which has this number.
    pub(super) fn new(text: &'a str, bytes: std::ops::Range<usize>, number: u32) -> Self {
        Self {
            text,
            at: bytes.start,
            end: bytes.end,
            number,
        }
    }

    /// Begins with a file.
    pub(super) fn from_text(text: &'a str) -> Self {
        let start = text.len() - strip_byte_order_mark(text).len();
        Self::new(text, start..text.len(), 1)
    }

    /// Returns the byte at which the next one begins.
    pub(super) fn next_offset(&self) -> usize {
        self.at
    }

    /// Returns the lines not read yet that end before a byte.
    pub(super) fn until(&self, end: usize) -> Self {
        Self {
            end,
            ..self.clone()
        }
    }
}

impl<'a> Iterator for NumberedLines<'a> {
    type Item = NumberedLine<'a>;

    fn next(&mut self) -> Option<NumberedLine<'a>> {
        let rest = self.text.get(self.at..self.end).filter(|r| !r.is_empty())?;
        // Byte by byte: lines are short, and a check reads millions of them.
        let bytes = rest.as_bytes();
        let length = bytes.iter().position(|byte| *byte == b'\n');
        let length = length.map_or(rest.len(), |at| at + 1);
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

/// Takes the byte order mark off.
pub(super) fn strip_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Splits the blanks before a line's text off: how many columns they take, where a tab goes
/// on to the next fourth one, and the text.
pub(super) fn split_indentation(line: &str) -> (usize, &str) {
    split_blanks_at(0, line)
}

/// Splits blanks off that begin at a column: the column behind them, and the text.
pub(super) fn split_blanks_at(column: usize, rest: &str) -> (usize, &str) {
    let is_text = |byte: u8| !matches!(byte, b' ' | b'\t');
    let length = rest.bytes().position(is_text).unwrap_or(rest.len());
    let text = rest.get(length..).unwrap_or_default();
    let blanks = rest.bytes().take(length);
    let column = blanks.fold(column, |column, blank| match blank {
        b'\t' => column / 4 * 4 + 4,
        _ => column + 1,
    });
    (column, text)
}
