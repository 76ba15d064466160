//! The operations.

mod handoffs;
mod items;
mod metadata;
mod orchestrators;
mod outbox_delivery;
mod phases;
mod plans;
mod port_reservations;
mod repos;
mod retention;
mod workplans;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::model::{
    ClaimGrant, Epoch, Event, EventFilter, FieldValue, Item, ItemKey, ItemStatus, Lineage, NewItem,
    OperationId, ProcessId, RepoScope, Revision, Session, SessionId, SessionStatus, StateField,
    Timestamp,
};
use crate::store::Result;
use crate::text::redact::RedactedText;

pub use handoffs::{
    AcceptHandoffRequest, AcceptedHandoff, HandoffFilter, HandoffResult, HandoffStore, NewHandoff,
    RejectHandoffRequest,
};
pub(super) use handoffs::{CLAIM_OVER_REASON, WITHDRAWN_REASON, already_handed_on_error};
pub use items::{
    ChildCounts, ClaimNextRequest, ClaimedNext, DependencyChange, GrantedMove, ItemEditRequest,
    ItemStore, ItemUse, LastHolder, MovedItem, NextItemQuery,
};
pub use metadata::{MetadataAction, MetadataChange, MetadataStore};
pub use orchestrators::{EndedRun, NewRun, OrchestratorStore, RunRegistration};
pub(super) use orchestrators::{
    ended_orchestrator_error, foreign_operation_error, unknown_orchestrator_error,
};
pub use outbox_delivery::{DeliveryOutcome, OutboxDeliveryStore, RegistrationDefaults};
pub use phases::{
    PhaseChange, PhaseChanges, PhaseFilter, PhaseStepOutcome, PhaseStepRequest, PhaseStore,
};
pub use plans::{ImportedPlan, PlanOverview, PlanStore, PlanTaskStepRequest};
pub use port_reservations::{PortStore, ReleasePortRequest, ReservePortRequest};
pub use repos::{RepoNaming, RepoPlacement, RepoStore};
pub use retention::{RetentionStore, SessionCursor};
pub use workplans::WorkplanStore;

/// Who writes, why, and under which id. An id that was seen before is not carried out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// A session id, or the word for a person at a terminal.
    pub actor: String,
    /// Why, in a word.
    pub reason: Option<RedactedText>,
    /// Unique for each write.
    pub op_id: String,
}

impl Provenance {
    /// Makes the provenance of a new write.
    pub fn new(actor: &str, reason: &str) -> Self {
        Self {
            actor: actor.to_owned(),
            reason: Some(RedactedText::from(reason)).filter(|r| !r.is_empty()),
            op_id: uuid::Uuid::now_v7().to_string(),
        }
    }

    /// Makes the provenance of a write that may be repeated under the same id.
    pub fn repeatable(actor: &str, reason: &str, op_id: &OperationId) -> Self {
        Self {
            op_id: op_id.to_string(),
            ..Self::new(actor, reason)
        }
    }

    /// Makes the provenance of one more write of the same command: under the id of the first one
    /// it would be taken for its repetition, and not be done.
    #[must_use]
    pub fn with_new_operation(&self) -> Self {
        Self {
            op_id: uuid::Uuid::now_v7().to_string(),
            ..self.clone()
        }
    }
}

/// A session that announces itself; an existing one is refreshed.
#[derive(Debug, Clone)]
pub struct SessionRegistration {
    /// The client's id.
    pub session: SessionId,
    /// Which repository.
    pub repo: Option<String>,
    /// The project directory.
    pub worktree: Option<String>,
    /// The branch observed.
    pub branch: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// The client's process.
    pub process: Option<ProcessId>,
    /// The session this one continues, for a new registration.
    pub predecessor: Option<SessionId>,
    /// How long silence means nothing.
    pub lease_seconds: u64,
    /// Who registers.
    pub provenance: Provenance,
}

/// A sign of life.
#[derive(Debug, Clone)]
pub struct HeartbeatRequest {
    /// Whose.
    pub session: SessionId,
    /// How long silence means nothing from now on; absent keeps lease and last sign of life
    /// as they are, so that a mere change of status renews nothing.
    pub lease_seconds: Option<u64>,
    /// The status to take, when it changes.
    pub status: Option<SessionStatus>,
    /// Announces silence of so many seconds.
    pub quiet_seconds: Option<u64>,
}

/// A change of a session's state, conditional on revision and claim.
#[derive(Debug, Clone)]
pub struct StatePush {
    /// Whose state.
    pub session: SessionId,
    /// The revision it was made from; the write is refused when the database moved on.
    pub base: Revision,
    /// The claim it was made under; the write is refused when the item was taken since.
    pub fencing_token: Option<(ItemKey, Epoch)>,
    /// The fields that change.
    pub changes: BTreeMap<StateField, FieldValue>,
    /// The branch observed, when it changed.
    pub branch: Option<String>,
    /// Marks the moment of an interruption or resumption, by the database's clock.
    pub mark: Option<InterruptionMark>,
    /// Whether the session's model made the change itself and need not be told of it. A
    /// foreign change it was not told of yet stays untold.
    pub acknowledge: bool,
    /// Who pushes.
    pub provenance: Provenance,
}

/// A moment worth a timestamp of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterruptionMark {
    /// Work was broken off.
    Interrupted,
    /// Work was taken up again; counted.
    Resumed,
    /// The count of resumptions starts anew.
    HistoryCleared,
}

/// Which sessions to list.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only of these statuses; empty is no limit.
    pub statuses: &'static [SessionStatus],
    /// Only those of this project directory.
    pub worktree: Option<String>,
    /// Only those whose id begins so.
    pub prefix: Option<String>,
    /// At most so many, the latest sign of life first; 0 is no limit.
    pub limit: u32,
}

/// Which items to list.
#[derive(Debug, Clone, Default)]
pub struct ItemFilter {
    /// Only children of this one.
    pub parent: Option<ItemKey>,
    /// Only those held.
    pub held: bool,
    /// Only of these statuses; empty is no limit.
    pub statuses: Vec<ItemStatus>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Of which repositories.
    pub scope: RepoScope,
}

/// A claim to carry out.
#[derive(Debug, Clone)]
pub struct GrantedClaim {
    /// What was decided, with its conditions.
    pub grant: ClaimGrant,
    /// Announces silence of so many seconds.
    pub quiet_seconds: Option<u64>,
    /// How long silence means nothing from now on: who claims, lives.
    pub lease_seconds: u64,
    /// Who claims.
    pub provenance: Provenance,
}

/// A claim that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedItem {
    /// The item, as it is now.
    pub item: Item,
    /// Who held it before.
    pub previous_holder: Option<SessionId>,
    /// The item the session gave up for it.
    pub released: Option<ItemKey>,
}

/// A request to give an item up.
#[derive(Debug, Clone)]
pub struct ReleaseRequest {
    /// Who holds it.
    pub session: SessionId,
    /// What.
    pub item: ItemKey,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// A claim that a sweep or an end took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedClaim {
    /// Who held it.
    pub session: SessionId,
    /// What; absent when the session held nothing.
    pub item: Option<ItemKey>,
    /// Why.
    pub reason: String,
}

/// What a session's task list says of one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTask {
    /// The task's id in the session.
    pub task: String,
    /// What it is.
    pub subject: String,
}

/// The database.
///
/// Every operation fails as [`StoreError`](super::StoreError) says.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once above, and where one is special"
)]
pub trait Store:
    HandoffStore
    + ItemStore
    + MetadataStore
    + OrchestratorStore
    + PlanStore
    + PortStore
    + PhaseStore
    + RepoStore
    + RetentionStore
    + OutboxDeliveryStore
    + WorkplanStore
{
    /// Returns which database this is.
    fn load_lineage(&mut self) -> Result<Lineage>;

    /// Returns the database's clock.
    fn database_time(&mut self) -> Result<Timestamp>;

    /// Returns the latest recorded reading of the database's clock that differs from the
    /// present one by more than so many seconds, to either side; nothing where the database is
    /// not that old by its own word.
    fn find_differing_clock_reading(&mut self, apart_seconds: u64) -> Result<Option<Timestamp>>;

    /// Registers a session or refreshes it: heartbeat, lease, process, branch. A lost or ended
    /// session becomes active; what it held stays as it is.
    fn register_session(&mut self, registration: &SessionRegistration) -> Result<Session>;

    /// Reads a session with the item it holds.
    fn load_session(&mut self, id: &SessionId) -> Result<Option<Session>>;

    /// Lists sessions.
    fn list_sessions(&mut self, filter: &SessionFilter) -> Result<Vec<Session>>;

    /// Renews a lease. An ended or lost session stays what it is unless a status is given.
    fn record_heartbeat(&mut self, heartbeat: &HeartbeatRequest) -> Result<()>;

    /// Changes a session's state on the revision and claim it was made from.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when either has moved on.
    fn push_state(&mut self, push: &StatePush) -> Result<Session>;

    /// Merges keys into a session's metadata; other keys stay, `null` removes one.
    fn merge_metadata(
        &mut self,
        id: &SessionId,
        patch: &Map<String, Json>,
        provenance: &Provenance,
    ) -> Result<Session>;

    /// Notes that the session's model was told this revision.
    fn acknowledge_revision(&mut self, id: &SessionId, revision: Revision) -> Result<()>;

    /// Ends a session; a claim stays until the lease ends.
    fn end_session(
        &mut self,
        id: &SessionId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Session>;

    /// Lists sessions that may have died: active or idle with a lease that is over or that a
    /// wrong clock granted, or ended with an item.
    fn sessions_with_expired_lease(&mut self, limit: u32) -> Result<Vec<Session>>;

    /// Parks a session that died: it is marked lost (an ended one stays ended) and holds
    /// nothing; its state stays.
    ///
    /// Conditional on the heartbeat read: a session that gave a sign of life since is left
    /// alone and `None` returned.
    fn mark_lost(
        &mut self,
        session: &Session,
        provenance: &Provenance,
    ) -> Result<Option<ReleasedClaim>>;

    /// Tells whether anything is being worked on that a sweep may have to end: a phase, a task of
    /// a plan, or a run of one. One small question in place of three large ones.
    fn has_running_work(&mut self) -> Result<bool>;

    /// Adds an item.
    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item>;

    /// Reads an item.
    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>>;

    /// Reads an item's title alone, which every start of a session tells.
    fn load_item_title(&mut self, key: &ItemKey) -> Result<Option<String>>;

    /// Lists items, by parent, position and key.
    fn list_items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>>;

    /// Returns the keys of items that are among the texts, whatever the case.
    fn find_item_keys(&mut self, keys: &[&str]) -> Result<Vec<String>>;

    /// Carries a claim out on its conditions, releasing what the session held, and makes the
    /// item the session's current one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when holder or epoch moved on.
    fn claim(&mut self, request: &GrantedClaim) -> Result<ClaimedItem>;

    /// Gives an item up.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when the session does not hold it.
    fn release(&mut self, release: &ReleaseRequest) -> Result<Item>;

    /// Tells whether a session's state ever held this value, as far as events go back.
    fn had_state_value(
        &mut self,
        session: &SessionId,
        field: StateField,
        value: &FieldValue,
    ) -> Result<bool>;

    /// Records that an item was refused to whoever asked for it, and so when that was.
    fn record_refusal(&mut self, item: &ItemKey, provenance: &Provenance) -> Result<()>;

    /// Notes a task of a session's task list.
    fn upsert_task(&mut self, session: &SessionId, note: &SessionTask) -> Result<()>;

    /// Reads a task of a session's task list.
    fn load_task(&mut self, session: &SessionId, task: &str) -> Result<Option<SessionTask>>;

    /// Records that a checkpoint was reached, with the number of operations so far.
    fn record_checkpoint(
        &mut self,
        session: &SessionId,
        operations: u64,
        provenance: &Provenance,
    ) -> Result<()>;

    /// Lists events, oldest first.
    fn list_events(&mut self, filter: &EventFilter) -> Result<Vec<Event>>;
}
