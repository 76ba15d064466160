//! Where the value of a name begins and ends.

use std::ops::Range;

use super::classify::{self, ValueContext};
use super::replacement_end;

/// Most bytes of a value without quotes that are looked for its end.
const MAX_BARE_VALUE_BYTES: usize = 256;

/// Most bytes between a name and the sign that assigns, such as ` (staging)`.
const MAX_REMARK_BYTES: usize = 48;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AssignedValue {
    pub(super) range: Range<usize>,
    pub(super) context: ValueContext,
}

/// How the name of a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameContext {
    /// The byte before it.
    pub(super) before: Option<u8>,
    /// Whether it is a flag, `--password`, which a space separates from its value, or a variable
    /// that is set so: `ENV NAME value`.
    pub(super) is_flag: bool,
    /// Whether it is an identifier of code, `client_secret`, where prose would have a word.
    pub(super) is_code: bool,
    /// What quotes behind it mean.
    pub(super) quotes: QuoteMeaning,
}

/// What quotes behind a name mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteMeaning {
    /// Nothing without a sign that assigns.
    Nothing,
    /// A statement of SQL sets a password: `WITH PASSWORD '…'`.
    Statement,
    /// In brackets, what is set by a call: `setPassword("…")`.
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
    // A type, `password: str = "…"`.
    let rest = text.get(start..)?;
    for name in ["str", "string", "String", "&str", "text"] {
        let typed = rest.strip_prefix(name);
        if let Some(value) = typed.and_then(|r| r.trim_start_matches(' ').strip_prefix('=')) {
            start = skip_bytes(bytes, text.len() - value.len(), b" ");
            setting = ValueContext::Code;
            break;
        }
    }
    // An escaped quote, or a prefix of one.
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
        let length = rest
            .iter()
            .position(|byte| *byte == quote || *byte == b'\n')?;
        let value = text
            .get(start..start + length)?
            .trim_end_matches(['\\', '\r']);
        // A token `abc` without a sign between them is prose, whatever its quotes.
        let setting = if is_beside || setting == ValueContext::Beside {
            setting
        } else {
            ValueContext::Code
        };
        return Some(AssignedValue {
            range: start..start + value.len(),
            context: setting,
        });
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
        setting = if is_alone {
            ValueContext::Line
        } else {
            ValueContext::Prose
        };
    } else if is_cell && name.is_code {
        // A table of variables: the next cell is the value.
        setting = ValueContext::Line;
    }
    (start < end).then_some(AssignedValue {
        range: start..end,
        context: setting,
    })
}

/// Reads a value that stands alone in the line below its name, further in as YAML and long
/// statements have it, or between fences; behind `|` or `>` as a block of YAML.
fn value_in_next_line(text: &str, at: usize, name: NameContext) -> Option<AssignedValue> {
    let rest = text.get(at..)?;
    let is_block = |c: char| matches!(c, '|' | '>' | '+' | '-') || c.is_ascii_digit();
    let rest = match rest.strip_prefix(['|', '>']) {
        Some(block) => block
            .trim_start_matches(is_block)
            .trim_start_matches([' ', '\t']),
        None => rest.strip_prefix('(').unwrap_or(rest),
    };
    let below = rest
        .strip_prefix("\r\n")
        .or_else(|| rest.strip_prefix('\n'))?;
    let fenced = below.strip_prefix("```").and_then(|fence| {
        let (language, _) = bounded_start(fence).split_once('\n')?;
        let is_language = language
            .trim()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric());
        fence.get(language.len() + 1..).filter(|_| is_language)
    });
    let line = fenced.unwrap_or(below);
    let value = line.trim_start_matches([' ', '\t']);
    if fenced.is_none() && value.len() == line.len() {
        return None;
    }
    let word = bounded_start(value)
        .split(['\n', '\r'])
        .next()?
        .trim_end_matches([' ', '\t', ',', ';']);
    let start = text.len() - value.len();
    let bare = word.trim_matches(['"', '\'', '`']);
    let start = start + word.find(bare)?;
    let is_quoted = bare.len() < word.len();
    // A key of its own, an item of a list, a remark.
    let is_other = bare.ends_with(':')
        || bare.starts_with(['-', '#'])
        || bare.contains([' ', '\t', '"', '\'']);
    (!bare.is_empty() && !is_other).then(|| AssignedValue {
        range: start..start + bare.len(),
        context: if is_quoted || name.is_code {
            ValueContext::Code
        } else {
            ValueContext::Line
        },
    })
}

/// Returns what is looked at of a text.
fn bounded_start(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_BARE_VALUE_BYTES))
        .unwrap_or_default()
}

/// Returns where what assigns ends, and how much a value can be expected behind it.
fn find_assignment(text: &str, end: usize, name: NameContext) -> Option<(usize, ValueContext)> {
    let bytes = text.as_bytes();
    let mut at = end;
    // What closes the name: `"password":`, `**Password**:`, `["password"] =`.
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
    let linked = ["for ", "of ", "on ", "in ", "at "]
        .iter()
        .any(|word| rest.starts_with(word));
    if !is_spaced || !(opened || linked) {
        return None;
    }
    let is_remark = |byte: u8| byte.is_ascii_alphanumeric() || b" ._-/()`'*".contains(&byte);
    let length = rest
        .bytes()
        .take(MAX_REMARK_BYTES)
        .take_while(|b| is_remark(*b))
        .count();
    let (width, setting) = parse_assignment_sign(rest.get(length..)?)?;
    Some((spaced + length + width, setting))
}

/// Tells whether a word stands here that is long enough for a secret, with a digit.
fn has_digit_nearby(rest: &str) -> bool {
    let word = rest.as_bytes().get(..16).unwrap_or_default();
    !word.is_empty() && word.iter().all(u8::is_ascii_graphic) && word.iter().any(u8::is_ascii_digit)
}

/// Returns where the value stands of a call: `set("apiToken", "…")`, `setPassword("…")`.
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

/// Returns where the value stands of a name that is a value itself:
/// `{"name": "DB_PASSWORD", "value": "…"}`.
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

/// Reads a sign that assigns.
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

/// Returns where what belongs to a secret ends that was looked at only so far: a long one goes
/// whole.
pub(super) fn extended_end(text: &str, range: &Range<usize>) -> usize {
    if range.len() < MAX_BARE_VALUE_BYTES / 2 {
        return range.end;
    }
    unquoted_end(text, range.end)
}

/// Returns where a value ends of which the part up to `end` was looked at.
pub(super) fn unquoted_end(text: &str, end: usize) -> usize {
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    let belongs = |byte: &u8| !byte.is_ascii_whitespace() && !b"\"'`<>|;".contains(byte);
    end + rest.iter().take_while(|byte| belongs(byte)).count()
}

/// Returns where a value without quotes ends, or how far it is looked at.
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

/// Tells whether another assignment follows, as in `token=…&state=open`.
fn is_name_next(rest: &[u8]) -> bool {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let length = rest.iter().take(32).take_while(is_name).count();
    length > 0 && matches!(rest.get(length), Some(b'=' | b':'))
}

/// Returns where what follows stands, behind blanks and the ends of lines that a shell passes over.
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

/// Returns what stands at the start of the next line where a backslash glues it to what ends here,
/// and is no word.
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
    let is_name = run
        .split_once('=')
        .is_some_and(|(_, tail)| tail.bytes().any(|byte| byte != b'='));
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
