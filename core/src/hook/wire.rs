//! The JSON as clients send it, with only the fields that trueup reads. All of them are
//! optional, because fields come and go with client versions; a value of the wrong type counts as
//! missing.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::text::lenient_json;

/// A field's name, borrowed from the text where possible.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Implements `Deserialize` field by field. Of a repeated field the last one counts, as in every
/// JSON reader; serde's derived code would reject the whole object.
macro_rules! object {
    ($(#[$of_all:meta])* struct $object:ident { $($(#[$of_one:meta])* $key:literal $field:ident: $kind:ty,)+ }) => {
        $(#[$of_all])*
        #[derive(Debug, Default)]
        pub(super) struct $object {
            $($(#[$of_one])* pub(super) $field: $kind,)+
        }

        impl<'de> Deserialize<'de> for $object {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;

                impl<'de> Visitor<'de> for Fields {
                    type Value = $object;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$object, A::Error> {
                        let mut found = $object::default();
                        while let Some(Name(name)) = map.next_key()? {
                            match &*name {
                                $($key => found.$field = map.next_value()?,)+
                                _ => drop(map.next_value::<IgnoredAny>()?),
                            }
                        }
                        Ok(found)
                    }
                }

                deserializer.deserialize_map(Fields)
            }
        }
    };
}

object! {
    struct Payload {
        "session_id" session_id: Lenient<String>,
        "cwd" cwd: Lenient<String>,
        "transcript_path" transcript_path: Lenient<String>,
        "turn_id" turn_id: Lenient<String>,
        "hook_event_name" hook_event_name: Lenient<String>,
        "agent_id" agent_id: Lenient<String>,
        "agent_type" agent_type: Lenient<String>,
        "source" source: Lenient<String>,
        "prompt" prompt: Lenient<String>,
        "tool_name" tool_name: Lenient<String>,
        "tool_input" tool_input: Lenient<ToolInput>,
        "tool_response" tool_response: Lenient<ToolResponse>,
        "task_id" task_id: Lenient<String>,
        "task_subject" task_subject: Lenient<String>,
        "stop_hook_active" stop_hook_active: Lenient<bool>,
        "reason" reason: Lenient<String>,
        "message" message: Lenient<String>,
        "notification_type" notification_type: Lenient<String>,
    }
}

object! {
    /// The inputs of the tools that trueup observes.
    struct ToolInput {
        "command" command: Lenient<String>,
        /// In milliseconds.
        "timeout" timeout: Lenient<u64>,
        "run_in_background" run_in_background: Lenient<bool>,
        "taskId" task_id: Lenient<String>,
        "status" status: Lenient<String>,
        "subject" subject: Lenient<String>,
        "todos" todos: List<Todo>,
    }
}

object! {
    struct Todo {
        "content" content: Lenient<String>,
        "status" status: Lenient<String>,
    }
}

object! {
    /// The response of the task tools: the id of a new task.
    struct ToolResponse {
        "task" task: Lenient<TaskRef>,
    }
}

object! {
    struct TaskRef {
        "id" id: Lenient<String>,
    }
}

/// A value, or nothing: a value of the wrong type must not hide the other fields.
#[derive(Debug)]
pub(super) struct Lenient<T>(pub(super) Option<T>, LenientShape);

/// Whether a value without content was missing, null or of the wrong type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LenientShape {
    Known,
    Null,
    Other,
}

impl<T> Lenient<T> {
    /// Returns whether a value is there but not a `T`. Where the value decides, that is not the
    /// same as missing.
    pub(super) fn is_unreadable(&self) -> bool {
        self.1 == LenientShape::Other
    }

    /// Returns whether the value is there and null.
    pub(super) fn is_null(&self) -> bool {
        self.1 == LenientShape::Null
    }
}

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None, LenientShape::Known)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: &'de serde_json::value::RawValue = Deserialize::deserialize(deserializer)?;
        let value = parse_lenient(raw.get());
        let shape = match (&value, raw.get()) {
            (Some(_), _) => LenientShape::Known,
            (None, "null") => LenientShape::Null,
            (None, _) => LenientShape::Other,
        };
        Ok(Self(value, shape))
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

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: &'de serde_json::value::RawValue = Deserialize::deserialize(deserializer)?;
        Ok(Self(parse_lenient(raw.get())))
    }
}

/// Parses a `T`, or nothing. The raw text is borrowed, so that a payload of megabytes is walked but
/// not copied.
fn parse_lenient<T: DeserializeOwned>(raw: &str) -> Option<T> {
    lenient_json::from_str(raw).ok()
}
