//! A change of a session's state, and whether it would change anything.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::Provenance;
use crate::model::{
    Epoch, ExecutionState, FieldValue, ItemKey, Revision, Session, SessionId, StateField,
};
use crate::text::redact::{redact, redact_json};

/// A change of a session's state, conditional on revision and claim.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatePush {
    /// The session.
    pub session: SessionId,
    /// The revision it was made from; the write is refused when the database has another.
    pub base: Revision,
    /// The claim it was made under; the write is refused when the item was taken since then.
    pub fencing_token: Option<(ItemKey, Epoch)>,
    /// The fields that change.
    pub changes: BTreeMap<StateField, FieldValue>,
    /// Keys to merge into the rest of the metadata. Other keys stay, and `null` removes one.
    pub metadata: Map<String, Json>,
    /// The branch that is checked out, when it changed.
    pub branch: Option<String>,
    /// The moment to record with it, by the database's clock.
    pub mark: Option<InterruptionMark>,
    /// Whether the session's agent made the change itself and need not be told of it. A change by
    /// others that it was not told of yet stays untold.
    pub acknowledge: bool,
    /// Who pushes.
    pub provenance: Provenance,
}

/// A moment of a session's work that has a timestamp of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterruptionMark {
    /// Work was interrupted.
    Interrupted,
    /// Work was resumed; resumptions are counted.
    Resumed,
    /// The count of resumptions was reset.
    HistoryCleared,
}

impl StatePush {
    /// Returns whether the session's state is already as the change would leave it. Writing it
    /// would change its time alone, and raise the revision only where the clock has moved on since
    /// the write before it. What was not interrupted cannot be resumed, and so is counted once.
    pub fn is_in_place(&self, session: &Session) -> bool {
        let state = session.execution_state();
        let are_fields_in_place = self
            .changes
            .iter()
            .all(|(field, value)| state.work.get(*field) == value_as_read(value))
            && self.branch.as_deref().is_none_or(|branch| session.branch() == Some(branch))
            && is_merged(&session.metadata, &self.metadata_as_stored());
        match self.mark {
            Some(InterruptionMark::Resumed) => !state.work.was_interrupted,
            Some(InterruptionMark::Interrupted) => {
                state.work.was_interrupted && are_fields_in_place
            }
            Some(InterruptionMark::HistoryCleared) => has_no_history(&state) && are_fields_in_place,
            None => are_fields_in_place,
        }
    }

    /// Makes the session what the push makes of it in the database, if its fields differ from those
    /// of the session: then the revision is the next one. Its times are not predicted.
    ///
    /// Returns whether they differ.
    pub fn predict_outcome(&self, session: &mut Session) -> bool {
        let work = session.execution_state().work;
        let changes: BTreeMap<StateField, FieldValue> =
            self.changes.iter().map(|(field, value)| (*field, value_as_read(value))).collect();
        if changes.iter().all(|(field, value)| work.get(*field) == *value) {
            return false;
        }
        let patch = state_patch(&self.metadata, &changes, self.branch.as_deref());
        merge_patch(&mut session.metadata, patch);
        session.revision.0 += 1;
        true
    }

    /// Returns the keys to merge without their secrets.
    fn metadata_as_stored(&self) -> Json {
        let mut metadata = Json::Object(self.metadata.clone());
        redact_json(&mut metadata);
        metadata
    }
}

/// Returns a change of a session's state as a merge patch of its metadata; `null` removes a key.
pub fn state_patch(
    metadata: &Map<String, Json>,
    changes: &BTreeMap<StateField, FieldValue>,
    branch: Option<&str>,
) -> Map<String, Json> {
    let mut metadata = metadata.clone();
    let mut state = Map::new();
    for (field, value) in changes {
        let value = match value {
            FieldValue::Flag(flag) => json!(flag),
            FieldValue::Text(text) => json!(text),
        };
        match field {
            StateField::AutoProceed => metadata.insert("auto_proceed".to_owned(), value),
            StateField::ChainOrchestrators => {
                metadata.insert("chain_orchestrators".to_owned(), value)
            }
            other => state.insert(other.key().to_owned(), value),
        };
    }
    if let Some(branch) = branch {
        metadata.insert("branch".to_owned(), json!(branch));
    }
    // Present even when empty, so that the moment of the change has a place.
    metadata.insert("execution_state".to_owned(), Json::Object(state));
    metadata
}

/// Merges keys as the database does: an object key by key, and `null` removes one (RFC 7396).
pub fn merge_patch(target: &mut Map<String, Json>, patch: Map<String, Json>) {
    for (key, value) in patch {
        match (target.get_mut(&key), value) {
            (_, Json::Null) => {
                target.remove(&key);
            }
            (Some(Json::Object(inner)), Json::Object(patch)) => merge_patch(inner, patch),
            (_, Json::Object(patch)) => {
                let mut inner = Map::new();
                merge_patch(&mut inner, patch);
                target.insert(key, Json::Object(inner));
            }
            (_, value) => {
                target.insert(key, value);
            }
        }
    }
}

fn has_no_history(state: &ExecutionState) -> bool {
    let history = &state.history;
    history.last_interrupted_at.is_none()
        && history.last_resumed_at.is_none()
        && history.resume_count.unwrap_or(0) == 0
}

/// Returns a value as it is read once it was written: an empty text is read as none.
fn value_as_read(value: &FieldValue) -> FieldValue {
    match value {
        FieldValue::Text(text) => {
            let text = text.as_deref().map(|text| redact(text).text.into_owned());
            FieldValue::Text(text.filter(|text| !text.is_empty()))
        }
        FieldValue::Flag(flag) => FieldValue::Flag(*flag),
    }
}

/// Returns whether merging a patch into an object would leave the object as it is.
fn is_merged(object: &Map<String, Json>, patch: &Json) -> bool {
    let mut keys = patch.as_object().into_iter().flatten();
    keys.all(|(key, value)| match (object.get(key), value) {
        (present, Json::Null) => present.is_none(),
        (Some(Json::Object(inner)), Json::Object(_)) => is_merged(inner, value),
        (present, value) => present == Some(value),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::SessionStatus;
    use crate::model::fixture::sample_session;

    fn session_with(metadata: &Json) -> Session {
        let metadata = metadata.as_object().unwrap().clone();
        Session { metadata, ..sample_session("s", SessionStatus::Active, 0) }
    }

    fn push(session: &Session) -> StatePush {
        StatePush {
            session: session.id.clone(),
            base: session.revision,
            fencing_token: None,
            changes: BTreeMap::new(),
            metadata: Map::new(),
            branch: None,
            mark: None,
            acknowledge: false,
            provenance: Provenance::new("s", ""),
        }
    }

    #[test]
    fn a_merge_is_in_place_where_every_key_has_its_value() {
        let session = session_with(&json!({"a": {"b": 1, "c": [1, null]}, "d": "x"}));
        for (patch, expected) in [
            (json!({}), true),
            (json!({"d": "x", "a": {"b": 1}}), true),
            (json!({"e": null, "a": {"x": null}}), true),
            (json!({"d": null}), false),
            (json!({"d": "y"}), false),
            (json!({"a": {"b": 2}}), false),
            (json!({"a": {"c": [1]}}), false),
            (json!({"d": {}}), false),
            (json!({"e": {}}), false),
        ] {
            let metadata = patch.as_object().unwrap().clone();
            let push = StatePush { metadata, ..push(&session) };
            assert_eq!(push.is_in_place(&session), expected, "{patch}");
        }
    }

    #[test]
    fn a_mark_is_in_place_where_its_moment_was_recorded() {
        use InterruptionMark::{HistoryCleared, Interrupted, Resumed};
        let interrupted = json!({"execution_state": {"wasInterrupted": true, "resumeCount": 1}});
        for (mark, state, expected) in [
            (Interrupted, json!({}), false),
            (Interrupted, interrupted.clone(), true),
            (Resumed, interrupted.clone(), false),
            (Resumed, json!({}), true),
            (HistoryCleared, interrupted, false),
            (HistoryCleared, json!({"execution_state": {"resumeCount": 0}}), true),
        ] {
            let session = session_with(&state);
            let flag = FieldValue::Flag(mark == Interrupted);
            let changes = match mark {
                HistoryCleared => BTreeMap::new(),
                _ => BTreeMap::from([(StateField::WasInterrupted, flag)]),
            };
            let push = StatePush { mark: Some(mark), changes, ..push(&session) };
            assert_eq!(push.is_in_place(&session), expected, "{mark:?} on {state}");
        }
    }
}
