//! `trueup next`

use serde_json::{Value, json};
use trueup_core::claims::find_interrupted_work;
use trueup_core::model::{
    Blocker, BlockerCause, Item, NextItem, NoneReason, PickReason, RepoScope, Session,
};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ClaimNextRequest, ItemStore as _, NextItemQuery, Store as _, StoreError};
use trueup_core::sync::sweep_dead_sessions;
use trueup_core::text::{CommandLine, one_line};

use super::claim::{build_stale_epoch_error, interrupted_work_view, render_interrupted_work};
use super::{item, sessions};
use crate::args::NextArgs;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;
use crate::views;

/// Longest reason shown of what is blocked, in characters.
const MAX_REASON_CHARS: usize = 80;

/// The word for an item that stays held for want of another.
const STILL_HELD: &str = "still_held";

pub(super) fn cmd_next(
    context: &CommandContext,
    arguments: NextArgs,
) -> Result<Output, CommandError> {
    if arguments.claim {
        claim_next(context, arguments)
    } else {
        show_next(context, arguments)
    }
}

fn show_next(context: &CommandContext, arguments: NextArgs) -> Result<Output, CommandError> {
    let mut store = context.open_for_reading()?;
    let session = context.find_viewer_session(&mut store)?;
    check_parent_exists(&mut store, &arguments)?;
    let scope = context.repo_scope(&mut store, session.as_ref(), arguments.all_repos)?;
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
            format!("next: {}", item::render_item_line(item)),
            format!(
                "{}{}",
                describe_reason(*reason),
                describe_claim_command(context, &next, session.as_ref(), held)
            ),
        ],
        NextItem::Held { item, reason } => vec![
            format!("still held: {}", item::render_item_line(item)),
            format!("{}no other item is ready", describe_reason(*reason)),
        ],
        NextItem::Nothing { .. } => render_nothing(&next),
    };
    text.extend(describe_other_repos(&mut store, &next, &request)?);
    let (data, about) = build_data(&mut store, &next, None)?;
    text.extend(about);
    Ok(Output::new(text, data))
}

fn claim_next(context: &CommandContext, arguments: NextArgs) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    // An id that was used for something else is refused; one that claimed is answered by the
    // store, which knows what it claimed.
    let replayed = context.find_replay(&mut store, "item", None, &["claimed"])?;
    let session = context.require_active_session(&mut store)?;
    check_parent_exists(&mut store, &arguments)?;
    let session = context.true_up_before_change(&mut store, session)?;
    // What the dead hold is free again, so that no child is passed over.
    let lost_sessions = sweep_dead_sessions(&mut store, &context.run, session.id.as_str())?;
    let scope = context.repo_scope(&mut store, Some(&session), arguments.all_repos)?;
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
    let taken = match (claimed, replayed.and_then(|event| event.key.parse().ok())) {
        (Err(StoreError::Conflict(message)), Some(key)) => {
            return Err(build_stale_epoch_error(context, &mut store, &key, message)?);
        }
        (taken, _) => taken?,
    };
    if let NextItem::KeepHeld { held, item } = &taken.next {
        return Err(build_unfinished_error(held, item, give_up_line));
    }
    let mut warnings = Vec::new();
    let session = context.true_up_after_change(&mut store, &session.id, &mut warnings)?;
    let mut text: Vec<String> = lost_sessions
        .iter()
        .map(sessions::render_lost_session)
        .collect();
    let next = taken.next;
    if let Some(released) = &taken.released {
        text.push(format!("released {}", released.key));
        warnings.extend(warn_of_left_item(released, &next));
    }
    let outcome = match &next {
        NextItem::Offer { item, reason } => {
            let epoch = item.epoch;
            text.push(format!(
                "{}claimed {} (epoch {epoch})",
                describe_reason(*reason),
                item.key
            ));
            Some("claimed")
        }
        NextItem::Held { item, reason } => {
            text.push(format!(
                "{}{} is already held by this session",
                describe_reason(*reason),
                item.key
            ));
            if reason.is_none() {
                let key = &item.key;
                warnings.push(format!("{key} is not finished, and no other item is ready"));
            }
            Some("already_owned")
        }
        NextItem::KeepHeld { .. } => None,
        NextItem::Nothing { .. } => {
            text.extend(render_nothing(&next));
            text.extend(describe_other_repos(&mut store, &next, &request)?);
            text.extend(describe_held_item(&session));
            None
        }
    };
    let (data, about) = build_data(&mut store, &next, outcome)?;
    text.extend(about);
    Ok(Output {
        warnings,
        ..Output::new(text, data)
    })
}

/// Names the command that takes what was shown, and what it leaves behind.
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
    let left_text = match next.clone().keep_held(held) {
        NextItem::KeepHeld { held, .. } => format!(", which gives up unfinished {}", held.key),
        _ => String::new(),
    };
    format!("claim it with `{claim}`{left_text}")
}

/// Says that other repositories have something, where this one has nothing.
fn describe_other_repos(
    store: &mut SqliteStore,
    next: &NextItem,
    request: &NextItemQuery,
) -> Result<Option<String>, CommandError> {
    if !matches!(next, NextItem::Nothing { .. }) || request.scope == RepoScope::All {
        return Ok(None);
    }
    let everywhere_request = NextItemQuery {
        scope: RepoScope::All,
        ..request.clone()
    };
    let others = store.find_next_item(&everywhere_request)?;
    Ok(matches!(others, NextItem::Offer { .. })
        .then(|| "other repositories have ready items; use --all-repos".to_owned()))
}

/// Returns the same command once more, this time leaving unfinished work.
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

/// Refuses to leave unfinished work that nobody said to give up.
fn build_unfinished_error(held: &Item, item: &Item, give_up: CommandLine) -> CommandError {
    let key = &held.key;
    let message = format!("this session holds unfinished {key} ({})", held.status);
    let (held_key, next) = (key.into(), (&item.key).into());
    let case = if held.requires_evidence && held.evidence.is_none() {
        ErrorCase::HoldsUnproven {
            item: held_key,
            next,
            give_up,
        }
    } else {
        ErrorCase::HoldsUnfinished {
            item: held_key,
            next,
            give_up,
        }
    };
    CommandError::new(case, message)
        .with_data(json!({"item": views::item_view(held), "next": views::item_view(item)}))
}

fn check_parent_exists(store: &mut SqliteStore, arguments: &NextArgs) -> Result<(), CommandError> {
    match &arguments.parent {
        Some(parent) => item::load_item(store, parent).map(|_| ()),
        None => Ok(()),
    }
}

/// Makes the object, and what is told of work that was left on the item.
fn build_data(
    store: &mut SqliteStore,
    next: &NextItem,
    outcome: Option<&str>,
) -> Result<(Value, Vec<String>), CommandError> {
    let (item, reason): (Option<&Item>, _) = match next {
        NextItem::Offer { item, reason } => (Some(item), reason.map(PickReason::as_str)),
        NextItem::Held { item, reason } => (
            Some(item),
            Some(reason.map_or(STILL_HELD, PickReason::as_str)),
        ),
        NextItem::KeepHeld { .. } => (None, None),
        NextItem::Nothing { reason: lack, .. } => (None, Some(lack.as_str())),
    };
    let interrupted_work = match item {
        Some(item) => find_interrupted_work(store, item)?,
        None => None,
    };
    // The row as it is after everything that follows from the claim.
    let item = match item {
        Some(item) => Some(item::load_item(store, &item.key)?),
        None => None,
    };
    let data = json!({
        "outcome": outcome,
        "item": item.as_ref().map(views::item_view),
        "previous_holder": null,
        "reason": reason,
        "parked": interrupted_work_view(interrupted_work.as_ref()),
    });
    Ok((
        data,
        interrupted_work.map_or_else(Vec::new, |work| render_interrupted_work(&work)),
    ))
}

fn describe_reason(reason: Option<PickReason>) -> &'static str {
    match reason {
        None => "",
        Some(PickReason::LastChildDone) => "all children are finished: ",
        Some(PickReason::NoChildren) => "no children: ",
        Some(PickReason::NextOrchestrator) => "the previous orchestrator is finished: ",
    }
}

/// Warns of an item that was given up before its time; an orchestrator goes on by its
/// children.
fn warn_of_left_item(released: &Item, next: &NextItem) -> Option<String> {
    let NextItem::Offer { item, .. } = next else {
        return None;
    };
    (item.parent.as_ref() != Some(&released.key)).then(|| {
        format!(
            "{} is not finished; its status is still {}",
            released.key, released.status
        )
    })
}

fn render_nothing(next: &NextItem) -> Vec<String> {
    let NextItem::Nothing {
        reason: lack,
        blockers,
        has_more: more,
    } = next
    else {
        return Vec::new();
    };
    let mut text = vec![
        match lack {
            NoneReason::NothingReady => "no ready items here",
            NoneReason::AllHeld => "all remaining items are held by other sessions",
            NoneReason::Waiting => "no ready items: the remaining ones wait for others",
            NoneReason::ChainingOff => {
                "the orchestrator is finished, and chaining to the next one is off; \
                 turn it on with `trueup set --chain-orchestrators on`"
            }
        }
        .to_owned(),
    ];
    text.extend(blockers.iter().map(render_blocker));
    if *more {
        text.push("  and more: `trueup item list --unfinished`".to_owned());
    }
    text
}

fn render_blocker(hindrance: &Blocker) -> String {
    let key = &hindrance.item;
    match &hindrance.cause {
        BlockerCause::HeldBy(holder) => format!("  {key} is held by {holder}"),
        BlockerCause::DependsOn(open) => {
            format!("  {key} waits for {}", item::join_keys_with_status(open))
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

/// Says what a session that found nothing holds all the same.
fn describe_held_item(session: &Session) -> Option<String> {
    let held = session.item.as_ref()?;
    Some(format!("this session still holds {held}"))
}
