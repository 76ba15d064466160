//! `trueup set`, `interrupt`, `resume` and `clear`: changes of the state of a session.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value as Json, json};
use trueup_core::model::{FieldValue, SessionId, StateField};
use trueup_core::store::{InterruptionMark, Store};
use trueup_core::views::SessionView;

use super::state_change::{NOTHING_CHANGED, StateChange, push_change, render_changes};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase};
use crate::output::Output;
use crate::views;

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
#[command(override_usage = "trueup set <OPTION>...")]
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

pub(super) fn cmd_set(context: &CommandContext, arguments: &SetArgs) -> CommandResult {
    let text = |text: &String| FieldValue::Text(Some(text.clone()).filter(|t| !t.is_empty()));
    let flag = |switch: OnOff| FieldValue::Flag(matches!(switch, OnOff::On));
    let mut fields = BTreeMap::new();
    fields.extend(arguments.phase.as_ref().map(|phase| (StateField::Phase, text(phase))));
    fields.extend(arguments.task.as_ref().map(|task| (StateField::Task, text(task))));
    fields.extend(arguments.auto_proceed.map(|on| (StateField::AutoProceed, flag(on))));
    fields
        .extend(arguments.chain_orchestrators.map(|on| (StateField::ChainOrchestrators, flag(on))));
    let metadata = parse_metadata(&arguments.metadata)?;
    let store = &mut *context.open_for_change()?;
    let session = context.begin_session_change(store)?;
    let id = session.id.clone();
    let is_by_agent = context.is_run_by_agent_of(&session);
    let change = StateChange { fields, metadata, mark: None, is_by_agent, reason: "set" };
    let changed = push_change(store, session, change)?;
    finish_change(context, store, &id, &changed, NOTHING_CHANGED)
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
    let id = session.id.clone();
    let change = StateChange {
        fields: BTreeMap::from([(StateField::WasInterrupted, FieldValue::Flag(true))]),
        mark: Some(InterruptionMark::Interrupted),
        is_by_agent: context.is_run_by_agent_of(&session),
        reason: "interrupt",
        ..StateChange::default()
    };
    let changed = push_change(store, session, change)?;
    finish_change(context, store, &id, &changed, "already interrupted")
}

pub(super) fn cmd_resume(context: &CommandContext) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let session = context.begin_session_change(store)?;
    let id = session.id.clone();
    let change = StateChange {
        fields: BTreeMap::from([
            (StateField::WasInterrupted, FieldValue::Flag(false)),
            (StateField::IsActive, FieldValue::Flag(true)),
        ]),
        mark: Some(InterruptionMark::Resumed),
        is_by_agent: context.is_run_by_agent_of(&session),
        reason: "resume",
        ..StateChange::default()
    };
    let changed = push_change(store, session, change)?;
    finish_change(context, store, &id, &changed, "nothing was interrupted")
}

pub(super) fn cmd_clear(context: &CommandContext, no_history: bool) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let session = context.begin_session_change(store)?;
    let id = session.id.clone();
    let mut fields = BTreeMap::from([
        (StateField::Task, FieldValue::Text(None)),
        (StateField::IsActive, FieldValue::Flag(false)),
        (StateField::WasInterrupted, FieldValue::Flag(false)),
    ]);
    // Without a claim the item is only a leftover, which another session may hold by now.
    if session.item.is_none() {
        fields.insert(StateField::Item, FieldValue::Text(None));
        fields.insert(StateField::Phase, FieldValue::Text(None));
    }
    let mark = no_history.then_some(InterruptionMark::HistoryCleared);
    let is_by_agent = context.is_run_by_agent_of(&session);
    let change =
        StateChange { fields, mark, is_by_agent, reason: "clear", ..StateChange::default() };
    let changed = push_change(store, session, change)?;
    finish_change(context, store, &id, &changed, NOTHING_CHANGED)
}

/// Trues up the cache and builds the output of what a command changed.
fn finish_change(
    context: &CommandContext,
    store: &mut dyn Store,
    id: &SessionId,
    changed: &Map<String, Json>,
    in_place_text: &str,
) -> CommandResult {
    let mut warnings = Vec::new();
    let session = context.true_up_after_change(store, id, &mut warnings)?;
    let text =
        if changed.is_empty() { vec![in_place_text.to_owned()] } else { render_changes(changed) };
    let vitality = views::assess_liveness(&session, &context.run);
    let data = json!({"session": SessionView::new(&session, &vitality), "changed": changed});
    Ok(Output::new(text, data).with_warnings(warnings))
}
