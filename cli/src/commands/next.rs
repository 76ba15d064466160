//! `trueup next`: showing or claiming the next ready item, and why there is none.

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase};
use crate::output::Output;
use crate::page::Line;
use clap::Args;
use serde_json::{Value, json};
use trueup_core::claims::find_interrupted_work;
use trueup_core::model::{
    Blocker, BlockerCause, EventKind, Item, ItemKey, NextItem, NoOfferReason, PickReason,
    RepoScope, Session,
};
use trueup_core::store::{ClaimNextRequest, NextItemQuery, Store, StoreError};
use trueup_core::sync::sweep_dead_sessions;
use trueup_core::text::{CommandLine, one_line};
use trueup_core::views::ItemView;

use super::claim::{build_stale_epoch_error, interrupted_work_view, render_interrupted_work};
use super::gone_holders::describe_gone_holders;
use super::item::lookup::load_item;
use super::item::render::{item_line, join_keys_with_status};
use super::sessions::render_lost_session;

#[derive(Debug, Clone, Args)]
pub(crate) struct NextArgs {
    /// Only children of this item
    #[arg(long, value_name = "KEY")]
    pub(crate) parent: Option<ItemKey>,
    /// Claim it and release the held item in one step; refused if the held item is unfinished
    #[arg(long)]
    pub(crate) claim: bool,
    /// Give up the held item even if it is unfinished
    #[arg(long, requires = "claim")]
    pub(crate) give_up: bool,
    /// Look in all repositories, not just this one
    #[arg(long)]
    pub(crate) all_repos: bool,
}

/// Longest reason shown for a blocked item, in characters.
const MAX_REASON_CHARS: usize = 80;

/// The reason for an item that stays held because no other is ready.
const STILL_HELD: &str = "still_held";

pub(super) fn cmd_next(context: &CommandContext, arguments: NextArgs) -> CommandResult {
    if arguments.claim { claim_next(context, arguments) } else { show_next(context, arguments) }
}

fn show_next(context: &CommandContext, arguments: NextArgs) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let session = context.find_viewer_session(store)?;
    check_parent_exists(store, &arguments)?;
    let scope = context.repo_scope(store, session.as_ref(), arguments.all_repos)?;
    let request = NextItemQuery {
        session: session.as_ref().map(|session| session.id.clone()),
        parent: arguments.parent,
        scope,
    };
    let next = store.find_next_item(&request)?;
    let held = match session.as_ref().and_then(|session| session.item.as_ref()) {
        Some(key) => store.load_item(key)?,
        None => None,
    };
    let mut text = match &next {
        NextItem::KeepHeld { .. } => Vec::new(),
        NextItem::Offer { item, reason } => vec![
            item_line("next: ", item),
            Line::from(format!(
                "{}{}",
                describe_reason(*reason),
                describe_claim_command(context, &next, session.as_ref(), held)
            )),
        ],
        NextItem::Held { item, reason } => vec![
            item_line("still held: ", item),
            Line::from(format!("{}no other item is ready", describe_reason(*reason))),
        ],
        NextItem::Nothing { .. } => render_nothing(&next).into_iter().map(Line::from).collect(),
    };
    text.extend(describe_other_repos(store, &next, &request)?.map(Line::from));
    if matches!(next, NextItem::Nothing { reason: NoOfferReason::AllHeld, .. }) {
        text.extend(describe_gone_holders(store)?.map(Line::from));
    }
    let (data, about) = build_data(store, &next, None)?;
    text.extend(about.into_iter().map(Line::from));
    Ok(Output::page(text, data))
}

fn claim_next(context: &CommandContext, arguments: NextArgs) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    // This refuses an id of another change. A repetition of this command is answered by the store,
    // which knows the item that was claimed.
    let replayed = context.find_replay(store, "item", None, &[EventKind::Claimed])?;
    let session = context.require_active_session(store)?;
    check_parent_exists(store, &arguments)?;
    let session = context.true_up_before_change(store, session)?;
    // Items of dead sessions become free first, so that no child is skipped.
    let now = session.read_at;
    let lost_sessions = sweep_dead_sessions(store, &context.run, session.id.as_str(), now)?;
    let scope = context.repo_scope(store, Some(&session), arguments.all_repos)?;
    let request = NextItemQuery {
        session: Some(session.id.clone()),
        parent: arguments.parent.clone(),
        scope: scope.clone(),
    };
    let give_up_line = give_up_command(&arguments);
    let claimed = store.claim_next_item(&ClaimNextRequest {
        session: session.id.clone(),
        parent: arguments.parent,
        scope,
        may_release_unfinished: arguments.give_up,
        lease_seconds: context.run.settings.lease_seconds,
        provenance: context.provenance(session.id.as_str(), "next"),
    });
    let claimed = match (claimed, replayed.and_then(|event| event.key.parse().ok())) {
        (Err(StoreError::Conflict(message)), Some(key)) => {
            return Err(build_stale_epoch_error(context, store, &key, message)?);
        }
        (claimed, _) => claimed?,
    };
    if let NextItem::KeepHeld { held, item } = &claimed.next {
        return Err(build_unfinished_error(held, item, give_up_line));
    }
    let mut warnings = Vec::new();
    let session = context.true_up_after_change(store, &session.id, &mut warnings)?;
    let mut text: Vec<String> = lost_sessions.iter().map(render_lost_session).collect();
    let next = claimed.next;
    if let Some(released) = &claimed.released {
        text.push(format!("released {}", released.key));
        warnings.extend(warn_of_left_item(released, &next));
    }
    let outcome = match &next {
        NextItem::Offer { .. } => Some("claimed"),
        NextItem::Held { item, reason } => {
            if reason.is_none() {
                let key = &item.key;
                warnings.push(format!("{key} is not finished, and no other item is ready"));
            }
            Some("already_owned")
        }
        NextItem::KeepHeld { .. } | NextItem::Nothing { .. } => None,
    };
    text.extend(render_claim(&next));
    if matches!(next, NextItem::Nothing { .. }) {
        text.extend(describe_other_repos(store, &next, &request)?);
        text.extend(describe_held_item(&session));
    }
    let (data, about) = build_data(store, &next, outcome)?;
    text.extend(about);
    Ok(Output::new(text, data).with_warnings(warnings))
}

/// Renders what the session holds after `next --claim`.
fn render_claim(next: &NextItem) -> Vec<String> {
    match next {
        NextItem::Offer { item, reason } => {
            vec![format!("{}claimed {} (epoch {})", describe_reason(*reason), item.key, item.epoch)]
        }
        NextItem::Held { item, reason } => vec![format!(
            "{}{} is already held by this session",
            describe_reason(*reason),
            item.key
        )],
        NextItem::KeepHeld { .. } => Vec::new(),
        NextItem::Nothing { .. } => render_nothing(next),
    }
}

/// Describes the command that claims the item shown, and the held item that it would give up.
fn describe_claim_command(
    context: &CommandContext,
    next: &NextItem,
    session: Option<&Session>,
    held: Option<Item>,
) -> String {
    let NextItem::Offer { item, .. } = next else {
        return String::new();
    };
    let claim = CommandLine::new("trueup claim").with_word(item.key.as_str());
    let claim = match (&context.named_session, session) {
        (Some(named), _) => claim.with_words("--session").with_word(named.as_str()),
        (None, None) => return format!("claim it in a session with `{claim}`"),
        (None, Some(_)) => claim,
    };
    let give_up_note = match next.clone().keep_held(held) {
        NextItem::KeepHeld { held, .. } => format!(", which gives up unfinished {}", held.key),
        _ => String::new(),
    };
    format!("claim it with `{claim}`{give_up_note}")
}

/// Mentions ready items of other repositories, where this one has none.
fn describe_other_repos(
    store: &mut dyn Store,
    next: &NextItem,
    request: &NextItemQuery,
) -> CommandResult<Option<String>> {
    if !matches!(next, NextItem::Nothing { .. }) || request.scope == RepoScope::All {
        return Ok(None);
    }
    let everywhere_request = NextItemQuery { scope: RepoScope::All, ..request.clone() };
    let others = store.find_next_item(&everywhere_request)?;
    Ok(matches!(others, NextItem::Offer { .. })
        .then(|| "other repositories have ready items; use --all-repos".to_owned()))
}

/// Builds the same command with `--give-up`.
fn give_up_command(arguments: &NextArgs) -> CommandLine {
    let mut command = CommandLine::new("trueup next --claim --give-up");
    if let Some(parent) = &arguments.parent {
        command = command.with_words("--parent").with_word(parent.as_str());
    }
    if arguments.all_repos {
        command = command.with_words("--all-repos");
    }
    command
}

/// Builds the error of unfinished work that `--give-up` would leave.
fn build_unfinished_error(held: &Item, item: &Item, give_up: CommandLine) -> CommandError {
    let key = &held.key;
    let message = format!("this session holds unfinished {key} ({})", held.status);
    let (held_key, next) = (key.into(), (&item.key).into());
    let case = if held.requires_evidence && held.evidence.is_none() {
        ItemCase::HoldsWithoutEvidence { item: held_key, next, give_up }
    } else {
        ItemCase::HoldsUnfinished { item: held_key, next, give_up }
    };
    CommandError::new(case, message)
        .with_data(json!({"item": ItemView::from(held), "next": ItemView::from(item)}))
}

fn check_parent_exists(store: &mut dyn Store, arguments: &NextArgs) -> CommandResult<()> {
    match &arguments.parent {
        Some(parent) => load_item(store, parent).map(|_| ()),
        None => Ok(()),
    }
}

/// Builds `data`, and lines on interrupted work on the item.
fn build_data(
    store: &mut dyn Store,
    next: &NextItem,
    outcome: Option<&str>,
) -> CommandResult<(Value, Vec<String>)> {
    let (item, reason): (Option<&Item>, _) = match next {
        NextItem::Offer { item, reason } => (Some(item), reason.map(PickReason::as_str)),
        NextItem::Held { item, reason } => {
            (Some(item), Some(reason.map_or(STILL_HELD, PickReason::as_str)))
        }
        NextItem::KeepHeld { .. } => (None, None),
        NextItem::Nothing { reason, .. } => (None, Some(reason.as_str())),
    };
    let interrupted_work = match item {
        Some(item) => find_interrupted_work(store, item)?,
        None => None,
    };
    // The claim may have changed the row further.
    let item = match item {
        Some(item) => Some(load_item(store, &item.key)?),
        None => None,
    };
    let data = json!({
        "outcome": outcome,
        "item": item.as_ref().map(ItemView::from),
        "previous_holder": null,
        "reason": reason,
        "parked": interrupted_work_view(interrupted_work.as_ref()),
    });
    Ok((data, interrupted_work.map_or_else(Vec::new, |work| render_interrupted_work(&work))))
}

fn describe_reason(reason: Option<PickReason>) -> &'static str {
    match reason {
        None => "",
        Some(PickReason::LastChildDone) => "all children are finished: ",
        Some(PickReason::NoChildren) => "no children: ",
        Some(PickReason::NextOrchestrator) => "the previous orchestrator is finished: ",
    }
}

/// Warns of an unfinished item that was released. Moving from a parent item to its
/// child does not abandon the parent.
fn warn_of_left_item(released: &Item, next: &NextItem) -> Option<String> {
    let NextItem::Offer { item, .. } = next else {
        return None;
    };
    (item.parent.as_ref() != Some(&released.key)).then(|| {
        format!("{} is not finished; its status is still {}", released.key, released.status)
    })
}

fn render_nothing(next: &NextItem) -> Vec<String> {
    let NextItem::Nothing { reason, blockers, has_more } = next else {
        return Vec::new();
    };
    let mut text = vec![
        match reason {
            NoOfferReason::NothingReady => "no ready items here",
            NoOfferReason::AllHeld => "all remaining items are held by other sessions",
            NoOfferReason::Waiting => "no ready items: the remaining ones wait for others",
            NoOfferReason::ChainingOff => {
                "the orchestrator is finished, and chaining to the next one is off; \
                 turn it on with `trueup set --chain-orchestrators on`"
            }
        }
        .to_owned(),
    ];
    text.extend(blockers.iter().map(render_blocker));
    if *has_more {
        text.push("  and more: `trueup item list --unfinished`".to_owned());
    }
    text
}

fn render_blocker(blocker: &Blocker) -> String {
    let key = &blocker.item;
    match &blocker.cause {
        BlockerCause::HeldBy(holder) => format!("  {key} is held by {holder}"),
        BlockerCause::DependsOn(open) => {
            format!("  {key} waits for {}", join_keys_with_status(open))
        }
        BlockerCause::Blocked(Some(reason)) => {
            format!("  {key} is blocked: {}", one_line(reason, MAX_REASON_CHARS))
        }
        BlockerCause::Blocked(None) => format!("  {key} is blocked"),
        BlockerCause::Free => {
            let claim = CommandLine::new("trueup claim").with_word(key.as_str());
            format!("  {key} is free: `{claim}`")
        }
    }
}

/// Mentions the item that a session without a next item still holds.
fn describe_held_item(session: &Session) -> Option<String> {
    let held = session.item.as_ref()?;
    Some(format!("this session still holds {held}"))
}
