//! Lines of the files `.netrc` and `.pgpass`.

use std::ops::Range;

use super::classify::{self, ValueContext};
use super::placeholders::contains_replacement;
use super::secret_names::SecretHint;
use super::{SecretKind, SecretSpan};

/// How many bytes before a word are searched for what it belongs to.
const MAX_BYTES_BEFORE: usize = 200;

/// How many bytes of a value are read.
const MAX_VALUE_BYTES: usize = 256;

/// Ports on which only databases listen.
const DATABASE_PORTS: [&str; 6] = ["5432", "5433", "6432", "6543", "25060", "26257"];

/// Words that are no user name, so that `login with password …` in a sentence is no entry.
const SENTENCE_WORDS: [&str; 14] = [
    "with", "by", "via", "using", "and", "or", "the", "a", "your", "its", "form", "page", "needs",
    "requires",
];

/// Finds the password in `machine host login bob password …`, on one line or several.
pub(super) fn find_netrc_password(text: &str, word: Range<usize>) -> Option<SecretSpan> {
    if !matches!(text.get(word.clone())?, "password" | "passwd") {
        return None;
    }
    let rest = text.get(word.end..)?;
    let body = rest.trim_start_matches([' ', '\t', '\r', '\n']);
    if body.len() == rest.len() {
        return None;
    }
    let start = text.len() - body.len();
    let (value, range) = read_value(text, start)?;
    let from = text.floor_char_boundary(word.start.saturating_sub(MAX_BYTES_BEFORE));
    let before = text.get(from..word.start)?;
    let mut before = before.split_whitespace().rev().map(|word| word.trim_matches('`'));
    let (name, role) = (before.next()?, before.next()?);
    let after = text.get(range.end..)?.split_whitespace().next();
    let is_entry = match role {
        "login" | "user" | "account" => before.take(4).any(|w| w == "machine" || w == "default"),
        "machine" => matches!(after, Some("login" | "account")),
        _ => return None,
    };
    let is_password = if is_entry {
        classify::is_given_password(value)
    } else {
        role == "login" && classify::is_secret(value, SecretHint::Password, ValueContext::Line)
    };
    (is_password && !SENTENCE_WORDS.contains(&name)).then(|| password_span(text, range))?
}

/// Finds the password in `host:5432:database:user:…`; `word` is the port.
pub(super) fn find_pgpass_password(text: &str, word: Range<usize>) -> Option<SecretSpan> {
    let bytes = text.as_bytes();
    let port = text.get(word.clone())?;
    let colon = word.start.checked_sub(1)?;
    let is_port = (4..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    if !is_port || bytes.get(colon) != Some(&b':') || bytes.get(word.end) != Some(&b':') {
        return None;
    }
    let is_of_host = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._-*".contains(byte);
    let before = bytes.get(..colon)?.iter().rev();
    let host = before.take(MAX_BYTES_BEFORE).take_while(is_of_host).count();
    let host_start = colon - host;
    let host = text.get(host_start..colon)?;
    let is_first = host_start.checked_sub(1).and_then(|at| bytes.get(at));
    let is_first = is_first.is_none_or(|byte| byte.is_ascii_whitespace() || b"\"'`".contains(byte));
    let is_host = host == "*" || host.bytes().any(|b| b.is_ascii_alphabetic() || b == b'.');
    if !is_first || !is_host {
        return None;
    }
    let line = text.get(word.end + 1..)?;
    let line = line.get(..line.floor_char_boundary(2 * MAX_VALUE_BYTES))?;
    let line = line.split(char::is_whitespace).next()?;
    let mut fields = line.splitn(3, ':');
    let (database, user, value) = (fields.next()?, fields.next()?, fields.next()?);
    let is_name = |name: &str| {
        let belongs = |b: u8| b.is_ascii_alphanumeric() || b"_-.*".contains(&b);
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(belongs)
    };
    // In a line of a log, the level stands there.
    let is_level = database.len() > 3 && database.bytes().all(|b| b.is_ascii_uppercase());
    if !is_name(database) || !is_name(user) || is_level {
        return None;
    }
    let (value, range) = read_value(text, word.end + 1 + line.len() - value.len())?;
    let is_password = if DATABASE_PORTS.contains(&port) {
        classify::is_given_password(value)
    } else {
        classify::is_secret(value, SecretHint::Password, ValueContext::Line)
    };
    is_password.then(|| password_span(text, range))?
}

/// Reads the value at an offset, without the quotes or the mark that close it.
fn read_value(text: &str, start: usize) -> Option<(&str, Range<usize>)> {
    let rest = text.get(start..)?;
    let rest = rest.get(..rest.floor_char_boundary(MAX_VALUE_BYTES))?;
    let value = rest.split(char::is_whitespace).next()?;
    let value = value.trim_end_matches(['`', '"', '\'', ',', ')']);
    Some((value, start..start + value.len()))
}

fn password_span(text: &str, range: Range<usize>) -> Option<SecretSpan> {
    let range = range.start..super::assigned_value::extended_end(text, &range);
    (!range.is_empty() && !contains_replacement(text, &range))
        .then_some(SecretSpan { range, kind: SecretKind::Password })
}
