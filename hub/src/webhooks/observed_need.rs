//! What needs a person, as far as a queue remembers it.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use trueup_core::model::Timestamp;
use trueup_core::overview::Need;
use trueup_core::text::redact::redact;

/// Longest need with the event behind it, in bytes; a longer one is told without that event.
const MAX_NEED_BYTES: usize = 16 * 1024;

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ObservedNeed {
    /// Its id.
    pub(super) id: String,
    /// Since when.
    pub(super) since: Timestamp,
    /// What is the matter, in a sentence.
    pub(super) line: String,
    /// When it came back, if it was settled once and begins at the same time as then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) returned_at: Option<Timestamp>,
    /// All of it, as `/api/overview` shows it.
    pub(super) need: Json,
}

impl ObservedNeed {
    /// Takes what is told of a need: it leaves the machine, so that secrets are cut out once more.
    pub(super) fn new(need: &Need) -> Self {
        let line = redact(&need.line).text.into_owned();
        let mut told = serde_json::to_value(need).unwrap_or_default();
        if told.to_string().len() > MAX_NEED_BYTES {
            told["why"] = Json::Null;
        }
        told["line"] = json!(line);
        redact_texts(&mut told["why"]);
        Self { id: need.id.clone(), since: need.since, line, returned_at: None, need: told }
    }

    /// Returns what tells this occurrence of the need from others.
    pub(super) fn name_occurrence(&self) -> String {
        let since = self.since.as_millis();
        match self.returned_at {
            None => format!("{}@{since}", self.id),
            Some(returned_at) => format!("{}@{since}+{}", self.id, returned_at.as_millis()),
        }
    }
}

fn redact_texts(value: &mut Json) {
    match value {
        Json::String(text) => *text = redact(text).text.into_owned(),
        Json::Array(values) => values.iter_mut().for_each(redact_texts),
        Json::Object(fields) => fields.values_mut().for_each(redact_texts),
        _ => {}
    }
}
