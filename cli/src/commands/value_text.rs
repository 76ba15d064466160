//! Values of the database as text for a person.

use serde_json::Value;
use trueup_core::text::pluralize;

/// Returns a value, or `none` for an absent one.
pub(super) fn or_none(value: Option<&str>) -> &str {
    value.unwrap_or("none")
}

/// Renders a JSON value for a person.
pub(super) fn render_json_value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Renders a value for a person who wants no JSON: lists of words as they are, others as counts.
pub(super) fn summarize_value(value: &Value) -> String {
    match value {
        Value::Object(fields) => pluralize(fields.len(), "field", "fields"),
        Value::Array(entries) if entries.iter().any(|it| it.is_array() || it.is_object()) => {
            pluralize(entries.len(), "entry", "entries")
        }
        Value::Array(entries) => {
            entries.iter().map(render_json_value).collect::<Vec<_>>().join(", ")
        }
        other => render_json_value(other),
    }
}
