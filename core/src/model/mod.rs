//! The domain: sessions, items, claims, phases, plans, hand-offs, and the rules for them. No IO.
//!
//! Every value of these types is well formed, because text from outside is validated when it is
//! parsed. Nothing here uses another module of the crate.

mod access_token;
mod attention;
mod blame;
mod claim;
mod cycle;
mod dependency;
mod event;
#[cfg(test)]
pub(crate) mod fixture;
mod handoff;
mod ids;
mod interrupted_work;
mod item;
mod item_history;
mod item_move;
mod item_priority;
mod next_item;
mod orchestrator;
mod orchestrator_liveness;
pub mod phase;
mod plan_state;
mod process;
mod ready;
mod ready_order;
mod repo;
mod repo_scope;
mod retention;
mod search;
mod session;
mod session_liveness;
mod silence;
mod status;
mod tcp_port;
mod timestamp;
mod transition;
mod version;
mod work_state;
mod workplan_row;

pub use access_token::{AccessToken, TokenRole, UnknownTokenRole};
pub use attention::{Attention, AttentionKind, NewAttention, UnknownAttentionKind};
pub use blame::{Blame, BlamedField, UnknownField, blame_item};
pub use claim::{
    ClaimFacts, ClaimForecast, ClaimGrant, ClaimOutcome, ClaimRefusal, FORCE_AFTER_SECONDS,
    TakeoverReason, decide_claim, forecast_claim, has_forfeited_claim,
};
pub use cycle::{find_cycle, visit_cycles};
pub use dependency::{
    DependencyEdge, decide_dependency_status, find_dependency_cycle, render_cycle,
};
pub use event::{Event, EventFilter, EventKind, EventOrder, concerns_item};
pub use handoff::{
    AcceptanceFacts, Handoff, HandoffElement, HandoffElements, HandoffNoticeReason, HandoffReader,
    HandoffRefusal, HandoffStatus, HandoffToItself, OpenHandoffState, ReceivedWork, TransferPath,
    decide_acceptance, decide_handoff_notice, decide_open_handoff, decide_received_work,
    decide_receiver, decide_rejection, find_handoff_offer,
};
pub use ids::{
    AdwId, AttentionId, HandoffId, HandoffType, IdError, ItemKey, OperationId, OrchestratorId,
    PlanId, QueueId, RepoSlug, ReservationId, SessionId, TokenName, WorkplanLink,
};
pub use interrupted_work::InterruptedWork;
pub use item::{Item, NewItem, ORCHESTRATOR_KIND, SiblingPosition};
pub use item_history::{PastItemError, item_at};
pub use item_move::{MoveActor, MoveFacts, MoveGrant, MoveRefusal, MoveTarget, decide_move};
pub use item_priority::{ItemPriority, UnknownPriority};
pub use next_item::{
    Blocker, BlockerCause, ItemSource, MAX_BLOCKERS, NextItem, NoOfferReason, PickReason,
    Requester, Siblings, find_next_item,
};
pub use orchestrator::{DeadOrchestrator, Orchestrator, RunEnd, describe_interrupted};
pub use orchestrator_liveness::judge_orchestrator;
pub use phase::Phase;
pub use plan_state::{
    MAX_RETRIES, NewPlan, NewPlanTask, Plan, PlanState, PlanSummary, PlanTask, PlanTaskId,
    PlanTaskIdError, PlanTaskRefusal, PlanTaskStep, PlanTaskVerdict, PlanWorker,
    decide_plan_task_step, merge_reimported_task,
};
pub use process::{ProcessId, ProcessPlace};
pub use ready::{ReadyReason, Unblocking, measure_unblocking, rank_blockers};
pub use ready_order::{Family, count_places, fill_places, list_positioned};
pub use repo::{Repo, RepoPlace, RepoState, StateSummary};
pub(crate) use repo::{parse_places, places_to_json};
pub use repo_scope::RepoScope;
pub use retention::{
    DEFAULT_RETENTION_DAYS, EndedSession, EventSubject, KeepReason, MIN_RETENTION_SECONDS,
    PrunableEvent, PruneCounts, RetentionRules, SessionTie,
};
pub use search::SearchWords;
pub use session::{Host, Session};
pub use session_liveness::{
    Liveness, LivenessState, ProcessState, judge_session, judge_session_with_doubt,
};
pub use silence::{
    FOREVER, MAX_LEASE_SECONDS, QUIET_PERIOD_CEILING_SECONDS, SKEW_SECONDS, clock_doubt_seconds,
    silence_seconds,
};
pub use status::{
    ItemStatus, OrchestratorStatus, PlanTaskStatus, SessionStatus, UnknownStatus,
    WorkplanTaskStatus,
};
pub use tcp_port::{
    PortOwner, PortReservation, PortSlot, RESERVATION_STALE_SECONDS, decide_next_owner,
    find_lowest_free_slot, is_stale_reservation, judge_port_owner,
};
pub use timestamp::{Timestamp, TimestampError};
pub use transition::{
    Entity, StatusEdge, TransitionKind, classify_transition, legal_edges, list_forward_targets,
};
pub use version::{Epoch, Lineage, Revision};
pub use work_state::{ExecutionState, FieldKind, FieldValue, StateField, WorkHistory, WorkState};
pub use workplan_row::{
    NewWorkplanRow, WORKPLAN_KIND, WorkplanChange, WorkplanFileFacts, WorkplanRow, WorkplanRows,
};
