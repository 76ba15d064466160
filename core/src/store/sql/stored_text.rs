//! Text that people and programs wrote, on its way into the database: without its secrets.
//!
//! Titles, tasks, phases, summaries, reasons, errors and the JSON that holds them are bound
//! through these functions alone. Ids, branches and paths are bound as they are: a changed one
//! would name something else.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::engine::{Arg, ToArg};
use crate::text::redact::{RedactedText, redact, redact_json};

/// Returns a text as it is stored.
pub(super) fn stored_text(text: &str) -> Cow<'_, str> {
    redact(text).text
}

/// Returns a text as it is stored, where there is one.
pub(super) fn stored_optional_text<T: AsRef<str>>(text: Option<&T>) -> Option<Cow<'_, str>> {
    text.map(|text| stored_text(text.as_ref()))
}

/// Returns an object as it is stored.
pub(super) fn stored_object(object: &Map<String, Json>) -> String {
    let mut value = Json::Object(object.clone());
    redact_json(&mut value);
    value.to_string()
}

/// Returns a value as it is stored.
pub(super) fn stored_json(value: &Json) -> String {
    let mut value = value.clone();
    redact_json(&mut value);
    value.to_string()
}

/// Redacted text may be stored as it is.
impl ToArg for RedactedText {
    const ABSENT: Arg<'static> = Arg::Text(None);

    fn to_arg(&self) -> Arg<'_> {
        Arg::Text(Some(self))
    }
}
