//! The view of a session.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{
    Epoch, ExecutionState, ItemKey, Liveness, LivenessState, Revision, Session, SessionId,
    SessionStatus, Timestamp,
};

/// A session, with the judgement whether it lives.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// The id that the client gave it.
    pub session_id: SessionId,
    /// The name of its repository.
    pub repo: Option<String>,
    /// The project directory.
    pub worktree: Option<String>,
    /// The branch that was observed last.
    pub branch: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// The number of the client's process.
    pub pid: Option<u32>,
    /// The status.
    pub status: SessionStatus,
    /// Whether it lives.
    pub alive: LivenessState,
    /// The evidence for that, in a phrase.
    pub witness: String,
    /// When it last gave a sign of life.
    pub heartbeat_at: Timestamp,
    /// Until when silence means nothing.
    pub lease_expires_at: Timestamp,
    /// The item that it holds.
    pub item: Option<ItemKey>,
    /// The epoch of that claim.
    pub epoch: Option<Epoch>,
    /// What it is doing.
    pub execution_state: ExecutionStateView,
    /// Everything else that is kept with it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object, additional_properties = true))]
    pub metadata: Map<String, Value>,
    /// The number of changes of what its cache mirrors.
    pub revision: Revision,
    /// The session that this one continues.
    pub predecessor: Option<SessionId>,
}

impl SessionView {
    /// Builds the view of a session.
    pub fn new(session: &Session, liveness: &Liveness) -> Self {
        Self {
            session_id: session.id.clone(),
            repo: session.repo.clone(),
            worktree: session.worktree.clone(),
            branch: session.branch().map(str::to_owned),
            host: session.host.clone(),
            pid: session.process.as_ref().map(|process| process.pid),
            status: session.status,
            alive: liveness.state,
            witness: liveness.evidence.clone(),
            heartbeat_at: session.heartbeat_at,
            lease_expires_at: session.lease_expires_at,
            item: session.item.clone(),
            epoch: session.epoch,
            execution_state: session.execution_state().into(),
            metadata: session.metadata.clone(),
            revision: session.revision,
            predecessor: session.predecessor.clone(),
        }
    }
}

/// What a session is doing, under the keys of the cache file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(clippy::struct_excessive_bools, reason = "the file format has four flags")]
pub struct ExecutionStateView {
    /// The item that it works on.
    pub current_sd: Option<String>,
    /// The phase.
    pub current_phase: Option<String>,
    /// The task, in words.
    pub current_task: Option<String>,
    /// Whether work is in progress.
    pub is_active: bool,
    /// Whether work was interrupted.
    pub was_interrupted: bool,
    /// Whether to continue without asking.
    pub auto_proceed: bool,
    /// Whether to continue with the next orchestrator.
    pub chain_orchestrators: bool,
    /// When the state last changed.
    pub last_updated_at: Option<Timestamp>,
    /// When work was last interrupted.
    pub last_interrupted_at: Option<Timestamp>,
    /// When work was last resumed.
    pub last_resumed_at: Option<Timestamp>,
    /// How often work was resumed.
    pub resume_count: u64,
}

impl From<ExecutionState> for ExecutionStateView {
    fn from(state: ExecutionState) -> Self {
        Self {
            current_sd: state.work.item,
            current_phase: state.work.phase,
            current_task: state.work.task,
            is_active: state.work.is_active,
            was_interrupted: state.work.was_interrupted,
            auto_proceed: state.work.auto_proceed,
            chain_orchestrators: state.work.chain_orchestrators,
            last_updated_at: state.history.last_updated_at,
            last_interrupted_at: state.history.last_interrupted_at,
            last_resumed_at: state.history.last_resumed_at,
            resume_count: state.history.resume_count.unwrap_or(0),
        }
    }
}
