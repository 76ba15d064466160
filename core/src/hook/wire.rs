//! The JSON as sent, with only the fields trueup reads. Everything is optional: fields come
//! and go with versions of the client, and what comes in another shape is as if it were not there.

use serde::{Deserialize, Deserializer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    pub(super) session_id: Lenient<String>,
    pub(super) cwd: Lenient<String>,
    pub(super) hook_event_name: Lenient<String>,
    pub(super) agent_id: Lenient<String>,
    pub(super) agent_type: Lenient<String>,
    pub(super) source: Lenient<String>,
    pub(super) prompt: Lenient<String>,
    pub(super) tool_name: Lenient<String>,
    pub(super) tool_input: Lenient<ToolInput>,
    pub(super) tool_response: Lenient<ToolResponse>,
    pub(super) task_id: Lenient<String>,
    pub(super) task_subject: Lenient<String>,
    pub(super) stop_hook_active: Lenient<bool>,
    pub(super) reason: Lenient<String>,
}

/// The inputs of the tools trueup listens to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolInput {
    pub(super) command: Lenient<String>,
    /// In milliseconds.
    pub(super) timeout: Lenient<u64>,
    pub(super) run_in_background: Lenient<bool>,
    #[serde(rename = "taskId")]
    pub(super) task_id: Lenient<String>,
    pub(super) status: Lenient<String>,
    pub(super) subject: Lenient<String>,
    pub(super) todos: List<Todo>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Todo {
    pub(super) content: Lenient<String>,
    pub(super) status: Lenient<String>,
}

/// What the task tools answer: the id of a task just made.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolResponse {
    pub(super) task: Lenient<TaskRef>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TaskRef {
    pub(super) id: Lenient<String>,
}

/// A value that is no list, or nothing: what is sent in another shape must not hide the fields
/// beside it.
#[derive(Debug)]
pub(super) struct Lenient<T>(pub(super) Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A list would be read as the fields of an object, in their order.
        Ok(Self(read(deserializer, |first| first != b'[')?))
    }
}

/// A list, or nothing.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Option<Vec<Lenient<T>>>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(read(deserializer, |first| first == b'[')?))
    }
}

/// Reads `T`, or nothing when the value is none. The raw text is borrowed, so a payload of
/// megabytes is walked, not copied.
fn read<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    may_begin_with: fn(u8) -> bool,
) -> Result<Option<T>, D::Error> {
    let raw: &'de serde_json::value::RawValue = Deserialize::deserialize(deserializer)?;
    let raw = raw.get();
    let begins = raw.bytes().next().is_some_and(may_begin_with);
    let value = begins.then(|| serde_json::from_str(raw).ok());
    Ok(value.flatten())
}
