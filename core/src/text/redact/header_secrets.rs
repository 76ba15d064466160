//! HTTP headers and URL parameters that carry a secret under a name of their own: credentials in
//! `Authorization`, cookies, and signatures of links.

use std::ops::Range;

use super::placeholders::contains_replacement;
use super::secret_names::SecretHint;
use super::{SecretKind, SecretSpan, classify, placeholders};

/// How many bytes of a header are searched.
const MAX_HEADER_BYTES: usize = 2_048;

/// The shortest credential.
const MIN_CREDENTIAL_BYTES: usize = 16;

/// Parameters that sign a URL, and the least length of their values.
const SIGNATURE_PARAMETERS: [(&str, usize); 5] = [
    ("sig", 32),
    ("signature", 28),
    ("x-amz-signature", 40),
    ("x-goog-signature", 40),
    ("code", 50),
];

/// Finds the secrets behind a word if it names such a header or parameter. `scanned_to` keeps a
/// line from being searched again for each of its words.
pub(super) fn find_header_secrets(
    text: &str,
    word: Range<usize>,
    scanned_to: &mut usize,
    spans: &mut Vec<SecretSpan>,
) {
    let name = text.get(word.clone()).unwrap_or_default();
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    let ends_with = |end: &str| {
        let from = name.len().checked_sub(end.len());
        from.and_then(|from| name.get(from..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    let is_credential = ends_with("authorization");
    if is_credential || ends_with("cookie") || ends_with("cookies") || name == "-b" {
        let range = header_value(text, word.end).filter(|_| word.start >= *scanned_to);
        let Some(range) = range else { return };
        *scanned_to = range.end;
        if is_credential {
            spans.extend(find_authorization(text, range));
        } else {
            find_cookies(text, range, spans);
        }
    } else if SIGNATURE_PARAMETERS.iter().any(|(other, _)| is(other)) {
        spans.extend(find_signature(text, word));
    }
}

/// Returns the value that is assigned behind `end`, up to the end of its line or its quotes.
fn header_value(text: &str, end: usize) -> Option<Range<usize>> {
    let rest = text.get(end..)?;
    let sign = rest.trim_start_matches(['"', '\'', '`', ' ', ']', '*']);
    let sign = sign.strip_prefix([':', '=', ',']).or_else(|| {
        // A flag: `--cookie "…"`.
        rest.strip_prefix(' ').filter(|rest| rest.starts_with(['"', '\'']))
    })?;
    let value = sign.trim_start_matches([' ', '\t', '*']);
    let value = value.strip_prefix(['"', '\'', '`']).unwrap_or(value);
    let start = text.len() - value.len();
    let bytes = value.bytes().take(MAX_HEADER_BYTES);
    let length = bytes.take_while(|byte| !b"\n\r\"'`|<>".contains(byte)).count();
    Some(start..start + length)
}

/// Finds the credential in `Authorization: SSWS 00…`, whatever the scheme.
fn find_authorization(text: &str, range: Range<usize>) -> Option<SecretSpan> {
    let line = text.get(range.clone())?;
    let is_of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let length = line.bytes().take_while(|byte| is_of_scheme(byte)).count();
    let scheme = line.get(..length)?;
    if ["bearer", "basic"].iter().any(|own| scheme.eq_ignore_ascii_case(own)) {
        // The scanner of words reads these two.
        return None;
    }
    let behind = line.get(length..)?;
    let tail = match behind.strip_prefix([' ', '=']) {
        Some(tail) => tail.trim_start_matches(' '),
        None => line,
    };
    let unnamed = tail.strip_prefix("token=").or_else(|| tail.strip_prefix("Token="));
    let tail = unnamed.unwrap_or(tail);
    let value = tail.split([' ', ',', ';']).next()?.trim_end_matches(['.', ')', '}']);
    let start = range.end - tail.len();
    let range = start..start + value.len();
    let is_credential = value.len() >= MIN_CREDENTIAL_BYTES
        && !contains_replacement(text, &range)
        && classify::is_secret(value, SecretHint::Secret, classify::ValueContext::Code);
    is_credential.then_some(SecretSpan { range, kind: SecretKind::Assigned })
}

/// Finds the values of `Cookie: session=…; theme=dark` that look random.
fn find_cookies(text: &str, range: Range<usize>, spans: &mut Vec<SecretSpan>) {
    let mut at = range.start;
    for pair in text.get(range).unwrap_or_default().split(';') {
        let start = at;
        at += pair.len() + 1;
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let from = start + name.len() + 1;
        let value = value.trim_end();
        let range = from..from + value.len();
        if value.len() >= MIN_CREDENTIAL_BYTES
            && !name.trim().contains(' ')
            && !contains_replacement(text, &range)
            && classify::is_secret(value, SecretHint::Key, classify::ValueContext::Code)
        {
            spans.push(SecretSpan { range, kind: SecretKind::Assigned });
        }
    }
}

/// Finds the signature in `?sv=…&sig=…`, which gives access to the URL.
fn find_signature(text: &str, word: Range<usize>) -> Option<SecretSpan> {
    let bytes = text.as_bytes();
    let before = word.start.checked_sub(1).and_then(|at| bytes.get(at))?;
    let name = text.get(word.clone())?;
    let (_, fewest) =
        SIGNATURE_PARAMETERS.iter().find(|(own, _)| name.eq_ignore_ascii_case(own))?;
    if !matches!(before, b'?' | b'&' | b' ' | b';') || bytes.get(word.end) != Some(&b'=') {
        return None;
    }
    let start = word.end + 1;
    let rest = bytes.get(start..)?;
    let is_value = |byte: &u8| byte.is_ascii_alphanumeric() || b"%+/=_-~.".contains(byte);
    let length = rest.iter().take(MAX_HEADER_BYTES).take_while(|byte| is_value(byte)).count();
    let range = start..start + length;
    let value = text.get(range.clone())?;
    let is_signature = length >= *fewest
        && !contains_replacement(text, &range)
        && !placeholders::is_elided(value)
        && classify::is_varied(value);
    is_signature.then_some(SecretSpan { range, kind: SecretKind::Service })
}
