//! Finding secrets in text that would leave a repository, and replacing them.
//!
//! Invariants: what is found is replaced by `[redacted: <kind>]` and every other byte is kept;
//! text without a finding is handed back as it is; redacting twice changes nothing more; no
//! finding repeats the secret, in its `Debug` neither; the time is linear in the text, whatever
//! stands there.
//!
//! Four readers go over the text: blocks of private keys (`pem`), addresses (`address`), tokens
//! whose own form gives them away (`shape`), and words (`words`): headers, and values assigned
//! to names such as `API_KEY` (`name`, `value`, `judge`).

mod address;
mod judge;
mod kind;
mod name;
mod pem;
mod shape;
#[cfg(test)]
mod tests;
mod value;
mod words;

use std::borrow::Cow;
use std::ops::Range;

pub use kind::SecretKind;

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

/// Returns the text with every secret replaced.
pub fn redact(text: &str) -> Redaction<'_> {
    let spans = spans(text);
    if spans.is_empty() {
        return Redaction {
            text: Cow::Borrowed(text),
            found: Vec::new(),
        };
    }
    let mut clean = String::with_capacity(text.len());
    let mut found = Vec::with_capacity(spans.len());
    let (mut at, mut line) = (0, 1);
    for Span { range, kind } in spans {
        let kept = text.get(at..range.start).unwrap_or_default();
        let gone = text.get(range.clone()).unwrap_or_default();
        line += breaks(kept);
        found.push(Finding { line, kind });
        line += breaks(gone);
        clean.push_str(kept);
        clean.push_str(MARK);
        clean.push_str(kind.as_str());
        clean.push(']');
        at = range.end;
    }
    clean.push_str(text.get(at..).unwrap_or_default());
    Redaction {
        text: Cow::Owned(clean),
        found,
    }
}

fn breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// Returns where secrets stand, in order, none touching another. Where readers disagree on the
/// extent, all of it goes, under the name that says most.
fn spans(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    pem::scan(text, &mut spans);
    address::scan(text, &mut spans);
    shape::scan(text, &mut spans);
    words::scan(text, &mut spans);
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

/// Returns where a replacement ends that begins at `at`, if one does.
fn end_of_mark(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(MARK)?;
    let kind = SecretKind::ALL.into_iter().find(|kind| {
        let rest = rest.strip_prefix(kind.as_str());
        rest.is_some_and(|rest| rest.starts_with(']'))
    })?;
    Some(at + MARK.len() + kind.as_str().len() + 1)
}
