//! Phases of items: what they are, what may be done with them, and what follows from it.
//!
//! [`change_phase`] keeps one invariant: an unfinished phase that neither runs nor is blocked is
//! ready exactly when all its dependencies are completed, and queued otherwise.

mod dependency_order;
mod name;
mod new_phases;
mod phase_step;
mod propagation;
mod removal;
mod retry_limit;
#[cfg(test)]
mod tests;
mod typing_error;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{Epoch, ItemKey, ItemStatus, OrchestratorId, QueueId, Revision, SessionId, Timestamp};

pub use dependency_order::{Cycle, sort_by_dependencies};
pub use name::{OwnPhaseName, PhaseName, PhaseNameError};
pub use new_phases::{NewPhase, NewPhases, PhasePlanError, plan_phases};
pub use phase_step::{PhaseRefusal, PhaseStep, PhaseStepFacts, decide_phase_step};
pub use propagation::{change_phase, interrupt_phases};
pub use removal::{PhaseRemovalFacts, decide_phase_removal};
pub use retry_limit::{COOLDOWN_SECONDS, MAX_STARTS, RetryLimit};

/// The priority of a phase that nobody called urgent. A lower number goes first.
pub const DEFAULT_PRIORITY: i64 = 50;

/// A row of `phase_queue`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Its id.
    pub id: QueueId,
    /// The item it belongs to.
    pub item: ItemKey,
    /// The issue that it works on.
    pub issue_number: Option<i64>,
    /// The parent of that issue, called `parent_issue` in metadata files.
    pub feature_id: Option<i64>,
    /// Its number within the item, from 1.
    pub number: u32,
    /// The kind of work.
    pub name: PhaseName,
    /// The status.
    pub status: ItemStatus,
    /// The numbers of the phases it depends on.
    pub depends_on: Vec<u32>,
    /// Data that scripts keep with it.
    pub data: Option<Map<String, Json>>,
    /// The session that started it.
    pub assigned_to: Option<SessionId>,
    /// The workflow that works on it.
    pub adw_id: Option<String>,
    /// The number of its pull request.
    pub pr_number: Option<i64>,
    /// The priority; a lower number goes first.
    pub priority: i64,
    /// The position of its item in the queue; items added earlier go first.
    pub position: Option<i64>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was finished.
    pub completed_at: Option<Timestamp>,
    /// When it last became ready.
    pub ready_at: Option<Timestamp>,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// The reason why it is blocked, failed, cancelled or interrupted.
    pub error_message: Option<String>,
    /// The phase whose failure blocked it, or `None` when somebody blocked it.
    pub blocked_by: Option<QueueId>,
    /// The orchestrator that runs it.
    pub orchestrator: Option<OrchestratorId>,
    /// The number of changes.
    pub revision: Revision,
}

impl Phase {
    /// Returns its name in messages, such as `phase 1 (plan)`.
    pub fn title(&self) -> String {
        format!("phase {} ({})", self.number, self.name)
    }

    /// Returns whether somebody blocked it, rather than the failure of a dependency.
    pub fn is_blocked_by_hand(&self) -> bool {
        self.status == ItemStatus::Blocked && self.blocked_by.is_none()
    }
}

/// A running phase without a recent sign of life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StuckPhase {
    /// The phase as it was read.
    pub phase: Phase,
    /// The latest of its last change, the last sign of life of the session that started it, and the
    /// last heartbeat of its orchestrator.
    pub last_sign: Timestamp,
    /// The database's clock when this was read.
    pub read_at: Timestamp,
}

impl StuckPhase {
    /// Returns the seconds since the last sign of life.
    pub fn silence_seconds(&self) -> u64 {
        super::silence::silence_seconds(self.read_at, self.last_sign)
    }
}

/// Returns the epoch under which a phase of an item has to be changed, or `None` while nobody holds
/// the item.
pub fn required_epoch(item: &super::Item) -> Option<Epoch> {
    item.holder.as_ref().map(|_| item.epoch)
}
