//! Reads the plugin's files.

use std::fs;

use serde_json::Value;
use support::client::repository_root;

/// A JSON file of the repository.
pub(crate) fn json(below: &str) -> Value {
    let path = repository_root().join(below);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Every hook handler with its event and matcher.
pub(crate) fn handlers() -> Vec<(String, String, Value)> {
    let hooks = json("hooks/hooks.json");
    let mut found = Vec::new();
    for (event, groups) in hooks["hooks"].as_object().unwrap() {
        for group in groups.as_array().unwrap() {
            let matcher = group.get("matcher").and_then(Value::as_str).unwrap_or_default();
            for handler in group["hooks"].as_array().unwrap() {
                found.push((event.clone(), matcher.to_owned(), handler.clone()));
            }
        }
    }
    found
}
