//! `trueup handoff accept` and `trueup handoff reject`

use serde_json::Value;
use trueup_core::model::{HandoffId, HandoffRefusal};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{HandoffAcceptance, HandoffRejection, HandoffStore as _, Store as _};

use super::one;
use crate::commands::or_none;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

pub(super) fn accept(desk: &Desk, id: &HandoffId) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    // The store answers a repetition as the first time.
    desk.carried_out(&mut store, "handoff", Some(id.as_str()), &["accepted"])?;
    let session = desk.acting_session(&mut store)?;
    let session = desk.before_change(&mut store, session)?;
    let acceptance = HandoffAcceptance {
        id: id.clone(),
        session: session.id.clone(),
        lease_seconds: desk.site.settings.lease_seconds,
        provenance: desk.provenance(session.id.as_str(), "handoff accept"),
    };
    let accepted = match store.accept_handoff(&acceptance)? {
        Ok(accepted) => accepted,
        Err(refusal) => return Err(undecidable(desk, &mut store, id, refusal)?),
    };
    let mut warnings = Vec::new();
    desk.after_change(&mut store, &session.id, &mut warnings)?;
    let (handoff, item) = (&accepted.handoff, &accepted.item);
    let mut text = Vec::new();
    let released = accepted.released.as_ref();
    text.extend(released.map(|key| format!("released {key}")));
    text.push(format!(
        "accepted {id}: {} went from {} to {} (epoch {} -> {})",
        item.key, handoff.from, session.id, handoff.epoch, item.epoch
    ));
    text.push(format!(
        "phase: {}, task: {}",
        or_none(handoff.phase.as_deref()),
        or_none(handoff.task.as_deref())
    ));
    Ok(Answer {
        warnings,
        ..Answer::new(text, one(handoff))
    })
}

pub(super) fn reject(desk: &Desk, id: &HandoffId, reason: String) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    desk.carried_out(&mut store, "handoff", Some(id.as_str()), &["rejected"])?;
    let session = desk.acting_session(&mut store)?;
    if reason.trim().is_empty() {
        return Err(Failure::usage(
            "trueup handoff reject --help",
            "--reason is empty",
        ));
    }
    let rejection = HandoffRejection {
        id: id.clone(),
        session: session.id.clone(),
        provenance: desk.provenance(session.id.as_str(), &reason),
        reason,
    };
    let handoff = match store.reject_handoff(&rejection)? {
        Ok(handoff) => handoff,
        Err(refusal) => return Err(undecidable(desk, &mut store, id, refusal)?),
    };
    let text = vec![format!(
        "rejected {id}: pending_acceptance -> {}; the sender keeps {}",
        handoff.status, handoff.item
    )];
    Ok(Answer::new(text, one(&handoff)))
}

/// Says why a hand-off cannot be decided, with what stands against it.
fn undecidable(
    desk: &Desk,
    store: &mut SqliteStore,
    id: &HandoffId,
    refusal: HandoffRefusal,
) -> Result<Failure, Failure> {
    let failure = refused(id, refusal);
    let Some(handoff) = store.handoff(id)? else {
        return Ok(failure);
    };
    let mut data = one(&handoff);
    if refusal == HandoffRefusal::StaleEpoch {
        let holder = match store.item(&handoff.item)?.and_then(|item| item.holder) {
            Some(holder) => store.session(&holder)?,
            None => None,
        };
        data["holder"] = holder.map_or(Value::Null, |holder| {
            json::session(&holder, &json::vitality(&holder, &desk.site))
        });
    }
    Ok(failure.data(data))
}

pub(super) fn refused(id: &HandoffId, refusal: HandoffRefusal) -> Failure {
    let handoff = id.into();
    let (text, case) = match refusal {
        HandoffRefusal::NotFound => (
            format!("there is no hand-off {id}"),
            ErrorCase::HandoffNotFound,
        ),
        HandoffRefusal::Decided => (
            format!("hand-off {id} is already closed"),
            ErrorCase::HandoffDecided { handoff },
        ),
        HandoffRefusal::NotAddressed => (
            format!("hand-off {id} is addressed to another session"),
            ErrorCase::HandoffNotAddressed { handoff },
        ),
        HandoffRefusal::OwnHandoff => (
            format!("hand-off {id} was made by this session; another session must accept it"),
            ErrorCase::OwnHandoff { handoff },
        ),
        HandoffRefusal::ItemNotFound => (
            format!("the item of hand-off {id} no longer exists"),
            ErrorCase::HandoffItemNotFound { handoff },
        ),
        HandoffRefusal::ItemFinished => (
            format!("the item of hand-off {id} is finished"),
            ErrorCase::HandoffItemFinished { handoff },
        ),
        HandoffRefusal::StaleEpoch => (
            format!("the sender of hand-off {id} no longer holds the item under that claim"),
            ErrorCase::HandoffOutlived { handoff },
        ),
    };
    Failure::new(case, text)
}
