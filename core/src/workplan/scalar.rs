//! Values as they are written: plain, in quotes, or as a block, and the text they stand for.

use std::ops::Range;

use super::numbered_lines::BLANKS;
use super::position::{ByteSpan, TextPosition};
use crate::text::to_hex;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarStyle {
    Plain,
    /// `'it''s'`
    Single,
    /// `"a\nb"`
    Double,
    /// `|` and the lines below it.
    Literal,
    /// `>` and the lines below it.
    Folded,
}

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// What it says: without quotes and escapes, empty for `~` and `null`.
    pub text: Box<str>,
    /// Where it begins.
    pub place: TextPosition,
    pub(super) style: ScalarStyle,
    span: ByteSpan,
}

impl Scalar {
    /// Reads a value as it is written, quotes and all.
    pub(super) fn from_written(
        written: &str,
        start: usize,
        place: TextPosition,
        style: ScalarStyle,
    ) -> Self {
        let inner = || written.get(1..written.len().saturating_sub(1));
        let text = match style {
            ScalarStyle::Plain if matches!(written, "~" | "null" | "Null" | "NULL") => {
                String::new()
            }
            ScalarStyle::Plain => fold_lines(written, false),
            ScalarStyle::Single => {
                fold_lines(inner().unwrap_or_default(), false).replace("''", "'")
            }
            ScalarStyle::Double => fold_lines(inner().unwrap_or_default(), true),
            ScalarStyle::Literal | ScalarStyle::Folded => parse_block_scalar(written, style),
        };
        Self {
            text: text.into(),
            place,
            style,
            span: ByteSpan::new(start, start + written.len()),
        }
    }

    /// Returns its bytes in the file, with its quotes. There are none where nothing stands
    /// behind the colon; then they begin directly behind it.
    pub fn span(&self) -> Range<usize> {
        self.span.range()
    }

    /// Returns whether it says nothing, as `""`, `~`, `null` and nothing at all do.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// Returns the length of a text in quotes at the start of this one, with its quotes.
pub(super) fn measure_quoted(text: &str) -> Option<(usize, ScalarStyle)> {
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    let style = match text.bytes().next()? {
        b'"' => ScalarStyle::Double,
        b'\'' => ScalarStyle::Single,
        _ => return None,
    };
    while let Some((at, byte)) = bytes.next() {
        match (style, byte) {
            (ScalarStyle::Double, b'"') => return Some((at + 1, style)),
            (ScalarStyle::Double, b'\\') => {
                bytes.next();
            }
            // Two of them are one of the text.
            (ScalarStyle::Single, b'\'') if bytes.next_if(|(_, next)| *next == b'\'').is_none() => {
                return Some((at + 1, style));
            }
            _ => {}
        }
    }
    None
}

/// Returns where a plain value of a line ends, and whether a comment follows it.
pub(super) fn find_plain_end(line: &str) -> (usize, bool) {
    if !line.bytes().any(|byte| byte == b'#') {
        return (line.trim_end_matches(BLANKS).len(), false);
    }
    let mut marks = line.match_indices('#').map(|(at, _)| at);
    let comment = marks.find(|at| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(BLANKS)
    });
    let value = line.get(..comment.unwrap_or(line.len()));
    (
        value.unwrap_or_default().trim_end_matches(BLANKS).len(),
        comment.is_some(),
    )
}

/// Joins the lines of a value that goes on below its first one: a break is a blank, and lines
/// without text are breaks.
fn fold_lines(written: &str, escapes: bool) -> String {
    // Almost every value is of one line.
    if !written.bytes().any(|byte| matches!(byte, b'\n' | b'\\')) {
        return written.to_owned();
    }
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    // Blanks that an escape made are not those before a break, and are not looked at again for
    // each break below.
    let mut protected_until = 0;
    while let Some(at) = rest.find(['\n', '\\']) {
        text.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix('\\') {
            if escapes {
                rest = push_unescaped(after, &mut text);
            } else {
                text.push('\\');
                rest = after;
            }
            protected_until = text.len();
            continue;
        }
        let since = text.get(protected_until..).unwrap_or_default();
        let trimmed = protected_until + since.trim_end_matches(BLANKS).len();
        text.truncate(trimmed);
        let after = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let skipped = rest.get(..rest.len() - after.len()).unwrap_or_default();
        match skipped.matches('\n').count() {
            1 => text.push(' '),
            breaks => text.extend(std::iter::repeat_n('\n', breaks - 1)),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Adds what an escape stands for, and returns what follows it. One that stands for nothing
/// stays as it is written.
fn push_unescaped<'a>(after: &'a str, text: &mut String) -> &'a str {
    let mut rest = after.chars();
    let digits = match rest.next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        // The break of a line that is escaped is none.
        Some('\n') => return rest.as_str().trim_start_matches([' ', '\t']),
        Some('\r') if rest.as_str().starts_with('\n') => {
            return rest.as_str().trim_start_matches([' ', '\t', '\n']);
        }
        Some(letter) => {
            match letter {
                'n' => text.push('\n'),
                't' | '\t' => text.push('\t'),
                'r' => text.push('\r'),
                '0' => text.push('\0'),
                '"' | '\\' | '/' | ' ' => text.push(letter),
                _ => text.extend(['\\', letter]),
            }
            return rest.as_str();
        }
        None => {
            text.push('\\');
            return after;
        }
    };
    let code = rest.as_str().get(..digits).filter(|code| {
        // The number's own reader would take a sign.
        code.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    let number = code.and_then(|code| u32::from_str_radix(code, 16).ok());
    if let Some(character) = number.and_then(char::from_u32) {
        text.push(character);
        rest.as_str().get(digits..).unwrap_or_default()
    } else {
        text.push('\\');
        after
    }
}

/// Reads the lines below `|` or `>`.
fn parse_block_scalar(written: &str, style: ScalarStyle) -> String {
    let mut lines = written.split('\n').map(|l| l.trim_end_matches('\r'));
    lines.next();
    let mut text = String::with_capacity(written.len());
    let mut depth = None;
    let mut after_text = false;
    for line in lines {
        let body = line.trim_start_matches([' ', '\t']);
        let indent = line.len() - body.len();
        if body.is_empty() {
            text.push('\n');
            after_text = false;
            continue;
        }
        if after_text {
            text.push(if style == ScalarStyle::Folded {
                ' '
            } else {
                '\n'
            });
        }
        let depth = *depth.get_or_insert(indent);
        text.push_str(line.get(depth.min(indent)..).unwrap_or_default());
        after_text = true;
    }
    let length = text.trim_end().len();
    text.truncate(length);
    text
}

/// Writes a text as a value of a style; in quotes where the style could not hold it.
pub(super) fn format_scalar(text: &str, style: ScalarStyle) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(is_word)
        && !text.eq_ignore_ascii_case("null");
    if style == ScalarStyle::Plain && is_plain {
        return text.to_owned();
    }
    if style == ScalarStyle::Single && !text.contains(char::is_control) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // All of them are below U+00A0.
            c if c.is_control() => {
                out.push_str("\\x");
                out.push_str(&to_hex(&[u8::try_from(u32::from(c)).unwrap_or_default()]));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
