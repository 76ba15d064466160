//! A change that holds on whatever revision is current, as long as the claim is the same:
//! what was observed of the agent's work, or asked for by name.

use std::collections::BTreeMap;

use crate::model::{Field, Session, Value};
use crate::store::{Mark, Provenance, Push, Result, Store, StoreError};

/// Repetitions on a state that others change at the same time.
const ATTEMPTS: usize = 64;

/// What changes.
#[derive(Debug, Clone)]
pub struct Insistence {
    /// The fields.
    pub changes: BTreeMap<Field, Value>,
    /// The branch observed, when it changed.
    pub branch: Option<String>,
    /// A moment worth a timestamp.
    pub mark: Option<Mark>,
    /// Whether the session's model made the change and need not be told.
    pub acknowledge: bool,
    /// Who changes it.
    pub provenance: Provenance,
}

/// What came of it.
#[derive(Debug)]
pub enum Insisted {
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
pub fn insist(
    store: &mut dyn Store,
    mut session: Session,
    insistence: &Insistence,
) -> Result<Insisted> {
    let fence = session.item.clone().zip(session.epoch);
    for _ in 0..ATTEMPTS {
        let attempt = store.push(&Push {
            session: session.id.clone(),
            base: session.revision,
            fence: fence.clone(),
            changes: insistence.changes.clone(),
            branch: insistence.branch.clone(),
            mark: insistence.mark,
            acknowledge: insistence.acknowledge,
            provenance: insistence.provenance.clone(),
        });
        match attempt {
            Err(StoreError::Conflict(_)) => {}
            other => return other.map(|session| Insisted::Done(Box::new(session))),
        }
        let Some(fresh) = store.session(&session.id)? else {
            return Err(StoreError::Invalid(format!(
                "session {} no longer exists",
                session.id
            )));
        };
        session = fresh;
        // What was observed under a claim holds under that one alone; a claim gained meanwhile
        // takes nothing away from what was observed without one.
        if fence.is_some() && session.item.clone().zip(session.epoch) != fence {
            return Ok(Insisted::ClaimLost(Box::new(session)));
        }
    }
    Err(StoreError::Conflict(
        "the session keeps changing".to_owned(),
    ))
}
