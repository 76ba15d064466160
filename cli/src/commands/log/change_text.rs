//! Changed fields in words: no JSON, and nothing that says nothing.

use serde_json::Value;
use trueup_core::text::one_line;

use super::difference::FieldChange;
use crate::commands::value_text::summarize_value;

/// Longest value shown, in characters.
pub(super) const MAX_VALUE_CHARS: usize = 80;

/// Fields that tell a person nothing.
const SILENT_FIELDS: [&str; 1] = ["digest"];

/// Fields whose zero is a value.
const ZERO_COUNTS: [&str; 2] = ["priority", "exit_code"];

/// Renders changes after some text, or nothing where there are none to tell of.
pub(super) fn render_changes(changes: &[FieldChange], before: &str) -> String {
    let mut parts: Vec<String> = changes.iter().filter_map(render_change).collect();
    if parts.is_empty() && changes.iter().any(|change| change.field == "extra") {
        parts.push("details that its file has".to_owned());
    }
    if parts.is_empty() { String::new() } else { format!("{before}{}", parts.join(", ")) }
}

/// Renders a changed field in words, where it says something.
pub(super) fn render_change(change: &FieldChange) -> Option<String> {
    let FieldChange { field, old, new } = change;
    if field == "extra" || SILENT_FIELDS.contains(&field.as_str()) {
        return None;
    }
    let name = name_field(field);
    let text = match (is_nothing(field, old), is_nothing(field, new)) {
        (true, true) => return None,
        (true, false) if field == "stuck" => "stuck".to_owned(),
        (false, true) if field == "stuck" => "no longer stuck".to_owned(),
        (false, true) if *new == Value::Bool(false) => format!("{name} off"),
        (true, false) if is_compound(new) => format!("{name}: {}", render_value(field, new)),
        (true, false) => format!("{name} {}", render_value(field, new)),
        (false, true) => format!("no {name} any more"),
        (false, false) if is_compound(old) || is_compound(new) => format!("other {name}"),
        (false, false) => {
            format!("{name} from {} to {}", render_value(field, old), render_value(field, new))
        }
    };
    Some(text)
}

/// Names a field as a noun.
fn name_field(field: &str) -> String {
    match field {
        "error_message" => "reason".to_owned(),
        "depends_on" => "dependencies".to_owned(),
        "started_by" => "starter".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Tells whether a field with this value says as little as one without.
fn is_nothing(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0) && !ZERO_COUNTS.contains(&field),
        Value::String(text) => text.is_empty(),
        Value::Array(entries) => entries.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

const fn is_compound(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

pub(super) fn render_value(field: &str, value: &Value) -> String {
    match value {
        Value::String(text) if text.contains(' ') => quote(text),
        Value::String(text) => one_line(text, MAX_VALUE_CHARS),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::Number(priority) if field == "priority" => format!("P{priority}"),
        other => one_line(&summarize_value(other), MAX_VALUE_CHARS),
    }
}

pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", one_line(text, MAX_VALUE_CHARS))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_told_in_words_or_not_at_all() {
        for (field, old, new, expected) in [
            ("phase", json!(null), json!("EXEC"), "phase EXEC"),
            ("title", json!("Old one"), json!(null), "no title any more"),
            ("error_message", json!(null), json!("no disk"), "reason \"no disk\""),
            ("retry_count", json!(null), json!(0), ""),
            ("retry_count", json!(0), json!(1), "retry count 1"),
            ("retry_count", json!(1), json!(2), "retry count from 1 to 2"),
            ("priority", json!(null), json!(0), "priority P0"),
            ("depends_on", json!(null), json!([]), ""),
            ("depends_on", json!([]), json!(["1.1", "1.2"]), "dependencies: 1.1, 1.2"),
            ("places", json!({"a": {}}), json!({"a": {"b": 1}}), "other places"),
            ("places", json!(null), json!({"a": {"b": 1}}), "places: 1 field"),
            ("stuck", json!(1), json!(0), "no longer stuck"),
            ("passive", json!(true), json!(false), "passive off"),
            ("digest", json!("0a"), json!("0b"), ""),
        ] {
            let change = FieldChange { field: field.to_owned(), old, new };
            assert_eq!(render_changes(&[change], ""), expected, "{field}");
        }
        let extra =
            |old| FieldChange { field: "extra".to_owned(), old, new: json!({"source": {"a": 1}}) };
        assert_eq!(render_changes(&[extra(json!(null))], ": "), ": details that its file has");
    }
}
