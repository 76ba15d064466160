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

mod address;
mod command;
mod forms;
mod header;
mod joints;
mod judge;
mod kind;
mod letters;
mod login;
mod logins;
mod name;
mod pem;
mod placeholder;
mod safe;
mod shape;
mod signs;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unseen;
mod value;
mod words;

use std::borrow::Cow;
use std::ops::Range;

pub use kind::SecretKind;
pub use safe::{Redacted, redact_json};

/// What every replacement begins with.
const MARK: &str = "[redacted: ";

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction<'a> {
    /// The text, borrowed when nothing was found.
    pub text: Cow<'a, str>,
    /// What was replaced, in the order of the text.
    pub found: Vec<Finding>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The line it began on, counted from 1.
    pub line: usize,
    /// What it was.
    pub kind: SecretKind,
}

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    range: Range<usize>,
    kind: SecretKind,
}

/// Longest text that can be no secret when it is one word: a token by its form is longer, and
/// nothing announces it.
const SHORT: usize = 15;

/// Most times a text is read. Each reading but the first meets what the ones before it left, which
/// is almost always nothing.
const MOST_READINGS: usize = 8;

/// Returns the text with every secret replaced.
pub fn redact(text: &str) -> Redaction<'_> {
    // The priority of every task of a repository is asked about.
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if text.len() <= SHORT && text.bytes().all(is_part) || is_moment_or_id(text) || is_prose(text) {
        return Redaction {
            text: Cow::Borrowed(text),
            found: Vec::new(),
        };
    }
    searched(text)
}

/// Returns a line that is printed without the tokens that show by themselves. What is kept has
/// passed [`redact`]; ids, branches and paths have not, and are cleaned of them here.
pub fn redact_tokens(line: &str) -> Cow<'_, str> {
    if line.len() <= SHORT {
        return Cow::Borrowed(line);
    }
    replace(line, &known(line))
}

/// Longest id or time that is passed over, in bytes: a UUID.
const LONGEST_ID: usize = 36;

/// Tells whether a text is a time, a UUID or a digest, of which tables are full.
fn is_moment_or_id(text: &str) -> bool {
    let is_part =
        |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-' | b':' | b'.' | b'T' | b'Z');
    // Some service begins its tokens so.
    text.len() <= LONGEST_ID && text.bytes().all(is_part) && !text.contains("fc-")
}

/// Longest word of a plain sentence, in bytes.
const LONGEST_WORD: usize = 11;

/// Tells whether a text is of short words alone: nothing there is random, and nothing assigns.
fn is_prose(text: &str) -> bool {
    let mut word = 0;
    text.bytes().all(|byte| {
        word = if byte.is_ascii_alphabetic() {
            word + 1
        } else {
            0
        };
        word <= LONGEST_WORD
            && (byte.is_ascii_alphabetic() || matches!(byte, b' ' | b',' | b'.' | b'(' | b')'))
    })
}

/// Reads a text until nothing is found in it: without what stood between them a name may meet a
/// value, and the head of a key its material.
fn searched(text: &str) -> Redaction<'_> {
    let mut clean = Cow::Borrowed(text);
    let mut readings: Vec<Vec<Hit>> = Vec::new();
    while readings.len() < MOST_READINGS
        && let Some((cleaner, hits)) = read(&clean)
    {
        clean = Cow::Owned(cleaner);
        readings.push(hits);
    }
    Redaction {
        text: clean,
        found: findings(&readings),
    }
}

/// A secret that one reading found.
#[derive(Debug, Clone, Copy)]
struct Hit {
    /// The line it begins on in the text of this reading.
    line: usize,
    /// How many ends of lines went with it.
    breaks: usize,
    kind: SecretKind,
}

/// Reads a text once; nothing when it holds no secret.
fn read(text: &str) -> Option<(String, Vec<Hit>)> {
    // Words are read where tokens are replaced already, so that a second reading meets the same.
    let known = known(text);
    let first = replace(text, &known);
    let mut announced = Vec::new();
    words::scan(&first, &mut announced);
    if known.is_empty() && announced.is_empty() {
        return None;
    }
    let hits = hits(text, &known, &first, &announced);
    Some((replace(&first, &announced).into_owned(), hits))
}

/// Returns what all readings found, by its line in the text of the first.
fn findings(readings: &[Vec<Hit>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, hits) in readings.iter().enumerate() {
        let mut lines: Vec<usize> = hits.iter().map(|hit| hit.line).collect();
        for earlier in readings.iter().take(number).rev() {
            let mut gone = 0;
            let mut above = earlier.iter().filter(|hit| hit.breaks > 0).peekable();
            for line in &mut lines {
                while let Some(hit) = above.next_if(|hit| hit.line - gone < *line) {
                    gone += hit.breaks;
                }
                *line += gone;
            }
        }
        let kinds = hits.iter().map(|hit| hit.kind);
        found.extend(
            lines
                .into_iter()
                .zip(kinds)
                .map(|(line, kind)| Finding { line, kind }),
        );
    }
    found.sort_by_key(|found| found.line);
    found
}

/// Returns where secrets stand that show by themselves, in order, none touching another. Where
/// readers disagree on the extent, all of it goes, under the name that says most.
fn known(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    pem::scan(text, &mut spans);
    address::scan(text, &mut spans);
    shape::scan(text, &mut spans);
    spans.sort_by_key(|span| span.range.start);
    let mut apart: Vec<Span> = Vec::with_capacity(spans.len());
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
fn replace<'a>(text: &'a str, spans: &[Span]) -> Cow<'a, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    for Span { range, kind } in spans {
        clean.push_str(text.get(at..range.start).unwrap_or_default());
        clean.push_str(MARK);
        clean.push_str(kind.as_str());
        clean.push(']');
        at = range.end;
    }
    clean.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(clean)
}

/// Returns what is `known` in the text and what is `announced` in `first`, where the known is
/// replaced, in order.
fn hits(text: &str, known: &[Span], first: &str, announced: &[Span]) -> Vec<Hit> {
    let mut hits = Vec::with_capacity(known.len() + announced.len());
    let mut announced = announced.iter().peekable();
    let mut lines = Lines {
        text: first,
        at: 0,
        line: 1,
    };
    let (mut at, mut mark) = (0, 0);
    for Span { range, kind } in known {
        // Between two spans both texts are the same.
        mark += range.start - at;
        at = range.end;
        while let Some(span) = announced.next_if(|span| span.range.start < mark) {
            hits.push(lines.hit(span.range.start, 0, span.kind));
        }
        let breaks = breaks(text.get(range.clone()));
        hits.push(lines.hit(mark, breaks, *kind));
        lines.line += breaks;
        mark += MARK.len() + kind.as_str().len() + 1;
    }
    hits.extend(announced.map(|span| lines.hit(span.range.start, 0, span.kind)));
    hits
}

/// Counts lines from one place to the next.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn hit(&mut self, at: usize, breaks: usize, kind: SecretKind) -> Hit {
        self.line += self::breaks(self.text.get(self.at..at));
        self.at = at;
        Hit {
            line: self.line,
            breaks,
            kind,
        }
    }
}

fn breaks(text: Option<&str>) -> usize {
    let bytes = text.unwrap_or_default().bytes();
    bytes.filter(|byte| *byte == b'\n').count()
}

/// Returns where a replacement ends that begins at `at`, if one does.
fn end_of_mark(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(MARK)?;
    let kind = SecretKind::ALL.into_iter().find(|kind| {
        let rest = rest.strip_prefix(kind.as_str());
        rest.is_some_and(|rest| rest.starts_with(']'))
    })?;
    Some(at + MARK.len() + kind.as_str().len() + 1)
}
