//! Where the value of a name begins and ends.

use std::ops::Range;

use super::end_of_mark;
use super::judge::{self, Setting};

/// Most bytes of a value without quotes that are looked for its end.
const LONGEST: usize = 256;

/// Most bytes between a name and the sign that assigns, such as ` (staging)`.
const LONGEST_REMARK: usize = 48;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) range: Range<usize>,
    pub(super) setting: Setting,
}

/// How the name of a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stand {
    /// The byte before it.
    pub(super) before: Option<u8>,
    /// Whether it is a flag, `--password`, which a space separates from its value, or a variable
    /// that is set so: `ENV NAME value`.
    pub(super) is_flag: bool,
    /// Whether it is an identifier of code, `client_secret`, where prose would have a word.
    pub(super) is_code: bool,
    /// What quotes behind it mean.
    pub(super) quotes: Quotes,
}

/// What quotes behind a name mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Nothing without a sign that assigns.
    Nothing,
    /// A statement of SQL sets a password: `WITH PASSWORD '…'`.
    Statement,
    /// In brackets, what is set by a call: `setPassword("…")`.
    Call,
}

/// Returns the value of the name that ends at `end`.
pub(super) fn of(text: &str, end: usize, stand: Stand) -> Option<Value> {
    let bytes = text.as_bytes();
    let (at, mut setting) = assigned_at(text, end, stand)?;
    let is_cell = setting == Setting::Prose;
    let mut start = behind_blank(text, skip(bytes, at, b" \t*"));
    if let Some(found) = in_next_line(text, start, stand) {
        return Some(found);
    }
    // A type, `password: str = "…"`.
    let rest = text.get(start..)?;
    for name in ["str", "string", "String", "&str", "text"] {
        let typed = rest.strip_prefix(name);
        if let Some(value) = typed.and_then(|r| r.trim_start_matches(' ').strip_prefix('=')) {
            start = skip(bytes, text.len() - value.len(), b" ");
            setting = Setting::Code;
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
        && setting == Setting::Prose
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
        let setting = if is_beside || setting == Setting::Beside {
            setting
        } else {
            Setting::Code
        };
        return Some(Value {
            range: start..start + value.len(),
            setting,
        });
    }
    let end = bare_end(text, start, stand);
    if setting == Setting::Line && stand.is_code {
        setting = Setting::Code;
    } else if setting == Setting::Line {
        let after = text.get(end..)?;
        let mut line = after.bytes().take_while(|byte| *byte != b'\n');
        // A remark may follow: `password: … # staging`.
        let is_alone = after.trim_start_matches([' ', '\t']).starts_with('#')
            && after.starts_with([' ', '\t'])
            || line.all(|byte| b" \t\r.,;:*_)]}".contains(&byte));
        setting = if is_alone {
            Setting::Line
        } else {
            Setting::Prose
        };
    } else if is_cell && stand.is_code {
        // A table of variables: the next cell is the value.
        setting = Setting::Line;
    }
    (start < end).then_some(Value {
        range: start..end,
        setting,
    })
}

/// Reads a value that stands alone in the line below its name, further in as YAML and long
/// statements have it, or between fences; behind `|` or `>` as a block of YAML.
fn in_next_line(text: &str, at: usize, stand: Stand) -> Option<Value> {
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
        let (language, _) = first_bytes(fence).split_once('\n')?;
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
    let word = first_bytes(value)
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
    (!bare.is_empty() && !is_other).then(|| Value {
        range: start..start + bare.len(),
        setting: if is_quoted || stand.is_code {
            Setting::Code
        } else {
            Setting::Line
        },
    })
}

/// Returns what is looked at of a text.
fn first_bytes(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST))
        .unwrap_or_default()
}

/// Returns where what assigns ends, and how much a value can be expected behind it.
fn assigned_at(text: &str, end: usize, stand: Stand) -> Option<(usize, Setting)> {
    let bytes = text.as_bytes();
    let mut at = end;
    // What closes the name: `"password":`, `**Password**:`, `["password"] =`.
    while at < end + 6 && bytes.get(at).is_some_and(|byte| b"\"'`*]\\".contains(byte)) {
        at += 1;
    }
    if stand.before == Some(b'<') && bytes.get(at) == Some(&b'>') {
        return Some((at + 1, Setting::Code));
    }
    let spaced = skip(bytes, at, b" \t");
    if spaced > at + 8 {
        return None;
    }
    let is_spaced = spaced > at;
    let rest = text.get(spaced..)?;
    if let Some(found) = sign(rest) {
        let (width, setting) = found;
        return Some((spaced + width, setting));
    }
    if stand.is_flag && is_spaced && !rest.starts_with('-') {
        return Some((behind_blank(text, spaced), Setting::Code));
    }
    if stand.quotes == Quotes::Statement && is_spaced && rest.starts_with(['\'', '"']) {
        return Some((spaced, Setting::Code));
    }
    if let Some(found) = in_call(text, end, stand).or_else(|| in_pair(text, at, stand)) {
        return Some(found);
    }
    if is_spaced && rest.starts_with('`') {
        return Some((spaced, Setting::Prose));
    }
    if is_spaced && let Some(value) = rest.strip_prefix("is ") {
        return Some((text.len() - value.len(), Setting::Prose));
    }
    if is_spaced && let Some(value) = rest.strip_prefix("to ") {
        return Some((text.len() - value.len(), Setting::Prose));
    }
    // `auth_token 1ce5…`
    if is_spaced && stand.is_code && holds_digit_soon(rest) {
        return Some((spaced, Setting::Beside));
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
        .take(LONGEST_REMARK)
        .take_while(|b| is_remark(*b))
        .count();
    let (width, setting) = sign(rest.get(length..)?)?;
    Some((spaced + length + width, setting))
}

/// Tells whether a word stands here that is long enough for a secret, with a digit.
fn holds_digit_soon(rest: &str) -> bool {
    let word = rest.as_bytes().get(..16).unwrap_or_default();
    !word.is_empty() && word.iter().all(u8::is_ascii_graphic) && word.iter().any(u8::is_ascii_digit)
}

/// Returns where the value stands of a call: `set("apiToken", "…")`, `setPassword("…")`.
fn in_call(text: &str, end: usize, stand: Stand) -> Option<(usize, Setting)> {
    let bytes = text.as_bytes();
    let is_quote = |at: usize| matches!(bytes.get(at), Some(b'"' | b'\''));
    let at = match bytes.get(end)? {
        b'(' if stand.quotes == Quotes::Call => end + 1,
        b'"' | b'\'' if bytes.get(end + 1) == Some(&b',') => {
            let before = text.get(..end)?;
            let name = before.bytes().rev().take(LONGEST_REMARK);
            let length = name.take_while(|byte| !b"\"' (".contains(byte)).count();
            let opened = before.get(..end - length)?.strip_suffix(['"', '\''])?;
            if !opened.ends_with('(') {
                return None;
            }
            skip(bytes, end + 2, b" ")
        }
        _ => return None,
    };
    is_quote(at).then_some((at, Setting::Prose))
}

/// Returns where the value stands of a name that is a value itself:
/// `{"name": "DB_PASSWORD", "value": "…"}`.
fn in_pair(text: &str, at: usize, stand: Stand) -> Option<(usize, Setting)> {
    let bytes = text.as_bytes();
    if !matches!(stand.before, Some(b'"' | b'\'' | b' ' | b':' | b'=')) {
        return None;
    }
    let start = skip(bytes, at, b" \t\r\n,;\"'\\");
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
    let sign = skip(bytes, start + length, b"\"'\\ ");
    matches!(bytes.get(sign), Some(b':' | b'=')).then_some((sign + 1, Setting::Code))
}

/// Reads a sign that assigns.
fn sign(rest: &str) -> Option<(usize, Setting)> {
    let signs = [
        ("===", Setting::Code),
        ("==", Setting::Code),
        ("!=", Setting::Code),
        (":=", Setting::Code),
        ("=>", Setting::Code),
        ("=", Setting::Code),
        ("%3D", Setting::Code),
        ("%3d", Setting::Code),
        ("::", Setting::Prose),
        (":", Setting::Line),
        ("|", Setting::Prose),
    ];
    let (sign, setting) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
    (sign != "::").then_some((sign.len(), setting))
}

/// Returns where what belongs to a secret ends that was looked at only so far: a long one goes
/// whole.
pub(super) fn whole_end(text: &str, range: &Range<usize>) -> usize {
    if range.len() < LONGEST / 2 {
        return range.end;
    }
    rest_end(text, range.end)
}

/// Returns where a value ends of which the part up to `end` was looked at.
pub(super) fn rest_end(text: &str, end: usize) -> usize {
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    let belongs = |byte: &u8| !byte.is_ascii_whitespace() && !b"\"'`<>|;".contains(byte);
    end + rest.iter().take_while(|byte| belongs(byte)).count()
}

/// Returns where a value without quotes ends, or how far it is looked at.
fn bare_end(text: &str, start: usize, stand: Stand) -> usize {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let in_query = matches!(stand.before, Some(b'?' | b'&'));
    let in_string = matches!(stand.before, Some(b';' | b','));
    let mut length = 0;
    for (at, byte) in rest.iter().enumerate().take(LONGEST) {
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
pub(super) fn behind_blank(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at;
    loop {
        at = skip(bytes, at, b" \t");
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
pub(super) fn next_line(text: &str, end: usize) -> Option<Range<usize>> {
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
        && judge::is_no_word(run)
        && end_of_mark(text, start + length).is_none();
    is_glued.then_some(start..start + length)
}

fn skip(bytes: &[u8], at: usize, set: &[u8]) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| set.contains(byte)).count()
}
