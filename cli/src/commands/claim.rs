//! `trueup claim` and `trueup release`: taking an item for a session and giving it back, and the
//! refusal that says who holds it.

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, HintText, ItemCase, REFUSED};
use crate::human_duration::HumanDuration;
use crate::output::Output;
use crate::views;
use clap::Args;
use serde_json::{Value, json};
use trueup_core::claims::{
    ClaimAnswer, ClaimItemRequest, claim_command, claim_item, find_interrupted_work,
    restore_command,
};
use trueup_core::liveness::MAX_QUIET_SECONDS;
use trueup_core::model::{
    ClaimForecast, ClaimOutcome, ClaimRefusal, Event, EventKind, InterruptedWork, Item, ItemKey,
    Liveness, LivenessState, NewItem, ProcessState, Session, SessionId,
};
use trueup_core::repos::assign_repo_name;
use trueup_core::store::{
    ClaimedItem, ExpectedRead, ItemAddition, Provenance, ReadTime, ReleaseRequest, Store,
    StoreError,
};
use trueup_core::text::{CommandLine, one_line};
use trueup_core::views::{ItemView, SessionView};

use super::item::lookup::load_item;
use super::session_output::render_quiet_period;
use super::value_text::or_none;

#[derive(Debug, Clone, Args)]
pub(crate) struct ClaimArgs {
    /// Item key
    pub(crate) key: ItemKey,
    /// Add the item if it does not exist
    #[arg(long)]
    pub(crate) create: bool,
    /// Take the item from a holder that has been silent for 60 s
    #[arg(long)]
    pub(crate) force: bool,
    /// Announced quiet period of this session, at most 30m
    #[arg(long, value_name = "30m", allow_hyphen_values = true)]
    pub(crate) span: Option<HumanDuration>,
}

/// Longest phase or task shown, in characters.
const MAX_WORK_CHARS: usize = 200;

pub(super) fn cmd_claim(context: &CommandContext, arguments: ClaimArgs) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let id = resolve_claimant(context, store)?;
    let key = arguments.key;
    let replayed = context.find_replay(
        store,
        "item",
        Some(key.as_str()),
        &[EventKind::Claimed, EventKind::TakenOver],
    )?;
    if let Some(event) = replayed {
        return replay_claim(context, store, &id, &key, &event);
    }
    let mut warnings = Vec::new();
    let mut new_item = None;
    if let Some(session) = store.load_session(&id)? {
        context.true_up_before_change(store, session)?;
        if arguments.create && store.load_item(&key)?.is_none() {
            let repo = assign_repo_name(store, context.run.naming_context())?;
            new_item = Some(ItemAddition {
                item: NewItem { repo, ..NewItem::new(key.clone()) },
                provenance: Provenance::new(id.as_str(), "claim --create"),
            });
        }
    }
    let quiet_seconds = arguments.span.map(|span| span.0);
    if quiet_seconds.is_some_and(|seconds| seconds > MAX_QUIET_SECONDS) {
        warnings.push(format!("--span is limited to {} min", MAX_QUIET_SECONDS / 60));
    }
    let request = ClaimItemRequest {
        session: id.clone(),
        item: key.clone(),
        new_item,
        force: arguments.force,
        quiet_period_seconds: quiet_seconds.map(|seconds| seconds.min(MAX_QUIET_SECONDS)),
        provenance: context.provenance(id.as_str(), ""),
    };
    let mut reads = vec![ExpectedRead::Session(&id), ExpectedRead::LastHolder(&key)];
    if store.load_item(&key)?.is_some_and(|item| item.open_dependencies > 0) {
        reads.push(ExpectedRead::OpenDependencies(&key));
    }
    store.expect_reads(ReadTime::AfterWrite, &reads);
    let claimed = match claim_item(store, &request, &context.run) {
        Err(StoreError::Conflict(message)) => {
            return Err(build_stale_epoch_error(context, store, &key, message)?);
        }
        other => other?,
    };
    match claimed {
        ClaimAnswer::Granted { taken, outcome } => {
            let session = context.true_up_after_change(store, &id, &mut warnings)?;
            if taken.item.open_dependencies > 0 {
                warnings.extend(warn_of_open_dependencies(store, &key)?);
            }
            let mut output = build_grant_output(store, &taken, outcome)?;
            output.text.extend(render_quiet_period(context, &session));
            Ok(output.with_warnings(warnings))
        }
        ClaimAnswer::Refused { refusal, holder, forecast: taking } => Err(build_refusal_error(
            &id,
            &key,
            refusal,
            holder.as_ref(),
            taking,
            &context.caller_flags,
        )),
    }
}

/// Warns of each dependency that is not completed; a claim does not wait for it.
fn warn_of_open_dependencies(store: &mut dyn Store, key: &ItemKey) -> CommandResult<Vec<String>> {
    let open = store.list_open_dependencies(key)?.into_iter();
    Ok(open.map(|(on, status)| format!("{key} depends on {on}, which is {status}")).collect())
}

/// Returns the session that claims. A refusal of the session itself names no holder.
fn resolve_claimant(context: &CommandContext, store: &mut dyn Store) -> CommandResult<SessionId> {
    let session = context.require_active_session(store);
    let session = session.map_err(|error| match error.exit_code() {
        REFUSED => error.with_data(json!({"holder": null})),
        _ => error,
    })?;
    Ok(session.id)
}

/// Repeats the output of an earlier run with the same `--op-id`, if its claim still holds.
fn replay_claim(
    context: &CommandContext,
    store: &mut dyn Store,
    id: &SessionId,
    key: &ItemKey,
    event: &Event,
) -> CommandResult {
    let item = store.load_item(key)?.filter(|item| item.holder.as_ref() == Some(id));
    let Some(item) = item else {
        let message = format!("this operation claimed {key}, but the claim has been lost since");
        return Err(build_stale_epoch_error(context, store, key, message)?);
    };
    let taken_over = event.is_kind(EventKind::TakenOver);
    let outcome = if taken_over { "taken_over" } else { "claimed" };
    let data = json!({
        "outcome": outcome,
        "item": ItemView::from(&item),
        "previous_holder": event.before["holder"],
        "reason": event.reason.as_deref().filter(|_| taken_over),
        "parked": interrupted_work_view(find_interrupted_work(store, &item)?.as_ref()),
    });
    let text = format!("{outcome} {key} (epoch {}) at {}", item.epoch, event.at);
    Ok(Output::new(vec![text], data))
}

/// Builds the error of a claim that was lost to a later one, with the present holder.
pub(super) fn build_stale_epoch_error(
    context: &CommandContext,
    store: &mut dyn Store,
    key: &ItemKey,
    message: String,
) -> CommandResult<CommandError> {
    let holder = match store.load_item(key)?.and_then(|item| item.holder) {
        Some(holder) => store.load_session(&holder)?,
        None => None,
    };
    let holder = holder
        .map(|holder| SessionView::new(&holder, &views::assess_liveness(&holder, &context.run)));
    let case = ItemCase::ClaimLost { item: key.into() };
    Ok(CommandError::new(case, message).with_data(json!({"holder": holder})))
}

/// Builds the view of interrupted work on an item.
pub(super) fn interrupted_work_view(interrupted_work: Option<&InterruptedWork>) -> Value {
    interrupted_work.map_or(Value::Null, |interrupted_work| {
        json!({
            "session_id": interrupted_work.session,
            "phase": interrupted_work.phase,
            "task": interrupted_work.task,
            "lost_at": interrupted_work.lost_at,
            "restore": restore_command(interrupted_work),
        })
    })
}

/// Renders what the last holder was doing, and the command that continues it.
pub(super) fn render_interrupted_work(interrupted_work: &InterruptedWork) -> Vec<String> {
    let shorten = |text: Option<&str>| text.map(|text| one_line(text, MAX_WORK_CHARS));
    let mut text = vec![format!(
        "{} worked on it until {}: phase {}, task {}",
        interrupted_work.session,
        interrupted_work.lost_at,
        or_none(shorten(interrupted_work.phase.as_deref()).as_deref()),
        or_none(shorten(interrupted_work.task.as_deref()).as_deref())
    )];
    let restore = restore_command(interrupted_work);
    text.extend(restore.map(|command| format!("to continue there: {command}")));
    text
}

fn render_grant(
    taken: &ClaimedItem,
    released: Option<&Item>,
    outcome: ClaimOutcome,
) -> Vec<String> {
    let key = &taken.item.key;
    let mut text = Vec::new();
    text.extend(released.map(|released| render_release(released, &taken.item)));
    text.push(match outcome {
        ClaimOutcome::Claimed => format!("claimed {key} (epoch {})", taken.item.epoch),
        ClaimOutcome::AlreadyHeld => format!("{key} is already held by this session"),
        ClaimOutcome::TakenOver(reason) => format!(
            "took {key} over from {} ({}, epoch {}); to see its state: `trueup sessions show {}`",
            taken.previous_holder.as_ref().map_or("nobody", SessionId::as_str),
            reason.as_str(),
            taken.item.epoch,
            taken.previous_holder.as_ref().map_or("ID", SessionId::as_str),
        ),
    });
    text
}

/// Says what became of the item that the session held before. Moving from a parent item to its child
/// does not abandon the parent.
fn render_release(released: &Item, taken: &Item) -> String {
    let Item { key, status, .. } = released;
    if status.is_finished() || taken.parent.as_ref() == Some(key) {
        format!("released {key}")
    } else {
        format!("released {key}; its status is still {status}")
    }
}

fn build_grant_output(
    store: &mut dyn Store,
    claimed: &ClaimedItem,
    outcome: ClaimOutcome,
) -> CommandResult {
    // The claim may have changed the row further.
    let item = store.load_item(&claimed.item.key)?;
    let item = item.unwrap_or_else(|| claimed.item.clone());
    let reason = match outcome {
        ClaimOutcome::TakenOver(reason) => Some(reason.as_str()),
        _ => None,
    };
    let interrupted_work = find_interrupted_work(store, &item)?;
    let data = json!({
        "outcome": outcome.as_str(),
        "item": ItemView::from(&item),
        "previous_holder": claimed.previous_holder,
        "reason": reason,
        "parked": interrupted_work_view(interrupted_work.as_ref()),
    });
    let released = match &claimed.released {
        Some(key) => store.load_item(key)?,
        None => None,
    };
    let mut text = render_grant(claimed, released.as_ref(), outcome);
    text.extend(interrupted_work.iter().flat_map(render_interrupted_work));
    Ok(Output::new(text, data))
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
                session.claimed_at.map_or_else(|| "?".to_owned(), |at| at.to_string()),
                vitality.state.as_str(),
                vitality.evidence
            ),
            json!({
                "holder": SessionView::new(session, vitality),
                "free_at": taking.map(|taking| taking.at),
                "command": taking.map(|taking| format!("{}{caller_flags}", claim_command(taking, key))),
            }),
        ),
        None => ("held".to_owned(), json!({"holder": Value::Null})),
    };
    let item = key.into();
    let (command, at, condition) = describe_next_chance(key, holder, taking);
    let error = match refusal {
        ClaimRefusal::PhantomSession => CommandError::session_not_registered(id.as_str()),
        ClaimRefusal::ItemNotFound => CommandError::new(
            ItemCase::ItemToClaimNotFound { item },
            format!("item {key} does not exist"),
        ),
        ClaimRefusal::ItemFinished => {
            CommandError::new(ItemCase::ItemFinished { item }, format!("item {key} is finished"))
        }
        ClaimRefusal::HeldByLiveSession => CommandError::new(
            ItemCase::HeldByLive { command, at, condition },
            format!("{key} is {holder_text}"),
        ),
        ClaimRefusal::HeldBySilentSession => CommandError::new(
            ItemCase::HeldBySilent { command, at, condition },
            format!("{key} is {holder_text}"),
        ),
        ClaimRefusal::TakeoverNotAllowed => CommandError::new(
            ItemCase::TakeoverNotAllowed { command, at, condition },
            format!("{key} is {holder_text}; --force needs 60 s of silence"),
        ),
    };
    error.with_data(data)
}

/// Returns the command that will be granted, the time from which it is, and the condition.
fn describe_next_chance(
    key: &ItemKey,
    holder: Option<&(Session, Liveness)>,
    taking: Option<ClaimForecast>,
) -> (CommandLine, HintText, HintText) {
    let (Some((session, vitality)), Some(taking)) = (holder, taking) else {
        let command = CommandLine::new("trueup claim").with_word(key.as_str());
        let condition = "its holder stays silent until then".into();
        return (command, "an unknown time".into(), condition);
    };
    let condition = match (taking.by_force, session.status.is_present()) {
        (true, _) => format!(
            "session {} stays silent until then (its process {})",
            session.id,
            match vitality.process {
                ProcessState::Running => "is running",
                other => other.describe(),
            }
        ),
        (false, true) => format!("session {} stays silent until then", session.id),
        (false, false) => format!("session {} is not resumed until then", session.id),
    };
    let command = claim_command(taking, key);
    (command, (&taking.at).into(), condition.as_str().into())
}

pub(super) fn cmd_release(
    context: &CommandContext,
    key: Option<ItemKey>,
    reason: Option<&str>,
) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let key_text = key.as_ref().map(ItemKey::as_str);
    if let Some(event) = context.find_replay(store, "item", key_text, &[EventKind::Released])? {
        let key = event.key.parse().map_err(|_| StoreError::Conflict(event.key.clone()))?;
        let item = load_item(store, &key)?;
        return Ok(build_release_output(&item, Vec::new()));
    }
    let session = match (context.find_active_session(store)?, &key) {
        (Some(session), _) => session,
        (None, Some(key)) => return release_for_dead_holder(context, store, key, reason),
        (None, None) => return Err(CommandError::no_session()),
    };
    let session = context.true_up_before_change(store, session)?;
    let Some(key) = key.or_else(|| session.item.clone()) else {
        let message = format!("session {} holds no item", session.id);
        return Err(CommandError::new(ItemCase::NothingHeld, message));
    };
    let release = ReleaseRequest {
        session: session.id.clone(),
        item: key.clone(),
        provenance: context.provenance(session.id.as_str(), reason.unwrap_or("release")),
    };
    store.expect_reads(ReadTime::AfterWrite, &[ExpectedRead::Session(&session.id)]);
    let item = match store.release(&release) {
        Ok(item) => item,
        Err(StoreError::Conflict(message)) => {
            if let Some(holder) = load_item(store, &key)?.holder {
                return Err(build_held_by_other_error(context, store, &key, &holder)?);
            }
            let case = ItemCase::NotHolder { item: (&key).into() };
            return Err(CommandError::new(case, message).with_data(json!({"holder": null})));
        }
        Err(error) => return Err(error.into()),
    };
    let mut warnings = Vec::new();
    context.true_up_after_change(store, &session.id, &mut warnings)?;
    Ok(build_release_output(&item, warnings))
}

/// Releases an item for a person, who can release only items of dead sessions. The state of the
/// session is kept, as after a sweep.
fn release_for_dead_holder(
    context: &CommandContext,
    store: &mut dyn Store,
    key: &ItemKey,
    reason: Option<&str>,
) -> CommandResult {
    let item = load_item(store, key)?;
    let Some(holder) = &item.holder else {
        let message = format!("nobody holds {key}");
        let case = ItemCase::NotHolder { item: key.into() };
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
        return Err(build_held_by_other_error(context, store, key, holder)?);
    }
    Ok(build_release_output(&load_item(store, key)?, Vec::new()))
}

/// Builds the error of a release of what another session holds, with what can be done about it.
fn build_held_by_other_error(
    context: &CommandContext,
    store: &mut dyn Store,
    key: &ItemKey,
    holder: &SessionId,
) -> CommandResult<CommandError> {
    let item = key.into();
    let error = match store.load_session(holder)? {
        None => CommandError::new(
            ItemCase::NotHolder { item },
            format!("{key} is held by {holder}, which is not registered"),
        ),
        Some(session) => {
            let liveness = views::assess_liveness(&session, &context.run);
            let until = (&session.lease_expires_at).into();
            let message = format!(
                "{key} is held by {holder}, which {} ({})",
                match liveness.state {
                    LivenessState::Alive => "is alive",
                    LivenessState::Unknown => "may be alive",
                    LivenessState::Dead => "is dead",
                },
                liveness.evidence
            );
            let case = match liveness.state {
                LivenessState::Dead => ItemCase::HeldByDead { until },
                _ => ItemCase::HeldByOther { item, holder: holder.into(), until },
            };
            CommandError::new(case, message)
        }
    };
    Ok(error.with_data(json!({"holder": holder})))
}

fn build_release_output(item: &Item, warnings: Vec<String>) -> Output {
    let text = vec![format!("released {}; its status is still {}", item.key, item.status)];
    Output::new(text, json!({"item": ItemView::from(item)})).with_warnings(warnings)
}
