//! Finding secrets in text that would leave a repository, and replacing them.
//!
//! Invariants: what is found is replaced by `[redacted: <kind>]` and every other byte is kept;
//! text without a finding is handed back as it is; redacting twice changes nothing more; no
//! finding repeats the secret, in its `Debug` neither; the time is linear in the text, whatever
//! stands there.
//!
//! Four readers go over the text: blocks of private keys (`pem`), addresses (`address`), tokens
//! whose own form gives them away (`shape`, with the table `forms`, also where something
//! interrupts them, `joints`), and words (`words`): headers (`header`), commands (`command`), logins (`login`, and
//! `logins` for files of them), and values assigned to names such as `API_KEY` (`name`,
//! `value`, `judge`, with `placeholder`, `signs` and `letters`).

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
mod url_secrets;

use std::borrow::Cow;
use std::ops::Range;

pub use redacted_text::{RedactedText, redact_json};
pub use secret_kind::SecretKind;

/// What every replacement begins with.
const REPLACEMENT_START: &str = "[redacted: ";

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction<'a> {
    /// The text, borrowed when nothing was found.
    pub text: Cow<'a, str>,
    /// What was replaced, in the order of the text.
    pub findings: Vec<SecretFinding>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretFinding {
    /// The line it began on, counted from 1.
    pub line: usize,
    /// What it was.
    pub kind: SecretKind,
}

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SecretSpan {
    range: Range<usize>,
    kind: SecretKind,
}

/// Longest text that can be no secret when it is one word: a token by its form is longer, and
/// nothing announces it.
const SHORT_WORD_BYTES: usize = 15;

/// Most times a text is read. Each reading but the first meets what the ones before it left, which
/// is almost always nothing.
const MAX_PASSES: usize = 8;

/// Returns the text with every secret replaced.
pub fn redact(text: &str) -> Redaction<'_> {
    // The priority of every task of a repository is asked about.
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if text.len() <= SHORT_WORD_BYTES && text.bytes().all(is_part)
        || is_time_or_id(text)
        || is_prose(text)
    {
        return Redaction {
            text: Cow::Borrowed(text),
            findings: Vec::new(),
        };
    }
    redact_until_stable(text)
}

/// Returns a line that is printed without the tokens that show by themselves. What is kept has
/// passed [`redact`]; ids, branches and paths have not, and are cleaned of them here.
pub fn redact_tokens(line: &str) -> Cow<'_, str> {
    if line.len() <= SHORT_WORD_BYTES {
        return Cow::Borrowed(line);
    }
    replace_spans(line, &find_self_evident_secrets(line))
}

/// Longest id or time that is passed over, in bytes: a UUID.
const MAX_ID_BYTES: usize = 36;

/// Tells whether a text is a time, a UUID or a digest, of which tables are full.
fn is_time_or_id(text: &str) -> bool {
    let is_part =
        |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-' | b':' | b'.' | b'T' | b'Z');
    // Some service begins its tokens so.
    text.len() <= MAX_ID_BYTES && text.bytes().all(is_part) && !text.contains("fc-")
}

/// Longest word of a plain sentence, in bytes.
const MAX_WORD_BYTES: usize = 11;

/// Tells whether a text is of short words alone: nothing there is random, and nothing assigns.
fn is_prose(text: &str) -> bool {
    let mut word = 0;
    text.bytes().all(|byte| {
        word = if byte.is_ascii_alphabetic() {
            word + 1
        } else {
            0
        };
        word <= MAX_WORD_BYTES
            && (byte.is_ascii_alphabetic() || matches!(byte, b' ' | b',' | b'.' | b'(' | b')'))
    })
}

/// Reads a text until nothing is found in it: without what stood between them a name may meet a
/// value, and the head of a key its material.
fn redact_until_stable(text: &str) -> Redaction<'_> {
    let mut clean = Cow::Borrowed(text);
    let mut passes: Vec<Vec<PassFinding>> = Vec::new();
    while passes.len() < MAX_PASSES
        && let Some((cleaner, hits)) = redact_once(&clean)
    {
        clean = Cow::Owned(cleaner);
        passes.push(hits);
    }
    Redaction {
        text: clean,
        findings: collect_findings(&passes),
    }
}

/// A secret that one reading found.
#[derive(Debug, Clone, Copy)]
struct PassFinding {
    /// The line it begins on in the text of this reading.
    line: usize,
    /// How many ends of lines went with it.
    line_breaks: usize,
    kind: SecretKind,
}

/// Reads a text once; nothing when it holds no secret.
fn redact_once(text: &str) -> Option<(String, Vec<PassFinding>)> {
    // Words are read where tokens are replaced already, so that a second reading meets the same.
    let self_evident = find_self_evident_secrets(text);
    let without_self_evident = replace_spans(text, &self_evident);
    let mut assigned = Vec::new();
    assignments::find_assigned_secrets(&without_self_evident, &mut assigned);
    if self_evident.is_empty() && assigned.is_empty() {
        return None;
    }
    let hits = locate_findings(text, &self_evident, &without_self_evident, &assigned);
    Some((
        replace_spans(&without_self_evident, &assigned).into_owned(),
        hits,
    ))
}

/// Returns what all readings found, by its line in the text of the first.
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
        found.extend(
            lines
                .into_iter()
                .zip(kinds)
                .map(|(line, kind)| SecretFinding { line, kind }),
        );
    }
    found.sort_by_key(|found| found.line);
    found
}

/// Returns where secrets stand that show by themselves, in order, none touching another. Where
/// readers disagree on the extent, all of it goes, under the name that says most.
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

/// Returns the text with the spans replaced, which stand in order.
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

/// Returns what is `known` in the text and what is `announced` in `first`, where the known is
/// replaced, in order.
fn locate_findings(
    text: &str,
    self_evident: &[SecretSpan],
    without_self_evident: &str,
    assigned: &[SecretSpan],
) -> Vec<PassFinding> {
    let mut hits = Vec::with_capacity(self_evident.len() + assigned.len());
    let mut assigned = assigned.iter().peekable();
    let mut lines = LineCounter {
        text: without_self_evident,
        at: 0,
        line: 1,
    };
    let (mut at, mut mark) = (0, 0);
    for SecretSpan { range, kind } in self_evident {
        // Between two spans both texts are the same.
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

/// Counts lines from one place to the next.
struct LineCounter<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl LineCounter<'_> {
    fn finding_at(&mut self, at: usize, line_breaks: usize, kind: SecretKind) -> PassFinding {
        self.line += self::count_line_breaks(self.text.get(self.at..at));
        self.at = at;
        PassFinding {
            line: self.line,
            line_breaks,
            kind,
        }
    }
}

fn count_line_breaks(text: Option<&str>) -> usize {
    let bytes = text.unwrap_or_default().bytes();
    bytes.filter(|byte| *byte == b'\n').count()
}

/// Returns where a replacement ends that begins at `at`, if one does.
fn replacement_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(REPLACEMENT_START)?;
    let kind = SecretKind::ALL.into_iter().find(|kind| {
        let rest = rest.strip_prefix(kind.as_str());
        rest.is_some_and(|rest| rest.starts_with(']'))
    })?;
    Some(at + REPLACEMENT_START.len() + kind.as_str().len() + 1)
}
