//! The port to the database, in the words of the domain, and its adapters.
//!
//! Invariants: synchronous; a write that does not take effect is an error, never a silent
//! success; every age is computed by the database's clock; one contract suite
//! (`tests/contract`) runs over every adapter.

mod delivery;
mod error;
mod news;
mod port;
pub mod sqlite;
#[cfg(test)]
pub(crate) mod testing;

pub use error::{StoreError, Transience};
pub use port::{
    Children, Depend, InUse, ItemEdit, ItemMove, ItemMoved, ItemStore, LastHolder, NextRequest,
    NextTaken, NextWish,
};
pub use port::{
    ClaimRequest, ClaimTaken, HandoffAcceptance, HandoffAccepted, HandoffFilter, HandoffRejection,
    HandoffStore, Heartbeat, ItemFilter, Mark, MetadataChange, MetadataDeed, MetadataStore,
    NewHandoff, NewRun, OrchestratorStore, PhaseFilter, PhaseMove, PhaseMoved, Placement,
    PlanImported, PlanListed, PlanStore, PlanTaskChange, PortRelease, PortRequest, PortStore,
    Provenance, Push, QueueStore, Registered, Registration, Release, Released, RepoNaming,
    RepoStore, RetentionStore, Ruled, RunEnded, SessionCursor, SessionFilter, StepRequest, Stepped,
    Store, TaskNote, WorkplanStore,
};
pub use port::{Delivered, Newcomer, WaitingStore};

/// The result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;
