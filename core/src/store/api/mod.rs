//! The operations of the database: requests, answers and refusals.

mod attention;
mod claims;
mod clock;
mod command_store;
mod handoffs;
mod hook_store;
mod item_edit;
mod item_import;
mod item_queries;
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
mod session_start;
mod sessions;
mod state_push;
mod stuck_work;
mod tokens;
mod workplans;

use serde::{Deserialize, Serialize};

use crate::model::{ItemKey, ItemStatus, OperationId, RepoScope, SessionId, SessionStatus};
use crate::text::redact::RedactedText;

pub use attention::{AttentionFilter, AttentionStore};
pub use claims::{
    ClaimStore, ClaimedItem, GrantedClaim, ItemAddition, ReleaseRequest, ReleasedClaim,
};
pub use clock::ClockStore;
pub use command_store::{ChangeMark, CommandStore, ExpectedRead, ReadTime};
pub use handoffs::{
    AcceptHandoffRequest, AcceptedHandoff, HandoffFilter, HandoffResult, HandoffStore, NewHandoff,
    RejectHandoffRequest,
};
pub(super) use handoffs::{
    CLAIM_OVER_REASON, ITEM_FINISHED_REASON, WITHDRAWN_REASON, already_handed_on_error,
};
pub use hook_store::HookStore;
pub use item_edit::{ItemEditRequest, OptionalItemField};
pub use item_import::{ImportedItem, ImportedItems, ItemImport, ReimportedItem};
pub use item_queries::{
    ItemQueryStore, MAX_WAITING_ITEMS, ReadyItems, ReadyQuery, SearchHits, SearchQuery,
    UnblockingItem,
};
pub use items::{
    ChildCounts, ClaimNextRequest, ClaimedNext, DependencyChange, GrantedMove, ItemStore, ItemUse,
    LastHolder, MovedItem, NextItemQuery,
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
    PhaseChange, PhaseChanges, PhaseFilter, PhaseRemovalOutcome, PhaseRemovalRequest,
    PhaseStepOutcome, PhaseStepRequest, PhaseStore,
};
pub use plans::{ImportedPlan, PlanOverview, PlanStore, PlanTaskStepRequest};
pub use port_reservations::{PortStore, ReleasePortRequest, ReservePortRequest};
pub use repos::{RepoNameStore, RepoNaming, RepoPlacement, RepoStore};
pub use retention::{RetentionStore, SessionCursor};
pub use session_start::SessionStartStore;
pub use sessions::{PendingMatters, SessionFilter, SessionRegistration, SessionStore};
pub use state_push::{InterruptionMark, StatePush, merge_patch, state_patch};
pub use stuck_work::StuckWorkStore;
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

/// A part of a list, in the order of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage {
    /// Only rows whose key comes behind this; an empty text comes before every key.
    pub after: String,
    /// At most so many.
    pub limit: u32,
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
    /// Most items of the list, from its beginning; 0 is all.
    #[serde(default)]
    pub limit: u32,
    /// A part of the list in the order of keys, instead of by parent and position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<KeyPage>,
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
pub trait Store:
    SessionStartStore
    + AttentionStore
    + HandoffStore
    + ItemQueryStore
    + ItemStore
    + MetadataStore
    + OrchestratorStore
    + OverviewStore
    + PlanStore
    + PortStore
    + PhaseStore
    + RepoStore
    + TokenStore
    + WorkplanStore
{
}

impl<S> Store for S where
    S: SessionStartStore
        + AttentionStore
        + HandoffStore
        + ItemQueryStore
        + ItemStore
        + MetadataStore
        + OrchestratorStore
        + OverviewStore
        + PlanStore
        + PortStore
        + PhaseStore
        + RepoStore
        + TokenStore
        + WorkplanStore
        + ?Sized
{
}
