//! `trueup set`, `interrupt`, `resume` and `clear`: changes of a session's own state.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use trueup_core::model::{FieldValue, Session, StateField};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{InterruptionMark, Provenance, Store as _};
use trueup_core::sync::{PushOutcome, RetriedPush, push_with_retry};
use trueup_core::text::one_line;

use super::render_json_value;
use crate::args::{OnOff, SetArgs};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;
use crate::views;

/// Longest value shown, in characters.
const MAX_VALUE_CHARS: usize = 200;

pub(super) fn cmd_set(
    context: &CommandContext,
    arguments: &SetArgs,
) -> Result<Output, CommandError> {
    let text = |text: &String| FieldValue::Text(Some(text.clone()).filter(|t| !t.is_empty()));
    let flag = |switch: OnOff| FieldValue::Flag(matches!(switch, OnOff::On));
    let mut changes = BTreeMap::new();
    changes.extend(
        arguments
            .phase
            .as_ref()
            .map(|phase| (StateField::Phase, text(phase))),
    );
    changes.extend(
        arguments
            .task
            .as_ref()
            .map(|task| (StateField::Task, text(task))),
    );
    changes.extend(
        arguments
            .auto_proceed
            .map(|on| (StateField::AutoProceed, flag(on))),
    );
    changes.extend(
        arguments
            .chain_orchestrators
            .map(|on| (StateField::ChainOrchestrators, flag(on))),
    );
    let metadata = parse_metadata(&arguments.metadata)?;
    let mut store = context.open_for_change()?;
    let session = context.require_active_session(&mut store)?;
    let mut session = context.true_up_before_change(&mut store, session)?;
    let before = session.clone();
    if !changes.is_empty() {
        session = push_changes(&mut store, session, &changes, None, "set")?;
    }
    if !metadata.is_empty() {
        let provenance = Provenance::new(session.id.as_str(), "set");
        session = store.merge_metadata(&session.id, &metadata, &provenance)?;
    }
    finish_change(context, &mut store, &before, &session)
}

/// Reads `KEY=VALUE`: a JSON value is what it is, everything else is text. The keys that have
/// options of their own are refused, so that one fact has one way in.
fn parse_metadata(pairs: &[String]) -> Result<Map<String, Json>, CommandError> {
    let mut patch = Map::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let message = format!("--metadata {pair:?} is not KEY=VALUE");
            return Err(CommandError::usage("trueup set --help", message));
        };
        if matches!(
            key,
            "execution_state" | "auto_proceed" | "chain_orchestrators" | "branch"
        ) {
            let message = format!("--metadata {key}: this key is managed by trueup");
            return Err(CommandError::usage("trueup set --help", message));
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        patch.insert(key.to_owned(), value);
    }
    Ok(patch)
}

pub(super) fn cmd_interrupt(context: &CommandContext) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let session = context.require_active_session(&mut store)?;
    let session = context.true_up_before_change(&mut store, session)?;
    if session.item.is_none() {
        let message = format!("session {} holds no item", session.id);
        return Err(CommandError::new(ErrorCase::NoItem, message));
    }
    let before = session.clone();
    let changes = BTreeMap::from([(StateField::WasInterrupted, FieldValue::Flag(true))]);
    let session = push_changes(
        &mut store,
        session,
        &changes,
        Some(InterruptionMark::Interrupted),
        "interrupt",
    )?;
    finish_change(context, &mut store, &before, &session)
}

pub(super) fn cmd_resume(context: &CommandContext) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let session = context.require_active_session(&mut store)?;
    let session = context.true_up_before_change(&mut store, session)?;
    let before = session.clone();
    let work = session.execution_state().work;
    if !work.was_interrupted {
        let mut output = finish_change(context, &mut store, &before, &session)?;
        output.text = vec!["nothing was interrupted".to_owned()];
        return Ok(output);
    }
    let changes = BTreeMap::from([
        (StateField::WasInterrupted, FieldValue::Flag(false)),
        (StateField::IsActive, FieldValue::Flag(true)),
    ]);
    let session = push_changes(
        &mut store,
        session,
        &changes,
        Some(InterruptionMark::Resumed),
        "resume",
    )?;
    finish_change(context, &mut store, &before, &session)
}

pub(super) fn cmd_clear(
    context: &CommandContext,
    no_history: bool,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let session = context.require_active_session(&mut store)?;
    let session = context.true_up_before_change(&mut store, session)?;
    let before = session.clone();
    let mut changes = BTreeMap::from([
        (StateField::Task, FieldValue::Text(None)),
        (StateField::IsActive, FieldValue::Flag(false)),
        (StateField::WasInterrupted, FieldValue::Flag(false)),
    ]);
    // Without a claim the item is but a memory, perhaps of one that another session took.
    if session.item.is_none() {
        changes.insert(StateField::Item, FieldValue::Text(None));
        changes.insert(StateField::Phase, FieldValue::Text(None));
    }
    let mark = no_history.then_some(InterruptionMark::HistoryCleared);
    let session = push_changes(&mut store, session, &changes, mark, "clear")?;
    finish_change(context, &mut store, &before, &session)
}

/// Pushes a change that a person or model asked for by name.
pub(super) fn push_changes(
    store: &mut SqliteStore,
    session: Session,
    changes: &BTreeMap<StateField, FieldValue>,
    mark: Option<InterruptionMark>,
    reason: &str,
) -> Result<Session, CommandError> {
    let request = RetriedPush {
        changes: changes.clone(),
        branch: None,
        mark,
        // Who is told is decided by the voice that speaks, once the cache is in step.
        acknowledge: false,
        provenance: Provenance::new(session.id.as_str(), reason),
    };
    match push_with_retry(store, session, &request)? {
        PushOutcome::Done(session) => Ok(*session),
        PushOutcome::ClaimLost(_) => Err(CommandError::new(
            ErrorCase::OwnClaimLost,
            "the claim for this change now belongs to another session",
        )),
    }
}

/// Leaves the cache in step and says what changed, from what, to what.
fn finish_change(
    context: &CommandContext,
    store: &mut SqliteStore,
    before: &Session,
    after: &Session,
) -> Result<Output, CommandError> {
    let mut warnings = Vec::new();
    let session = context.true_up_after_change(store, &after.id, &mut warnings)?;
    let changed = diff_sessions(before, &session);
    let text = render_changes(&changed);
    let vitality = views::assess_liveness(&session, &context.run);
    let data = json!({"session": views::session_view(&session, &vitality), "changed": changed});
    Ok(Output {
        warnings,
        ..Output::new(text, data)
    })
}

/// Says for a person what changed, from what, to what.
pub(super) fn render_changes(changed: &Map<String, Json>) -> Vec<String> {
    if changed.is_empty() {
        return vec!["nothing changed".to_owned()];
    }
    let render_value = |value: &Json| one_line(&render_json_value(value), MAX_VALUE_CHARS);
    let line = |(key, change): (&String, &Json)| match (key.as_str(), &change["to"]) {
        ("wasInterrupted", Json::Bool(true)) => "Interrupted.".to_owned(),
        ("wasInterrupted", Json::Bool(false)) => "No longer interrupted.".to_owned(),
        _ => format!(
            "{key}: {} -> {}",
            render_value(&change["from"]),
            render_value(&change["to"])
        ),
    };
    changed.iter().map(line).collect()
}

pub(super) fn diff_sessions(before: &Session, after: &Session) -> Map<String, Json> {
    let (old, new) = (before.execution_state(), after.execution_state());
    let mut changed = Map::new();
    for field in StateField::ALL {
        let (from, to) = (old.work.get(field), new.work.get(field));
        if from != to {
            changed.insert(field.key().to_owned(), json!({"from": from, "to": to}));
        }
    }
    let count = |history: &trueup_core::model::WorkHistory| history.resume_count.unwrap_or(0);
    if count(&old.history) != count(&new.history) {
        let change = json!({"from": count(&old.history), "to": count(&new.history)});
        changed.insert("resumeCount".to_owned(), change);
    }
    let keys = before.metadata.keys().chain(after.metadata.keys());
    for key in keys.filter(|k| {
        !matches!(
            k.as_str(),
            "execution_state" | "auto_proceed" | "chain_orchestrators"
        )
    }) {
        let (from, to) = (before.metadata.get(key), after.metadata.get(key));
        if from != to {
            changed.insert(key.clone(), json!({"from": from, "to": to}));
        }
    }
    changed
}
