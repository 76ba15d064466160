//! `schemas/adw_state.schema.json`, which other tools read, and the checks of `trueup meta` allow the
//! same values.

use serde_json::{Value as Json, json};
use trueup_core::metadata::{JsonDocument, find_database_field, find_invalid_fields};

const SCHEMA: &str = include_str!("../../schemas/adw_state.schema.json");

/// Values of every type, and those that some field allows.
fn sample_values() -> Vec<Json> {
    vec![
        json!(null),
        json!(true),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(9099),
        json!(9100),
        json!(9114),
        json!(9115),
        json!(9199),
        json!(9200),
        json!(9214),
        json!(9215),
        json!(70000),
        json!("text"),
        json!(""),
        json!("/feature"),
        json!("/bug"),
        json!("/epic"),
        json!("base"),
        json!("lightweight"),
        json!([]),
        json!(["a"]),
        json!(["a", 1]),
        json!([null]),
        json!({}),
        json!({"plan": 0.5}),
        json!({"plan": "x"}),
        json!({"plan": {"deep": []}}),
    ]
}

#[test]
fn the_schema_and_the_checks_allow_the_same_values() {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let fields = schema["properties"].as_object().unwrap().keys();
    let fields: Vec<&String> =
        fields.filter(|field| *field != "adw_id" && find_database_field(field).is_none()).collect();
    assert_eq!(fields.len(), 20, "{fields:?}");
    for field in fields {
        for value in sample_values() {
            let state = json!({"adw_id": "77c90e61", field: value});
            let document = JsonDocument::parse(state.to_string().as_bytes()).unwrap();
            let found = find_invalid_fields(&document);
            assert_eq!(found.is_empty(), validator.is_valid(&state), "{state}: {found:?}");
        }
    }
}
