//! Finds the value of a name: where it begins and ends.

use std::ops::Range;

use super::classify::{self, ValueContext};
use super::replacement_end;

/// How many bytes of a value without quotes are searched for its end.
const MAX_BARE_VALUE_BYTES: usize = 256;

/// The most bytes of a remark between a name and its sign, such as ` (staging)`.
const MAX_REMARK_BYTES: usize = 48;

/// The value of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AssignedValue {
    pub(super) range: Range<usize>,
    pub(super) context: ValueContext,
}

/// How a name stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameContext {
    /// The byte before the name.
    pub(super) before: Option<u8>,
    /// Whether a space separates the name from its value: a flag, `--password`, or a variable that
    /// is set in this way, `ENV NAME value`.
    pub(super) is_flag: bool,
    /// Whether the name is an identifier of code, such as `client_secret`.
    pub(super) is_code: bool,
    /// What quotes behind the name mean.
    pub(super) quotes: QuoteMeaning,
}

/// What quotes behind a name mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteMeaning {
    /// Nothing, unless a sign assigns.
    Nothing,
    /// An SQL statement sets a password: `WITH PASSWORD '…'`.
    Statement,
    /// Quotes in parentheses are an argument of a setter: `setPassword("…")`.
    Call,
}

/// Returns the value of the name that ends at `end`.
pub(super) fn find_value(text: &str, end: usize, name: NameContext) -> Option<AssignedValue> {
    let bytes = text.as_bytes();
    let (at, mut setting) = find_assignment(text, end, name)?;
    let is_cell = setting == ValueContext::Prose;
    let mut start = skip_blanks(text, skip_bytes(bytes, at, b" \t*"));
    if let Some(found) = value_in_next_line(text, start, name) {
        return Some(found);
    }
    // A type annotation, `password: str = "…"`.
    let rest = text.get(start..)?;
    for name in ["str", "string", "String", "&str", "text"] {
        let typed = rest.strip_prefix(name);
        if let Some(value) = typed.and_then(|r| r.trim_start_matches(' ').strip_prefix('=')) {
            start = skip_bytes(bytes, text.len() - value.len(), b" ");
            setting = ValueContext::Code;
            break;
        }
    }
    // An escaped quote, or a string prefix.
    let (first, second) = (bytes.get(start)?, bytes.get(start + 1));
    let is_quote = |byte: &u8| b"\"'`".contains(byte);
    if matches!(first, b'\\' | b'b' | b'f' | b'r') && second.is_some_and(is_quote) {
        start += 1;
    }
    let between = text.get(end..at)?.trim();
    let is_beside = start == at
        && setting == ValueContext::Prose
        && (between == "to" || between.bytes().all(|byte| b"\"'`\\,( ".contains(&byte)));
    let quote = bytes.get(start).copied().filter(|byte| is_quote(byte));
    if let Some(quote) = quote {
        let start = start + 1;
        let rest = bytes.get(start..)?;
        let length = rest.iter().position(|byte| *byte == quote || *byte == b'\n')?;
        let value = text.get(start..start + length)?.trim_end_matches(['\\', '\r']);
        // A token `abc` without a sign between them is prose, in whatever quotes.
        let setting =
            if is_beside || setting == ValueContext::Beside { setting } else { ValueContext::Code };
        return Some(AssignedValue { range: start..start + value.len(), context: setting });
    }
    let end = bare_value_end(text, start, name);
    if setting == ValueContext::Line && name.is_code {
        setting = ValueContext::Code;
    } else if setting == ValueContext::Line {
        let after = text.get(end..)?;
        let mut line = after.bytes().take_while(|byte| *byte != b'\n');
        // A remark may follow: `password: … # staging`.
        let is_alone = after.trim_start_matches([' ', '\t']).starts_with('#')
            && after.starts_with([' ', '\t'])
            || line.all(|byte| b" \t\r.,;:*_)]}".contains(&byte));
        setting = if is_alone { ValueContext::Line } else { ValueContext::Prose };
    } else if is_cell && name.is_code {
        // In a table of variables the next cell is the value.
        setting = ValueContext::Line;
    }
    (start < end).then_some(AssignedValue { range: start..end, context: setting })
}

/// Reads a value that stands alone in the line below its name: indented as in YAML, in a code
/// block, or as a block scalar behind `|` or `>`.
fn value_in_next_line(text: &str, at: usize, name: NameContext) -> Option<AssignedValue> {
    let rest = text.get(at..)?;
    let is_block = |c: char| matches!(c, '|' | '>' | '+' | '-') || c.is_ascii_digit();
    let rest = match rest.strip_prefix(['|', '>']) {
        Some(block) => block.trim_start_matches(is_block).trim_start_matches([' ', '\t']),
        None => rest.strip_prefix('(').unwrap_or(rest),
    };
    let below = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))?;
    let fenced = below.strip_prefix("```").and_then(|fence| {
        let (language, _) = bounded_start(fence).split_once('\n')?;
        let is_language = language.trim().bytes().all(|byte| byte.is_ascii_alphanumeric());
        fence.get(language.len() + 1..).filter(|_| is_language)
    });
    let line = fenced.unwrap_or(below);
    let value = line.trim_start_matches([' ', '\t']);
    if fenced.is_none() && value.len() == line.len() {
        return None;
    }
    let word =
        bounded_start(value).split(['\n', '\r']).next()?.trim_end_matches([' ', '\t', ',', ';']);
    let start = text.len() - value.len();
    let bare = word.trim_matches(['"', '\'', '`']);
    let start = start + word.find(bare)?;
    let is_quoted = bare.len() < word.len();
    // The line is another key, an item of a list, or a remark.
    let is_other = bare.ends_with(':')
        || bare.starts_with(['-', '#'])
        || bare.contains([' ', '\t', '"', '\'']);
    (!bare.is_empty() && !is_other).then(|| AssignedValue {
        range: start..start + bare.len(),
        context: if is_quoted || name.is_code { ValueContext::Code } else { ValueContext::Line },
    })
}

/// Returns the part of a text that is searched.
fn bounded_start(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_BARE_VALUE_BYTES)).unwrap_or_default()
}

/// Returns the offset behind what assigns, and how likely a value is there.
fn find_assignment(text: &str, end: usize, name: NameContext) -> Option<(usize, ValueContext)> {
    let bytes = text.as_bytes();
    let mut at = end;
    // What may close a name: `"password":`, `**Password**:`, `["password"] =`.
    while at < end + 6 && bytes.get(at).is_some_and(|byte| b"\"'`*]\\".contains(byte)) {
        at += 1;
    }
    if name.before == Some(b'<') && bytes.get(at) == Some(&b'>') {
        return Some((at + 1, ValueContext::Code));
    }
    let spaced = skip_bytes(bytes, at, b" \t");
    if spaced > at + 8 {
        return None;
    }
    let is_spaced = spaced > at;
    let rest = text.get(spaced..)?;
    if let Some(found) = parse_assignment_sign(rest) {
        let (width, setting) = found;
        return Some((spaced + width, setting));
    }
    if name.is_flag && is_spaced && !rest.starts_with('-') {
        return Some((skip_blanks(text, spaced), ValueContext::Code));
    }
    if name.quotes == QuoteMeaning::Statement && is_spaced && rest.starts_with(['\'', '"']) {
        return Some((spaced, ValueContext::Code));
    }
    if let Some(found) = value_in_call(text, end, name).or_else(|| value_in_pair(text, at, name)) {
        return Some(found);
    }
    if is_spaced && rest.starts_with('`') {
        return Some((spaced, ValueContext::Prose));
    }
    if is_spaced && let Some(value) = rest.strip_prefix("is ") {
        return Some((text.len() - value.len(), ValueContext::Prose));
    }
    if is_spaced && let Some(value) = rest.strip_prefix("to ") {
        return Some((text.len() - value.len(), ValueContext::Prose));
    }
    // `auth_token 1ce5…`
    if is_spaced && name.is_code && has_digit_nearby(rest) {
        return Some((spaced, ValueContext::Beside));
    }
    // `Password (staging): …`, `API key for Stripe: …`
    let opened = rest.starts_with('(');
    let linked = ["for ", "of ", "on ", "in ", "at "].iter().any(|word| rest.starts_with(word));
    if !is_spaced || !(opened || linked) {
        return None;
    }
    let is_remark = |byte: u8| byte.is_ascii_alphanumeric() || b" ._-/()`'*".contains(&byte);
    let length = rest.bytes().take(MAX_REMARK_BYTES).take_while(|b| is_remark(*b)).count();
    let (width, setting) = parse_assignment_sign(rest.get(length..)?)?;
    Some((spaced + length + width, setting))
}

/// Returns whether the next word is long enough for a secret and has a digit.
fn has_digit_nearby(rest: &str) -> bool {
    let word = rest.as_bytes().get(..16).unwrap_or_default();
    !word.is_empty() && word.iter().all(u8::is_ascii_graphic) && word.iter().any(u8::is_ascii_digit)
}

/// Returns the value's offset in a call: `set("apiToken", "…")`, `setPassword("…")`.
fn value_in_call(text: &str, end: usize, name: NameContext) -> Option<(usize, ValueContext)> {
    let bytes = text.as_bytes();
    let is_quote = |at: usize| matches!(bytes.get(at), Some(b'"' | b'\''));
    let at = match bytes.get(end)? {
        b'(' if name.quotes == QuoteMeaning::Call => end + 1,
        b'"' | b'\'' if bytes.get(end + 1) == Some(&b',') => {
            let before = text.get(..end)?;
            let name = before.bytes().rev().take(MAX_REMARK_BYTES);
            let length = name.take_while(|byte| !b"\"' (".contains(byte)).count();
            let opened = before.get(..end - length)?.strip_suffix(['"', '\''])?;
            if !opened.ends_with('(') {
                return None;
            }
            skip_bytes(bytes, end + 2, b" ")
        }
        _ => return None,
    };
    is_quote(at).then_some((at, ValueContext::Prose))
}

/// Returns the value's offset where the name is itself a value: `{"name": "DB_PASSWORD", "value":
/// "…"}`.
fn value_in_pair(text: &str, at: usize, name: NameContext) -> Option<(usize, ValueContext)> {
    let bytes = text.as_bytes();
    if !matches!(name.before, Some(b'"' | b'\'' | b' ' | b':' | b'=')) {
        return None;
    }
    let start = skip_bytes(bytes, at, b" \t\r\n,;\"'\\");
    if start == at && bytes.get(at.checked_sub(1)?) != Some(&b'"') || start > at + 40 {
        return None;
    }
    let rest = text.get(start..)?;
    let is_name = |byte: &u8| byte.is_ascii_alphabetic();
    let length = rest.bytes().take(24).take_while(is_name).count();
    let name = rest.get(..length)?;
    let says_value = length
        .checked_sub(5)
        .and_then(|from| name.get(from..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case("value"));
    if !says_value {
        return None;
    }
    let sign = skip_bytes(bytes, start + length, b"\"'\\ ");
    matches!(bytes.get(sign), Some(b':' | b'=')).then_some((sign + 1, ValueContext::Code))
}

/// Reads the sign that assigns: its width, and how likely a value is behind it.
fn parse_assignment_sign(rest: &str) -> Option<(usize, ValueContext)> {
    let signs = [
        ("===", ValueContext::Code),
        ("==", ValueContext::Code),
        ("!=", ValueContext::Code),
        (":=", ValueContext::Code),
        ("=>", ValueContext::Code),
        ("=", ValueContext::Code),
        ("%3D", ValueContext::Code),
        ("%3d", ValueContext::Code),
        ("::", ValueContext::Prose),
        (":", ValueContext::Line),
        ("|", ValueContext::Prose),
    ];
    let (sign, setting) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
    (sign != "::").then_some((sign.len(), setting))
}

/// Returns the end of a secret: a long one was read only in part, and is replaced as a whole.
pub(super) fn extended_end(text: &str, range: &Range<usize>) -> usize {
    if range.len() < MAX_BARE_VALUE_BYTES / 2 {
        return range.end;
    }
    unquoted_end(text, range.end)
}

/// Returns the end of a value that was read up to `end`.
pub(super) fn unquoted_end(text: &str, end: usize) -> usize {
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    let belongs = |byte: &u8| !byte.is_ascii_whitespace() && !b"\"'`<>|;".contains(byte);
    end + rest.iter().take_while(|byte| belongs(byte)).count()
}

/// Returns the end of a value without quotes, or of the part of it that is read.
fn bare_value_end(text: &str, start: usize, name: NameContext) -> usize {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let in_query = matches!(name.before, Some(b'?' | b'&'));
    let in_string = matches!(name.before, Some(b';' | b','));
    let mut length = 0;
    for (at, byte) in rest.iter().enumerate().take(MAX_BARE_VALUE_BYTES) {
        let ends = byte.is_ascii_whitespace()
            || b"\"'`<>|;".contains(byte)
            || in_query && b"&#".contains(byte)
            || in_string && *byte == b','
            || b",&".contains(byte) && is_name_next(rest.get(at + 1..).unwrap_or_default());
        if ends {
            break;
        }
        length = at + 1;
    }
    let value = text.get(start..text.floor_char_boundary(start + length));
    let value = value.unwrap_or_default();
    let closes = if value.contains(['(', '[', '{']) {
        &['.', ',', ':'][..]
    } else {
        &['.', ',', ':', ')', ']', '}', '*']
    };
    start + value.trim_end_matches(closes).len()
}

/// Returns whether another assignment follows, as in `token=…&state=open`.
fn is_name_next(rest: &[u8]) -> bool {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let length = rest.iter().take(32).take_while(is_name).count();
    length > 0 && matches!(rest.get(length), Some(b'=' | b':'))
}

/// Returns the offset behind blanks, and behind line ends that a shell skips after a backslash.
pub(super) fn skip_blanks(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at;
    loop {
        at = skip_bytes(bytes, at, b" \t");
        let rest = bytes.get(at..).unwrap_or_default();
        at += match rest {
            [b'\\', b'\n', ..] => 2,
            [b'\\', b'\r', b'\n', ..] => 3,
            _ => return at,
        };
    }
}

/// Returns the part of the next line that a backslash joins to the value that ends at `end`, unless
/// it is a word.
pub(super) fn continued_line(text: &str, end: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let start = match bytes.get(end..)? {
        [b'\\', b'\n', ..] => end + 2,
        [b'\\', b'\r', b'\n', ..] => end + 3,
        _ => return None,
    };
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-.~".contains(byte);
    let rest = bytes.get(start..)?;
    let length = rest.iter().take_while(|byte| is_part(byte)).count();
    let run = text.get(start..start + length)?;
    // `NAME=…` and paths are lines of their own.
    let is_name =
        run.split_once('=').is_some_and(|(_, tail)| tail.bytes().any(|byte| byte != b'='));
    let is_glued = run.len() >= 4
        && !is_name
        && !run.starts_with(['-', '.', '/'])
        && classify::is_not_a_word(run)
        && replacement_end(text, start + length).is_none();
    is_glued.then_some(start..start + length)
}

fn skip_bytes(bytes: &[u8], at: usize, set: &[u8]) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| set.contains(byte)).count()
}
