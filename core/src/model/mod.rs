//! The words of the domain, without IO.
//!
//! Invariant: a value of one of these types is well formed; whatever comes from outside is
//! validated where it is parsed, never later.

mod advance;
mod blame;
mod claim;
mod compliance;
mod dependency;
mod event;
mod execution;
#[cfg(test)]
pub(crate) mod fixture;
mod handoff;
mod ids;
mod item;
mod next;
mod orchestrator;
mod parked;
pub mod phase;
mod plan;
mod port;
mod process;
mod repo;
mod repo_scope;
mod retention;
mod session;
mod sign;
mod status;
mod timestamp;
mod transition;
mod version;
mod workplan;

pub use advance::{Goal, MoveFacts, MoveGrant, MoveRefusal, Mover, advance};
pub use blame::{Blame, BlamedField, UnknownField, blame};
pub use claim::{
    ClaimFacts, ClaimGrant, ClaimOutcome, ClaimRefusal, ClaimVerdict, FORCE_AFTER_SECONDS, Taking,
    decide, foresee, is_free,
};
pub use compliance::{CHECKED, Checked, Demand, Flaw, circles};
pub use dependency::{Waits, circle, drawn, settled};
pub use event::{Event, EventFilter, concerns_item};
pub use execution::{ExecutionState, Field, History, Kind, Value, WorkState};
pub use handoff::{
    Acceptance, Element, Elements, Handoff, HandoffNews, HandoffRefusal, HandoffStatus,
    OpenHandoff, Passage, Reader, decide_acceptance, decide_open, decide_rejection, news_of,
};
pub use ids::{
    AdwId, HandoffId, HandoffType, IdError, ItemKey, OperationId, OrchestratorId, PlanId, QueueId,
    RepoSlug, ReservationId, SessionId, WorkplanLink,
};
pub use item::{Item, NewItem, ORCHESTRATOR, Place};
pub use next::{
    Board, Cause, Hindrance, Lack, MOST_HINDRANCES, Next, OfferReason, Seeker, Siblings, next,
};
pub use orchestrator::{Orchestrator, RunEnd};
pub use parked::Parked;
pub use phase::Phase;
pub use plan::{
    NewPlan, NewPlanTask, Plan, PlanState, PlanSummary, PlanTask, PlanTaskId, PlanTaskIdError,
    PlanTaskRefusal, PlanTaskStep, PlanTaskVerdict, PlanWorker, RETRY_LIMIT, decide_step,
    reimported,
};
pub use port::{
    PortOwner, Reservation, STALE_AFTER_SECONDS, Slot, is_stale, lowest_free, next_owner,
    owner_alive,
};
pub use process::{ProcessId, ProcessPlace};
pub use repo::{Repo, RepoPlace, RepoState, StateHead};
pub(crate) use repo::{places_json, places_of};
pub use repo_scope::RepoScope;
pub use retention::{
    EventRemains, Kept, PruneTally, RETENTION_DAYS, Retention, SHORTEST_RETENTION, SessionRemains,
    Subject, Tie,
};
pub use session::{Host, Session};
pub use sign::{
    FOR_EVER, LONGEST_LEASE_SECONDS, SKEW_SECONDS, SPAN_CEILING_SECONDS, doubt_seconds, silence,
};
pub use status::{
    ItemStatus, OrchestratorStatus, PlanTaskStatus, SessionStatus, UnknownStatus,
    WorkplanTaskStatus,
};
pub use timestamp::{Timestamp, TimestampError};
pub use transition::{Edge, Entity, Step, legal_edges, step, targets};
pub use version::{Epoch, Lineage, Revision};
pub use workplan::{
    FileFacts, NewWorkplanRow, WORKPLAN, WorkplanChange, WorkplanRow, WorkplanRows,
};
