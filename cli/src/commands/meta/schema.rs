//! Validation by the shipped JSON schema.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value as Json;
use trueup_core::diagnostic::Divergence;
use trueup_core::metadata::{JsonDocument, find_database_field, schema_violation_finding};
use trueup_core::model::AdwId;

/// Generated from the types of `trueup_core::metadata`; a test there keeps it up to date.
const SCHEMA_JSON: &str = include_str!("../../../../schemas/adw_state.schema.json");

/// Finds violations of the schema. Fields of the database and the id have findings of their own.
pub(super) fn find_violations(id: &AdwId, path: &str, document: &JsonDocument) -> Vec<Divergence> {
    let Some(validator) = compiled_validator() else {
        return Vec::new();
    };
    let state = Json::Object(document.to_map());
    let found = validator.iter_errors(&state).filter_map(|error| {
        let place = error.instance_path().to_string();
        let field = place.trim_start_matches('/').replace('/', ".");
        let top = field.split('.').next().unwrap_or_default();
        let is_reported_elsewhere =
            top.is_empty() || top == "adw_id" || find_database_field(top).is_some();
        (!is_reported_elsewhere)
            .then(|| schema_violation_finding(id, path, &field, &error.to_string()))
    });
    found.collect()
}

fn compiled_validator() -> Option<&'static Validator> {
    static VALIDATOR: OnceLock<Option<Validator>> = OnceLock::new();
    let compiled = VALIDATOR.get_or_init(|| {
        let schema: Json = serde_json::from_str(SCHEMA_JSON).ok()?;
        jsonschema::validator_for(&schema).ok()
    });
    compiled.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<String> {
        let document = JsonDocument::parse(text.as_bytes()).unwrap();
        find_violations(&"77c90e61".parse().unwrap(), "p", &document)
            .into_iter()
            .map(|d| d.message)
            .collect()
    }

    #[test]
    fn the_shipped_schema_is_one() {
        assert!(compiled_validator().is_some());
    }

    #[test]
    fn each_broken_rule_is_named_with_its_field() {
        for (text, field) in [
            (r#"{"issue_number": 170}"#, "issue_number"),
            (r#"{"issue_class": "/epic"}"#, "issue_class"),
            (r#"{"backend_port": 9115}"#, "backend_port"),
            (r#"{"backend_port": 9099}"#, "backend_port"),
            (r#"{"frontend_port": 9107}"#, "frontend_port"),
            (r#"{"backend_port": "9107"}"#, "backend_port"),
            (r#"{"model_set": "huge"}"#, "model_set"),
            (r#"{"all_adws": ["a", 1]}"#, "all_adws.1"),
            (r#"{"estimated_cost_breakdown": {"plan": "x"}}"#, "estimated_cost_breakdown.plan"),
        ] {
            let found = rules(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains(&format!("p: {field}: ")), "{found:?}");
        }
    }

    #[test]
    fn what_is_allowed_or_said_elsewhere_is_no_violation() {
        for text in [
            "{}",
            r#"{"adw_id": 7, "status": "x", "current_phase": "y"}"#,
            r#"{"issue_number": null, "mine": {"status": 1}, "huge": 1e400}"#,
            r#"{"backend_port": 9100, "frontend_port": 9214, "model_set": "heavy"}"#,
        ] {
            assert_eq!(rules(text), Vec::<String>::new(), "{text}");
        }
    }
}
