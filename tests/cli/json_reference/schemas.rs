//! The schemas of what `--json` shows, made from the views themselves.

use serde_json::{Map, Value, json};
use trueup_core::views::{
    BlameView, EventView, HandoffView, ItemView, JournalEntryView, OrchestratorView,
    OutboxRecordView, PhaseView, PlanOverviewView, PlanTaskView, PlanView, RepoView, SessionView,
    ViolationView,
};
use utoipa::ToSchema;

/// The version of JSON Schema.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A view: its name in the tables, the name of its file, and its schema.
pub(super) type View = (&'static str, &'static str, Value);

/// Makes the schema of each view.
pub(super) fn list_views() -> Vec<View> {
    vec![
        ("SESSION", "session", schema_of::<SessionView>("A session")),
        ("ITEM", "item", schema_of::<ItemView>("A work item")),
        ("EVENT", "event", schema_of::<EventView>("What changed, who changed it and why")),
        ("PHASE", "phase", schema_of::<PhaseView>("A phase of an item")),
        ("HANDOFF", "handoff", schema_of::<HandoffView>("A hand-off")),
        ("PLAN", "plan", schema_of::<PlanView>("A plan")),
        (
            "PLAN-OVERVIEW",
            "plan-overview",
            schema_of::<PlanOverviewView>("A plan with its tasks counted"),
        ),
        ("TASK", "task", schema_of::<PlanTaskView<'_>>("A task of a plan")),
        ("ORCHESTRATOR", "orchestrator", schema_of::<OrchestratorView>("A run of a plan")),
        ("REPO", "repo", schema_of::<RepoView>("A repository")),
        ("JOURNAL", "journal", schema_of::<JournalEntryView>("A rejected edit")),
        ("WRITE", "write", schema_of::<OutboxRecordView>("A write that waits")),
        ("BLAME", "blame", schema_of::<BlameView>("Who last set a field")),
        ("VIOLATION", "violation", schema_of::<ViolationView>("A row that breaks a rule")),
    ]
}

/// The schema of the object that every command prints.
pub(super) fn envelope_schema() -> Value {
    let text = json!({"type": "string"});
    let object = |properties: Value| {
        let required: Vec<String> = properties.as_object().unwrap().keys().cloned().collect();
        json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": false,
        })
    };
    let divergence = object(json!({
        "code": text, "severity": {"enum": ["error", "warning", "info"]}, "subject": text,
        "expected": {}, "found": {}, "authority": text, "message": text, "fix": text,
    }));
    let error = object(json!({"code": text, "message": text, "hint": text}));
    let mut schema = object(json!({
        "ok": {"type": "boolean", "description": "Whether the exit code is 0"},
        "command": {"type": "string", "description": "The command, such as `item add`"},
        "data": {"type": "object", "description": "What the command shows; see docs/json.md"},
        "divergences": {"type": "array", "items": divergence, "description": "Findings"},
        "warnings": {"type": "array", "items": text},
        "error": {"anyOf": [error, {"type": "null"}], "description": "Why the command failed"},
    }));
    schema["$schema"] = json!(DIALECT);
    schema["title"] = json!("The object that --json prints");
    schema
}

fn schema_of<T: ToSchema>(title: &str) -> Value {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    let mut schema = serde_json::to_value(T::schema()).unwrap();
    let defs: Map<String, Value> =
        parts.into_iter().map(|(name, part)| (name, serde_json::to_value(part).unwrap())).collect();
    schema["$schema"] = json!(DIALECT);
    schema["title"] = json!(title);
    if !defs.is_empty() {
        schema["$defs"] = Value::Object(defs);
    }
    // A part of a whole does not know the keys of the other parts.
    let is_of_parts = schema.to_string().contains("\"allOf\"");
    complete(&mut schema, !is_of_parts);
    schema
}

/// Requires every property, since an absent value is `null`, and leads references to `$defs`.
fn complete(schema: &mut Value, is_whole: bool) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref") {
                *reference = reference.replace("#/components/schemas/", "#/$defs/");
            }
            if let Some(Value::Object(properties)) = map.get("properties") {
                let keys: Vec<String> = properties.keys().cloned().collect();
                map.insert("required".to_owned(), json!(keys));
                if is_whole {
                    map.insert("additionalProperties".to_owned(), json!(false));
                }
            }
            map.values_mut().for_each(|inner| complete(inner, is_whole));
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| complete(inner, is_whole)),
        _ => {}
    }
}
