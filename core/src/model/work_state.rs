//! What a session is doing: the fields that its cache mirrors.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A field that both the database and the cache hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StateField {
    /// The item that a session works on, called `currentSd` in files.
    Item,
    /// The phase, such as `LEAD`, `PLAN`, `EXEC`.
    Phase,
    /// The task, in words.
    Task,
    /// Whether work is in progress.
    IsActive,
    /// Whether work was interrupted.
    WasInterrupted,
    /// Whether to continue without asking.
    AutoProceed,
    /// Whether to continue with the next orchestrator.
    ChainOrchestrators,
}

/// The kind of value that a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text, or nothing.
    Text,
    /// Yes or no.
    Flag,
}

/// The value of a [`StateField`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// The value of a [`FieldKind::Flag`].
    Flag(bool),
    /// The value of a [`FieldKind::Text`].
    Text(Option<String>),
}

impl StateField {
    /// Every field, in the order in which differences are reported.
    pub const ALL: [Self; 7] = [
        Self::Item,
        Self::Phase,
        Self::Task,
        Self::IsActive,
        Self::WasInterrupted,
        Self::AutoProceed,
        Self::ChainOrchestrators,
    ];

    /// Returns the key in the cache file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Item => "currentSd",
            Self::Phase => "currentPhase",
            Self::Task => "currentTask",
            Self::IsActive => "isActive",
            Self::WasInterrupted => "wasInterrupted",
            Self::AutoProceed => "autoProceed",
            Self::ChainOrchestrators => "chainOrchestrators",
        }
    }

    /// Returns the JSON path of the field in the metadata of a session.
    pub const fn path_in_state(self) -> &'static str {
        match self {
            Self::Item => "$.execution_state.currentSd",
            Self::Phase => "$.execution_state.currentPhase",
            Self::Task => "$.execution_state.currentTask",
            Self::IsActive => "$.execution_state.isActive",
            Self::WasInterrupted => "$.execution_state.wasInterrupted",
            Self::AutoProceed => "$.auto_proceed",
            Self::ChainOrchestrators => "$.chain_orchestrators",
        }
    }

    /// Finds a field by its key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.key() == key)
    }

    /// Returns the kind of value that the field holds.
    pub const fn kind(self) -> FieldKind {
        match self {
            Self::Item | Self::Phase | Self::Task => FieldKind::Text,
            _ => FieldKind::Flag,
        }
    }
}

/// All mirrored fields of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the file format has four flags")]
pub struct WorkState {
    /// The item.
    pub item: Option<String>,
    /// The phase.
    pub phase: Option<String>,
    /// The task, in words.
    pub task: Option<String>,
    /// Whether work is in progress.
    pub is_active: bool,
    /// Whether work was interrupted.
    pub was_interrupted: bool,
    /// Whether to continue without asking.
    pub auto_proceed: bool,
    /// Whether to continue with the next orchestrator.
    pub chain_orchestrators: bool,
}

impl WorkState {
    /// Returns the value of a field.
    pub fn get(&self, field: StateField) -> FieldValue {
        match field {
            StateField::Item => FieldValue::Text(self.item.clone()),
            StateField::Phase => FieldValue::Text(self.phase.clone()),
            StateField::Task => FieldValue::Text(self.task.clone()),
            StateField::IsActive => FieldValue::Flag(self.is_active),
            StateField::WasInterrupted => FieldValue::Flag(self.was_interrupted),
            StateField::AutoProceed => FieldValue::Flag(self.auto_proceed),
            StateField::ChainOrchestrators => FieldValue::Flag(self.chain_orchestrators),
        }
    }

    /// Sets a field; a value of the wrong kind is ignored.
    pub fn set(&mut self, field: StateField, value: FieldValue) {
        match (field, value) {
            (StateField::Item, FieldValue::Text(text)) => self.item = text,
            (StateField::Phase, FieldValue::Text(text)) => self.phase = text,
            (StateField::Task, FieldValue::Text(text)) => self.task = text,
            (StateField::IsActive, FieldValue::Flag(flag)) => self.is_active = flag,
            (StateField::WasInterrupted, FieldValue::Flag(flag)) => self.was_interrupted = flag,
            (StateField::AutoProceed, FieldValue::Flag(flag)) => self.auto_proceed = flag,
            (StateField::ChainOrchestrators, FieldValue::Flag(flag)) => {
                self.chain_orchestrators = flag;
            }
            _ => {}
        }
    }
}

/// When work last changed, was interrupted and was resumed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkHistory {
    /// When the execution state last changed.
    pub last_updated_at: Option<Timestamp>,
    /// When work was last interrupted.
    pub last_interrupted_at: Option<Timestamp>,
    /// When work was last resumed.
    pub last_resumed_at: Option<Timestamp>,
    /// How often work was resumed, or `None` when the database never counted.
    pub resume_count: Option<u64>,
}

/// The state of a session in the database: the mirrored fields and their history.
///
/// `work.item` is the `currentSd` of `execution_state` and *not* the claim: which session holds an
/// item is stored with the item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionState {
    /// The mirrored fields.
    pub work: WorkState,
    /// Their history.
    pub history: WorkHistory,
}

impl ExecutionState {
    /// Parses `claude_sessions.metadata`. A missing key and a value of another type count as absent
    /// and are no error, because other tools write there too.
    pub fn from_metadata(metadata: &serde_json::Map<String, serde_json::Value>) -> Self {
        let empty = serde_json::Map::new();
        let state = metadata.get("execution_state").and_then(|s| s.as_object()).unwrap_or(&empty);
        let text = |key: &str| {
            state.get(key).and_then(|v| v.as_str()).filter(|t| !t.is_empty()).map(str::to_owned)
        };
        let time = |key: &str| text(key).and_then(|t| t.parse().ok());
        let flag = |map: &serde_json::Map<String, serde_json::Value>, key: &str| {
            map.get(key).and_then(serde_json::Value::as_bool).unwrap_or(false)
        };
        Self {
            work: WorkState {
                item: text("currentSd"),
                phase: text("currentPhase"),
                task: text("currentTask"),
                is_active: flag(state, "isActive"),
                was_interrupted: flag(state, "wasInterrupted"),
                auto_proceed: flag(metadata, "auto_proceed"),
                chain_orchestrators: flag(metadata, "chain_orchestrators"),
            },
            history: WorkHistory {
                last_updated_at: time("lastUpdatedAt"),
                last_interrupted_at: time("lastInterruptedAt"),
                last_resumed_at: time("lastResumedAt"),
                resume_count: state.get("resumeCount").and_then(serde_json::Value::as_u64),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_keeps_what_it_is_given() {
        let mut state = WorkState::default();
        for field in StateField::ALL {
            let value = match field.kind() {
                FieldKind::Text => FieldValue::Text(Some(field.key().to_owned())),
                FieldKind::Flag => FieldValue::Flag(true),
            };
            state.set(field, value.clone());
            assert_eq!(state.get(field), value);
            assert_eq!(StateField::from_key(field.key()), Some(field));
        }
    }

    #[test]
    fn metadata_of_others_never_breaks_reading() {
        let metadata = serde_json::json!({
            "auto_proceed": "yes", "execution_state": {"currentSd": 7, "currentPhase": "PLAN"}
        });
        let state = ExecutionState::from_metadata(metadata.as_object().unwrap());
        assert_eq!(state.work.item, None);
        assert_eq!(state.work.phase.as_deref(), Some("PLAN"));
        assert!(!state.work.auto_proceed);
    }
}
