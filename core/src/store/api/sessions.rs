//! Sessions: their registration, and which of them are there.

use serde::{Deserialize, Serialize};

use super::{KeyPage, Provenance, ReleasedClaim};
use crate::model::{ProcessId, Session, SessionId, SessionStatus, Timestamp};
use crate::store::Result;

/// A session that registers or, where it is registered, is refreshed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionRegistration {
    /// The id that the client gave it.
    pub session: SessionId,
    /// The repository it works in.
    pub repo: Option<String>,
    /// The project directory.
    pub worktree: Option<String>,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// The machine it runs on.
    pub host: Option<String>,
    /// The client's process.
    pub process: Option<ProcessId>,
    /// The session that this one continues; only a new registration sets it.
    pub predecessor: Option<SessionId>,
    /// The length of its lease: without a sign of life for longer, it may be dead.
    pub lease_seconds: u64,
    /// Who registers it.
    pub provenance: Provenance,
}

/// What the start of a session has to look at closer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingMatters {
    /// A phase, a task of a plan or a run of a plan is in progress, which a sweep may have to end.
    pub has_running_work: bool,
    /// A hand-off is open, or its sender has not been told the decision.
    pub has_handoffs: bool,
}

/// Which sessions to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SessionFilter {
    /// Only sessions of these statuses; empty means all.
    pub statuses: Vec<SessionStatus>,
    /// Only sessions of this project directory.
    pub worktree: Option<String>,
    /// Only sessions whose id starts with this.
    pub prefix: Option<String>,
    /// At most so many, the latest sign of life first; 0 means all.
    pub limit: u32,
    /// A part of the list in the order of ids, instead of the latest sign of life; it has its own
    /// limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<KeyPage>,
}

/// The operations on sessions that reach beyond one that is registered.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`")]
pub trait SessionStore {
    /// Registers a session or refreshes its heartbeat, lease, process and branch. A lost or ended
    /// session becomes active; the item it held stays as it is.
    fn register_session(&mut self, registration: &SessionRegistration) -> Result<Session>;

    /// Lists sessions.
    fn list_sessions(&mut self, filter: &SessionFilter) -> Result<Vec<Session>>;

    /// Lists the other sessions that are present in a session's worktree, the latest sign of life
    /// first.
    fn list_peers(&mut self, session: &Session, limit: u32) -> Result<Vec<Session>>;

    /// Lists sessions that may have died: active or idle with a lease that is over or that a
    /// wrong clock granted, or ended with an item.
    ///
    /// `now` is the time of the database, from [`ClockStore::database_time`](super::ClockStore::database_time) or [`Session::read_at`].
    fn sessions_with_expired_lease(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Session>>;

    /// Marks a dead session lost (an ended one stays ended) and takes its item from it; its state
    /// stays.
    ///
    /// Conditional on the heartbeat that was read: a session that gave a sign of life since then
    /// is left alone, and `None` is returned.
    fn mark_lost(
        &mut self,
        session: &Session,
        provenance: &Provenance,
    ) -> Result<Option<ReleasedClaim>>;

    /// Finds out what the start of a session has to look at closer, be it of this session or not.
    fn find_pending_matters(&mut self) -> Result<PendingMatters>;
}
