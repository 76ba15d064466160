//! `trueup handoff create`

use serde_json::{Map, json};
use trueup_core::liveness::LivenessState;
use trueup_core::model::{
    Handoff, HandoffElement, HandoffElements, HandoffId, ItemKey, Session, SessionId,
};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{
    HandoffFilter, HandoffStore as _, NewHandoff, Provenance, Store as _, StoreError,
};
use trueup_core::sync::true_up;

use super::{describe_addressee, handoff_data};
use crate::args::HandoffCreateArgs;
use crate::caller::find_session_by_prefix;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;
use crate::views;

pub(super) fn cmd_create(
    context: &CommandContext,
    arguments: HandoffCreateArgs,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    if let Some(event) = context.find_replay(&mut store, "handoff", None, &["created"])? {
        let handoff_id: Result<HandoffId, _> = event.key.parse();
        let replayed = handoff_id
            .ok()
            .map(|id| store.load_handoff(&id))
            .transpose()?
            .flatten();
        let made = replayed.ok_or_else(|| {
            StoreError::Conflict(format!("hand-off {} no longer exists", event.key))
        })?;
        return Ok(build_output(&made, Vec::new()));
    }
    let session = context.require_active_session(&mut store)?;
    let session = context.true_up_before_change(&mut store, session)?;
    let session = check_consistent(context, &mut store, session)?;
    let Some(claim) = session.item.clone().zip(session.epoch) else {
        return Err(build_not_holder_error(&session));
    };
    if let Some(open_handoff) =
        find_open_handoff(&mut store, &claim.0)?.filter(|open| open.epoch == claim.1)
    {
        return Err(build_already_open_error(&open_handoff));
    }
    let mut warnings = Vec::new();
    let receiver = match &arguments.to {
        Some(to) => Some(find_receiver(&mut store, &session.id, to)?),
        None => None,
    };
    if let Some(to) = &receiver {
        warnings.extend(warn_of_dead_receiver(context, to));
    }
    let elements = HandoffElements::new([
        (HandoffElement::Summary, arguments.summary),
        (HandoffElement::Deliverables, arguments.deliverables),
        (HandoffElement::Decisions, arguments.decisions),
        (HandoffElement::KnownIssues, arguments.known_issues),
        (HandoffElement::Resources, arguments.resources),
        (HandoffElement::Actions, arguments.actions),
    ]);
    let missing: Vec<&str> = elements
        .list_missing()
        .into_iter()
        .map(HandoffElement::label)
        .collect();
    if !missing.is_empty() {
        warnings.push(format!(
            "the hand-off scores {} of 100; missing: {}",
            elements.completeness_percent(),
            missing.join(", ")
        ));
    }
    let handoff = store.create_handoff(&NewHandoff {
        id: NewHandoff::fresh_id(),
        kind: arguments.kind,
        from: session.id.clone(),
        fencing_token: claim,
        to: receiver.map(|session| session.id),
        elements,
        provenance: context.provenance(session.id.as_str(), "handoff create"),
    })?;
    Ok(build_output(&handoff, warnings))
}

fn build_output(handoff: &Handoff, warnings: Vec<String>) -> Output {
    let text = vec![
        format!(
            "handed off {} to {} as {} ({}, score {})",
            handoff.item,
            describe_addressee(handoff),
            handoff.id,
            handoff.kind,
            handoff.elements.completeness_percent()
        ),
        format!(
            "this session holds {} until `trueup handoff accept {}` is run",
            handoff.item, handoff.id
        ),
    ];
    Output {
        warnings,
        ..Output::new(text, handoff_data(handoff))
    }
}

/// Refuses while copies disagree, by the rule of the gate; drift that is only in the cache is
/// mended on the way.
fn check_consistent(
    context: &CommandContext,
    store: &mut SqliteStore,
    session: Session,
) -> Result<Session, CommandError> {
    if !context.is_within_reach(&session) {
        return Ok(session);
    }
    let run_context = context.run_context_of(&session);
    let synced = true_up(store, session, &[], &run_context)?;
    let verdict = synced.handoff_readiness();
    let forbidding = verdict.forbidding;
    let Some(first) = forbidding.first() else {
        let branch = synced.observation.snapshot.branch.map(|branch| branch.name);
        return update_branch(store, synced.session, branch);
    };
    let mut commands = verdict.fixes.iter().chain(&verdict.alternatives).peekable();
    let case = match commands.peek() {
        None => ErrorCase::NotConsistentForGood,
        Some(_) => ErrorCase::NotConsistent {
            ways: commands.collect(),
        },
    };
    let more = forbidding.iter().skip(1).map(|d| d.message.clone());
    let mut error = CommandError::new(case, first.message.clone()).with_details(more.collect());
    error.divergences = forbidding;
    Err(error)
}

/// Notes the branch when it was switched so lately that no hook has seen it: the receiver is to
/// find the work where it is.
fn update_branch(
    store: &mut SqliteStore,
    session: Session,
    branch: Option<String>,
) -> Result<Session, CommandError> {
    let Some(branch) = branch.filter(|name| session.branch() != Some(name)) else {
        return Ok(session);
    };
    let patch = Map::from_iter([("branch".to_owned(), json!(branch))]);
    let provenance = Provenance::new(session.id.as_str(), "observed");
    Ok(store.merge_metadata(&session.id, &patch, &provenance)?)
}

/// Finds the hand-off of an item that waits for a decision.
fn find_open_handoff(
    store: &mut SqliteStore,
    item: &ItemKey,
) -> Result<Option<Handoff>, CommandError> {
    let open_handoffs = store.list_handoffs(HandoffFilter { only_open: true })?;
    Ok(open_handoffs
        .into_iter()
        .find(|handoff| handoff.item == *item))
}

/// Refuses a second hand-off of an item while the first waits.
fn build_already_open_error(open_handoff: &Handoff) -> CommandError {
    let Handoff { id, item, .. } = open_handoff;
    let text = format!(
        "{item} already has an open hand-off to {}: {id}",
        describe_addressee(open_handoff)
    );
    let case = ErrorCase::HandoffOpen { handoff: id.into() };
    CommandError::new(case, text).with_data(handoff_data(open_handoff))
}

fn build_not_holder_error(session: &Session) -> CommandError {
    let text = format!("session {} holds no item to hand off", session.id);
    CommandError::new(ErrorCase::NothingToHandOn, text)
}

/// Finds whom it is for.
fn find_receiver(
    store: &mut SqliteStore,
    sender_id: &SessionId,
    receiver_id: &SessionId,
) -> Result<Session, CommandError> {
    let receiver = find_session_by_prefix(store, receiver_id)?;
    if receiver.id == *sender_id {
        let text = format!("session {sender_id} cannot hand off its item to itself");
        return Err(CommandError::new(ErrorCase::HandoffToItself, text));
    }
    Ok(receiver)
}

/// Warns of a receiver that is gone.
fn warn_of_dead_receiver(context: &CommandContext, receiver: &Session) -> Option<String> {
    let vitality = views::assess_liveness(receiver, &context.run);
    (vitality.state == LivenessState::Dead).then(|| {
        format!(
            "session {} is gone ({}); it is told if it comes back",
            receiver.id, vitality.evidence
        )
    })
}
