//! `trueup handoff create`: offering the held item, refused while copies of the state differ.

use crate::command_context::CommandContext;
use crate::command_context::find_session_by_prefix;
use crate::command_error::{CommandError, CommandResult, HandoffCase, ItemCase};
use crate::output::Output;
use crate::views;
use clap::Args;
use serde_json::{Map, json};
use trueup_core::model::{
    EventKind, Handoff, HandoffElement, HandoffElements, HandoffId, HandoffType, ItemKey,
    LivenessState, Session, SessionId, decide_receiver,
};
use trueup_core::store::{HandoffFilter, NewHandoff, Provenance, Store, StoreError};
use trueup_core::sync::true_up;

use super::render::{describe_addressee, handoff_data};

#[derive(Debug, Args)]
pub(crate) struct HandoffCreateArgs {
    /// LEAD-TO-PLAN, PLAN-TO-EXEC, EXEC-TO-PLAN, PLAN-TO-LEAD, LEAD-FINAL-APPROVAL,
    /// BYPASS-COMPLETION, or your own name of letters, digits, - and _
    #[arg(value_name = "TYPE")]
    pub(crate) kind: HandoffType,
    /// Receiving session [default: any]
    #[arg(long, value_name = "SESSION")]
    pub(crate) to: Option<SessionId>,
    /// Short summary of the work done
    #[arg(long, value_name = "T")]
    pub(crate) summary: Option<String>,
    /// Deliverables
    #[arg(long, value_name = "T")]
    pub(crate) deliverables: Option<String>,
    /// Decisions, with reasons
    #[arg(long, value_name = "T")]
    pub(crate) decisions: Option<String>,
    /// Known issues
    #[arg(long, value_name = "T")]
    pub(crate) known_issues: Option<String>,
    /// Resources needed to continue
    #[arg(long, value_name = "T")]
    pub(crate) resources: Option<String>,
    /// Next actions
    #[arg(long, value_name = "T")]
    pub(crate) actions: Option<String>,
}

pub(super) fn cmd_create(context: &CommandContext, arguments: HandoffCreateArgs) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    if let Some(event) = context.find_replay(store, "handoff", None, &[EventKind::Created])? {
        let handoff_id: Result<HandoffId, _> = event.key.parse();
        let replayed = handoff_id.ok().map(|id| store.load_handoff(&id)).transpose()?.flatten();
        let made = replayed.ok_or_else(|| {
            StoreError::Conflict(format!("hand-off {} no longer exists", event.key))
        })?;
        return Ok(build_output(&made, Vec::new()));
    }
    let session = context.begin_session_change(store)?;
    let session = check_consistent(context, store, session)?;
    let Some(claim) = session.item.clone().zip(session.epoch) else {
        return Err(build_not_holder_error(&session));
    };
    if let Some(open_handoff) =
        find_open_handoff(store, &claim.0)?.filter(|open| open.epoch == claim.1)
    {
        return Err(build_already_open_error(&open_handoff));
    }
    let mut warnings = Vec::new();
    let receiver = match &arguments.to {
        Some(to) => Some(find_receiver(store, &session.id, to)?),
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
    let missing: Vec<&str> =
        elements.list_missing().into_iter().map(HandoffElement::label).collect();
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
    Output::new(text, handoff_data(handoff)).with_warnings(warnings)
}

/// Refuses while copies of the state differ, by the same rule as the hand-off guard. Drift of the
/// cache alone is trued up first.
fn check_consistent(
    context: &CommandContext,
    store: &mut dyn Store,
    session: Session,
) -> CommandResult<Session> {
    if !context.is_within_reach(&session) {
        return Ok(session);
    }
    let run_context = context.run_context_of(&session);
    let synced = true_up(store, session, &[], &run_context)?;
    context.end_resolved_reports(store, &synced.session, &synced.remaining);
    let verdict = synced.handoff_readiness();
    let forbidding = verdict.forbidding;
    let Some(first) = forbidding.first() else {
        let branch = synced.observation.snapshot.branch.map(|branch| branch.name);
        return update_branch(store, synced.session, branch);
    };
    let mut commands = verdict.fixes.iter().chain(&verdict.alternatives).peekable();
    let case = match commands.peek() {
        None => HandoffCase::NotConsistentForGood,
        Some(_) => HandoffCase::NotConsistent { ways: commands.collect() },
    };
    let more = forbidding.iter().skip(1).map(|d| d.message.clone());
    let mut error = CommandError::new(case, first.message.clone()).with_details(more.collect());
    error.divergences = forbidding;
    Err(error)
}

/// Records the current branch, which may have been switched since the last hook, so that the
/// receiver finds the work.
fn update_branch(
    store: &mut dyn Store,
    session: Session,
    branch: Option<String>,
) -> CommandResult<Session> {
    let Some(branch) = branch.filter(|name| session.branch() != Some(name)) else {
        return Ok(session);
    };
    let patch = Map::from_iter([("branch".to_owned(), json!(branch))]);
    let provenance = Provenance::new(session.id.as_str(), "observed");
    Ok(store.merge_metadata(&session.id, &patch, &provenance)?)
}

/// Finds the open hand-off of an item.
fn find_open_handoff(store: &mut dyn Store, item: &ItemKey) -> CommandResult<Option<Handoff>> {
    let open_handoffs = store.list_handoffs(HandoffFilter { only_open: true })?;
    Ok(open_handoffs.into_iter().find(|handoff| handoff.item == *item))
}

/// Builds the error of an item that already has an open hand-off.
fn build_already_open_error(open_handoff: &Handoff) -> CommandError {
    let Handoff { id, item, .. } = open_handoff;
    let text = format!(
        "{item} already has an open hand-off to {}: {id}",
        describe_addressee(open_handoff)
    );
    let case = HandoffCase::HandoffOpen { handoff: id.into() };
    CommandError::new(case, text).with_data(handoff_data(open_handoff))
}

fn build_not_holder_error(session: &Session) -> CommandError {
    let text = format!("session {} holds no item to hand off", session.id);
    CommandError::new(ItemCase::NothingToHandOn, text)
}

/// Finds the session that receives the item.
fn find_receiver(
    store: &mut dyn Store,
    sender_id: &SessionId,
    receiver_id: &SessionId,
) -> CommandResult<Session> {
    let receiver = find_session_by_prefix(store, receiver_id)?;
    decide_receiver(sender_id, &receiver.id)
        .map_err(|refusal| CommandError::new(HandoffCase::HandoffToItself, refusal.to_string()))?;
    Ok(receiver)
}

/// Warns of a receiver that is dead.
fn warn_of_dead_receiver(context: &CommandContext, receiver: &Session) -> Option<String> {
    let vitality = views::assess_liveness(receiver, &context.run);
    (vitality.state == LivenessState::Dead).then(|| {
        format!(
            "session {} is gone ({}); it is told if it comes back",
            receiver.id, vitality.evidence
        )
    })
}
