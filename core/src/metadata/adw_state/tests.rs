//! The schema of `adw_state.json`, and the values that it accepts.

use std::fs;
use std::path::Path;

use schemars::generate::SchemaSettings;
use serde_json::{Value as Json, json};

use super::*;
use crate::metadata::DATABASE_FIELDS;

/// An example with every field.
const EXAMPLE: &str = r#"{
  "adw_id": "77c90e61",
  "issue_number": "170",
  "worktree_path": "/Users/user/tac/trees/77c90e61",
  "branch_name": "feature/add-user-auth",
  "plan_file": "trees/77c90e61/specs/plan.md",
  "issue_class": "/feature",
  "backend_port": 9107,
  "frontend_port": 9207,
  "model_set": "base",
  "all_adws": ["adw_plan_iso", "adw_build_iso"],
  "estimated_cost_total": 0.45,
  "estimated_cost_breakdown": {"plan": 0.15, "build": 0.20, "test": 0.10},
  "workflow_template": "adw_sdlc_complete_iso",
  "model_used": "sonnet",
  "start_time": "2025-12-10T10:33:03.064774",
  "nl_input": "Add user authentication",
  "github_url": "https://github.com/user/repo/issues/170",
  "baseline_errors": {"frontend": {"type_errors": 0, "build_errors": 0}},
  "external_build_results": {"success": true, "summary": {"total_errors": 0}},
  "external_lint_results": {},
  "external_test_results": {}
}"#;

/// Returns the schema of the types, in which other fields are allowed and those of the database are
/// not.
fn generate_schema() -> Json {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<AdwState>().to_value();
    let properties = schema["properties"].as_object_mut().unwrap();
    for field in DATABASE_FIELDS {
        properties.insert(field.name.to_owned(), json!(false));
    }
    schema["additionalProperties"] = json!(true);
    schema
}

#[test]
fn the_shipped_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/adw_state.schema.json");
    let fresh = format!("{:#}\n", generate_schema());
    if std::env::var_os("TRUEUP_UPDATE_SCHEMAS").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let shipped = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        shipped, fresh,
        "run `TRUEUP_UPDATE_SCHEMAS=1 cargo test -p trueup-core shipped_schema`"
    );
}

#[test]
fn every_field_of_the_schema_is_read() {
    let document = JsonDocument::parse(EXAMPLE.as_bytes()).unwrap();
    let schema = generate_schema();
    let named: Vec<&String> = schema["properties"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, rule)| !rule.is_boolean())
        .map(|(name, _)| name)
        .collect();
    let keys: Vec<&str> = document.keys().collect();
    assert_eq!(named, keys, "the example has every field");
    let read = format!("{:?}", AdwState::from_document(&document));
    assert!(!read.contains("None"), "{read}");
    assert!(read.contains("Number(0.45)"), "{read}");
}

#[test]
fn a_field_of_a_foreign_type_is_absent_and_the_others_are_not() {
    let text = EXAMPLE
        .replace("\"170\"", "170")
        .replace("9107", "\"9107\"")
        .replace("\"base\"", "\"huge\"");
    let state = AdwState::from_document(&JsonDocument::parse(text.as_bytes()).unwrap());
    assert_eq!((state.issue_number, state.backend_port, state.model_set), (None, None, None));
    assert_eq!(state.frontend_port, Some(9207));
}
