//! Pushes a change onto the session's current revision for as long as its claim stays the same.
//! Used for what a hook observed of the agent's work and for what a command sets by name.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::model::{FieldValue, Session, StateField};
use crate::store::{HookStore, InterruptionMark, Provenance, Result, StatePush, StoreError};

/// Most attempts on a session that others change at the same time.
const MAX_ATTEMPTS: usize = 64;

/// A change that is pushed again when the session's revision has moved.
#[derive(Debug, Clone)]
pub struct RetriedPush {
    /// The fields to change.
    pub changes: BTreeMap<StateField, FieldValue>,
    /// Keys to merge into the rest of the metadata.
    pub metadata: Map<String, Json>,
    /// The branch, if it changed.
    pub branch: Option<String>,
    /// The timestamp to set along with the change.
    pub mark: Option<InterruptionMark>,
    /// Whether the agent made the change itself and need not be notified of it.
    pub acknowledge: bool,
    /// Who makes the change.
    pub provenance: Provenance,
}

/// The result of pushing with retries.
#[derive(Debug)]
pub enum PushOutcome {
    /// The change is in the database.
    Done {
        /// The session with the state that the change was made on.
        before: Box<Session>,
        /// The session as it is now.
        after: Box<Session>,
    },
    /// The session was already as the change would leave it; nothing was written.
    InPlace(Box<Session>),
    /// The session lost the claim meanwhile; nothing was changed.
    ClaimLost(Box<Session>),
}

/// Pushes a change onto the current revision, under the claim that `session` was read with.
///
/// Each attempt looks anew whether there is anything to change: of two processes that resume a
/// session, the second finds it resumed.
///
/// # Errors
///
/// When the database refuses the change, or the session kept changing.
pub fn push_with_retry(
    store: &mut dyn HookStore,
    mut session: Session,
    request: &RetriedPush,
) -> Result<PushOutcome> {
    let claim = session.item.clone().zip(session.epoch);
    for _ in 0..MAX_ATTEMPTS {
        let push = StatePush {
            session: session.id.clone(),
            base: session.revision,
            fencing_token: claim.clone(),
            changes: request.changes.clone(),
            metadata: request.metadata.clone(),
            branch: request.branch.clone(),
            mark: request.mark,
            acknowledge: request.acknowledge,
            provenance: request.provenance.clone(),
        };
        if push.is_in_place(&session) && is_phase_of_item(store, &session, &push)? {
            return Ok(PushOutcome::InPlace(Box::new(session)));
        }
        match store.push_state(&push) {
            Err(StoreError::Conflict(_)) => {}
            other => {
                return other.map(|after| PushOutcome::Done {
                    before: Box::new(session),
                    after: Box::new(after),
                });
            }
        }
        let Some(fresh) = store.reload_session(&session.id)? else {
            return Err(StoreError::invalid(format!("session {} no longer exists", session.id)));
        };
        session = fresh;
        // A change made under a claim is valid under that claim only. A change made without a claim
        // stays valid when the session claims something.
        if claim.is_some() && session.item.clone().zip(session.epoch) != claim {
            return Ok(PushOutcome::ClaimLost(Box::new(session)));
        }
    }
    Err(StoreError::Conflict("the session keeps changing".to_owned()))
}

/// Returns whether the item that a session holds is in the phase that a push sets, if it sets one.
fn is_phase_of_item(
    store: &mut dyn HookStore,
    session: &Session,
    push: &StatePush,
) -> Result<bool> {
    let (Some(FieldValue::Text(_)), Some(key)) =
        (push.changes.get(&StateField::Phase), &session.item)
    else {
        return Ok(true);
    };
    let item = store.load_item(key)?;
    Ok(item.is_none_or(|item| item.phase == session.execution_state().work.phase))
}
