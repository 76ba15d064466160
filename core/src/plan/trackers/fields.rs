//! Reads fields of records. What has another type than expected is absent, and stays among the
//! original fields.

use serde_json::{Map, Value};

use crate::model::Timestamp;

/// Returns a text that is not blank.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    fields.get(key)?.as_str().filter(|text| !text.trim().is_empty())
}

/// Returns an owned text that is not blank.
pub(super) fn owned_text(fields: &Map<String, Value>, key: &str) -> Option<String> {
    text(fields, key).map(str::to_owned)
}

/// Returns a time.
pub(super) fn time(fields: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    text(fields, key)?.trim().parse().ok()
}

/// Returns an id, which may be written as a number.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the ids in a list. A single id counts as a list of one.
pub(super) fn ids(fields: &Map<String, Value>, key: &str) -> Vec<String> {
    match fields.get(key) {
        Some(Value::Array(list)) => list.iter().filter_map(id).collect(),
        Some(value) => id(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Returns the rank of a priority in words, 0 first and 4 last.
pub(super) fn rank_of_word(word: &str) -> Option<u8> {
    match word.trim().to_ascii_lowercase().as_str() {
        "critical" | "urgent" | "highest" | "p0" => Some(0),
        "high" | "p1" => Some(1),
        "medium" | "normal" | "p2" => Some(2),
        "low" | "p3" => Some(3),
        "lowest" | "backlog" | "p4" => Some(4),
        _ => None,
    }
}

/// Returns the word of a rank, of the words that task-master and Backlog.md have.
pub(super) const fn word_of_rank(rank: u8, has_critical: bool) -> &'static str {
    match rank {
        0 if has_critical => "critical",
        0 | 1 => "high",
        2 => "medium",
        _ => "low",
    }
}
