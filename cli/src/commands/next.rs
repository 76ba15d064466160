//! `trueup next`

use serde_json::{Value, json};
use trueup_core::claims::parked;
use trueup_core::model::{Cause, Hindrance, Item, Lack, Next, OfferReason, RepoScope, Session};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ItemStore as _, NextRequest, NextWish, Store as _, StoreError};
use trueup_core::sync::sweep;
use trueup_core::text::{CommandLine, one_line};

use super::claim::{parked_json, parked_text, stale};
use super::{item, sessions};
use crate::args::NextArgs;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

/// Longest reason shown of what is blocked, in characters.
const LONGEST: usize = 80;

/// The word for an item that stays held for want of another.
const STILL_HELD: &str = "still_held";

pub(super) fn run(desk: &Desk, arguments: NextArgs) -> Result<Answer, Failure> {
    if arguments.claim {
        claim(desk, arguments)
    } else {
        look(desk, arguments)
    }
}

fn look(desk: &Desk, arguments: NextArgs) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let session = desk.reader(&mut store)?;
    check(&mut store, &arguments)?;
    let scope = desk.repo_scope(&mut store, session.as_ref(), arguments.all_repos)?;
    let wish = NextWish {
        session: session.as_ref().map(|session| session.id.clone()),
        parent: arguments.parent,
        scope,
    };
    let next = store.next_item(&wish)?;
    let held = match session.as_ref().and_then(|session| session.item.as_ref()) {
        Some(key) => store.item(key)?,
        None => None,
    };
    let mut text = match &next {
        Next::Kept { .. } => Vec::new(),
        Next::Offer { item, reason } => vec![
            format!("next: {}", item::line(item)),
            format!(
                "{}{}",
                because(*reason),
                hint(desk, &next, session.as_ref(), held)
            ),
        ],
        Next::Held { item, reason } => vec![
            format!("still held: {}", item::line(item)),
            format!("{}no other item is ready", because(*reason)),
        ],
        Next::Nothing { .. } => nothing(&next),
    };
    text.extend(elsewhere(&mut store, &next, &wish)?);
    let (data, about) = answer(&mut store, &next, None)?;
    text.extend(about);
    Ok(Answer::new(text, data))
}

fn claim(desk: &Desk, arguments: NextArgs) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    // An id that was used for something else is refused; one that claimed is answered by the
    // store, which knows what it claimed.
    let before = desk.carried_out(&mut store, "item", None, &["claimed"])?;
    let session = desk.acting_session(&mut store)?;
    check(&mut store, &arguments)?;
    let session = desk.before_change(&mut store, session)?;
    // What the dead hold is free again, so that no child is passed over.
    let swept = sweep(&mut store, &desk.site, session.id.as_str())?;
    let scope = desk.repo_scope(&mut store, Some(&session), arguments.all_repos)?;
    let wish = NextWish {
        session: Some(session.id.clone()),
        parent: arguments.parent.clone(),
        scope: scope.clone(),
    };
    let give_up = giving_up(&arguments);
    let taken = store.claim_next(&NextRequest {
        session: session.id.clone(),
        parent: arguments.parent,
        scope,
        give_up: arguments.give_up,
        lease_seconds: desk.site.settings.lease_seconds,
        provenance: desk.provenance(session.id.as_str(), "next"),
    });
    let taken = match (taken, before.and_then(|event| event.key.parse().ok())) {
        (Err(StoreError::Conflict(message)), Some(key)) => {
            return Err(stale(desk, &mut store, &key, message)?);
        }
        (taken, _) => taken?,
    };
    if let Next::Kept { held, item } = &taken.next {
        return Err(keeps(held, item, give_up));
    }
    let mut warnings = Vec::new();
    let session = desk.after_change(&mut store, &session.id, &mut warnings)?;
    let mut text: Vec<String> = swept.iter().map(sessions::parked).collect();
    let next = taken.next;
    if let Some(released) = &taken.released {
        text.push(format!("released {}", released.key));
        warnings.extend(left_behind(released, &next));
    }
    let outcome = match &next {
        Next::Offer { item, reason } => {
            let epoch = item.epoch;
            text.push(format!(
                "{}claimed {} (epoch {epoch})",
                because(*reason),
                item.key
            ));
            Some("claimed")
        }
        Next::Held { item, reason } => {
            text.push(format!(
                "{}{} is already held by this session",
                because(*reason),
                item.key
            ));
            if reason.is_none() {
                let key = &item.key;
                warnings.push(format!("{key} is not finished, and no other item is ready"));
            }
            Some("already_owned")
        }
        Next::Kept { .. } => None,
        Next::Nothing { .. } => {
            text.extend(nothing(&next));
            text.extend(elsewhere(&mut store, &next, &wish)?);
            text.extend(still(&session));
            None
        }
    };
    let (data, about) = answer(&mut store, &next, outcome)?;
    text.extend(about);
    Ok(Answer {
        warnings,
        ..Answer::new(text, data)
    })
}

/// Names the command that takes what was shown, and what it leaves behind.
fn hint(desk: &Desk, next: &Next, session: Option<&Session>, held: Option<Item>) -> String {
    let Next::Offer { item, .. } = next else {
        return String::new();
    };
    let claim = CommandLine::new("trueup claim").word(item.key.as_str());
    let claim = match (&desk.named, session) {
        (Some(named), _) => claim.with("--session").word(named.as_str()),
        (None, None) => return format!("claim it in a session with `{claim}`"),
        (None, Some(_)) => claim,
    };
    let left = match next.clone().keeping(held) {
        Next::Kept { held, .. } => format!(", which gives up unfinished {}", held.key),
        _ => String::new(),
    };
    format!("claim it with `{claim}`{left}")
}

/// Says that other repositories have something, where this one has nothing.
fn elsewhere(
    store: &mut SqliteStore,
    next: &Next,
    wish: &NextWish,
) -> Result<Option<String>, Failure> {
    if !matches!(next, Next::Nothing { .. }) || wish.scope == RepoScope::All {
        return Ok(None);
    }
    let everywhere = NextWish {
        scope: RepoScope::All,
        ..wish.clone()
    };
    let others = store.next_item(&everywhere)?;
    Ok(matches!(others, Next::Offer { .. })
        .then(|| "other repositories have ready items; use --all-repos".to_owned()))
}

/// Returns the same command once more, this time leaving unfinished work.
fn giving_up(arguments: &NextArgs) -> CommandLine {
    let mut command = CommandLine::new("trueup next --claim --give-up");
    if let Some(parent) = &arguments.parent {
        command = command.with("--parent").word(parent.as_str());
    }
    if arguments.all_repos {
        command = command.with("--all-repos");
    }
    command
}

/// Refuses to leave unfinished work that nobody said to give up.
fn keeps(held: &Item, item: &Item, give_up: CommandLine) -> Failure {
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
    Failure::new(case, message).data(json!({"item": json::item(held), "next": json::item(item)}))
}

fn check(store: &mut SqliteStore, arguments: &NextArgs) -> Result<(), Failure> {
    match &arguments.parent {
        Some(parent) => item::known(store, parent).map(|_| ()),
        None => Ok(()),
    }
}

/// Makes the object, and what is told of work that was left on the item.
fn answer(
    store: &mut SqliteStore,
    next: &Next,
    outcome: Option<&str>,
) -> Result<(Value, Vec<String>), Failure> {
    let (item, reason): (Option<&Item>, _) = match next {
        Next::Offer { item, reason } => (Some(item), reason.map(OfferReason::as_str)),
        Next::Held { item, reason } => (
            Some(item),
            Some(reason.map_or(STILL_HELD, OfferReason::as_str)),
        ),
        Next::Kept { .. } => (None, None),
        Next::Nothing { lack, .. } => (None, Some(lack.as_str())),
    };
    let parked = match item {
        Some(item) => parked(store, item)?,
        None => None,
    };
    // The row as it is after everything that follows from the claim.
    let item = match item {
        Some(item) => Some(item::known(store, &item.key)?),
        None => None,
    };
    let data = json!({
        "outcome": outcome,
        "item": item.as_ref().map(json::item),
        "previous_holder": null,
        "reason": reason,
        "parked": parked_json(parked.as_ref()),
    });
    Ok((
        data,
        parked.map_or_else(Vec::new, |parked| parked_text(&parked)),
    ))
}

fn because(reason: Option<OfferReason>) -> &'static str {
    match reason {
        None => "",
        Some(OfferReason::LastChildDone) => "all children are finished: ",
        Some(OfferReason::NoChildren) => "no children: ",
        Some(OfferReason::NextOrchestrator) => "the previous orchestrator is finished: ",
    }
}

/// Warns of an item that was given up before its time; an orchestrator goes on by its
/// children.
fn left_behind(released: &Item, next: &Next) -> Option<String> {
    let Next::Offer { item, .. } = next else {
        return None;
    };
    (item.parent.as_ref() != Some(&released.key)).then(|| {
        format!(
            "{} is not finished; its status is still {}",
            released.key, released.status
        )
    })
}

fn nothing(next: &Next) -> Vec<String> {
    let Next::Nothing {
        lack,
        hindrances,
        more,
    } = next
    else {
        return Vec::new();
    };
    let mut text = vec![
        match lack {
            Lack::NothingReady => "no ready items here",
            Lack::AllHeld => "all remaining items are held by other sessions",
            Lack::Waiting => "no ready items: the remaining ones wait for others",
            Lack::ChainingOff => {
                "the orchestrator is finished, and chaining to the next one is off; \
                 turn it on with `trueup set --chain-orchestrators on`"
            }
        }
        .to_owned(),
    ];
    text.extend(hindrances.iter().map(hindrance));
    if *more {
        text.push("  and more: `trueup item list --unfinished`".to_owned());
    }
    text
}

fn hindrance(hindrance: &Hindrance) -> String {
    let key = &hindrance.item;
    match &hindrance.cause {
        Cause::HeldBy(holder) => format!("  {key} is held by {holder}"),
        Cause::DependsOn(open) => format!("  {key} waits for {}", item::standing(open)),
        Cause::Blocked(Some(reason)) => {
            format!("  {key} is blocked: {}", one_line(reason, LONGEST))
        }
        Cause::Blocked(None) => format!("  {key} is blocked"),
        Cause::Free => {
            let claim = CommandLine::new("trueup claim").word(key.as_str());
            format!("  {key} is free: `{claim}`")
        }
    }
}

/// Says what a session that found nothing holds all the same.
fn still(session: &Session) -> Option<String> {
    let held = session.item.as_ref()?;
    Some(format!("this session still holds {held}"))
}
