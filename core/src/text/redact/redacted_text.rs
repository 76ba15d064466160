//! Text and JSON without secrets, as types and functions.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::{REPLACEMENT_START, SecretKind, classify, redact, secret_names};

/// A text without its secrets. It is made by redacting a text, and in no other way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RedactedText(String);

impl<'de> Deserialize<'de> for RedactedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl From<&str> for RedactedText {
    fn from(text: &str) -> Self {
        Self(redact(text).text.into_owned())
    }
}

impl From<String> for RedactedText {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<RedactedText> for String {
    fn from(text: RedactedText) -> Self {
        text.0
    }
}

impl Deref for RedactedText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedactedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Keys of identifiers: a redacted one would name something else.
const IDENTIFIER_KEYS: [&str; 12] = [
    "branch",
    "currentSd",
    "item",
    "key",
    "parent",
    "session",
    "session_id",
    "sessionId",
    "worktree",
    "path",
    "op_id",
    "link",
];

/// Replaces the secrets in every string of a JSON value. A key such as `api_key` counts as the name
/// of its value.
pub fn redact_json(value: &mut Json) {
    match value {
        Json::String(text) => redact_in_place(text),
        Json::Array(list) => list.iter_mut().for_each(redact_json),
        Json::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    Json::String(_) if IDENTIFIER_KEYS.contains(&key.as_str()) => {}
                    Json::String(text) if is_named_secret(key, text) => {
                        *text = format!("{REPLACEMENT_START}{}]", SecretKind::Assigned);
                    }
                    value => redact_json(value),
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn redact_in_place(text: &mut String) {
    if let std::borrow::Cow::Owned(clean) = redact(text).text {
        *text = clean;
    }
}

fn is_named_secret(key: &str, value: &str) -> bool {
    let promise = secret_names::hint_from_name(key, None);
    promise.is_some_and(|promise| classify::is_secret(value, promise, classify::ValueContext::Code))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_go_by_themselves_and_by_their_keys() {
        let token = ["gh", "p_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
        let mut value = json!({
            "title": format!("use {token} \"now\""),
            "list": [{"api_key": "Zq3vT8wLk1Rf6Yp0Nd5X"}, 1, null],
            "branch": format!("fix/{token}"),
            "status": "running",
        });
        redact_json(&mut value);
        assert_eq!(
            value,
            json!({
                "title": "use [redacted: GitHub token] \"now\"",
                "list": [{"api_key": "[redacted: assigned secret]"}, 1, null],
                "branch": format!("fix/{token}"),
                "status": "running",
            })
        );
        let before = value.clone();
        redact_json(&mut value);
        assert_eq!(value, before);
    }
}
