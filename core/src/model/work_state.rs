//! What a session is doing: the fields the cache mirrors, each named so that rules are data.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A field that database and cache both hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StateField {
    /// The item a session holds (the seed's "claimed SD").
    Item,
    /// The phase, such as `LEAD`, `PLAN`, `EXEC`.
    Phase,
    /// The task in words.
    Task,
    /// Whether work is under way.
    IsActive,
    /// Whether work was broken off.
    WasInterrupted,
    /// Whether to go on without asking.
    AutoProceed,
    /// Whether to go on with the next orchestrator.
    ChainOrchestrators,
}

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text, or nothing.
    Text,
    /// Yes or no.
    Flag,
}

/// The value of a [`Field`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// Of a [`Kind::Flag`].
    Flag(bool),
    /// Of a [`Kind::Text`].
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

    /// Returns the key in the cache file, as the original spells it.
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

    /// Returns where the field stands in what the database keeps of a session.
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

    /// Returns what the field may hold.
    pub const fn kind(self) -> FieldKind {
        match self {
            Self::Item | Self::Phase | Self::Task => FieldKind::Text,
            _ => FieldKind::Flag,
        }
    }
}

/// The mirrored fields of one session, complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the file format has four flags"
)]
pub struct WorkState {
    /// The item worked on.
    pub item: Option<String>,
    /// The phase.
    pub phase: Option<String>,
    /// The task in words.
    pub task: Option<String>,
    /// Whether work is under way.
    pub is_active: bool,
    /// Whether work was broken off.
    pub was_interrupted: bool,
    /// Whether to go on without asking.
    pub auto_proceed: bool,
    /// Whether to go on with the next orchestrator.
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

/// When work was last changed, broken off and taken up again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkHistory {
    /// Last change of the execution state.
    pub last_updated_at: Option<Timestamp>,
    /// Last interruption.
    pub last_interrupted_at: Option<Timestamp>,
    /// Last resumption.
    pub last_resumed_at: Option<Timestamp>,
    /// How often work was resumed; absent when the database never counted.
    pub resume_count: Option<u64>,
}

/// A session's state as the database holds it: the mirrored fields and their history.
///
/// `work.item` is the `currentSd` of `execution_state`, which is *not* the claim: who holds an
/// item is a row of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionState {
    /// The mirrored fields.
    pub work: WorkState,
    /// Their history.
    pub history: WorkHistory,
}

impl ExecutionState {
    /// Reads `claude_sessions.metadata`. Missing keys and keys of a foreign type are absent,
    /// never an error: others write there too.
    pub fn from_metadata(metadata: &serde_json::Map<String, serde_json::Value>) -> Self {
        let empty = serde_json::Map::new();
        let state = metadata
            .get("execution_state")
            .and_then(|s| s.as_object())
            .unwrap_or(&empty);
        let text = |key: &str| {
            state
                .get(key)
                .and_then(|v| v.as_str())
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
        };
        let time = |key: &str| text(key).and_then(|t| t.parse().ok());
        let flag = |map: &serde_json::Map<String, serde_json::Value>, key: &str| {
            map.get(key)
                .and_then(serde_json::Value::as_bool)
                .unwrap_or(false)
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
