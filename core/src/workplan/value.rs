//! The value behind a key: what stands on its line and on the lines below that belong to it.

use super::lines::{BLANKS, Line, Lines};
use super::list;
use super::place::{Cursor, Problem};
use super::scalar::{Scalar, Style, plain_end, quoted};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Box<[Scalar]>),
    /// Something that is no value of this key, or that this reader does not know.
    Unread,
}

/// Why a value is not read; nothing where it is only unknown to this reader.
pub(super) type Unread = Option<&'static str>;

const LINES_BELOW: &str = "the indented lines below do not belong to its value";
const NO_QUOTE: &str = "unclosed quote";
const AFTER_QUOTE: &str = "text after the closing quote";

/// Where a value stands.
#[derive(Debug, Clone)]
pub(super) struct Site<'a> {
    pub(super) text: &'a str,
    /// The line of its key.
    pub(super) line: u32,
    pub(super) line_start: usize,
    /// The byte behind the colon.
    pub(super) start: usize,
    /// The end of its line's text.
    pub(super) line_end: usize,
    /// The end of the text of the last line that belongs to it.
    pub(super) end: usize,
}

impl<'a> Site<'a> {
    pub(super) fn cursor(&self) -> Cursor<'a> {
        Cursor::new(self.text, self.line_start, self.line)
    }

    /// Returns the rest of its line, from its first byte that is no blank, and that byte.
    pub(super) fn first(&self) -> (usize, &'a str) {
        let rest = self.get(self.start, self.line_end);
        let first = rest.trim_start_matches(BLANKS);
        (self.start + (rest.len() - first.len()), first)
    }

    /// Returns the lines below its own.
    pub(super) fn below(&self) -> Lines<'a> {
        let mut lines = Lines::new(self.text, self.line_start..self.end, self.line);
        lines.next();
        lines
    }

    /// Returns the site of a line that belongs to it, as if nothing stood below.
    pub(super) fn of(&self, line: &Line<'_>) -> Self {
        Self {
            line: line.number,
            line_start: line.start,
            start: line.start,
            line_end: line.end(),
            end: line.end(),
            ..self.clone()
        }
    }

    pub(super) fn get(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }
}

/// Reads a value that is one.
pub(super) fn scalar(site: &Site<'_>) -> Result<Scalar, Unread> {
    let (start, first) = site.first();
    let has_more = || !site.below().all(|line| is_aside(line.text));
    let (end, style) = match first.bytes().next() {
        None | Some(b'#') if has_more() => return Err(None),
        None | Some(b'#') => {
            let place = site.cursor().place(site.start);
            return Ok(Scalar::new("", site.start, place, Style::Plain));
        }
        Some(b'"' | b'\'') => {
            let rest = site.get(start, site.end);
            let (length, style) = quoted(rest).ok_or(Some(NO_QUOTE))?;
            if !nothing_follows(rest.get(length..).unwrap_or_default()) {
                return Err(Some(AFTER_QUOTE));
            }
            (start + length, style)
        }
        Some(mark @ (b'|' | b'>')) => {
            let (end, _) = plain_end(first);
            let header = first.get(1..end).unwrap_or_default();
            if !header.chars().all(|c| "+-123456789".contains(c)) {
                return Err(None);
            }
            let literal = mark == b'|';
            let style = if literal {
                Style::Literal
            } else {
                Style::Folded
            };
            (site.end, style)
        }
        Some(b'[' | b'{' | b'&' | b'*' | b'!') => return Err(None),
        Some(_) => {
            let (length, has_comment) = plain_end(first);
            if !has_more() {
                (start + length, Style::Plain)
            } else if has_comment || !site.below().all(|line| goes_on(line.text)) {
                return Err(Some(LINES_BELOW));
            } else {
                (site.end, Style::Plain)
            }
        }
    };
    let place = site.cursor().place(start);
    Ok(Scalar::new(site.get(start, end), start, place, style))
}

/// Reads the value of a key.
pub(super) fn read(
    site: &Site<'_>,
    is_list: bool,
    problems: &mut Vec<Problem>,
) -> Result<Value, Unread> {
    if is_list {
        return list::read(site, problems).map(|items| Value::List(items.into()));
    }
    scalar(site).map(Value::Scalar)
}

/// Returns whether a line says nothing.
fn is_aside(line: &str) -> bool {
    let text = line.trim_start_matches(BLANKS);
    text.is_empty() || text.starts_with('#')
}

/// Returns whether a line is more text of the plain value above it.
fn goes_on(line: &str) -> bool {
    let text = line.trim_start_matches(BLANKS);
    let (end, has_comment) = plain_end(text);
    let is_item = text.starts_with("- ") || text == "-";
    let is_key = text.ends_with(':') || text.contains(": ") || text.contains(":\t");
    !(has_comment || is_item || is_key) && end == text.len()
}

/// Returns whether nothing but comments follows a value on its line and below.
pub(super) fn nothing_follows(text: &str) -> bool {
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    let here = first.trim_start_matches(BLANKS);
    let is_comment = here.starts_with('#') && here.len() < first.len();
    (here.is_empty() || is_comment) && lines.all(is_aside)
}
