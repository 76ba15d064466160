//! The JSON as sent, with only the fields trueup reads. Everything is optional: fields come
//! and go with versions of the client.

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Payload {
    pub(super) session_id: Option<String>,
    pub(super) cwd: Option<String>,
    pub(super) hook_event_name: Option<String>,
    pub(super) agent_id: Option<String>,
    pub(super) agent_type: Option<String>,
    pub(super) source: Option<String>,
    pub(super) prompt: Option<String>,
    pub(super) tool_name: Option<String>,
    #[serde(default)]
    pub(super) tool_input: ToolInput,
    pub(super) tool_response: Option<ToolResponse>,
    pub(super) task_id: Option<String>,
    pub(super) task_subject: Option<String>,
    #[serde(default)]
    pub(super) stop_hook_active: bool,
    pub(super) reason: Option<String>,
}

/// The inputs of the tools trueup listens to; a tool may send anything, so a foreign shape
/// reads as empty.
#[derive(Debug, Default)]
pub(super) struct ToolInput(pub(super) ToolFields);

#[derive(Debug, Default, Deserialize)]
pub(super) struct ToolFields {
    pub(super) command: Option<String>,
    /// In milliseconds.
    #[serde(default)]
    pub(super) timeout: Number,
    #[serde(default)]
    pub(super) run_in_background: Flag,
    #[serde(rename = "taskId")]
    pub(super) task_id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) todos: Option<Vec<Todo>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Todo {
    pub(super) content: Option<String>,
    pub(super) status: Option<String>,
}

impl<'de> Deserialize<'de> for ToolInput {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(lenient(deserializer)?.unwrap_or_default()))
    }
}

/// A whole number, or nothing: what a tool sends in another shape must not hide the fields
/// beside it.
#[derive(Debug, Default)]
pub(super) struct Number(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(lenient(deserializer)?))
    }
}

/// A flag; anything but `true` is not.
#[derive(Debug, Default)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(lenient(deserializer)?.unwrap_or_default()))
    }
}

/// What the task tools answer: the id of a task just made.
#[derive(Debug, Default)]
pub(super) struct ToolResponse(pub(super) ResponseFields);

#[derive(Debug, Default, Deserialize)]
pub(super) struct ResponseFields {
    pub(super) task: Option<TaskRef>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TaskRef {
    pub(super) id: Option<String>,
}

impl<'de> Deserialize<'de> for ToolResponse {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(lenient(deserializer)?.unwrap_or_default()))
    }
}

/// Reads `T`, or nothing when the value has another shape. The raw text is borrowed, so a
/// payload of megabytes is walked, not copied.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw: &'de serde_json::value::RawValue = Deserialize::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}
