//! The table of spellings that other tools use for a status.

/// What a spelling means, in any vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    NotStarted,
    Ready,
    Active,
    Waiting,
    Finished,
    Failed,
    Abandoned,
}

/// Every known spelling.
const SPELLINGS: [(&str, Meaning); 33] = [
    ("queued", Meaning::NotStarted),
    ("todo", Meaning::NotStarted),
    ("pending", Meaning::NotStarted),
    ("proposed", Meaning::NotStarted),
    ("backlog", Meaning::NotStarted),
    ("draft", Meaning::NotStarted),
    ("open", Meaning::NotStarted),
    ("ready", Meaning::Ready),
    ("running", Meaning::Active),
    ("in_progress", Meaning::Active),
    ("inprogress", Meaning::Active),
    ("progress", Meaning::Active),
    ("active", Meaning::Active),
    ("doing", Meaning::Active),
    ("started", Meaning::Active),
    ("blocked", Meaning::Waiting),
    ("wait", Meaning::Waiting),
    ("waiting", Meaning::Waiting),
    ("paused", Meaning::Waiting),
    ("parked", Meaning::Waiting),
    ("deferred", Meaning::Waiting),
    ("completed", Meaning::Finished),
    ("complete", Meaning::Finished),
    ("done", Meaning::Finished),
    ("finished", Meaning::Finished),
    ("closed", Meaning::Finished),
    ("failed", Meaning::Failed),
    ("crashed", Meaning::Failed),
    ("cancelled", Meaning::Abandoned),
    ("canceled", Meaning::Abandoned),
    ("cancel", Meaning::Abandoned),
    ("skipped", Meaning::Abandoned),
    ("archived", Meaning::Abandoned),
];

/// Parses a known spelling. Case and surrounding space are ignored, and spaces and dashes count as
/// underscores.
pub(super) fn meaning(text: &str) -> Option<Meaning> {
    let folded: String = text
        .trim()
        .chars()
        .map(|c| match c {
            ' ' | '-' => '_',
            other => other.to_ascii_lowercase(),
        })
        .collect();
    SPELLINGS.iter().find(|(spelling, _)| *spelling == folded).map(|(_, meaning)| *meaning)
}
