//! `trueup handoff accept` and `trueup handoff reject`: deciding on an offer, and the refusals.

use crate::command_context::{CommandContext, PERSON_ACTOR};
use crate::command_error::{CommandError, CommandResult, HandoffCase};
use crate::commands::value_text::or_none;
use crate::output::Output;
use crate::views;
use serde_json::{Value, json};
use trueup_core::model::{EventKind, Handoff, HandoffId, HandoffRefusal, SessionId};
use trueup_core::store::{AcceptHandoffRequest, RejectHandoffRequest, Store};
use trueup_core::views::SessionView;

use super::render::handoff_data;

pub(super) fn cmd_accept(context: &CommandContext, id: &HandoffId) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    // Refuses an id of another change; the store itself repeats the answer of this one.
    context.find_replay(store, "handoff", Some(id.as_str()), &[EventKind::Accepted])?;
    let session = context.begin_session_change(store)?;
    let acceptance = AcceptHandoffRequest {
        id: id.clone(),
        session: session.id.clone(),
        lease_seconds: context.run.settings.lease_seconds,
        provenance: context.provenance(session.id.as_str(), "handoff accept"),
    };
    let accepted = match store.accept_handoff(&acceptance)? {
        Ok(accepted) => accepted,
        Err(refusal) => return Err(build_decision_error(context, store, id, refusal)?),
    };
    let mut warnings = Vec::new();
    context.true_up_after_change(store, &session.id, &mut warnings)?;
    let (handoff, item) = (&accepted.handoff, &accepted.item);
    let mut text = Vec::new();
    let released = accepted.released.as_ref();
    text.extend(released.map(|key| format!("released {key}")));
    text.push(format!(
        "accepted {id}: {} went from {} to {} (epoch {} -> {})",
        item.key, handoff.from, session.id, handoff.epoch, item.epoch
    ));
    let work = &accepted.work;
    text.push(format!(
        "phase: {}, task: {}",
        or_none(work.phase.as_deref()),
        or_none(work.task.as_deref())
    ));
    text.extend(work.differences(handoff).iter().map(|(name, then, now)| {
        let (then, now) = (or_none(*then), or_none(*now));
        format!("the {name} was {then} when it was handed off, and is {now} now")
    }));
    let mut data = handoff_data(handoff);
    data["work"] = json!({"phase": work.phase, "task": work.task});
    Ok(Output::new(text, data).with_warnings(warnings))
}

pub(super) fn cmd_reject(context: &CommandContext, id: &HandoffId, reason: &str) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    context.find_replay(store, "handoff", Some(id.as_str()), &[EventKind::Rejected])?;
    let session = context.find_active_session(store)?;
    if reason.trim().is_empty() {
        return Err(CommandError::usage("trueup handoff reject --help", "--reason is empty"));
    }
    let own = session.map(|session| session.id);
    let rejected = match &own {
        Some(own) => reject_as(context, store, id, (own, own.as_str()), reason)?,
        None => withdraw_by_person(context, store, id, reason)?,
    };
    let rejected = match rejected {
        // The session was merely found in this worktree: the person speaks instead.
        Err(HandoffRefusal::NotAddressed) if own.is_some() && !context.names_session()? => {
            withdraw_by_person(context, store, id, reason)?
        }
        other => other,
    };
    let handoff = match rejected {
        Ok(handoff) => handoff,
        Err(refusal) => return Err(build_decision_error(context, store, id, refusal)?),
    };
    let text = vec![format!(
        "rejected {id}: pending_acceptance -> {}; the sender keeps {}",
        handoff.status, handoff.item
    )];
    Ok(Output::new(text, handoff_data(&handoff)))
}

/// Withdraws a hand-off for a person, in place of its sender, which may be gone.
fn withdraw_by_person(
    context: &CommandContext,
    store: &mut dyn Store,
    id: &HandoffId,
    reason: &str,
) -> CommandResult<Result<Handoff, HandoffRefusal>> {
    match store.load_handoff(id)? {
        Some(handoff) => reject_as(context, store, id, (&handoff.from, PERSON_ACTOR), reason),
        None => Ok(Err(HandoffRefusal::NotFound)),
    }
}

fn reject_as(
    context: &CommandContext,
    store: &mut dyn Store,
    id: &HandoffId,
    (session, actor): (&SessionId, &str),
    reason: &str,
) -> CommandResult<Result<Handoff, HandoffRefusal>> {
    Ok(store.reject_handoff(&RejectHandoffRequest {
        id: id.clone(),
        session: session.clone(),
        reason: reason.to_owned(),
        provenance: context.provenance(actor, reason),
    })?)
}

/// Builds the error of a decision that was refused, with the hand-off and the present holder.
fn build_decision_error(
    context: &CommandContext,
    store: &mut dyn Store,
    id: &HandoffId,
    refusal: HandoffRefusal,
) -> CommandResult<CommandError> {
    let error = refusal_to_error(id, refusal);
    let Some(handoff) = store.load_handoff(id)? else {
        return Ok(error);
    };
    let mut data = handoff_data(&handoff);
    if refusal == HandoffRefusal::StaleEpoch {
        let holder = match store.load_item(&handoff.item)?.and_then(|item| item.holder) {
            Some(holder) => store.load_session(&holder)?,
            None => None,
        };
        data["holder"] = holder.map_or(Value::Null, |holder| {
            json!(SessionView::new(&holder, &views::assess_liveness(&holder, &context.run)))
        });
    }
    Ok(error.with_data(data))
}

pub(super) fn refusal_to_error(id: &HandoffId, refusal: HandoffRefusal) -> CommandError {
    let handoff = id.into();
    let (text, case) = match refusal {
        HandoffRefusal::NotFound => {
            (format!("hand-off {id} does not exist"), HandoffCase::HandoffNotFound)
        }
        HandoffRefusal::Decided => {
            (format!("hand-off {id} is already closed"), HandoffCase::HandoffDecided { handoff })
        }
        HandoffRefusal::NotAddressed => (
            format!("hand-off {id} is addressed to another session"),
            HandoffCase::HandoffNotAddressed { handoff },
        ),
        HandoffRefusal::OwnHandoff => (
            format!("hand-off {id} was made by this session; another session must accept it"),
            HandoffCase::OwnHandoff { handoff },
        ),
        HandoffRefusal::ItemNotFound => (
            format!("the item of hand-off {id} no longer exists"),
            HandoffCase::HandoffItemNotFound { handoff },
        ),
        HandoffRefusal::ItemFinished => (
            format!("the item of hand-off {id} is finished"),
            HandoffCase::HandoffItemFinished { handoff },
        ),
        HandoffRefusal::StaleEpoch => (
            format!("the sender of hand-off {id} no longer holds the item under that claim"),
            HandoffCase::HandoffOutlived { handoff },
        ),
    };
    CommandError::new(case, text)
}
