//! A session.

use serde::Serialize;

use super::SessionState;
use crate::model::{
    Epoch, ItemKey, LivenessState, Revision, Session, SessionId, SessionStatus, Timestamp,
};

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionRow {
    /// The id that the client gave it.
    pub session_id: SessionId,
    /// The machine.
    pub host: Option<String>,
    /// The name of its repository.
    pub repo: Option<String>,
    /// The branch that was observed last.
    pub branch: Option<String>,
    /// The status.
    pub status: SessionStatus,
    /// Whether it lives.
    pub alive: LivenessState,
    /// What it is doing.
    pub state: SessionState,
    /// When it last gave a sign of life.
    pub heartbeat_at: Timestamp,
    /// Until when silence means nothing.
    pub lease_expires_at: Timestamp,
    /// The item that it holds.
    pub item: Option<ItemKey>,
    /// Its phase.
    pub phase: Option<String>,
    /// Its task.
    pub task: Option<String>,
    /// The epoch of its claim.
    pub epoch: Option<Epoch>,
    /// The number of changes of what its cache mirrors.
    pub revision: Revision,
    /// The newest revision that its agent knows.
    pub acknowledged: Revision,
    /// When it first registered.
    pub registered_at: Timestamp,
}

impl SessionRow {
    pub(super) fn new(session: &Session, state: SessionState, alive: LivenessState) -> Self {
        let work = session.execution_state().work;
        Self {
            session_id: session.id.clone(),
            host: session.host.clone(),
            repo: session.repo.clone(),
            branch: session.branch().map(str::to_owned),
            status: session.status,
            alive,
            state,
            heartbeat_at: session.heartbeat_at,
            lease_expires_at: session.lease_expires_at,
            item: session.item.clone(),
            phase: work.phase,
            task: work.task,
            epoch: session.epoch,
            revision: session.revision,
            acknowledged: session.acknowledged,
            registered_at: session.registered_at,
        }
    }
}
