//! `trueup set`, `interrupt`, `resume` and `clear`: changes of the state of a session.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value as Json, json};
use trueup_core::model::{FieldValue, Session, StateField};
use trueup_core::store::{InterruptionMark, Provenance, Store};
use trueup_core::sync::{PushOutcome, RetriedPush, push_with_retry};
use trueup_core::text::one_line;

use super::value_text::render_json_value;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase};
use crate::output::Output;
use crate::views;

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct SetArgs {
    /// Phase, such as LEAD, PLAN or EXEC; empty for none
    #[arg(long, value_name = "P")]
    pub(crate) phase: Option<String>,
    /// Task description; empty for none
    #[arg(long, value_name = "T")]
    pub(crate) task: Option<String>,
    /// Proceed without asking
    #[arg(long, value_enum, value_name = "on|off")]
    pub(crate) auto_proceed: Option<OnOff>,
    /// Continue with the next orchestrator
    #[arg(long, value_enum, value_name = "on|off")]
    pub(crate) chain_orchestrators: Option<OnOff>,
    /// Metadata key to merge, as JSON or text; null removes it
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OnOff {
    On,
    Off,
}

/// Longest value shown, in characters.
const MAX_VALUE_CHARS: usize = 200;

pub(super) fn cmd_set(context: &CommandContext, arguments: &SetArgs) -> CommandResult {
    let text = |text: &String| FieldValue::Text(Some(text.clone()).filter(|t| !t.is_empty()));
    let flag = |switch: OnOff| FieldValue::Flag(matches!(switch, OnOff::On));
    let mut changes = BTreeMap::new();
    changes.extend(arguments.phase.as_ref().map(|phase| (StateField::Phase, text(phase))));
    changes.extend(arguments.task.as_ref().map(|task| (StateField::Task, text(task))));
    changes.extend(arguments.auto_proceed.map(|on| (StateField::AutoProceed, flag(on))));
    changes
        .extend(arguments.chain_orchestrators.map(|on| (StateField::ChainOrchestrators, flag(on))));
    let metadata = parse_metadata(&arguments.metadata)?;
    let store = &mut *context.open_for_change()?;
    let mut session = context.begin_session_change(store)?;
    let before = session.clone();
    if !changes.is_empty() {
        session = push_changes(store, session, &changes, None, "set")?;
    }
    if !metadata.is_empty() {
        let provenance = Provenance::new(session.id.as_str(), "set");
        session = store.merge_metadata(&session.id, &metadata, &provenance)?;
    }
    finish_change(context, store, &before, &session)
}

/// Parses `KEY=VALUE` pairs. A value that is not JSON is text. Keys that have options of their own
/// are refused.
fn parse_metadata(pairs: &[String]) -> CommandResult<Map<String, Json>> {
    let mut patch = Map::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let message = format!("--metadata {pair:?} is not KEY=VALUE");
            return Err(CommandError::usage("trueup set --help", message));
        };
        if matches!(key, "execution_state" | "auto_proceed" | "chain_orchestrators" | "branch") {
            let message = format!("--metadata {key}: this key is managed by trueup");
            return Err(CommandError::usage("trueup set --help", message));
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        patch.insert(key.to_owned(), value);
    }
    Ok(patch)
}

pub(super) fn cmd_interrupt(context: &CommandContext) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let session = context.begin_session_change(store)?;
    if session.item.is_none() {
        let message = format!("session {} holds no item", session.id);
        return Err(CommandError::new(ItemCase::NoItem, message));
    }
    let before = session.clone();
    let changes = BTreeMap::from([(StateField::WasInterrupted, FieldValue::Flag(true))]);
    let session =
        push_changes(store, session, &changes, Some(InterruptionMark::Interrupted), "interrupt")?;
    finish_change(context, store, &before, &session)
}

pub(super) fn cmd_resume(context: &CommandContext) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let session = context.begin_session_change(store)?;
    let before = session.clone();
    let work = session.execution_state().work;
    if !work.was_interrupted {
        let mut output = finish_change(context, store, &before, &session)?;
        output.text = vec!["nothing was interrupted".to_owned()];
        return Ok(output);
    }
    let changes = BTreeMap::from([
        (StateField::WasInterrupted, FieldValue::Flag(false)),
        (StateField::IsActive, FieldValue::Flag(true)),
    ]);
    let session =
        push_changes(store, session, &changes, Some(InterruptionMark::Resumed), "resume")?;
    finish_change(context, store, &before, &session)
}

pub(super) fn cmd_clear(context: &CommandContext, no_history: bool) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let session = context.begin_session_change(store)?;
    let before = session.clone();
    let mut changes = BTreeMap::from([
        (StateField::Task, FieldValue::Text(None)),
        (StateField::IsActive, FieldValue::Flag(false)),
        (StateField::WasInterrupted, FieldValue::Flag(false)),
    ]);
    // Without a claim the item is only a leftover, which another session may hold by now.
    if session.item.is_none() {
        changes.insert(StateField::Item, FieldValue::Text(None));
        changes.insert(StateField::Phase, FieldValue::Text(None));
    }
    let mark = no_history.then_some(InterruptionMark::HistoryCleared);
    let session = push_changes(store, session, &changes, mark, "clear")?;
    finish_change(context, store, &before, &session)
}

/// Pushes a change that the command line names.
pub(super) fn push_changes(
    store: &mut dyn Store,
    session: Session,
    changes: &BTreeMap<StateField, FieldValue>,
    mark: Option<InterruptionMark>,
    reason: &str,
) -> CommandResult<Session> {
    let request = RetriedPush {
        changes: changes.clone(),
        branch: None,
        mark,
        // `true_up_after_change` acknowledges the revision where the agent itself made the change.
        acknowledge: false,
        provenance: Provenance::new(session.id.as_str(), reason),
    };
    match push_with_retry(store, session, &request)? {
        PushOutcome::Done(session) => Ok(*session),
        PushOutcome::ClaimLost(_) => Err(CommandError::new(
            ItemCase::OwnClaimLost,
            "the claim for this change now belongs to another session",
        )),
    }
}

/// Trues up the cache and builds the output of what changed.
fn finish_change(
    context: &CommandContext,
    store: &mut dyn Store,
    before: &Session,
    after: &Session,
) -> CommandResult {
    let mut warnings = Vec::new();
    let session = context.true_up_after_change(store, &after.id, &mut warnings)?;
    let changed = diff_sessions(before, &session);
    let text = render_changes(&changed);
    let vitality = views::assess_liveness(&session, &context.run);
    let data = json!({"session": views::session_view(&session, &vitality), "changed": changed});
    Ok(Output::new(text, data).with_warnings(warnings))
}

/// Renders changes for a person.
pub(super) fn render_changes(changed: &Map<String, Json>) -> Vec<String> {
    if changed.is_empty() {
        return vec!["nothing changed".to_owned()];
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
        other => other,
    }
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
        !matches!(k.as_str(), "execution_state" | "auto_proceed" | "chain_orchestrators")
    }) {
        let (from, to) = (before.metadata.get(key), after.metadata.get(key));
        if from != to {
            changed.insert(key.clone(), json!({"from": from, "to": to}));
        }
    }
    changed
}
