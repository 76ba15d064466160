//! `trueup item transition` and `trueup item reopen`: changing the status of an item, and the
//! refusals of that.

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase};
use crate::output::Output;
use clap::Args;
use serde_json::json;
use trueup_core::claims::{self, MoveAnswer, MoveItemRequest};
use trueup_core::model::{EventKind, Item, ItemKey, ItemStatus, MoveRefusal, MoveTarget};
use trueup_core::store::{MovedItem, Store};
use trueup_core::text::{one_line, pluralize};
use trueup_core::views::ItemView;

use super::render::join_keys_with_status;
use super::replay::find_replayed_change;

/// Longest evidence shown, in characters.
const MAX_EVIDENCE_CHARS: usize = 200;

#[derive(Debug, Clone, Args)]
pub(crate) struct ItemTransitionArgs {
    /// Item key
    pub(crate) key: ItemKey,
    /// New status: queued, ready, running, blocked, completed, failed or cancelled
    pub(crate) status: ItemStatus,
    /// Reason; shown for blocked, failed and cancelled items
    #[arg(long, value_name = "R")]
    pub(crate) reason: Option<String>,
    /// Proof of completion, such as a pull request or a test run
    #[arg(long, value_name = "REF")]
    pub(crate) evidence: Option<String>,
}

pub(super) fn cmd_transition(
    context: &CommandContext,
    arguments: ItemTransitionArgs,
) -> CommandResult {
    let ItemTransitionArgs { key, status, reason, evidence } = arguments;
    move_item(context, key, MoveTarget::Status(status), reason, evidence)
}

pub(super) fn cmd_reopen(context: &CommandContext, key: ItemKey, reason: String) -> CommandResult {
    move_item(context, key, MoveTarget::BackToStart, Some(reason), None)
}

fn move_item(
    context: &CommandContext,
    key: ItemKey,
    goal: MoveTarget,
    reason: Option<String>,
    evidence: Option<String>,
) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let kinds = [EventKind::Status, EventKind::Reopened, EventKind::Changed];
    if let Some(output) = find_replayed_change(context, store, &key, &kinds)? {
        return Ok(output);
    }
    let session = context.begin_change_by_anyone(store)?;
    let reason_text = reason.as_deref().unwrap_or("item transition");
    let request = MoveItemRequest {
        session: session.as_ref().map(|session| session.id.clone()),
        item: key,
        target: goal,
        evidence,
        provenance: context.provenance(&context.resolve_actor(store)?, reason_text),
        reason,
    };
    let (before, moved) = match claims::move_item(store, &request)? {
        MoveAnswer::Moved { before, moved } => (before, moved),
        MoveAnswer::Refused(refusal) => {
            return Err(build_refusal_error(store, &request, &refusal)?);
        }
    };
    let mut warnings = Vec::new();
    warnings.extend(warn_of_open_children(store, &before, &moved.item)?);
    if let Some(session) = &session {
        context.true_up_after_change(store, &session.id, &mut warnings)?;
    }
    Ok(Output::new(render_move(&before, &moved), json!({"item": ItemView::from(&moved.item)}))
        .with_warnings(warnings))
}

/// Warns of children that a finished item leaves open. They can still be begun.
fn warn_of_open_children(
    store: &mut dyn Store,
    before: &Item,
    after: &Item,
) -> CommandResult<Option<String>> {
    if before.status.is_finished() || !after.status.is_finished() {
        return Ok(None);
    }
    let open = usize::try_from(store.count_children(&after.key)?.unfinished).unwrap_or(usize::MAX);
    let children = pluralize(open, "unfinished child", "unfinished children");
    Ok((open > 0).then(|| format!("{} still has {children}", after.key)))
}

/// Renders what changed.
fn render_move(before: &Item, moved: &MovedItem) -> Vec<String> {
    let item = &moved.item;
    let mut text = vec![if before.status == item.status {
        format!("{} is still {}", item.key, item.status)
    } else {
        format!("{}: {} -> {}", item.key, before.status, item.status)
    }];
    if before.evidence != item.evidence {
        let shown = |evidence: &Option<String>| {
            let text = evidence.as_deref().map(|text| one_line(text, MAX_EVIDENCE_CHARS));
            text.unwrap_or_else(|| "none".to_owned())
        };
        text.push(format!("evidence: {} -> {}", shown(&before.evidence), shown(&item.evidence)));
    }
    if let (Some(holder), None) = (&before.holder, &item.holder) {
        text.push(format!("released by {holder}; `trueup next` shows what comes next"));
    }
    let followed = moved.moved_dependents.iter();
    text.extend(followed.map(|(key, status)| format!("{key} is now {status}")));
    text
}

fn build_refusal_error(
    store: &mut dyn Store,
    request: &MoveItemRequest,
    refusal: &MoveRefusal,
) -> CommandResult<CommandError> {
    let key = &request.item;
    let new_error = |case: ItemCase, message: String| CommandError::new(case, message);
    let item = key.into();
    Ok(match refusal {
        MoveRefusal::PhantomSession => CommandError::session_not_registered(
            request.session.as_ref().map_or("?", |id| id.as_str()),
        ),
        MoveRefusal::ItemNotFound => CommandError::item_not_found(key),
        MoveRefusal::NotHolder(holder) => new_error(
            ItemCase::NotHolder { item },
            format!("{key} is held by {holder}; only the holder can move it"),
        )
        .with_data(json!({"holder": holder})),
        MoveRefusal::StaleEpoch(holder) => new_error(
            ItemCase::OwnClaimLost,
            format!("the claim on {key} was lost; {holder} holds it now"),
        )
        .with_data(json!({"holder": holder})),
        MoveRefusal::IllegalTransition { from, to, legal } => {
            let message = match (request.target, legal.as_slice()) {
                (MoveTarget::BackToStart, _) => {
                    format!("{key} is {from} and does not need to be reopened")
                }
                (_, []) => {
                    format!(
                        "{key} is {from} and cannot become {to}; `trueup item reopen` reopens it"
                    )
                }
                (_, legal) => {
                    format!("{key} is {from} and cannot become {to}; allowed: {}", legal.join(", "))
                }
            };
            let case = match request.target {
                MoveTarget::BackToStart => ItemCase::NothingToReopen { item },
                MoveTarget::Status(_) => ItemCase::IllegalMove { item },
            };
            new_error(case, message).with_data(json!({"from": from, "to": to, "legal": legal}))
        }
        MoveRefusal::DependenciesOpen => {
            let open_dependencies = store.list_open_dependencies(key)?;
            let message = format!("{key} waits for {}", join_keys_with_status(&open_dependencies));
            new_error(ItemCase::DependenciesOpen { item }, message)
        }
        MoveRefusal::EvidenceRequired => {
            new_error(ItemCase::EvidenceRequired, format!("{key} needs --evidence to be completed"))
        }
    })
}
