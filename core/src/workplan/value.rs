//! The value after a key: the rest of its line, and the lines below that belong to it.

use super::position::PositionCounter;
use super::scalar::{Scalar, ScalarStyle, find_plain_end, measure_quoted};
use crate::text::markdown::{BLANKS, NumberedLine, NumberedLines};

/// A parsed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MappingValue {
    Scalar(Scalar),
    List(Box<[Scalar]>),
    /// A value that is not supported or not valid for its key.
    Unread,
}

/// Why a value cannot be parsed; `None` for YAML that is valid and not supported.
pub(super) type UnreadReason = Option<&'static str>;

const UNEXPECTED_LINES: &str = "the indented lines below do not belong to its value";
const UNCLOSED_QUOTE: &str = "unclosed quote";
const TEXT_AFTER_QUOTE: &str = "text after the closing quote";

/// The source text of a value.
#[derive(Debug, Clone)]
pub(super) struct ValueSource<'a> {
    pub(super) text: &'a str,
    /// Number of the line of its key.
    pub(super) line: u32,
    pub(super) line_start: usize,
    /// Offset after the colon.
    pub(super) start: usize,
    /// End of the text of its line.
    pub(super) line_end: usize,
    /// End of the text of the last line that belongs to it.
    pub(super) end: usize,
}

impl<'a> ValueSource<'a> {
    pub(super) fn counter(&self) -> PositionCounter<'a> {
        PositionCounter::new(self.text, self.line_start, self.line)
    }

    /// Returns the rest of its line without leading blanks, after the offset where it begins.
    pub(super) fn first_text(&self) -> (usize, &'a str) {
        let rest = self.slice(self.start, self.line_end);
        let first = rest.trim_start_matches(BLANKS);
        (self.start + (rest.len() - first.len()), first)
    }

    /// Returns the lines after the first one.
    pub(super) fn lines_below(&self) -> NumberedLines<'a> {
        let mut lines = NumberedLines::new(self.text, self.line_start..self.end, self.line);
        lines.next();
        lines
    }

    /// Returns one line of it as a source of its own.
    pub(super) fn on_line(&self, line: &NumberedLine<'_>) -> Self {
        Self {
            line: line.number,
            line_start: line.start,
            start: line.start,
            line_end: line.text_end(),
            end: line.text_end(),
            ..self.clone()
        }
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }
}

/// Parses a scalar.
pub(super) fn parse_scalar(site: &ValueSource<'_>) -> Result<Scalar, UnreadReason> {
    let (start, first) = site.first_text();
    let has_more = || !site.lines_below().all(|line| is_blank_or_comment(line.text));
    let (end, style) = match first.bytes().next() {
        None | Some(b'#') if has_more() => return Err(None),
        None | Some(b'#') => {
            let place = site.counter().advance_to(site.start);
            return Ok(Scalar::from_written("", site.start, place, ScalarStyle::Plain));
        }
        Some(b'"' | b'\'') => {
            let rest = site.slice(start, site.end);
            let (length, style) = measure_quoted(rest).ok_or(Some(UNCLOSED_QUOTE))?;
            if !only_comments_follow(rest.get(length..).unwrap_or_default()) {
                return Err(Some(TEXT_AFTER_QUOTE));
            }
            (start + length, style)
        }
        Some(mark @ (b'|' | b'>')) => {
            let (end, _) = find_plain_end(first);
            let header = first.get(1..end).unwrap_or_default();
            if !header.chars().all(|c| "+-123456789".contains(c)) {
                return Err(None);
            }
            let literal = mark == b'|';
            let style = if literal { ScalarStyle::Literal } else { ScalarStyle::Folded };
            (site.end, style)
        }
        Some(b'[' | b'{' | b'&' | b'*' | b'!') => return Err(None),
        Some(_) => {
            let (length, has_comment) = find_plain_end(first);
            if !has_more() {
                (start + length, ScalarStyle::Plain)
            } else if has_comment
                || !site.lines_below().all(|line| continues_plain_value(line.text))
            {
                return Err(Some(UNEXPECTED_LINES));
            } else {
                (site.end, ScalarStyle::Plain)
            }
        }
    };
    let place = site.counter().advance_to(start);
    Ok(Scalar::from_written(site.slice(start, end), start, place, style))
}

/// Returns whether a line is blank or a comment.
fn is_blank_or_comment(line: &str) -> bool {
    let text = line.trim_start_matches(BLANKS);
    text.is_empty() || text.starts_with('#')
}

/// Returns whether a line continues the plain value above it.
fn continues_plain_value(line: &str) -> bool {
    let text = line.trim_start_matches(BLANKS);
    let (end, has_comment) = find_plain_end(text);
    let is_item = text.starts_with("- ") || text == "-";
    let is_key = text.ends_with(':') || text.contains(": ") || text.contains(":\t");
    !(has_comment || is_item || is_key) && end == text.len()
}

/// Returns whether only blanks and comments follow a value.
pub(super) fn only_comments_follow(text: &str) -> bool {
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    let here = first.trim_start_matches(BLANKS);
    let is_comment = here.starts_with('#') && here.len() < first.len();
    (here.is_empty() || is_comment) && lines.all(is_blank_or_comment)
}
