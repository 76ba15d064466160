//! The operations of the database: requests, answers and refusals.

mod attention;
mod command_store;
mod handoffs;
mod hook_store;
mod items;
mod metadata;
mod orchestrators;
mod outbox_delivery;
mod overview;
mod phases;
mod plans;
mod port_reservations;
mod repos;
mod retention;
mod state_push;
mod tokens;
mod workplans;

use serde::{Deserialize, Serialize};

use crate::model::{
    ClaimGrant, Item, ItemKey, ItemStatus, NewItem, OperationId, ProcessId, RepoScope, Session,
    SessionId, SessionStatus, Timestamp,
};
use crate::store::Result;
use crate::text::redact::RedactedText;

pub use attention::{AttentionFilter, AttentionStore};
pub use command_store::{ChangeMark, CommandStore, ExpectedRead, ReadTime};
pub use handoffs::{
    AcceptHandoffRequest, AcceptedHandoff, HandoffFilter, HandoffResult, HandoffStore, NewHandoff,
    RejectHandoffRequest,
};
pub(super) use handoffs::{
    CLAIM_OVER_REASON, ITEM_FINISHED_REASON, WITHDRAWN_REASON, already_handed_on_error,
};
pub use hook_store::HookStore;
pub use items::{
    ChildCounts, ClaimNextRequest, ClaimedNext, DependencyChange, GrantedMove, ItemEditRequest,
    ItemStore, ItemUse, LastHolder, MovedItem, NextItemQuery,
};
pub use metadata::{MetadataAction, MetadataChange, MetadataStore};
pub use orchestrators::{EndedRun, NewRun, OrchestratorStore, RunRegistration};
pub(super) use orchestrators::{
    ended_orchestrator_error, foreign_operation_error, taken_orchestrator_id_error,
    unknown_orchestrator_error,
};
pub use outbox_delivery::{DeliveryOutcome, DeliverySource, DeliveryTarget, OutboxDeliveryStore};
pub use overview::{MAX_COUNTED_EVENTS, OverviewQuery, OverviewRows, OverviewStore};
pub use phases::{
    PhaseChange, PhaseChanges, PhaseFilter, PhaseStepOutcome, PhaseStepRequest, PhaseStore,
};
pub use plans::{ImportedPlan, PlanOverview, PlanStore, PlanTaskStepRequest};
pub use port_reservations::{PortStore, ReleasePortRequest, ReservePortRequest};
pub use repos::{RepoNaming, RepoPlacement, RepoStore};
pub use retention::{RetentionStore, SessionCursor};
pub use state_push::{InterruptionMark, StatePush, merge_patch, state_patch};
pub use tokens::{Caller, NewToken, TokenStore};
pub use workplans::WorkplanStore;

/// Who writes, why, and under which operation id. An operation whose id was seen before is not
/// carried out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// A session id, or the name of a person at a terminal.
    pub actor: String,
    /// The reason that the record of changes shows.
    pub reason: Option<RedactedText>,
    /// Unique for each operation.
    pub op_id: String,
    /// Whether nobody else can have carried it out under this id. What comes over a network never
    /// says so: its sender may repeat it.
    #[serde(skip)]
    is_new: bool,
}

impl Provenance {
    /// The provenance of a new operation.
    pub fn new(actor: &str, reason: &str) -> Self {
        Self {
            actor: actor.to_owned(),
            reason: Some(RedactedText::from(reason)).filter(|r| !r.is_empty()),
            op_id: uuid::Uuid::now_v7().to_string(),
            is_new: true,
        }
    }

    /// The provenance of an operation that may be repeated under the same id.
    pub fn repeatable(actor: &str, reason: &str, op_id: &OperationId) -> Self {
        Self::new(actor, reason).under_id(op_id.to_string())
    }

    /// The provenance of the operation with an id, under which it may have been carried out before.
    #[must_use]
    pub fn under_id(self, op_id: String) -> Self {
        Self { op_id, is_new: false, ..self }
    }

    /// The same with another reason.
    #[must_use]
    pub fn because(&self, reason: impl Into<RedactedText>) -> Self {
        Self { reason: Some(reason.into()), ..self.clone() }
    }

    /// The provenance of another operation of the same command: under the id of the first one it
    /// would be taken for a repetition, and not be carried out.
    #[must_use]
    pub fn with_new_operation(&self) -> Self {
        Self { op_id: uuid::Uuid::now_v7().to_string(), is_new: true, ..self.clone() }
    }

    /// Whether nobody else can have carried it out: the id was made by this process. What this
    /// process itself did not get an answer to, it has to ask for all the same.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }
}

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

/// A sign of life of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeartbeatRequest {
    /// The session.
    pub session: SessionId,
    /// The lease from now on. An absent one keeps lease and last sign of life as they are, so
    /// that a mere change of status renews nothing.
    pub lease_seconds: Option<u64>,
    /// The new status, when it changes.
    pub status: Option<SessionStatus>,
    /// Announces that many seconds without a sign of life.
    pub quiet_seconds: Option<u64>,
}

/// What the start of a session has to look at closer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingMatters {
    /// A phase, a task of a plan or a run of a plan is in progress, which a sweep may have to end.
    pub has_running_work: bool,
    /// A hand-off is open, or its sender has not been told the decision.
    pub has_handoffs: bool,
}

/// A part of a list, in the order of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage {
    /// Only rows whose key comes behind this; an empty text comes before every key.
    pub after: String,
    /// At most so many.
    pub limit: u32,
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

/// Which items to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ItemFilter {
    /// Only children of this item.
    pub parent: Option<ItemKey>,
    /// Only items that a session holds.
    pub held: bool,
    /// Only items of these statuses; empty means all.
    pub statuses: Vec<ItemStatus>,
    /// Only items of this kind.
    pub kind: Option<String>,
    /// The repositories whose items are listed.
    pub scope: RepoScope,
    /// A part of the list in the order of keys, instead of all by parent and position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<KeyPage>,
}

/// A claim that the rules granted, to be carried out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantedClaim {
    /// The decision, with the conditions that it was made on.
    pub grant: ClaimGrant,
    /// The item to add in the same transaction, where it does not exist.
    pub new_item: Option<ItemAddition>,
    /// Announces that many seconds without a sign of life.
    pub quiet_seconds: Option<u64>,
    /// The lease of the session from now on: a claim is a sign of life.
    pub lease_seconds: u64,
    /// Who claims.
    pub provenance: Provenance,
}

/// An item that a claim adds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemAddition {
    /// The item.
    pub item: NewItem,
    /// Who adds it, under an operation id of its own: one operation changes a row once.
    pub provenance: Provenance,
}

/// A claim that took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedItem {
    /// The item, as it is now.
    pub item: Item,
    /// The session that held it before.
    pub previous_holder: Option<SessionId>,
    /// The item that the session released for it.
    pub released: Option<ItemKey>,
}

/// A request to release an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleaseRequest {
    /// The session that holds it.
    pub session: SessionId,
    /// The item.
    pub item: ItemKey,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// A claim that a sweep or an end took away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedClaim {
    /// The session that held it.
    pub session: SessionId,
    /// The item; absent when the session held none.
    pub item: Option<ItemKey>,
    /// Why it was taken away.
    pub reason: String,
}

/// A task of a session's task list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTask {
    /// The task's id in the session.
    pub task: String,
    /// What is to be done.
    pub subject: String,
}

/// All operations of the database.
///
/// Every operation fails as [`StoreError`](super::StoreError) says. An operation with a
/// [`Provenance`] that was carried out before returns its first answer.
#[expect(clippy::missing_errors_doc, reason = "said once above, and where one is special")]
pub trait Store:
    DeliveryTarget
    + AttentionStore
    + HandoffStore
    + ItemStore
    + MetadataStore
    + OrchestratorStore
    + OverviewStore
    + PlanStore
    + PortStore
    + PhaseStore
    + RepoStore
    + RetentionStore
    + TokenStore
    + WorkplanStore
{
    /// Returns the database's clock.
    fn database_time(&mut self) -> Result<Timestamp>;

    /// Returns the latest recorded reading of the database's clock that differs from the present
    /// one by more than so many seconds, to either side; nothing where the database itself is not
    /// that old by its own record.
    fn find_differing_clock_reading(&mut self, apart_seconds: u64) -> Result<Option<Timestamp>>;

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
    /// `now` is the time of the database, from [`Self::database_time`] or [`Session::read_at`].
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

    /// Adds an item.
    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item>;

    /// Lists items, by parent, position and key.
    fn list_items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>>;

    /// Carries a claim out on its conditions, releasing what the session held, and makes the
    /// item the session's current one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when holder or epoch have changed.
    fn claim(&mut self, request: &GrantedClaim) -> Result<ClaimedItem>;

    /// Releases an item.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when the session does not hold it.
    fn release(&mut self, release: &ReleaseRequest) -> Result<Item>;

    /// Records that a session asked for an item and was refused, which also tells when.
    fn record_refusal(&mut self, item: &ItemKey, provenance: &Provenance) -> Result<()>;
}
