//! Values of the database as text for a person.

use serde_json::Value;

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
