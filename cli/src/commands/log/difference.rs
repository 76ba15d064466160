//! An event in the words of its fields.

use serde_json::Value;
use trueup_core::model::Event;
use trueup_core::text::one_line;

use crate::commands::value_text::summarize_value;

/// Longest value shown, in characters.
const MAX_VALUE_CHARS: usize = 80;

/// Renders who says that it was them, and by whose token or login it came to the database: only the
/// latter was checked.
pub(crate) fn render_author(event: &Event) -> String {
    match &event.via {
        Some(via) if *via != event.actor => format!("{} via {via}", event.actor),
        _ => event.actor.clone(),
    }
}

/// Describes what the actor of an event did, as a verb.
pub(crate) fn describe_kind(event: &Event) -> String {
    match event.kind.as_str() {
        "status" | "dependencies" | "metadata" => "changed".to_owned(),
        "taken_over" => "took over".to_owned(),
        "state" => "shared the state of".to_owned(),
        "active" | "idle" | "lost" | "crashed" | "stopping" => {
            format!("recorded as {}", event.kind)
        }
        "checkpoint" => "recorded a checkpoint of".to_owned(),
        verb => verb.replace('_', " "),
    }
}

/// A field that an event changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldChange {
    pub(super) field: String,
    pub(super) old: Value,
    pub(super) new: Value,
}

/// Renders the fields that an event changed.
pub(crate) fn render_difference(event: &Event) -> String {
    let render = |value: &Value| one_line(&summarize_value(value), MAX_VALUE_CHARS);
    let changes = list_changes(event).into_iter().map(|change| {
        format!("{} {} -> {}", change.field, render(&change.old), render(&change.new))
    });
    changes.collect::<Vec<_>>().join(", ")
}

/// Lists the fields that an event changed, other than times.
pub(super) fn list_changes(event: &Event) -> Vec<FieldChange> {
    let old_fields = flatten_fields(&event.before);
    let new_fields = flatten_fields(&event.after).into_iter();
    let changes = new_fields.map(|(field, new)| {
        let old = old_fields.iter().find(|(name, _)| *name == field);
        FieldChange { field, old: old.map_or(Value::Null, |(_, value)| value.clone()), new }
    });
    changes.filter(|change| change.old != change.new).collect()
}

/// Lists fields and values; those of the execution state count as the session's own.
fn flatten_fields(value: &Value) -> Vec<(String, Value)> {
    let Value::Object(fields) = value else {
        return Vec::new();
    };
    let flat = fields.iter().flat_map(|(field, value)| match value {
        Value::Object(inner) if field == "execution_state" => {
            inner.iter().map(|(field, value)| (field.clone(), value.clone())).collect()
        }
        _ => vec![(field.clone(), value.clone())],
    });
    flat.filter(|(field, _)| !field.starts_with("last")).collect()
}
