//! Phases of items: what they are, what may be done with them, and what follows.
//!
//! Invariant, kept by [`after`] whatever happens: an unfinished phase that neither runs nor is
//! blocked is ready exactly when all it depends on is completed, else queued.

mod dependency_order;
mod name;
mod new_phases;
mod phase_step;
mod propagation;
mod retry_limit;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value as Json};

use super::{Epoch, ItemKey, ItemStatus, OrchestratorId, QueueId, Revision, SessionId, Timestamp};

pub use dependency_order::{Cycle, sort_by_dependencies};
pub use name::{PhaseName, UnknownPhase};
pub use new_phases::{NewPhase, NewPhases, PhasePlanError, plan_phases};
pub use phase_step::{PhaseRefusal, PhaseStep, PhaseStepFacts, decide_phase_step};
pub use propagation::{change_phase, interrupt_phases};
pub use retry_limit::{COOLDOWN_SECONDS, MAX_STARTS, RetryLimit};

/// Priority of what nobody called urgent; lower goes first (seed 1: 50, urgent 10).
pub const DEFAULT_PRIORITY: i64 = 50;

/// A row of `phase_queue`.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Its id.
    pub id: QueueId,
    /// The item it is a part of.
    pub item: ItemKey,
    /// The issue it works on.
    pub issue_number: Option<i64>,
    /// The issue's parent; the seed's `parent_issue`.
    pub feature_id: Option<i64>,
    /// Its place in the item, from 1.
    pub number: u32,
    /// Which kind of work it is.
    pub name: PhaseName,
    /// Where it stands.
    pub status: ItemStatus,
    /// The numbers of the phases it waits for.
    pub depends_on: Vec<u32>,
    /// Whatever else its scripts keep here.
    pub data: Option<Map<String, Json>>,
    /// Who started it.
    pub assigned_to: Option<SessionId>,
    /// Which workflow works on it.
    pub adw_id: Option<String>,
    /// The pull request it made.
    pub pr_number: Option<i64>,
    /// Lower goes first.
    pub priority: i64,
    /// Its item's place in the queue: those added earlier go first.
    pub position: Option<i64>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// When it was finished.
    pub completed_at: Option<Timestamp>,
    /// When it last became ready.
    pub ready_at: Option<Timestamp>,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// Why it is blocked, failed or cancelled, or was interrupted.
    pub error_message: Option<String>,
    /// The phase whose failure blocked it; none where somebody did.
    pub blocked_by: Option<QueueId>,
    /// The orchestrator that runs it.
    pub orchestrator: Option<OrchestratorId>,
    /// Counts changes.
    pub revision: Revision,
}

impl Phase {
    /// Names it for a person, such as `phase 1 (plan)`.
    pub fn title(&self) -> String {
        format!("phase {} ({})", self.number, self.name)
    }

    /// Tells whether somebody blocked it, rather than a failure before it.
    pub fn is_blocked_by_hand(&self) -> bool {
        self.status == ItemStatus::Blocked && self.blocked_by.is_none()
    }
}

/// A phase that runs without a sign of life.
#[derive(Debug, Clone, PartialEq)]
pub struct StuckPhase {
    /// The phase as it was read.
    pub phase: Phase,
    /// The latest of its last change and the last signs of life of the session that started it
    /// and of the orchestrator it runs for.
    pub last_sign: Timestamp,
    /// The database's clock when this was read.
    pub read_at: Timestamp,
}

impl StuckPhase {
    /// Returns seconds since the last sign of life.
    pub fn silence_seconds(&self) -> u64 {
        super::silence::silence_seconds(self.read_at, self.last_sign)
    }
}

/// Returns the epoch a change of an item's phase has to be made under; none while nobody holds
/// the item.
pub fn required_epoch(item: &super::Item) -> Option<Epoch> {
    item.holder.as_ref().map(|_| item.epoch)
}
