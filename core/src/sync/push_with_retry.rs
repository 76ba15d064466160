//! A change that holds on whatever revision is current, as long as the claim is the same:
//! what was observed of the agent's work, or asked for by name.

use std::collections::BTreeMap;

use crate::model::{FieldValue, Session, StateField};
use crate::store::{InterruptionMark, Provenance, Result, StatePush, Store, StoreError};

/// Repetitions on a state that others change at the same time.
const MAX_ATTEMPTS: usize = 64;

/// What changes.
#[derive(Debug, Clone)]
pub struct RetriedPush {
    /// The fields.
    pub changes: BTreeMap<StateField, FieldValue>,
    /// The branch observed, when it changed.
    pub branch: Option<String>,
    /// A moment worth a timestamp.
    pub mark: Option<InterruptionMark>,
    /// Whether the session's model made the change and need not be told.
    pub acknowledge: bool,
    /// Who changes it.
    pub provenance: Provenance,
}

/// What came of it.
#[derive(Debug)]
pub enum PushOutcome {
    /// It is in the database; the session as it is now.
    Done(Box<Session>),
    /// The claim it was to hold under is another's now; nothing was changed.
    ClaimLost(Box<Session>),
}

/// Pushes a change onto the current revision, under the claim that `session` was read with.
///
/// # Errors
///
/// When the database cannot take it, or the session kept changing.
pub fn push_with_retry(
    store: &mut dyn Store,
    mut session: Session,
    request: &RetriedPush,
) -> Result<PushOutcome> {
    let claim = session.item.clone().zip(session.epoch);
    for _ in 0..MAX_ATTEMPTS {
        let attempt = store.push_state(&StatePush {
            session: session.id.clone(),
            base: session.revision,
            fencing_token: claim.clone(),
            changes: request.changes.clone(),
            branch: request.branch.clone(),
            mark: request.mark,
            acknowledge: request.acknowledge,
            provenance: request.provenance.clone(),
        });
        match attempt {
            Err(StoreError::Conflict(_)) => {}
            other => return other.map(|session| PushOutcome::Done(Box::new(session))),
        }
        let Some(fresh) = store.load_session(&session.id)? else {
            return Err(StoreError::Invalid(format!(
                "session {} no longer exists",
                session.id
            )));
        };
        session = fresh;
        // What was observed under a claim holds under that one alone; a claim gained meanwhile
        // takes nothing away from what was observed without one.
        if claim.is_some() && session.item.clone().zip(session.epoch) != claim {
            return Ok(PushOutcome::ClaimLost(Box::new(session)));
        }
    }
    Err(StoreError::Conflict(
        "the session keeps changing".to_owned(),
    ))
}
