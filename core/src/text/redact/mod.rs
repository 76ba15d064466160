//! Finds secrets in text that would leave a repository, and replaces them.
//!
//! Invariants:
//! - A secret is replaced by `[redacted: <kind>]`; every other byte is kept.
//! - Text without a secret is returned as it is, and redacting twice is redacting once.
//! - No finding repeats the secret, not in its `Debug` either.
//! - The time is linear in the text, whatever it holds.
//!
//! Four scanners read the text. Three find what is a secret by its own form: blocks of private keys
//! (`private_keys`), URLs with a password or a key (`url_secrets`), and tokens of services
//! (`token_scan`, with the table `token_forms`; `split_tokens` for tokens that Markdown or a line
//! end interrupts). The fourth, `assignments`, reads names and their values: headers
//! (`header_secrets`), commands (`command_passwords`), logins (`credential_pairs`, `login_files`)
//! and names such as `API_KEY` (`secret_names`, `assigned_value`). What a name is assigned is
//! judged by `classify`, with `placeholders`, `char_stats` and `letter_patterns`.

mod assigned_value;
mod assignments;
mod char_stats;
mod classify;
mod command_passwords;
mod credential_pairs;
mod header_secrets;
mod letter_patterns;
mod login_files;
mod placeholders;
mod private_keys;
mod redacted_text;
mod secret_kind;
mod secret_names;
mod split_tokens;
#[cfg(test)]
mod tests;
mod token_forms;
mod token_scan;
#[cfg(test)]
mod unseen_corpus;
#[cfg(test)]
mod unseen_templates;
mod url_secrets;

use std::borrow::Cow;
use std::ops::Range;

pub use redacted_text::{RedactedText, redact_json};
pub use secret_kind::SecretKind;

/// How every replacement begins.
const REPLACEMENT_START: &str = "[redacted: ";

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction<'a> {
    /// The text, borrowed when nothing was found.
    pub text: Cow<'a, str>,
    /// The secrets that were replaced, in the order of the text.
    pub findings: Vec<SecretFinding>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretFinding {
    /// The line on which it began in the original text, from 1.
    pub line: usize,
    /// What kind of secret it was.
    pub kind: SecretKind,
}

/// The bytes of a secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SecretSpan {
    range: Range<usize>,
    kind: SecretKind,
}

/// A single word of at most so many bytes is never a secret: tokens that show by their form are
/// longer, and there is no name before it that would announce one.
const SHORT_WORD_BYTES: usize = 15;

/// How often a text is read at most. Replacing a secret may bring a name next to another value, so
/// each pass reads what the last one left; the second pass almost always finds nothing.
const MAX_PASSES: usize = 8;

/// Returns the text with every secret replaced.
pub fn redact(text: &str) -> Redaction<'_> {
    // Short words are frequent: the priority of every task is redacted, for one.
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if text.len() <= SHORT_WORD_BYTES && text.bytes().all(is_part)
        || is_time_or_id(text)
        || is_prose(text)
    {
        return Redaction { text: Cow::Borrowed(text), findings: Vec::new() };
    }
    redact_until_stable(text)
}

/// Returns a line for printing without the tokens that show by their own form. Stored texts have
/// passed [`redact`]; ids, branches and paths have not, and are cleaned here.
pub fn redact_tokens(line: &str) -> Cow<'_, str> {
    if line.len() <= SHORT_WORD_BYTES {
        return Cow::Borrowed(line);
    }
    replace_spans(line, &find_self_evident_secrets(line))
}

/// The longest id or time that is never a secret, in bytes: that of a UUID.
const MAX_ID_BYTES: usize = 36;

/// Returns whether a text is a time, a UUID or a digest. Tables are full of them.
fn is_time_or_id(text: &str) -> bool {
    let is_part =
        |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-' | b':' | b'.' | b'T' | b'Z');
    // Tokens of one service begin with `fc-`.
    text.len() <= MAX_ID_BYTES && text.bytes().all(is_part) && !text.contains("fc-")
}

/// The longest word of a plain sentence, in bytes.
const MAX_WORD_BYTES: usize = 11;

/// Returns whether a text consists of short words alone: nothing in it is random, and nothing
/// assigns.
fn is_prose(text: &str) -> bool {
    let mut word = 0;
    text.bytes().all(|byte| {
        word = if byte.is_ascii_alphabetic() { word + 1 } else { 0 };
        word <= MAX_WORD_BYTES
            && (byte.is_ascii_alphabetic() || matches!(byte, b' ' | b',' | b'.' | b'(' | b')'))
    })
}

/// Redacts a text until no pass finds anything: once the text between them is replaced, a name may
/// meet a value, and the head of a key its material.
fn redact_until_stable(text: &str) -> Redaction<'_> {
    let mut clean = Cow::Borrowed(text);
    let mut passes: Vec<Vec<PassFinding>> = Vec::new();
    while passes.len() < MAX_PASSES
        && let Some((cleaner, hits)) = redact_once(&clean)
    {
        clean = Cow::Owned(cleaner);
        passes.push(hits);
    }
    Redaction { text: clean, findings: collect_findings(&passes) }
}

/// A secret that one pass found.
#[derive(Debug, Clone, Copy)]
struct PassFinding {
    /// The line on which it begins in the text that this pass read.
    line: usize,
    /// How many line ends were replaced with it.
    line_breaks: usize,
    kind: SecretKind,
}

/// Redacts a text once; `None` if it holds no secret.
fn redact_once(text: &str) -> Option<(String, Vec<PassFinding>)> {
    // Names are read after the tokens are replaced, so that the next pass reads the same text.
    let self_evident = find_self_evident_secrets(text);
    let without_self_evident = replace_spans(text, &self_evident);
    let mut assigned = Vec::new();
    assignments::find_assigned_secrets(&without_self_evident, &mut assigned);
    if self_evident.is_empty() && assigned.is_empty() {
        return None;
    }
    let hits = locate_findings(text, &self_evident, &without_self_evident, &assigned);
    Some((replace_spans(&without_self_evident, &assigned).into_owned(), hits))
}

/// Returns the findings of all passes, each with its line in the original text.
fn collect_findings(passes: &[Vec<PassFinding>]) -> Vec<SecretFinding> {
    let mut found = Vec::new();
    for (number, hits) in passes.iter().enumerate() {
        let mut lines: Vec<usize> = hits.iter().map(|hit| hit.line).collect();
        for earlier in passes.iter().take(number).rev() {
            let mut gone = 0;
            let mut above = earlier.iter().filter(|hit| hit.line_breaks > 0).peekable();
            for line in &mut lines {
                while let Some(hit) = above.next_if(|hit| hit.line - gone < *line) {
                    gone += hit.line_breaks;
                }
                *line += gone;
            }
        }
        let kinds = hits.iter().map(|hit| hit.kind);
        found.extend(lines.into_iter().zip(kinds).map(|(line, kind)| SecretFinding { line, kind }));
    }
    found.sort_by_key(|found| found.line);
    found
}

/// Returns the secrets that show by their own form, in order and without overlaps. Where scanners
/// disagree about the extent, all of it is replaced, under the kind that says most.
fn find_self_evident_secrets(text: &str) -> Vec<SecretSpan> {
    let mut spans = Vec::new();
    private_keys::find_private_keys(text, &mut spans);
    url_secrets::find_url_secrets(text, &mut spans);
    token_scan::find_tokens(text, &mut spans);
    spans.sort_by_key(|span| span.range.start);
    let mut apart: Vec<SecretSpan> = Vec::with_capacity(spans.len());
    for span in spans {
        match apart.last_mut() {
            Some(last) if span.range.start < last.range.end => {
                last.range.end = last.range.end.max(span.range.end);
                last.kind = last.kind.min(span.kind);
            }
            _ => apart.push(span),
        }
    }
    apart
}

/// Returns the text with the spans replaced, which are in order.
fn replace_spans<'a>(text: &'a str, spans: &[SecretSpan]) -> Cow<'a, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    for SecretSpan { range, kind } in spans {
        clean.push_str(text.get(at..range.start).unwrap_or_default());
        clean.push_str(REPLACEMENT_START);
        clean.push_str(kind.as_str());
        clean.push(']');
        at = range.end;
    }
    clean.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(clean)
}

/// Returns the findings of one pass in order: `self_evident` are spans of `text`, `assigned` spans
/// of `without_self_evident`, in which the former are replaced already.
fn locate_findings(
    text: &str,
    self_evident: &[SecretSpan],
    without_self_evident: &str,
    assigned: &[SecretSpan],
) -> Vec<PassFinding> {
    let mut hits = Vec::with_capacity(self_evident.len() + assigned.len());
    let mut assigned = assigned.iter().peekable();
    let mut lines = LineCounter { text: without_self_evident, at: 0, line: 1 };
    let (mut at, mut mark) = (0, 0);
    for SecretSpan { range, kind } in self_evident {
        // Between two spans both texts are equal.
        mark += range.start - at;
        at = range.end;
        while let Some(span) = assigned.next_if(|span| span.range.start < mark) {
            hits.push(lines.finding_at(span.range.start, 0, span.kind));
        }
        let line_breaks = count_line_breaks(text.get(range.clone()));
        hits.push(lines.finding_at(mark, line_breaks, *kind));
        lines.line += line_breaks;
        mark += REPLACEMENT_START.len() + kind.as_str().len() + 1;
    }
    hits.extend(assigned.map(|span| lines.finding_at(span.range.start, 0, span.kind)));
    hits
}

/// Counts lines from one offset to the next.
struct LineCounter<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl LineCounter<'_> {
    fn finding_at(&mut self, at: usize, line_breaks: usize, kind: SecretKind) -> PassFinding {
        self.line += self::count_line_breaks(self.text.get(self.at..at));
        self.at = at;
        PassFinding { line: self.line, line_breaks, kind }
    }
}

fn count_line_breaks(text: Option<&str>) -> usize {
    let bytes = text.unwrap_or_default().bytes();
    bytes.filter(|byte| *byte == b'\n').count()
}

/// Returns where the replacement ends that begins at `at`, if there is one.
fn replacement_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(REPLACEMENT_START)?;
    let kind = SecretKind::ALL.into_iter().find(|kind| {
        let rest = rest.strip_prefix(kind.as_str());
        rest.is_some_and(|rest| rest.starts_with(']'))
    })?;
    Some(at + REPLACEMENT_START.len() + kind.as_str().len() + 1)
}
