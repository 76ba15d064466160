//! An error of the store as JSON.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::store::StoreError;

/// What is sent of an error: what a person and a script are shown, and from what the error is made
/// again. The error of the engine that caused it stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireError {
    /// The code for scripts, as [`StoreError::code`] has it.
    #[serde(default)]
    pub code: String,
    /// The line for a person.
    #[serde(default)]
    pub message: String,
    /// Which error it is; several have one code.
    #[serde(default)]
    pub kind: String,
    /// The error's own part of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The schema that was found, of an error about schemas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<i64>,
    /// The schema that can be used, of an error about schemas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<i64>,
}

impl From<&StoreError> for WireError {
    fn from(error: &StoreError) -> Self {
        let (kind, detail, schemas) = match error {
            StoreError::Missing(place) => ("missing", Some(place), None),
            StoreError::NotCreated(place) => ("not_created", Some(place), None),
            StoreError::Unavailable { message, .. } => ("unavailable", Some(message), None),
            StoreError::Contended { message, .. } => ("contended", Some(message), None),
            StoreError::Conflict(message) => ("conflict", Some(message), None),
            StoreError::SchemaTooNew { found, known } => {
                ("schema_too_new", None, Some((*found, *known)))
            }
            StoreError::SchemaTooOld { found, needed } => {
                ("schema_too_old", None, Some((*found, *needed)))
            }
            StoreError::CopyUnwritable(message) => ("copy_unwritable", Some(message), None),
            StoreError::CopyUnusable(message) => ("copy_unusable", Some(message), None),
            StoreError::InUse(place) => ("in_use", Some(place), None),
            StoreError::Corrupt { message, .. } => ("corrupt", Some(message), None),
            StoreError::Unreadable { message, .. } => ("unreadable", Some(message), None),
            StoreError::Denied { message, .. } => ("denied", Some(message), None),
            StoreError::Invalid { message, .. } => ("invalid", Some(message), None),
        };
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
            kind: kind.to_owned(),
            detail: detail.cloned(),
            found: schemas.map(|it| it.0),
            expected: schemas.map(|it| it.1),
        }
    }
}

impl From<WireError> for StoreError {
    /// Makes the error again. One that only a newer server knows counts as a database that cannot
    /// be used, in the server's words.
    fn from(sent: WireError) -> Self {
        let schemas = sent.found.zip(sent.expected);
        let message = sent.detail.unwrap_or(sent.message);
        match (sent.kind.as_str(), schemas) {
            ("missing", _) => Self::Missing(message),
            ("not_created", _) => Self::NotCreated(message),
            ("contended", _) => Self::Contended { message, source: None },
            ("conflict", _) => Self::Conflict(message),
            ("schema_too_new", Some((found, known))) => Self::SchemaTooNew { found, known },
            ("schema_too_old", Some((found, needed))) => Self::SchemaTooOld { found, needed },
            ("copy_unwritable", _) => Self::CopyUnwritable(message),
            ("copy_unusable", _) => Self::CopyUnusable(message),
            ("in_use", _) => Self::InUse(message),
            ("corrupt", _) => Self::corrupt(message),
            ("unreadable", _) => Self::unreadable(&message),
            ("denied", _) => Self::denied(message),
            ("invalid", _) => Self::invalid(message),
            _ => Self::unavailable(message),
        }
    }
}

impl Serialize for StoreError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WireError::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StoreError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WireError::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One error of each variant. The compiler asks for a new one here.
    fn one_of_each() -> Vec<StoreError> {
        let text = || "x \"y\"\n".to_owned();
        let caused = || Some(Box::from("the engine"));
        let (found, known, needed) = (22, 21, 23);
        let errors = vec![
            StoreError::Missing(text()),
            StoreError::NotCreated(text()),
            StoreError::Unavailable { message: text(), source: caused() },
            StoreError::Contended { message: text(), source: caused() },
            StoreError::Conflict(text()),
            StoreError::SchemaTooNew { found, known },
            StoreError::SchemaTooOld { found, needed },
            StoreError::CopyUnwritable(text()),
            StoreError::CopyUnusable(text()),
            StoreError::InUse(text()),
            StoreError::Corrupt { message: text(), source: caused() },
            StoreError::Unreadable { message: text(), source: caused() },
            StoreError::Denied { message: text(), source: caused() },
            StoreError::Invalid { message: text(), source: caused() },
        ];
        let kinds: std::collections::BTreeSet<String> =
            errors.iter().map(|error| WireError::from(error).kind).collect();
        assert_eq!(kinds.len(), errors.len(), "two variants are sent as one: {kinds:?}");
        errors
    }

    #[test]
    fn an_error_arrives_as_it_was_sent() {
        for error in one_of_each() {
            let sent = serde_json::to_string(&error).unwrap();
            let arrived: StoreError = serde_json::from_str(&sent).unwrap();
            assert_eq!(
                std::mem::discriminant(&arrived),
                std::mem::discriminant(&error),
                "{error} became {arrived}"
            );
            assert_eq!(arrived.to_string(), error.to_string());
            assert_eq!(arrived.code(), error.code());
            assert_eq!(arrived.retry_advice(), error.retry_advice());
            assert!(!sent.contains("the engine"), "{sent}");
        }
    }

    #[test]
    fn an_error_of_a_newer_server_is_in_its_words() {
        for sent in [
            r#"{"code":"quota","kind":"quota","message":"too many items","limit":7}"#,
            r#"{"message":"too many items"}"#,
            r#"{"kind":"schema_too_new","message":"too many items"}"#,
        ] {
            let error: StoreError = serde_json::from_str(sent).unwrap();
            assert_eq!(error.to_string(), "the database cannot be used: too many items");
        }
    }
}
