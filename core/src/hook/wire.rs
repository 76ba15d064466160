//! The JSON as sent, with only the fields trueup reads. Everything is optional: fields come
//! and go with versions of the client, and what comes in another shape is as if it were not there.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::text::lenient_json;

/// A name of a field, without a copy of it where the text can be borrowed from.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads an object field by field. Of a field that is there twice the last one counts, as for
/// every reader of JSON; what serde derives would refuse the whole object.
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
    }
}

object! {
    /// The inputs of the tools trueup listens to.
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
    /// What the task tools answer: the id of a task just made.
    struct ToolResponse {
        "task" task: Lenient<TaskRef>,
    }
}

object! {
    struct TaskRef {
        "id" id: Lenient<String>,
    }
}

/// A value, or nothing: what is sent in another shape must not hide the fields beside it.
#[derive(Debug)]
pub(super) struct Lenient<T>(pub(super) Option<T>, LenientShape);

/// Whether something stands where nothing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LenientShape {
    Known,
    Other,
}

impl<T> Lenient<T> {
    /// Tells whether something is there that is no `T`: that is not the same as nothing, where
    /// it would decide.
    pub(super) fn is_unreadable(&self) -> bool {
        self.1 == LenientShape::Other
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
            (Some(_), _) | (None, "null") => LenientShape::Known,
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

/// Reads `T`, or nothing when the value is none. The raw text is borrowed, so a payload of
/// megabytes is walked, not copied.
fn parse_lenient<T: DeserializeOwned>(raw: &str) -> Option<T> {
    lenient_json::from_str(raw).ok()
}
