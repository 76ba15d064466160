//! Changes of a session's state that a command line names, and what each of them changed.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use trueup_core::model::{
    EventFilter, EventKind, ExecutionState, FieldValue, ItemKey, Session, SessionId, StateField,
    WorkHistory,
};
use trueup_core::store::{CommandStore, ExpectedRead, InterruptionMark, Provenance, ReadTime};
use trueup_core::sync::{PushOutcome, RetriedPush, push_with_retry};
use trueup_core::text::one_line;

use super::value_text::render_json_value;
use crate::command_error::{CommandError, CommandResult, ItemCase};

/// Longest value shown, in characters.
const MAX_VALUE_CHARS: usize = 200;

/// What a command says that found everything as it was to become.
pub(super) const NOTHING_CHANGED: &str = "nothing changed";

/// Keys of the metadata that are shown as fields.
const FIELD_KEYS: [&str; 3] = ["execution_state", "auto_proceed", "chain_orchestrators"];

/// A change of a session's state.
#[derive(Debug, Default)]
pub(super) struct StateChange<'a> {
    /// The fields to change.
    pub(super) fields: BTreeMap<StateField, FieldValue>,
    /// Keys to merge into the rest of the metadata.
    pub(super) metadata: Map<String, Json>,
    /// The moment to record with it.
    pub(super) mark: Option<InterruptionMark>,
    /// Whether the session's agent makes it, and so knows of it.
    pub(super) is_by_agent: bool,
    /// Why, for the record of changes.
    pub(super) reason: &'a str,
}

/// Makes a change in one transaction. Returns what it changed, by field: the value that it replaced
/// and the new one. What others changed meanwhile is not among it.
pub(super) fn push_change(
    store: &mut dyn CommandStore,
    session: Session,
    change: StateChange<'_>,
) -> CommandResult<Map<String, Json>> {
    let (id, item) = (session.id.clone(), session.item.clone());
    let provenance = Provenance::new(id.as_str(), change.reason);
    let op_id = provenance.op_id.clone();
    let has_metadata = !change.metadata.is_empty();
    if has_metadata {
        store.expect_reads(ReadTime::AfterWrite, &[ExpectedRead::OperationEvents(&op_id)]);
    }
    if change.fields.is_empty() && change.mark.is_none() {
        // What caches mirror stays as it is, and so does the revision.
        store.merge_metadata(&id, &change.metadata, &provenance)?;
        return load_changes(store, &id, &op_id);
    }
    let request = RetriedPush {
        changes: change.fields,
        metadata: change.metadata,
        branch: None,
        mark: change.mark,
        acknowledge: change.is_by_agent,
        provenance,
    };
    match push_with_retry(store, session, &request)? {
        PushOutcome::Done { .. } if has_metadata => load_changes(store, &id, &op_id),
        PushOutcome::Done { before, after } => {
            Ok(diff_metadata(&keep_state(before.metadata), &keep_state(after.metadata)))
        }
        PushOutcome::InPlace(_) => Ok(Map::new()),
        PushOutcome::ClaimLost(_) => {
            Err(CommandError::new(ItemCase::OwnClaimLost, describe_lost_claim(store, &id, item)?))
        }
    }
}

/// Says what became of the claim that a change was made under.
fn describe_lost_claim(
    store: &mut dyn CommandStore,
    session: &SessionId,
    item: Option<ItemKey>,
) -> CommandResult<String> {
    let Some(key) = item else {
        return Ok("the claim for this change is over".to_owned());
    };
    let holder = store.load_item(&key)?.and_then(|item| item.holder);
    Ok(match holder {
        Some(holder) if holder == *session => {
            format!("the claim on {key} was lost, and the session claimed it anew meanwhile")
        }
        Some(holder) => format!("{key} now belongs to session {holder}"),
        None => format!("the session no longer holds {key}; nobody does"),
    })
}

/// Keeps what the revision counts the changes of: the push was made on that, whatever else others
/// have changed since the session was read.
fn keep_state(mut metadata: Map<String, Json>) -> Map<String, Json> {
    metadata.retain(|key, _| FIELD_KEYS.contains(&key.as_str()));
    metadata
}

/// Loads what an operation changed of a session. Its events were written with the change and hold
/// the values that it replaced.
fn load_changes(
    store: &mut dyn CommandStore,
    session: &SessionId,
    op_id: &str,
) -> CommandResult<Map<String, Json>> {
    let (mut before, mut after) = (Map::new(), Map::new());
    for event in store.list_events(&EventFilter::of_operation(op_id))? {
        let is_of_state = event.is_kind(EventKind::State) || event.is_kind(EventKind::Metadata);
        if is_of_state && event.entity == "session" && event.key == session.as_str() {
            before.extend(event.before.as_object().cloned().unwrap_or_default());
            after.extend(event.after.as_object().cloned().unwrap_or_default());
        }
    }
    Ok(diff_metadata(&before, &after))
}

/// Returns the fields that differ between two states of a session's metadata.
fn diff_metadata(before: &Map<String, Json>, after: &Map<String, Json>) -> Map<String, Json> {
    let (old, new) = (ExecutionState::from_metadata(before), ExecutionState::from_metadata(after));
    let mut changed = Map::new();
    for field in StateField::ALL {
        let (from, to) = (old.work.get(field), new.work.get(field));
        if from != to {
            changed.insert(field.key().to_owned(), json!({"from": from, "to": to}));
        }
    }
    changed.extend(diff_history(&old.history, &new.history));
    let keys = before.keys().chain(after.keys());
    for key in keys.filter(|key| !FIELD_KEYS.contains(&key.as_str())) {
        let (from, to) = (before.get(key), after.get(key));
        if from != to {
            changed.insert(key.clone(), json!({"from": from, "to": to}));
        }
    }
    changed
}

/// Returns what differs between two histories: the count, and the times where a history was cleared
/// that had counted nothing.
fn diff_history(old: &WorkHistory, new: &WorkHistory) -> Map<String, Json> {
    let count = |history: &WorkHistory| history.resume_count.unwrap_or(0);
    let mut changed = Map::new();
    if count(old) != count(new) {
        let change = json!({"from": count(old), "to": count(new)});
        changed.insert("resumeCount".to_owned(), change);
        return changed;
    }
    for (key, from, to) in [
        ("lastInterruptedAt", old.last_interrupted_at, new.last_interrupted_at),
        ("lastResumedAt", old.last_resumed_at, new.last_resumed_at),
    ] {
        if from.is_some() && to.is_none() {
            changed.insert(key.to_owned(), json!({"from": from, "to": to}));
        }
    }
    changed
}

/// Renders changes for a person.
pub(super) fn render_changes(changed: &Map<String, Json>) -> Vec<String> {
    if changed.is_empty() {
        return vec![NOTHING_CHANGED.to_owned()];
    }
    let render_value = |value: &Json| match value {
        Json::Bool(true) => "on".to_owned(),
        Json::Bool(false) => "off".to_owned(),
        other => one_line(&render_json_value(other), MAX_VALUE_CHARS),
    };
    let line = |(key, change): (&String, &Json)| match (key.as_str(), &change["to"]) {
        ("wasInterrupted", Json::Bool(true)) => "Interrupted.".to_owned(),
        ("wasInterrupted", Json::Bool(false)) => "No longer interrupted.".to_owned(),
        _ => {
            let name = field_name(key);
            format!("{name}: {} -> {}", render_value(&change["from"]), render_value(&change["to"]))
        }
    };
    changed.iter().map(line).collect()
}

/// Returns the name of a field as `trueup status` and the options have it.
fn field_name(key: &str) -> &str {
    match key {
        "currentSd" => "item",
        "currentPhase" => "phase",
        "currentTask" => "task",
        "isActive" => "active",
        "autoProceed" => "auto-proceed",
        "chainOrchestrators" => "chain-orchestrators",
        "resumeCount" => "resume count",
        "lastInterruptedAt" => "last interrupted",
        "lastResumedAt" => "last resumed",
        other => other,
    }
}
