//! Which fields of a metadata file have a value that the schema does not allow. Pure.
//!
//! The schema for other tools is `schemas/adw_state.schema.json`. Both come from the types in
//! `adw_state`, and a test compares what the two allow.

use std::ops::RangeInclusive;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Number, Value as Json};

use super::adw_state::{BACKEND_PORTS, FRONTEND_PORTS};
use super::{IssueClass, JsonDocument, ModelSet};

/// A value that the schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidField {
    /// The field, and the place in it, such as `all_adws.1`.
    pub path: String,
    /// What is wrong with the value.
    pub problem: String,
}

type ValueCheck = fn(&str, &Json, &mut Vec<InvalidField>);

/// The check of each field. The id has a finding of its own.
const CHECKS: [(&str, ValueCheck); 20] = [
    ("issue_number", check_type::<String>),
    ("worktree_path", check_type::<String>),
    ("branch_name", check_type::<String>),
    ("plan_file", check_type::<String>),
    ("issue_class", check_type::<IssueClass>),
    ("backend_port", |path, value, found| check_port(path, value, &BACKEND_PORTS, found)),
    ("frontend_port", |path, value, found| check_port(path, value, &FRONTEND_PORTS, found)),
    ("model_set", check_type::<ModelSet>),
    ("all_adws", check_elements::<String>),
    ("estimated_cost_total", check_type::<Number>),
    ("estimated_cost_breakdown", check_members::<Number>),
    ("workflow_template", check_type::<String>),
    ("model_used", check_type::<String>),
    ("start_time", check_type::<String>),
    ("nl_input", check_type::<String>),
    ("github_url", check_type::<String>),
    ("baseline_errors", check_members::<IgnoredAny>),
    ("external_build_results", check_members::<IgnoredAny>),
    ("external_lint_results", check_members::<IgnoredAny>),
    ("external_test_results", check_members::<IgnoredAny>),
];

/// Lists the values that the schema does not allow. `null` stands for no value.
pub fn find_invalid_fields(document: &JsonDocument) -> Vec<InvalidField> {
    let mut found = Vec::new();
    for (field, check) in CHECKS {
        if let Some(value) = document.get(field).filter(|value| !value.is_null()) {
            check(field, &value, &mut found);
        }
    }
    found
}

fn check_type<T: DeserializeOwned>(path: &str, value: &Json, found: &mut Vec<InvalidField>) {
    if let Err(error) = serde_json::from_value::<T>(value.clone()) {
        found.push(InvalidField { path: path.to_owned(), problem: error.to_string() });
    }
}

fn check_port(
    path: &str,
    value: &Json,
    allowed: &RangeInclusive<u16>,
    found: &mut Vec<InvalidField>,
) {
    if !value.as_u64().is_some_and(|port| u16::try_from(port).is_ok_and(|p| allowed.contains(&p))) {
        let (first, last) = (allowed.start(), allowed.end());
        let problem = format!("{value} is not a port from {first} to {last}");
        found.push(InvalidField { path: path.to_owned(), problem });
    }
}

fn check_elements<T: DeserializeOwned>(path: &str, value: &Json, found: &mut Vec<InvalidField>) {
    match value.as_array() {
        None => check_type::<Vec<IgnoredAny>>(path, value, found),
        Some(elements) => {
            for (index, element) in elements.iter().enumerate() {
                check_type::<T>(&format!("{path}.{index}"), element, found);
            }
        }
    }
}

fn check_members<T: DeserializeOwned>(path: &str, value: &Json, found: &mut Vec<InvalidField>) {
    match value.as_object() {
        None => check_type::<Map<String, Json>>(path, value, found),
        Some(members) => {
            for (name, member) in members {
                check_type::<T>(&format!("{path}.{name}"), member, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid_paths(text: &str) -> Vec<String> {
        let document = JsonDocument::parse(text.as_bytes()).unwrap();
        find_invalid_fields(&document).into_iter().map(|found| found.path).collect()
    }

    #[test]
    fn each_invalid_value_is_named_with_its_place() {
        for (text, paths) in [
            (r#"{"issue_number": 170}"#, &["issue_number"][..]),
            (r#"{"issue_class": "/epic"}"#, &["issue_class"]),
            (r#"{"backend_port": 9115}"#, &["backend_port"]),
            (r#"{"backend_port": 9099}"#, &["backend_port"]),
            (r#"{"frontend_port": 9107}"#, &["frontend_port"]),
            (r#"{"backend_port": "9107"}"#, &["backend_port"]),
            (r#"{"model_set": "huge"}"#, &["model_set"]),
            (r#"{"all_adws": "a"}"#, &["all_adws"]),
            (r#"{"all_adws": ["a", 1, null]}"#, &["all_adws.1", "all_adws.2"]),
            (r#"{"estimated_cost_breakdown": {"plan": "x"}}"#, &["estimated_cost_breakdown.plan"]),
            (r#"{"baseline_errors": [], "nl_input": {}}"#, &["nl_input", "baseline_errors"]),
        ] {
            assert_eq!(invalid_paths(text), paths, "{text}");
        }
    }

    #[test]
    fn what_is_allowed_or_said_elsewhere_is_not_invalid() {
        for text in [
            "{}",
            r#"{"adw_id": 7, "status": "x", "current_phase": "y"}"#,
            r#"{"issue_number": null, "mine": {"status": 1}, "estimated_cost_total": 1e400}"#,
            r#"{"backend_port": 9100, "frontend_port": 9214, "model_set": "heavy"}"#,
        ] {
            assert_eq!(invalid_paths(text), Vec::<String>::new(), "{text}");
        }
    }
}
