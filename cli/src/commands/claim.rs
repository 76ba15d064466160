//! `trueup claim` and `trueup release`

use serde_json::{Value, json};
use trueup_core::claims::{ClaimAnswer, ClaimItemRequest, claim_item, find_interrupted_work};
use trueup_core::liveness::{Liveness, LivenessState, MAX_QUIET_SECONDS};
use trueup_core::model::{
    ClaimForecast, ClaimOutcome, ClaimRefusal, Event, InterruptedWork, Item, ItemKey, NewItem,
    Session, SessionId,
};
use trueup_core::repos::assign_repo_name;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ClaimedItem, Provenance, ReleaseRequest, Store as _, StoreError};
use trueup_core::text::CommandLine;

use super::item::load_item;
use super::or_none;
use crate::args::ClaimArgs;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase, REFUSED, Said};
use crate::output::Output;
use crate::views;

pub(super) fn cmd_claim(
    context: &CommandContext,
    arguments: ClaimArgs,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let id = resolve_claimant(context, &mut store)?;
    let key = arguments.key;
    let replayed = context.find_replay(
        &mut store,
        "item",
        Some(key.as_str()),
        &["claimed", "taken_over"],
    )?;
    if let Some(event) = replayed {
        return replay_claim(context, &mut store, &id, &key, &event);
    }
    let mut warnings = Vec::new();
    if let Some(session) = store.load_session(&id)? {
        context.true_up_before_change(&mut store, session)?;
        if arguments.create && store.load_item(&key)?.is_none() {
            add_missing_item(context, &mut store, &key, &id)?;
        }
    }
    let quiet_seconds = arguments.span.map(|span| span.0);
    if quiet_seconds.is_some_and(|seconds| seconds > MAX_QUIET_SECONDS) {
        warnings.push(format!(
            "--span is limited to {} min",
            MAX_QUIET_SECONDS / 60
        ));
    }
    let request = ClaimItemRequest {
        session: id.clone(),
        item: key.clone(),
        force: arguments.force,
        quiet_period_seconds: quiet_seconds.map(|seconds| seconds.min(MAX_QUIET_SECONDS)),
        provenance: context.provenance(id.as_str(), ""),
    };
    let claimed = match claim_item(&mut store, &request, &context.run) {
        Err(StoreError::Conflict(message)) => {
            return Err(build_stale_epoch_error(context, &mut store, &key, message)?);
        }
        other => other?,
    };
    match claimed {
        ClaimAnswer::Granted { taken, outcome } => {
            context.true_up_after_change(&mut store, &id, &mut warnings)?;
            // The row as it is after everything that follows from the claim.
            let item = store.load_item(&key)?.unwrap_or_else(|| taken.item.clone());
            let reason = match outcome {
                ClaimOutcome::TakenOver(reason) => Some(reason),
                _ => None,
            };
            let interrupted_work = find_interrupted_work(&mut store, &item)?;
            let data = json!({
                "outcome": outcome.as_str(),
                "item": views::item_view(&item),
                "previous_holder": taken.previous_holder,
                "reason": reason,
                "parked": interrupted_work_view(interrupted_work.as_ref()),
            });
            let mut text = render_grant(&taken, outcome);
            text.extend(interrupted_work.iter().flat_map(render_interrupted_work));
            Ok(Output {
                warnings,
                ..Output::new(text, data)
            })
        }
        ClaimAnswer::Refused {
            refusal,
            holder,
            forecast: taking,
        } => Err(build_refusal_error(
            &id,
            &key,
            refusal,
            holder.as_ref(),
            taking,
            &context.caller_flags,
        )),
    }
}

/// Names the session that claims; where the claim is refused for it, nobody holds the item.
fn resolve_claimant(
    context: &CommandContext,
    store: &mut SqliteStore,
) -> Result<SessionId, CommandError> {
    let session = context.require_active_session(store);
    let session = session.map_err(|error| match error.exit_code() {
        REFUSED => error.with_data(json!({"holder": null})),
        _ => error,
    })?;
    Ok(session.id)
}

/// Answers a claim that was carried out before as it was answered then, if it still holds.
fn replay_claim(
    context: &CommandContext,
    store: &mut SqliteStore,
    id: &SessionId,
    key: &ItemKey,
    event: &Event,
) -> Result<Output, CommandError> {
    let item = store
        .load_item(key)?
        .filter(|item| item.holder.as_ref() == Some(id));
    let Some(item) = item else {
        let message = format!("this operation claimed {key}, but the claim has been lost since");
        return Err(build_stale_epoch_error(context, store, key, message)?);
    };
    let taken_over = event.kind == "taken_over";
    let outcome = if taken_over { "taken_over" } else { "claimed" };
    let data = json!({
        "outcome": outcome,
        "item": views::item_view(&item),
        "previous_holder": event.before["holder"],
        "reason": event.reason.as_deref().filter(|_| taken_over),
        "parked": interrupted_work_view(find_interrupted_work(store, &item)?.as_ref()),
    });
    let text = format!("{outcome} {key} (epoch {}) at {}", item.epoch, event.at);
    Ok(Output::new(vec![text], data))
}

/// Refuses a claim whose epoch has passed: another was made since.
pub(super) fn build_stale_epoch_error(
    context: &CommandContext,
    store: &mut SqliteStore,
    key: &ItemKey,
    message: String,
) -> Result<CommandError, CommandError> {
    let holder = match store.load_item(key)?.and_then(|item| item.holder) {
        Some(holder) => store.load_session(&holder)?,
        None => None,
    };
    let holder = holder
        .map(|holder| views::session_view(&holder, &views::assess_liveness(&holder, &context.run)));
    let case = ErrorCase::ClaimLost { item: key.into() };
    Ok(CommandError::new(case, message).with_data(json!({"holder": holder})))
}

/// Adds a missing item. Of two that add it at once one finds it there, which is as good.
fn add_missing_item(
    context: &CommandContext,
    store: &mut SqliteStore,
    key: &ItemKey,
    session: &SessionId,
) -> Result<(), CommandError> {
    let item = NewItem {
        repo: assign_repo_name(store, context.run.named_place())?,
        ..NewItem::new(key.clone())
    };
    match store.add_item(&item, &Provenance::new(session.as_str(), "claim --create")) {
        Ok(_) => Ok(()),
        Err(StoreError::Denied(_)) if store.load_item(key)?.is_some() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Shows work on an item that its last holder did not end.
pub(super) fn interrupted_work_view(interrupted_work: Option<&InterruptedWork>) -> Value {
    interrupted_work.map_or(Value::Null, |interrupted_work| {
        json!({
            "session_id": interrupted_work.session,
            "phase": interrupted_work.phase,
            "task": interrupted_work.task,
            "lost_at": interrupted_work.lost_at,
            "restore": interrupted_work.restore_command(),
        })
    })
}

/// Says what the last holder was doing, and the command that takes it up.
pub(super) fn render_interrupted_work(interrupted_work: &InterruptedWork) -> Vec<String> {
    let mut text = vec![format!(
        "{} worked on it until {}: phase {}, task {}",
        interrupted_work.session,
        interrupted_work.lost_at,
        or_none(interrupted_work.phase.as_deref()),
        or_none(interrupted_work.task.as_deref())
    )];
    let restore = interrupted_work.restore_command();
    text.extend(restore.map(|command| format!("to continue there: {command}")));
    text
}

fn render_grant(taken: &ClaimedItem, outcome: ClaimOutcome) -> Vec<String> {
    let key = &taken.item.key;
    let mut text = Vec::new();
    text.extend(
        taken
            .released
            .as_ref()
            .map(|released| format!("released {released}")),
    );
    text.push(match outcome {
        ClaimOutcome::Claimed => format!("claimed {key} (epoch {})", taken.item.epoch),
        ClaimOutcome::AlreadyOwned => format!("{key} is already held by this session"),
        ClaimOutcome::TakenOver(reason) => format!(
            "took {key} over from {} ({reason}, epoch {}); to see its state: trueup sessions show {}",
            taken.previous_holder.as_ref().map_or("nobody", SessionId::as_str),
            taken.item.epoch,
            taken.previous_holder.as_ref().map_or("ID", SessionId::as_str),
        ),
    });
    text
}

fn build_refusal_error(
    id: &SessionId,
    key: &ItemKey,
    refusal: ClaimRefusal,
    holder: Option<&(Session, Liveness)>,
    taking: Option<ClaimForecast>,
    caller_flags: &str,
) -> CommandError {
    let (holder_text, data) = match holder {
        Some((session, vitality)) => (
            format!(
                "held by {} on {} since {}, {} ({})",
                session.id,
                session.host.as_deref().unwrap_or("an unknown host"),
                session
                    .claimed_at
                    .map_or_else(|| "?".to_owned(), |at| at.to_string()),
                vitality.state.as_str(),
                vitality.evidence
            ),
            json!({
                "holder": views::session_view(session, vitality),
                "free_at": taking.map(|taking| taking.at),
                "command": taking.map(|taking| format!("{}{caller_flags}", taking.command(key))),
            }),
        ),
        None => ("held".to_owned(), json!({"holder": Value::Null})),
    };
    let item = key.into();
    let error = match refusal {
        ClaimRefusal::PhantomSession => CommandError::session_not_registered(id.as_str()),
        ClaimRefusal::ItemNotFound => CommandError::new(
            ErrorCase::ItemToClaimNotFound { item },
            format!("item {key} does not exist"),
        ),
        ClaimRefusal::ItemFinished => CommandError::new(
            ErrorCase::ItemFinished { item },
            format!("item {key} is finished"),
        ),
        ClaimRefusal::HeldByLiveSession => {
            let (command, at, condition) = describe_next_chance(key, holder, taking);
            let case = ErrorCase::HeldByLive {
                command,
                at,
                condition,
            };
            CommandError::new(case, format!("{key} is {holder_text}"))
        }
        ClaimRefusal::HeldBySilentSession => {
            let (command, at, condition) = describe_next_chance(key, holder, taking);
            let case = ErrorCase::HeldBySilent {
                command,
                at,
                condition,
            };
            CommandError::new(case, format!("{key} is {holder_text}"))
        }
        ClaimRefusal::TakeoverNotAllowed => {
            let (command, at, condition) = describe_next_chance(key, holder, taking);
            let case = ErrorCase::TakeoverNotAllowed {
                command,
                at,
                condition,
            };
            let message = format!("{key} is {holder_text}; --force needs 60 s of silence");
            CommandError::new(case, message)
        }
    };
    error.with_data(data)
}

/// Says by which command a claim is granted, from when on, and what would change that.
fn describe_next_chance(
    key: &ItemKey,
    holder: Option<&(Session, Liveness)>,
    taking: Option<ClaimForecast>,
) -> (CommandLine, Said, Said) {
    let (Some((session, vitality)), Some(taking)) = (holder, taking) else {
        let command = CommandLine::new("trueup claim").with_word(key.as_str());
        let condition = "its holder shows no further sign of life".into();
        return (command, "an unknown time".into(), condition);
    };
    let condition = match (taking.by_force, session.status.is_present()) {
        (true, _) => format!(
            "its process, which {}, shows no sign of life until then",
            vitality.process.describe()
        ),
        (false, true) => "that session shows no sign of life until then".to_owned(),
        (false, false) => "that session is not resumed until then".to_owned(),
    };
    let command = taking.command(key);
    (command, (&taking.at).into(), condition.as_str().into())
}

pub(super) fn cmd_release(
    context: &CommandContext,
    key: Option<ItemKey>,
    reason: Option<&str>,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let key_text = key.as_ref().map(ItemKey::as_str);
    if let Some(event) = context.find_replay(&mut store, "item", key_text, &["released"])? {
        let key = event
            .key
            .parse()
            .map_err(|_| StoreError::Conflict(event.key.clone()))?;
        let item = store
            .load_item(&key)?
            .ok_or_else(|| CommandError::item_not_found(&key))?;
        return Ok(build_release_output(&item, Vec::new()));
    }
    let session = match (context.find_active_session(&mut store)?, &key) {
        (Some(session), _) => session,
        (None, Some(key)) => return release_for_dead_holder(context, &mut store, key, reason),
        (None, None) => return Err(CommandError::no_session()),
    };
    let session = context.true_up_before_change(&mut store, session)?;
    let Some(key) = key.or_else(|| session.item.clone()) else {
        let message = format!("session {} holds no item", session.id);
        return Err(CommandError::new(ErrorCase::NothingHeld, message));
    };
    let release = ReleaseRequest {
        session: session.id.clone(),
        item: key.clone(),
        provenance: context.provenance(session.id.as_str(), reason.unwrap_or("release")),
    };
    let item = match store.release(&release) {
        Ok(item) => item,
        Err(StoreError::Conflict(message)) => {
            let holder = load_item(&mut store, &key)?.holder;
            let case = ErrorCase::NotHolder {
                item: (&key).into(),
            };
            return Err(CommandError::new(case, message).with_data(json!({"holder": holder})));
        }
        Err(error) => return Err(error.into()),
    };
    let mut warnings = Vec::new();
    context.true_up_after_change(&mut store, &session.id, &mut warnings)?;
    Ok(build_release_output(&item, warnings))
}

/// Frees an item for a person, who holds none: one whose holder is dead. What that session was
/// doing stays readable, as after a sweep.
fn release_for_dead_holder(
    context: &CommandContext,
    store: &mut SqliteStore,
    key: &ItemKey,
    reason: Option<&str>,
) -> Result<Output, CommandError> {
    let item = load_item(store, key)?;
    let Some(holder) = &item.holder else {
        let message = format!("nobody holds {key}");
        let case = ErrorCase::NotHolder { item: key.into() };
        return Err(CommandError::new(case, message).with_data(json!({"holder": null})));
    };
    let session = store.load_session(holder)?;
    let provenance =
        context.provenance(&context.resolve_actor(store)?, reason.unwrap_or("release"));
    let dead_session = session.as_ref().filter(|session| {
        views::assess_liveness(session, &context.run).state == LivenessState::Dead
    });
    let interrupted_work = match dead_session {
        Some(session) => store.mark_lost(session, &provenance)?,
        None => None,
    };
    if interrupted_work.is_none() {
        let message = format!("{key} is held by {holder}, which is or may be alive");
        let (item, by) = (key.into(), holder.into());
        let case = ErrorCase::HeldByOther { item, holder: by };
        return Err(CommandError::new(case, message).with_data(json!({"holder": holder})));
    }
    Ok(build_release_output(&load_item(store, key)?, Vec::new()))
}

fn build_release_output(item: &Item, warnings: Vec<String>) -> Output {
    let text = vec![format!(
        "released {}; its status is still {}",
        item.key, item.status
    )];
    Output {
        warnings,
        ..Output::new(text, json!({"item": views::item_view(item)}))
    }
}
