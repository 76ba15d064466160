//! Tells placeholders and sample values from secrets.

use std::ops::Range;

use super::REPLACEMENT_START;
use super::char_stats::value_head;

/// Parts of placeholders, in lower case.
const PLACEHOLDER_PARTS: [&str; 27] = [
    "example",
    "changeme",
    "change-me",
    "change_me",
    "placeholder",
    "redacted",
    "your",
    "dummy",
    "fake",
    "sample",
    "insert",
    "replace",
    "masked",
    "xxxx",
    "****",
    "••",
    "...",
    "…",
    "notasecret",
    "not-a-secret",
    "not_a_secret",
    "removed",
    "todo",
    "goes-here",
    "goes_here",
    "omitted",
    "<",
];

/// Whole values that stand for a password.
const SAMPLE_PASSWORDS: [&str; 34] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "test",
    "testing",
    "test123",
    "none",
    "null",
    "token",
    "user",
    "pw",
    "mypassword",
    "my-password",
    "my_password",
    "db_password",
    "hidden",
    "password-here",
    "dev",
    "string",
    "mysecret",
    "passphrase",
    "required",
    "optional",
    "undefined",
    "disabled",
    "enabled",
    "default",
    "missing",
    "nothing",
    "postgres",
    "encrypted",
    "prompted",
];

/// Returns whether the value only stands in the place of a secret.
pub(super) fn is_placeholder(value: &str) -> bool {
    let head = value_head(value);
    is_placeholder_syntax(head) || contains_placeholder(head)
}

/// Returns whether the value is a variable, a gap in brackets, or one character repeated.
fn is_placeholder_syntax(head: &str) -> bool {
    let only = |set: &[u8]| head.bytes().all(|byte| set.contains(&byte));
    let opened = head.starts_with(['<', '{', '[', '(', '%']);
    let variable = head.strip_prefix('$').is_some_and(|rest| {
        rest.starts_with(['{', '(', '$'])
            || rest.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
            || rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    });
    let same = head.bytes().all(|byte| Some(byte) == head.bytes().next());
    head.is_empty()
        || opened
        || variable
        || same
        || only(b"*xX.-_#?")
        || !head.is_ascii() && head.chars().all(|c| !c.is_alphanumeric())
}

/// Returns whether documentation uses the value for a password.
pub(super) fn is_sample_password(value: &str) -> bool {
    SAMPLE_PASSWORDS.iter().any(|sample| value.eq_ignore_ascii_case(sample))
}

/// Returns whether something in the form of a secret, or in the place of one, was elided on purpose.
/// A value that is merely simple is replaced: that costs a reader nothing, and a leaked secret
/// costs a lot.
pub(super) fn is_elided(value: &str) -> bool {
    const MARKS: [&str; 9] =
        ["xxxx", "****", "...", "…", "••", "your", "redacted", "changeme", "placeholder"];
    let head = value_head(value);
    let lower = head.to_ascii_lowercase();
    is_placeholder_syntax(head) || MARKS.iter().any(|mark| lower.contains(mark))
}

fn contains_placeholder(head: &str) -> bool {
    let lower = head.to_ascii_lowercase();
    PLACEHOLDER_PARTS.iter().any(|part| lower.contains(part))
}

/// Returns whether a replacement begins in these bytes.
pub(super) fn contains_replacement(text: &str, range: &Range<usize>) -> bool {
    let end = text.floor_char_boundary(range.end + REPLACEMENT_START.len() - 1);
    let bytes = text.get(range.start..end);
    bytes.is_some_and(|bytes| bytes.contains(REPLACEMENT_START))
}
