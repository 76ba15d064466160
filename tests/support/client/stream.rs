//! The client's event stream, as far as tests read it.

use serde_json::Value;

/// The end of one run of a plugin's hook.
#[derive(Clone, Debug)]
pub struct HookResponse {
    /// The event with its matcher's value, such as `SessionStart:resume`.
    pub name: String,
    /// The session that the client ran it for.
    pub session_id: String,
    /// The exit code, if there was one.
    pub exit_code: Option<i64>,
    /// What it printed.
    pub stdout: String,
    /// What it printed to stderr.
    pub stderr: String,
}

impl HookResponse {
    pub(super) fn from_event(event: &Value) -> Option<Self> {
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        (event["subtype"] == "hook_response").then(|| Self {
            name: text("hook_name"),
            session_id: text("session_id"),
            exit_code: event["exit_code"].as_i64(),
            stdout: text("stdout"),
            stderr: text("stderr"),
        })
    }

    /// Returns the `systemMessage` of the hook's answer, or nothing.
    pub fn system_message(&self) -> String {
        self.parse_answer()["systemMessage"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns the `additionalContext` of the hook's answer, or nothing.
    pub fn context(&self) -> String {
        let answer = self.parse_answer();
        answer["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or_default().to_owned()
    }

    fn parse_answer(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or(Value::Null)
    }
}
