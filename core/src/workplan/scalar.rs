//! Scalar values: plain, quoted, or as a block, and the text they stand for.

use std::ops::Range;

use super::position::{ByteSpan, TextPosition};
use crate::text::markdown::BLANKS;
use crate::text::to_hex;

/// The YAML style of a scalar.
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

/// A value with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// Its text, without quotes and escapes; empty for `~` and `null`.
    pub text: Box<str>,
    /// Position of its first character.
    pub place: TextPosition,
    pub(super) style: ScalarStyle,
    span: ByteSpan,
}

impl Scalar {
    /// Parses a value from its source text, including quotes.
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
        Self { text: text.into(), place, style, span: ByteSpan::new(start, start + written.len()) }
    }

    /// Returns its byte range in the file, including quotes. That of a missing value is empty and
    /// begins directly after the colon.
    pub fn span(&self) -> Range<usize> {
        self.span.range()
    }

    /// Returns whether its text is blank, as it is for `""`, `~`, `null` and a missing value.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// Returns the length, including quotes, and the style of a quoted text at the start of this one.
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
            // Two single quotes stand for one.
            (ScalarStyle::Single, b'\'') if bytes.next_if(|(_, next)| *next == b'\'').is_none() => {
                return Some((at + 1, style));
            }
            _ => {}
        }
    }
    None
}

/// Returns the length of the plain value at the start of a line, and whether a comment follows.
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
    (value.unwrap_or_default().trim_end_matches(BLANKS).len(), comment.is_some())
}

/// Folds the lines of a value into one: a line break becomes a blank, and each empty line becomes
/// a line break.
fn fold_lines(written: &str, escapes: bool) -> String {
    // Almost every value is one line.
    if !written.bytes().any(|byte| matches!(byte, b'\n' | b'\\')) {
        return written.to_owned();
    }
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    // Blanks before a line break are trimmed, but not those that an escape made. It also keeps the
    // time linear: no text is trimmed twice.
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

/// Pushes the character that an escape stands for, and returns the text after it. An unknown
/// escape stays as it is.
fn push_unescaped<'a>(after: &'a str, text: &mut String) -> &'a str {
    let mut rest = after.chars();
    let digits = match rest.next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        // An escaped line break joins the lines without a blank.
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
        // `from_str_radix` would accept a sign.
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

/// Parses the lines below `|` or `>`.
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
            text.push(if style == ScalarStyle::Folded { ' ' } else { '\n' });
        }
        let depth = *depth.get_or_insert(indent);
        text.push_str(line.get(depth.min(indent)..).unwrap_or_default());
        after_text = true;
    }
    let length = text.trim_end().len();
    text.truncate(length);
    text
}

/// Formats a text in a style, or in double quotes where the style cannot hold it.
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
            // Control characters are below U+00A0, so two digits are enough.
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
