//! `trueup claim` and `trueup release`

use serde_json::{Value, json};
use trueup_core::claims::{Claimed, Wish, claim as claim_item, parked};
use trueup_core::liveness::{Alive, LONGEST_SPAN_SECONDS, Vitality};
use trueup_core::model::{
    ClaimOutcome, ClaimRefusal, Event, Item, ItemKey, NewItem, Parked, Session, SessionId, Taking,
};
use trueup_core::repos::settle_repo_name;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ClaimTaken, Provenance, Release, Store as _, StoreError};
use trueup_core::text::CommandLine;

use super::item::known;
use super::or_none;
use crate::args::ClaimArgs;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure, REFUSED, Said};
use crate::json;
use crate::report::Answer;

pub(super) fn claim(desk: &Desk, arguments: ClaimArgs) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let id = claimant(desk, &mut store)?;
    let key = arguments.key;
    let done = desk.carried_out(
        &mut store,
        "item",
        Some(key.as_str()),
        &["claimed", "taken_over"],
    )?;
    if let Some(event) = done {
        return claimed_before(desk, &mut store, &id, &key, &event);
    }
    let mut warnings = Vec::new();
    if let Some(session) = store.session(&id)? {
        desk.before_change(&mut store, session)?;
        if arguments.create && store.item(&key)?.is_none() {
            create(desk, &mut store, &key, &id)?;
        }
    }
    let span = arguments.span.map(|span| span.0);
    if span.is_some_and(|seconds| seconds > LONGEST_SPAN_SECONDS) {
        warnings.push(format!(
            "--span is limited to {} min",
            LONGEST_SPAN_SECONDS / 60
        ));
    }
    let wish = Wish {
        session: id.clone(),
        item: key.clone(),
        force: arguments.force,
        span_seconds: span.map(|seconds| seconds.min(LONGEST_SPAN_SECONDS)),
        provenance: desk.provenance(id.as_str(), ""),
    };
    let claimed = match claim_item(&mut store, &wish, &desk.site) {
        Err(StoreError::Conflict(message)) => return Err(stale(desk, &mut store, &key, message)?),
        other => other?,
    };
    match claimed {
        Claimed::Granted { taken, outcome } => {
            desk.after_change(&mut store, &id, &mut warnings)?;
            // The row as it is after everything that follows from the claim.
            let item = store.item(&key)?.unwrap_or_else(|| taken.item.clone());
            let reason = match outcome {
                ClaimOutcome::TakenOver(reason) => Some(reason),
                _ => None,
            };
            let parked = parked(&mut store, &item)?;
            let data = json!({
                "outcome": outcome.as_str(),
                "item": json::item(&item),
                "previous_holder": taken.previous_holder,
                "reason": reason,
                "parked": parked_json(parked.as_ref()),
            });
            let mut text = granted(&taken, outcome);
            text.extend(parked.iter().flat_map(parked_text));
            Ok(Answer {
                warnings,
                ..Answer::new(text, data)
            })
        }
        Claimed::Refused {
            refusal,
            holder,
            taking,
        } => Err(refused(
            &id,
            &key,
            refusal,
            holder.as_ref(),
            taking,
            &desk.speaks,
        )),
    }
}

/// Names the session that claims; where the claim is refused for it, nobody holds the item.
fn claimant(desk: &Desk, store: &mut SqliteStore) -> Result<SessionId, Failure> {
    let session = desk.acting_session(store);
    let session = session.map_err(|failure| match failure.exit() {
        REFUSED => failure.data(json!({"holder": null})),
        _ => failure,
    })?;
    Ok(session.id)
}

/// Answers a claim that was carried out before as it was answered then, if it still holds.
fn claimed_before(
    desk: &Desk,
    store: &mut SqliteStore,
    id: &SessionId,
    key: &ItemKey,
    event: &Event,
) -> Result<Answer, Failure> {
    let item = store
        .item(key)?
        .filter(|item| item.holder.as_ref() == Some(id));
    let Some(item) = item else {
        let message = format!("this operation claimed {key}, but the claim has been lost since");
        return Err(stale(desk, store, key, message)?);
    };
    let taken_over = event.kind == "taken_over";
    let outcome = if taken_over { "taken_over" } else { "claimed" };
    let data = json!({
        "outcome": outcome,
        "item": json::item(&item),
        "previous_holder": event.before["holder"],
        "reason": event.reason.as_deref().filter(|_| taken_over),
        "parked": parked_json(parked(store, &item)?.as_ref()),
    });
    let text = format!("{outcome} {key} (epoch {}) at {}", item.epoch, event.at);
    Ok(Answer::new(vec![text], data))
}

/// Refuses a claim whose epoch has passed: another was made since.
pub(super) fn stale(
    desk: &Desk,
    store: &mut SqliteStore,
    key: &ItemKey,
    message: String,
) -> Result<Failure, Failure> {
    let holder = match store.item(key)?.and_then(|item| item.holder) {
        Some(holder) => store.session(&holder)?,
        None => None,
    };
    let holder = holder.map(|holder| json::session(&holder, &json::vitality(&holder, &desk.site)));
    let case = ErrorCase::ClaimLost { item: key.into() };
    Ok(Failure::new(case, message).data(json!({"holder": holder})))
}

/// Adds a missing item. Of two that add it at once one finds it there, which is as good.
fn create(
    desk: &Desk,
    store: &mut SqliteStore,
    key: &ItemKey,
    session: &SessionId,
) -> Result<(), Failure> {
    let item = NewItem {
        repo: settle_repo_name(store, desk.site.named_place())?,
        ..NewItem::new(key.clone())
    };
    match store.add_item(&item, &Provenance::new(session.as_str(), "claim --create")) {
        Ok(_) => Ok(()),
        Err(StoreError::Denied(_)) if store.item(key)?.is_some() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Shows work on an item that its last holder did not end.
pub(super) fn parked_json(parked: Option<&Parked>) -> Value {
    parked.map_or(Value::Null, |parked| {
        json!({
            "session_id": parked.session,
            "phase": parked.phase,
            "task": parked.task,
            "lost_at": parked.lost_at,
            "restore": parked.restore(),
        })
    })
}

/// Says what the last holder was doing, and the command that takes it up.
pub(super) fn parked_text(parked: &Parked) -> Vec<String> {
    let mut text = vec![format!(
        "{} worked on it until {}: phase {}, task {}",
        parked.session,
        parked.lost_at,
        or_none(parked.phase.as_deref()),
        or_none(parked.task.as_deref())
    )];
    let restore = parked.restore();
    text.extend(restore.map(|command| format!("to continue there: {command}")));
    text
}

fn granted(taken: &ClaimTaken, outcome: ClaimOutcome) -> Vec<String> {
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

fn refused(
    id: &SessionId,
    key: &ItemKey,
    refusal: ClaimRefusal,
    holder: Option<&(Session, Vitality)>,
    taking: Option<Taking>,
    speaks: &str,
) -> Failure {
    let (held, data) = match holder {
        Some((session, vitality)) => (
            format!(
                "held by {} on {} since {}, {} ({})",
                session.id,
                session.host.as_deref().unwrap_or("an unknown host"),
                session
                    .claimed_at
                    .map_or_else(|| "?".to_owned(), |at| at.to_string()),
                vitality.alive.as_str(),
                vitality.witness
            ),
            json!({
                "holder": json::session(session, vitality),
                "free_at": taking.map(|taking| taking.at),
                "command": taking.map(|taking| format!("{}{speaks}", taking.command(key))),
            }),
        ),
        None => ("held".to_owned(), json!({"holder": Value::Null})),
    };
    let item = key.into();
    let failure = match refusal {
        ClaimRefusal::PhantomSession => Failure::phantom(id.as_str()),
        ClaimRefusal::ItemNotFound => Failure::new(
            ErrorCase::ItemToClaimNotFound { item },
            format!("there is no item {key}"),
        ),
        ClaimRefusal::ItemFinished => Failure::new(
            ErrorCase::ItemFinished { item },
            format!("item {key} is finished"),
        ),
        ClaimRefusal::HeldByLiveSession => {
            let (command, at, condition) = when(key, holder, taking);
            let case = ErrorCase::HeldByLive {
                command,
                at,
                condition,
            };
            Failure::new(case, format!("{key} is {held}"))
        }
        ClaimRefusal::HeldBySilentSession => {
            let (command, at, condition) = when(key, holder, taking);
            let case = ErrorCase::HeldBySilent {
                command,
                at,
                condition,
            };
            Failure::new(case, format!("{key} is {held}"))
        }
        ClaimRefusal::TakeoverNotAllowed => {
            let (command, at, condition) = when(key, holder, taking);
            let case = ErrorCase::TakeoverNotAllowed {
                command,
                at,
                condition,
            };
            let message = format!("{key} is {held}; --force needs 60 s of silence");
            Failure::new(case, message)
        }
    };
    failure.data(data)
}

/// Says by which command a claim is granted, from when on, and what would change that.
fn when(
    key: &ItemKey,
    holder: Option<&(Session, Vitality)>,
    taking: Option<Taking>,
) -> (CommandLine, Said, Said) {
    let (Some((session, vitality)), Some(taking)) = (holder, taking) else {
        let command = CommandLine::new("trueup claim").word(key.as_str());
        let condition = "its holder shows no further sign of life".into();
        return (command, "an unknown time".into(), condition);
    };
    let condition = match (taking.by_force, session.status.is_present()) {
        (true, _) => format!(
            "its process, which {}, shows no sign of life until then",
            vitality.process.in_words()
        ),
        (false, true) => "that session shows no sign of life until then".to_owned(),
        (false, false) => "that session is not resumed until then".to_owned(),
    };
    let command = taking.command(key);
    (command, (&taking.at).into(), condition.as_str().into())
}

pub(super) fn release(
    desk: &Desk,
    key: Option<ItemKey>,
    reason: Option<&str>,
) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let named = key.as_ref().map(ItemKey::as_str);
    if let Some(event) = desk.carried_out(&mut store, "item", named, &["released"])? {
        let key = event
            .key
            .parse()
            .map_err(|_| StoreError::Conflict(event.key.clone()))?;
        let item = store.item(&key)?.ok_or_else(|| Failure::no_item(&key))?;
        return Ok(released(&item, Vec::new()));
    }
    let session = match (desk.mover(&mut store)?, &key) {
        (Some(session), _) => session,
        (None, Some(key)) => return release_of_the_dead(desk, &mut store, key, reason),
        (None, None) => return Err(Failure::no_session()),
    };
    let session = desk.before_change(&mut store, session)?;
    let Some(key) = key.or_else(|| session.item.clone()) else {
        let message = format!("session {} holds no item", session.id);
        return Err(Failure::new(ErrorCase::NothingHeld, message));
    };
    let release = Release {
        session: session.id.clone(),
        item: key.clone(),
        provenance: desk.provenance(session.id.as_str(), reason.unwrap_or("release")),
    };
    let item = match store.release(&release) {
        Ok(item) => item,
        Err(StoreError::Conflict(message)) => {
            let holder = known(&mut store, &key)?.holder;
            let case = ErrorCase::NotHolder {
                item: (&key).into(),
            };
            return Err(Failure::new(case, message).data(json!({"holder": holder})));
        }
        Err(error) => return Err(error.into()),
    };
    let mut warnings = Vec::new();
    desk.after_change(&mut store, &session.id, &mut warnings)?;
    Ok(released(&item, warnings))
}

/// Frees an item for a person, who holds none: one whose holder is dead. What that session was
/// doing stays readable, as after a sweep.
fn release_of_the_dead(
    desk: &Desk,
    store: &mut SqliteStore,
    key: &ItemKey,
    reason: Option<&str>,
) -> Result<Answer, Failure> {
    let item = known(store, key)?;
    let Some(holder) = &item.holder else {
        let message = format!("nobody holds {key}");
        let case = ErrorCase::NotHolder { item: key.into() };
        return Err(Failure::new(case, message).data(json!({"holder": null})));
    };
    let session = store.session(holder)?;
    let by = desk.provenance(&desk.actor(store)?, reason.unwrap_or("release"));
    let dead = session
        .as_ref()
        .filter(|session| json::vitality(session, &desk.site).alive == Alive::Dead);
    let parked = match dead {
        Some(session) => store.park(session, &by)?,
        None => None,
    };
    if parked.is_none() {
        let message = format!("{key} is held by {holder}, which is or may be alive");
        let (item, by) = (key.into(), holder.into());
        let case = ErrorCase::HeldByOther { item, holder: by };
        return Err(Failure::new(case, message).data(json!({"holder": holder})));
    }
    Ok(released(&known(store, key)?, Vec::new()))
}

fn released(item: &Item, warnings: Vec<String>) -> Answer {
    let text = vec![format!(
        "released {}; its status is still {}",
        item.key, item.status
    )];
    Answer {
        warnings,
        ..Answer::new(text, json!({"item": json::item(item)}))
    }
}
