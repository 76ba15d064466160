//! `trueup handoff create`

use serde_json::{Map, json};
use trueup_core::liveness::Alive;
use trueup_core::model::{Element, Elements, Handoff, HandoffId, ItemKey, Session, SessionId};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{
    HandoffFilter, HandoffStore as _, NewHandoff, Provenance, Store as _, StoreError,
};
use trueup_core::sync::true_up;

use super::{addressee, one};
use crate::args::HandoffCreate;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;
use crate::speaker::find_session;

pub(super) fn create(desk: &Desk, arguments: HandoffCreate) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    if let Some(event) = desk.carried_out(&mut store, "handoff", None, &["created"])? {
        let id: Result<HandoffId, _> = event.key.parse();
        let made = id.ok().map(|id| store.handoff(&id)).transpose()?.flatten();
        let made = made.ok_or_else(|| {
            StoreError::Conflict(format!("hand-off {} no longer exists", event.key))
        })?;
        return Ok(answer(&made, Vec::new()));
    }
    let session = desk.acting_session(&mut store)?;
    let session = desk.before_change(&mut store, session)?;
    let session = consistent(desk, &mut store, session)?;
    let Some(fence) = session.item.clone().zip(session.epoch) else {
        return Err(not_holder(&session));
    };
    if let Some(open) = open_of(&mut store, &fence.0)?.filter(|open| open.epoch == fence.1) {
        return Err(handed_on(&open));
    }
    let mut warnings = Vec::new();
    let to = match &arguments.to {
        Some(to) => Some(find_receiver(&mut store, &session.id, to)?),
        None => None,
    };
    if let Some(to) = &to {
        warnings.extend(absence_of(desk, to));
    }
    let elements = Elements::new([
        (Element::Summary, arguments.summary),
        (Element::Deliverables, arguments.deliverables),
        (Element::Decisions, arguments.decisions),
        (Element::KnownIssues, arguments.known_issues),
        (Element::Resources, arguments.resources),
        (Element::Actions, arguments.actions),
    ]);
    let missing: Vec<&str> = elements.missing().into_iter().map(Element::words).collect();
    if !missing.is_empty() {
        warnings.push(format!(
            "the hand-off scores {} of 100; missing: {}",
            elements.score(),
            missing.join(", ")
        ));
    }
    let handoff = store.create_handoff(&NewHandoff {
        id: NewHandoff::fresh_id(),
        kind: arguments.kind,
        from: session.id.clone(),
        fence,
        to: to.map(|session| session.id),
        elements,
        provenance: desk.provenance(session.id.as_str(), "handoff create"),
    })?;
    Ok(answer(&handoff, warnings))
}

fn answer(handoff: &Handoff, warnings: Vec<String>) -> Answer {
    let text = vec![
        format!(
            "handed off {} to {} as {} ({}, score {})",
            handoff.item,
            addressee(handoff),
            handoff.id,
            handoff.kind,
            handoff.elements.score()
        ),
        format!(
            "this session holds {} until `trueup handoff accept {}` is run",
            handoff.item, handoff.id
        ),
    ];
    Answer {
        warnings,
        ..Answer::new(text, one(handoff))
    }
}

/// Refuses while copies disagree, by the rule of the gate; drift that is only in the cache is
/// mended on the way.
fn consistent(desk: &Desk, store: &mut SqliteStore, session: Session) -> Result<Session, Failure> {
    if !desk.is_within_reach(&session) {
        return Ok(session);
    }
    let site = desk.site_of(&session);
    let synced = true_up(store, session, &[], &site)?;
    let standing = synced.standing();
    let found = standing.forbidding;
    let Some(first) = found.first() else {
        let branch = synced.observation.snapshot.branch.map(|branch| branch.name);
        return on_branch(store, synced.session, branch);
    };
    let mut ways = standing.ways.iter().chain(&standing.other_ways).peekable();
    let case = match ways.peek() {
        None => ErrorCase::NotConsistentForGood,
        Some(_) => ErrorCase::NotConsistent {
            ways: ways.collect(),
        },
    };
    let more = found.iter().skip(1).map(|d| d.message.clone());
    let mut failure = Failure::new(case, first.message.clone()).details(more.collect());
    failure.divergences = found;
    Err(failure)
}

/// Notes the branch when it was switched so lately that no hook has seen it: the receiver is to
/// find the work where it is.
fn on_branch(
    store: &mut SqliteStore,
    session: Session,
    branch: Option<String>,
) -> Result<Session, Failure> {
    let Some(branch) = branch.filter(|name| session.branch() != Some(name)) else {
        return Ok(session);
    };
    let patch = Map::from_iter([("branch".to_owned(), json!(branch))]);
    let provenance = Provenance::new(session.id.as_str(), "observed");
    Ok(store.merge_metadata(&session.id, &patch, &provenance)?)
}

/// Finds the hand-off of an item that waits for a decision.
fn open_of(store: &mut SqliteStore, item: &ItemKey) -> Result<Option<Handoff>, Failure> {
    let open = store.handoffs(HandoffFilter { open: true })?;
    Ok(open.into_iter().find(|handoff| handoff.item == *item))
}

/// Refuses a second hand-off of an item while the first waits.
fn handed_on(open: &Handoff) -> Failure {
    let Handoff { id, item, .. } = open;
    let text = format!(
        "{item} already has an open hand-off to {}: {id}",
        addressee(open)
    );
    let case = ErrorCase::HandoffOpen { handoff: id.into() };
    Failure::new(case, text).data(one(open))
}

fn not_holder(session: &Session) -> Failure {
    let text = format!("session {} holds no item to hand off", session.id);
    Failure::new(ErrorCase::NothingToHandOn, text)
}

/// Finds whom it is for.
fn find_receiver(
    store: &mut SqliteStore,
    from: &SessionId,
    to: &SessionId,
) -> Result<Session, Failure> {
    let receiver = find_session(store, to)?;
    if receiver.id == *from {
        let text = format!("session {from} cannot hand off its item to itself");
        return Err(Failure::new(ErrorCase::HandoffToItself, text));
    }
    Ok(receiver)
}

/// Warns of a receiver that is gone.
fn absence_of(desk: &Desk, to: &Session) -> Option<String> {
    let vitality = json::vitality(to, &desk.site);
    (vitality.alive == Alive::Dead).then(|| {
        format!(
            "session {} is gone ({}); it is told if it comes back",
            to.id, vitality.witness
        )
    })
}
