//! Finds secrets that words announce: values of names, and credentials behind the scheme of a
//! header.

use std::ops::Range;

use super::assigned_value::{self, AssignedValue, NameContext, QuoteMeaning};
use super::placeholders::contains_replacement;
use super::secret_names::{self, SecretHint};
use super::{
    SecretKind, SecretSpan, classify, command_passwords, credential_pairs, header_secrets,
    login_files, replacement_end,
};

/// The shortest token behind `Bearer`.
const MIN_BEARER_BYTES: usize = 16;

/// How many bytes behind `IDENTIFIED` are searched for its password.
const MAX_IDENTIFIED_BYTES: usize = 160;

/// How many bytes before `Basic` are searched for the name of its header.
const MAX_HEADER_NAME_BYTES: usize = 32;

/// Finds every secret that a word announces.
pub(super) fn find_assigned_secrets(text: &str, spans: &mut Vec<SecretSpan>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut before: Option<Range<usize>> = None;
    // Where the search through commands and headers has come to.
    let (mut line_end, mut header_end) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        if !is_word_byte(byte) {
            // The words in a replacement are no names.
            at = if byte == b'[' { replacement_end(text, at) } else { None }.unwrap_or(at + 1);
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let end = at + rest.iter().take_while(|byte| is_word_byte(**byte)).count();
        let start = at;
        at = end;
        let known = spans.len();
        header_secrets::find_header_secrets(text, start..end, &mut header_end, spans);
        command_passwords::find_command_passwords(text, start..end, &mut line_end, spans);
        if spans.len() == known {
            spans.extend(find_identified_by(text, &(start..end)));
        }
        if spans.len() == known {
            spans.extend(find_assigned_secret(text, start..end, before.as_ref()));
        }
        if let Some(last) = spans.get(known..).and_then(<[SecretSpan]>::last) {
            at = last.range.end.max(end);
        }
        let is_spaced = bytes.get(end) == Some(&b' ');
        before = is_spaced.then_some(start..end);
    }
}

/// Finds the secret that a word announces. `before` is the word before it.
fn find_assigned_secret(
    text: &str,
    word: Range<usize>,
    before: Option<&Range<usize>>,
) -> Option<SecretSpan> {
    let word_text = text.get(word.clone())?;
    let name = word_text.trim_matches(['-', '.', '_']);
    if name.len() == 6 && name.eq_ignore_ascii_case("bearer") {
        return find_bearer_token(text, word.end);
    }
    if name.len() == 5 && name.eq_ignore_ascii_case("basic") {
        return find_basic_credentials(text, word);
    }
    if word_text.starts_with('-')
        && let Some(found) = credential_pairs::find_flagged_login(text, &word)
    {
        return Some(found);
    }
    if let Some(found) = login_files::find_netrc_password(text, word.clone())
        .or_else(|| login_files::find_pgpass_password(text, word.clone()))
    {
        return Some(found);
    }
    let one_space = before.filter(|before| before.end + 1 == word.start);
    let earlier = one_space.and_then(|before| text.get(before.clone()));
    let hint = match word_text {
        _ if word_text.eq_ignore_ascii_case("x-honeycomb-team") => SecretHint::Key,
        // `.npmrc` and the configuration of Docker: base64 of a name and its password.
        "_auth" | "auth" => SecretHint::Key,
        _ => secret_names::hint_from_name(name, earlier)?,
    };
    let context = name_context(text, &word, name, earlier);
    let value = assigned_value::find_value(text, word.end, context)?;
    secret_in_value(text, &word, hint, &value)
}

/// Describes how the name in a word stands in the text; `earlier` is the word before it.
fn name_context(text: &str, word: &Range<usize>, name: &str, earlier: Option<&str>) -> NameContext {
    let is_statement =
        |word: &str| ["with", "encrypted"].iter().any(|own| word.eq_ignore_ascii_case(own));
    let before = word.start.checked_sub(1);
    let word_text = text.get(word.clone()).unwrap_or_default();
    NameContext {
        before: before.and_then(|at| text.as_bytes().get(at).copied()),
        is_flag: word_text.starts_with("--")
            || matches!(earlier, Some("ENV" | "setenv" | "setx" | "-gx" | "-Ux")),
        is_code: name.bytes().any(|byte| byte == b'_')
            || name.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()),
        quotes: if earlier.is_some_and(is_statement) {
            QuoteMeaning::Statement
        } else if is_setter_name(name) {
            QuoteMeaning::Call
        } else {
            QuoteMeaning::Nothing
        },
    }
}

/// Decides whether the value of a word is a secret, and how far it goes.
fn secret_in_value(
    text: &str,
    word: &Range<usize>,
    hint: SecretHint,
    found: &AssignedValue,
) -> Option<SecretSpan> {
    let word_text = text.get(word.clone())?;
    let value = text.get(found.range.clone())?;
    // A shell continues the value in the next line behind a backslash.
    let cut = found.range.start + value.trim_end_matches('\\').len();
    let more = assigned_value::continued_line(text, cut);
    let glued = more.as_ref().map(|more| {
        let (head, tail) = (text.get(found.range.start..cut), text.get(more.clone()));
        [head.unwrap_or_default(), tail.unwrap_or_default()].concat()
    });
    let value = glued.as_deref().unwrap_or(value);
    // A rest of a value beside a replacement was classified when the value was whole.
    if contains_replacement(text, &found.range) {
        return None;
    }
    if hint == SecretHint::Login {
        return credential_pairs::find_assigned_login(text, found.range.start);
    }
    if word_text == "auth" && !is_base64_with_colon(value.as_bytes()) {
        return None;
    }
    // A shell variable is assigned text as it stands, so a weak password counts as well.
    let is_given = hint == SecretHint::Password
        && text.as_bytes().get(word.end) == Some(&b'=')
        && classify::is_password_of_variable(word_text, value);
    if !is_given && !classify::is_secret(value, hint, found.context) {
        return None;
    }
    Some(SecretSpan {
        range: found.range.start
            ..more
                .map_or_else(|| assigned_value::extended_end(text, &found.range), |more| more.end),
        kind: assigned_kind(word_text, value, hint),
    })
}

/// Returns the kind of the secret that a name is assigned.
fn assigned_kind(name: &str, value: &str, hint: SecretHint) -> SecretKind {
    let lower = name.to_ascii_lowercase();
    let is_aws =
        lower.contains("aws") || lower.contains("secret_access") || lower.contains("secretaccess");
    match hint {
        SecretHint::Password => SecretKind::Password,
        SecretHint::Secret if is_aws && value.len() == 40 && !lower.contains("token") => {
            SecretKind::AwsSecretKey
        }
        _ => SecretKind::Assigned,
    }
}

/// Returns whether a name is that of a setter: `setPassword`, `builder.password`.
fn is_setter_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let verbs = ["set", "with", "update", "change"];
    last.len() < name.len() && last.bytes().all(|byte| byte.is_ascii_lowercase())
        || verbs.iter().any(|verb| last.starts_with(verb))
}

/// Finds the password in `IDENTIFIED BY '…'` and `IDENTIFIED WITH caching_sha2_password BY '…'`.
fn find_identified_by(text: &str, word: &Range<usize>) -> Option<SecretSpan> {
    if word.len() != 10 {
        return None;
    }
    let name = text.get(word.clone())?;
    if !name.eq_ignore_ascii_case("identified") {
        return None;
    }
    let rest = text.get(word.end..)?;
    let rest = rest.get(..rest.floor_char_boundary(MAX_IDENTIFIED_BYTES))?;
    let (lead, quoted) = rest.split_once(['\'', '"'])?;
    // The name of a plugin may be quoted as well.
    let is_plugin = lead.trim().eq_ignore_ascii_case("with");
    let behind = if is_plugin {
        quoted.split_once(['\'', '"'])?.1.split_once(['\'', '"'])?
    } else {
        (lead, quoted)
    };
    let (lead, value) = behind;
    let says_by =
        lead.split_whitespace().next_back().is_some_and(|last| last.eq_ignore_ascii_case("by"));
    let value = value.split(['\'', '"', '\n']).next()?.trim_end_matches('\\');
    let start = word.end + (rest.len() - behind.1.len());
    let range = start..start + value.len();
    // In prose, tasks are identified by their keys.
    let is_statement = name == "IDENTIFIED";
    let is_password = says_by
        && !lead.contains(['\n', '.', ';'])
        && !contains_replacement(text, &range)
        && if is_statement {
            classify::is_given_password(value)
        } else {
            classify::is_secret(value, SecretHint::Key, classify::ValueContext::Code)
        };
    is_password.then_some(SecretSpan { range, kind: SecretKind::Password })
}

/// Finds the token in `Bearer <token>`.
fn find_bearer_token(text: &str, end: usize) -> Option<SecretSpan> {
    let token = token_after_spaces(text, end, |byte| {
        byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
    })?;
    let value = text.get(token.clone())?;
    let is_token = value.len() >= MIN_BEARER_BYTES
        && classify::is_secret(value, SecretHint::Secret, classify::ValueContext::Code);
    is_token.then_some(SecretSpan { range: token, kind: SecretKind::Bearer })
}

/// Finds the credentials in `Authorization: Basic <base64 of user:password>`.
fn find_basic_credentials(text: &str, word: Range<usize>) -> Option<SecretSpan> {
    let from = text.floor_char_boundary(word.start.saturating_sub(MAX_HEADER_NAME_BYTES));
    let header = text.get(from..word.start)?.to_ascii_lowercase();
    if !header.contains("authorization") {
        return None;
    }
    let token = token_after_spaces(text, word.end, |byte| {
        byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
    })?;
    let value = text.get(token.clone())?;
    let is_login = is_base64_with_colon(value.as_bytes())
        || classify::is_secret(value, SecretHint::Secret, classify::ValueContext::Code);
    is_login.then_some(SecretSpan { range: token, kind: SecretKind::Basic })
}

/// Returns the token behind spaces, without the full stop of a sentence.
fn token_after_spaces(text: &str, end: usize, has: impl Fn(u8) -> bool) -> Option<Range<usize>> {
    let start = assigned_value::skip_blanks(text, end);
    let body = text.get(start..)?;
    let length = body.bytes().take_while(|byte| has(*byte)).count();
    let token = body.get(..length)?.trim_end_matches('.');
    let is_rest = replacement_end(text, start + length).is_some();
    (start > end && !token.is_empty() && !is_rest).then_some(start..start + token.len())
}

/// Returns whether a token is base64 of printable text with a colon in it.
fn is_base64_with_colon(token: &[u8]) -> bool {
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

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
