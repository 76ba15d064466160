//! The words of the domain, without IO.
//!
//! Invariant: a value of one of these types is well formed; whatever comes from outside is
//! validated where it is parsed, never later.

mod claim;
mod event;
mod execution;
#[cfg(test)]
pub(crate) mod fixture;
mod handoff;
mod ids;
mod item;
mod orchestrator;
mod session;
mod status;
mod timestamp;
mod transition;
mod version;

pub use claim::{
    ClaimFacts, ClaimGrant, ClaimOutcome, ClaimRefusal, ClaimVerdict, FORCE_AFTER_SECONDS, decide,
};
pub use event::{Event, EventFilter};
pub use execution::{ExecutionState, Field, History, Kind, Value, WorkState};
pub use handoff::{
    Acceptance, Element, Elements, Handoff, HandoffNews, HandoffRefusal, HandoffStatus, Passage,
    Reader, decide_acceptance, decide_rejection, news_of,
};
pub use ids::{HandoffId, HandoffType, IdError, ItemKey, OrchestratorId, PlanId, SessionId};
pub use item::{Item, NewItem};
pub use orchestrator::{Orchestrator, RunEnd};
pub use session::{Host, ProcessId, Session};
pub use status::{
    ItemStatus, OrchestratorStatus, PlanTaskStatus, SessionStatus, UnknownStatus,
    WorkplanTaskStatus,
};
pub use timestamp::{Timestamp, TimestampError};
pub use transition::{Edge, Entity, Step, legal_edges, step};
pub use version::{Epoch, Lineage, Revision};
