//! Words that announce a secret: names with a value, and the schemes of a header.

use std::ops::Range;

use super::name::{self, Promise};
use super::value::{self, Quotes, Stand};
use super::{MARK, SecretKind, Span, command, end_of_mark, header, judge, login, logins};

/// Shortest token behind `Bearer`.
const SHORTEST_BEARER: usize = 16;

/// How far behind `IDENTIFIED` its password may end.
const IDENTIFIED: usize = 160;

/// How far before `Basic` its header's name can stand.
const HEADER: usize = 32;

/// Finds what words announce.
pub(super) fn scan(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut before: Option<Range<usize>> = None;
    // How far commands and headers were looked through already.
    let (mut line_end, mut header_end) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        if !is_word(byte) {
            // What a replacement says is no name.
            at = if byte == b'[' {
                end_of_mark(text, at)
            } else {
                None
            }
            .unwrap_or(at + 1);
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let end = at + rest.iter().take_while(|byte| is_word(**byte)).count();
        let start = at;
        at = end;
        let known = spans.len();
        header::scan(text, start..end, &mut header_end, spans);
        command::scan(text, start..end, &mut line_end, spans);
        if spans.len() == known {
            spans.extend(identified(text, &(start..end)));
        }
        if spans.len() == known {
            spans.extend(announced(text, start..end, before.as_ref()));
        }
        if let Some(last) = spans.get(known..).and_then(<[Span]>::last) {
            at = last.range.end.max(end);
        }
        let is_spaced = bytes.get(end) == Some(&b' ');
        before = is_spaced.then_some(start..end);
    }
}

fn announced(text: &str, word: Range<usize>, before: Option<&Range<usize>>) -> Option<Span> {
    let bytes = text.as_bytes();
    let whole = text.get(word.clone())?;
    let name = whole.trim_matches(['-', '.', '_']);
    if name.len() == 6 && name.eq_ignore_ascii_case("bearer") {
        return bearer(text, word.end);
    }
    if name.len() == 5 && name.eq_ignore_ascii_case("basic") {
        return basic(text, word);
    }
    if whole.starts_with('-')
        && let Some(found) = login::flagged(text, &word)
    {
        return Some(found);
    }
    if let Some(found) =
        logins::netrc(text, word.clone()).or_else(|| logins::pgpass(text, word.clone()))
    {
        return Some(found);
    }
    let one_space = before.filter(|before| before.end + 1 == word.start);
    let earlier = one_space.and_then(|before| text.get(before.clone()));
    let promise = match whole {
        _ if whole.eq_ignore_ascii_case("x-honeycomb-team") => Promise::Key,
        // `.npmrc` and the configuration of Docker: base64 of a name and its password.
        "_auth" | "auth" => Promise::Key,
        _ => name::promise(name, earlier)?,
    };
    let is_statement = |word: &str| {
        ["with", "encrypted"]
            .iter()
            .any(|own| word.eq_ignore_ascii_case(own))
    };
    let stand = Stand {
        before: word
            .start
            .checked_sub(1)
            .and_then(|at| bytes.get(at).copied()),
        is_flag: whole.starts_with("--")
            || matches!(earlier, Some("ENV" | "setenv" | "setx" | "-gx" | "-Ux")),
        is_code: name.bytes().any(|byte| byte == b'_')
            || name.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()),
        quotes: if earlier.is_some_and(is_statement) {
            Quotes::Statement
        } else if is_setter(name) {
            Quotes::Call
        } else {
            Quotes::Nothing
        },
    };
    let found = value::of(text, word.end, stand)?;
    let value = text.get(found.range.clone())?;
    // A shell goes on behind a backslash at the end of the line.
    let cut = found.range.start + value.trim_end_matches('\\').len();
    let more = value::next_line(text, cut);
    let glued = more.as_ref().map(|more| {
        let (head, tail) = (text.get(found.range.start..cut), text.get(more.clone()));
        [head.unwrap_or_default(), tail.unwrap_or_default()].concat()
    });
    let value = glued.as_deref().unwrap_or(value);
    // What is left of a value was judged when it was whole.
    if holds_mark(text, &found.range) {
        return None;
    }
    if promise == Promise::Login {
        return login::assigned(text, found.range.start);
    }
    if whole == "auth" && !holds_colon(value.as_bytes()) {
        return None;
    }
    // `Authorization` and the like: the scheme is read as a word of its own.
    let is_given = promise == Promise::Password
        && bytes.get(word.end) == Some(&b'=')
        && judge::is_password_of_variable(whole, value);
    if !is_given && !judge::is_secret(value, promise, found.setting) {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let is_aws =
        lower.contains("aws") || lower.contains("secret_access") || lower.contains("secretaccess");
    let kind = match promise {
        Promise::Password => SecretKind::Password,
        Promise::Secret if is_aws && value.len() == 40 && !lower.contains("token") => {
            SecretKind::AwsSecretKey
        }
        _ => SecretKind::Assigned,
    };
    Some(Span {
        range: found.range.start
            ..more.map_or_else(|| value::whole_end(text, &found.range), |more| more.end),
        kind,
    })
}

/// Tells whether a name is of what is called with a value: `setPassword`, `builder.password`.
fn is_setter(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let verbs = ["set", "with", "update", "change"];
    last.len() < name.len() && last.bytes().all(|byte| byte.is_ascii_lowercase())
        || verbs.iter().any(|verb| last.starts_with(verb))
}

/// Tells whether a replacement begins in these bytes.
pub(super) fn holds_mark(text: &str, range: &Range<usize>) -> bool {
    let end = text.floor_char_boundary(range.end + MARK.len() - 1);
    let bytes = text.get(range.start..end);
    bytes.is_some_and(|bytes| bytes.contains(MARK))
}

/// `IDENTIFIED BY '…'`, `IDENTIFIED WITH caching_sha2_password BY '…'`
fn identified(text: &str, word: &Range<usize>) -> Option<Span> {
    if word.len() != 10 {
        return None;
    }
    let name = text.get(word.clone())?;
    if !name.eq_ignore_ascii_case("identified") {
        return None;
    }
    let rest = text.get(word.end..)?;
    let rest = rest.get(..rest.floor_char_boundary(IDENTIFIED))?;
    let (lead, quoted) = rest.split_once(['\'', '"'])?;
    // The name of a plugin may be quoted as well.
    let is_plugin = lead.trim().eq_ignore_ascii_case("with");
    let behind = if is_plugin {
        quoted.split_once(['\'', '"'])?.1.split_once(['\'', '"'])?
    } else {
        (lead, quoted)
    };
    let (lead, value) = behind;
    let says_by = lead
        .split_whitespace()
        .next_back()
        .is_some_and(|last| last.eq_ignore_ascii_case("by"));
    let value = value
        .split(['\'', '"', '\n'])
        .next()?
        .trim_end_matches('\\');
    let start = word.end + (rest.len() - behind.1.len());
    let range = start..start + value.len();
    // In a sentence tasks are identified by their keys.
    let is_statement = name == "IDENTIFIED";
    let is_password = says_by
        && !lead.contains(['\n', '.', ';'])
        && !holds_mark(text, &range)
        && if is_statement {
            judge::is_given_password(value)
        } else {
            judge::is_secret(value, Promise::Key, judge::Setting::Code)
        };
    is_password.then_some(Span {
        range,
        kind: SecretKind::Password,
    })
}

/// `Bearer <token>`
fn bearer(text: &str, end: usize) -> Option<Span> {
    let token = spaced_token(text, end, |byte| {
        byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
    })?;
    let value = text.get(token.clone())?;
    let is_token = value.len() >= SHORTEST_BEARER
        && judge::is_secret(value, Promise::Secret, judge::Setting::Code);
    is_token.then_some(Span {
        range: token,
        kind: SecretKind::Bearer,
    })
}

/// `Authorization: Basic <base64 of user:password>`
fn basic(text: &str, word: Range<usize>) -> Option<Span> {
    let from = text.floor_char_boundary(word.start.saturating_sub(HEADER));
    let header = text.get(from..word.start)?.to_ascii_lowercase();
    if !header.contains("authorization") {
        return None;
    }
    let token = spaced_token(text, word.end, |byte| {
        byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
    })?;
    let value = text.get(token.clone())?;
    let is_login = holds_colon(value.as_bytes())
        || judge::is_secret(value, Promise::Secret, judge::Setting::Code);
    is_login.then_some(Span {
        range: token,
        kind: SecretKind::Basic,
    })
}

/// Returns the token behind spaces, without the full stop of a sentence.
fn spaced_token(text: &str, end: usize, has: impl Fn(u8) -> bool) -> Option<Range<usize>> {
    let start = value::behind_blank(text, end);
    let body = text.get(start..)?;
    let length = body.bytes().take_while(|byte| has(*byte)).count();
    let token = body.get(..length)?.trim_end_matches('.');
    let is_rest = end_of_mark(text, start + length).is_some();
    (start > end && !token.is_empty() && !is_rest).then_some(start..start + token.len())
}

/// Tells whether base64 of printable text with a colon stands here.
fn holds_colon(token: &[u8]) -> bool {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bits, mut held, mut colon) = (0_u32, 0, false);
    for byte in token.iter().take(400) {
        let Some(digit) = digit(*byte) else { break };
        bits = bits << 6 & 0xffff | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            let plain = (bits >> held).to_le_bytes()[0];
            if plain.is_ascii_control() {
                return false;
            }
            colon |= plain == b':';
        }
    }
    colon && token.len() >= 8
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
