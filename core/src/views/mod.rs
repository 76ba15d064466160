//! What commands and the hub show of the domain, as JSON. An absent value is `null`, never a missing
//! key; keys and their order are part of the interface.
//!
//! With the feature `openapi` every view describes itself as a schema.

mod event_view;
mod handoff_view;
mod item_view;
mod orchestrator_view;
mod outbox_views;
mod phase_view;
mod plan_views;
mod ready_view;
mod repo_view;
#[cfg(feature = "openapi")]
mod schemas;
mod session_view;
mod violation_view;

pub use event_view::{BlameView, EventView};
pub use handoff_view::HandoffView;
pub use item_view::ItemView;
pub use orchestrator_view::OrchestratorView;
pub use outbox_views::{JournalEntryView, OutboxRecordState, OutboxRecordView};
pub use phase_view::PhaseView;
pub use plan_views::{PlanOverviewView, PlanStateView, PlanSummaryView, PlanTaskView, PlanView};
pub use ready_view::{BlockerView, ReadyItemView, SearchHitView};
pub use repo_view::{RepoPlaceView, RepoStateView, RepoView};
pub use session_view::{ExecutionStateView, SessionView};
pub use violation_view::ViolationView;
