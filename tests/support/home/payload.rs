//! Payloads as the client sends them, from recorded shapes.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::client::repository_root;

/// A payload, ready to be sent.
#[derive(Debug, Clone)]
pub struct Payload(Value);

impl Payload {
    /// Reads a fixture for a session that runs in `project`.
    pub fn from_fixture(name: &str, session: &str, project: &Path) -> Self {
        let path = repository_root().join("tests/fixtures/hooks").join(format!("{name}.json"));
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = text.replace("SESSION", session);
        let mut value: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let cwd = value["cwd"].as_str().unwrap_or_default();
        let cwd = project.join(cwd.trim_start_matches("/repo").trim_start_matches('/'));
        value["cwd"] = Value::from(cwd.to_string_lossy().trim_end_matches('/'));
        Self(value)
    }

    /// Lists the fixtures whose names start with `prefix`.
    pub fn list_fixtures(prefix: &str) -> Vec<String> {
        let dir = repository_root().join("tests/fixtures/hooks");
        let entries = fs::read_dir(&dir).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| {
                entry.file_name().to_str()?.strip_suffix(".json").map(str::to_owned)
            })
            .filter(|name| name.starts_with(prefix))
            .collect();
        names.sort();
        names
    }

    /// Sets a field.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0[key] = value.into();
        self
    }

    /// Sets a field of the tool's input.
    #[must_use]
    pub fn with_input(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0["tool_input"][key] = value.into();
        self
    }

    /// Sets the session.
    #[must_use]
    pub fn for_session(self, session: &str) -> Self {
        self.with("session_id", session)
    }

    /// Returns the bytes to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }
}
