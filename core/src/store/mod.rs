//! The database: the operations on it, and the engine that carries them out.
//!
//! `api` declares the operations in the words of the domain, [`sql`] implements them over any
//! engine that speaks SQL, [`sqlite`] is such an engine.
//!
//! Invariants: operations are synchronous; a write that does not take effect is an error, never a
//! silent success; every age is computed by the database's clock; one contract suite
//! (`tests/contract`) runs over every engine.

mod api;
mod error;
mod event_draft;
mod event_pages;
pub mod operations;
mod row_rules;
mod schema_status;
pub mod sql;
pub mod sqlite;
#[cfg(test)]
pub(crate) mod testing;

pub use api::{
    AcceptHandoffRequest, AcceptedHandoff, ChangeMark, ClaimedItem, CommandStore, EndedRun,
    ExpectedRead, GrantedClaim, HandoffFilter, HandoffResult, HandoffStore, HeartbeatRequest,
    HookStore, ImportedPlan, InterruptionMark, ItemAddition, ItemFilter, KeyPage, MetadataAction,
    MetadataChange, MetadataStore, NewHandoff, NewRun, OrchestratorStore, PendingMatters,
    PhaseChange, PhaseChanges, PhaseFilter, PhaseRemovalOutcome, PhaseRemovalRequest,
    PhaseStepOutcome, PhaseStepRequest, PhaseStore, PlanOverview, PlanStore, PlanTaskStepRequest,
    PortStore, Provenance, ReadTime, RejectHandoffRequest, ReleasePortRequest, ReleaseRequest,
    ReleasedClaim, RepoNaming, RepoPlacement, RepoStore, ReservePortRequest, RetentionStore,
    RunRegistration, SessionCursor, SessionFilter, SessionRegistration, SessionTask, StatePush,
    Store, WorkplanStore, merge_patch, state_patch,
};
pub use api::{AttentionFilter, AttentionStore};
pub use api::{Caller, NewToken, TokenStore};
pub use api::{
    ChildCounts, ClaimNextRequest, ClaimedNext, DependencyChange, GrantedMove, ImportedItem,
    ImportedItems, ItemEditRequest, ItemImport, ItemStore, ItemUse, LastHolder, MovedItem,
    NextItemQuery, OptionalItemField, ReimportedItem,
};
pub use api::{
    ClaimStore, ClockStore, RepoNameStore, SessionStartStore, SessionStore, StuckWorkStore,
};
pub use api::{DeliveryOutcome, DeliverySource, DeliveryTarget, OutboxDeliveryStore};
pub use api::{
    ItemQueryStore, MAX_WAITING_ITEMS, ReadyItems, ReadyQuery, SearchHits, SearchQuery,
    UnblockingItem,
};
pub use api::{MAX_COUNTED_EVENTS, OverviewQuery, OverviewRows, OverviewStore};
pub use error::{EngineError, RetryAdvice, StoreError};
pub use event_pages::EventPages;
pub use row_rules::Violation;
pub use schema_status::{AppliedMigration, SCHEMA_VERSION, SchemaStatus};

/// The result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;
