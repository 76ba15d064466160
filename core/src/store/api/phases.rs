//! The operations on the phase queue, and their requests.

use super::{KeyPage, Provenance};
use crate::model::phase::{NewPhases, PhaseRefusal, PhaseStep};
use crate::model::{ItemKey, ItemStatus, OrchestratorId, Phase, QueueId, SessionId};
use crate::store::Result;
use serde::{Deserialize, Serialize};

/// Which phases to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PhaseFilter {
    /// Only phases of this item.
    pub item: Option<ItemKey>,
    /// Only phases of this status.
    pub status: Option<ItemStatus>,
    /// A part of the list in the order of ids, instead of all in the order of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<KeyPage>,
}

/// A request to take a step with a phase.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PhaseStepRequest {
    /// The phase.
    pub id: QueueId,
    /// The step.
    pub step: PhaseStep,
    /// The session that asks, which must be registered; absent for a person at a terminal.
    pub mover: Option<SessionId>,
    /// Who asks, and why; a reopening needs a reason.
    pub provenance: Provenance,
}

/// A phase that changed, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseChange {
    /// Its status before.
    pub from: ItemStatus,
    /// The row now.
    pub phase: Phase,
}

/// The changes that a step made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseChanges {
    /// The phase itself.
    pub change: PhaseChange,
    /// The changes that followed for other phases of its item, by number.
    pub affected: Vec<PhaseChange>,
}

/// The outcome of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseStepOutcome {
    /// The step was taken.
    Applied(Box<PhaseChanges>),
    /// The rules refuse the step; nothing was changed.
    Refused(PhaseRefusal),
}

/// A request to remove a phase that was added by mistake.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PhaseRemovalRequest {
    /// The phase.
    pub id: QueueId,
    /// Whether all other phases of its item go with it.
    pub with_all: bool,
    /// The session that asks, which must be registered; absent for a person at a terminal.
    pub mover: Option<SessionId>,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// The outcome of a removal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseRemovalOutcome {
    /// These phases were removed; none by a repetition.
    Removed(Vec<Phase>),
    /// The rules refuse it; nothing was changed.
    Refused(PhaseRefusal),
}

/// The operations on the phase queue.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says. What follows from a
/// change for other phases of the item is written in the same transaction.
#[expect(clippy::missing_errors_doc, reason = "said once above, and where one is special")]
pub trait PhaseStore {
    /// Adds the phases of an item that has none; phases without dependencies are ready.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) when there is no such item, or
    /// it already has phases.
    fn add_phases(&mut self, phases: &NewPhases, provenance: &Provenance) -> Result<Vec<Phase>>;

    /// Reads a phase.
    fn load_phase(&mut self, id: &QueueId) -> Result<Option<Phase>>;

    /// Lists phases in the order of the queue: priority, position, phase number.
    fn list_phases(&mut self, filter: &PhaseFilter) -> Result<Vec<Phase>>;

    /// Finds the first ready phase whose item no other session holds.
    fn find_next_phase(&mut self, session: Option<&SessionId>) -> Result<Option<Phase>>;

    /// Takes a step, as [`decide_phase_step`](crate::model::phase::decide_phase_step) allows, on what the
    /// database holds at that moment. Starting a phase of an item that the mover holds makes it
    /// the phase of the item and of the session's execution state.
    fn apply_phase_step(&mut self, request: &PhaseStepRequest) -> Result<PhaseStepOutcome>;

    /// Removes phases, as [`decide_phase_removal`](crate::model::phase::decide_phase_removal)
    /// allows; the record of changes keeps what they were.
    fn remove_phases(&mut self, request: &PhaseRemovalRequest) -> Result<PhaseRemovalOutcome>;

    /// Puts the running phases of an orchestrator that ended back into the queue, with the reason
    /// in their error message. Returns them.
    fn interrupt_phases(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<Phase>>;
}
