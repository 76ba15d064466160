//! The phase queue.

use super::Provenance;
use crate::model::phase::{NewPhases, PhaseRefusal, PhaseStep, StuckPhase};
use crate::model::{ItemKey, ItemStatus, OrchestratorId, Phase, QueueId, SessionId};
use crate::store::Result;

/// Which phases to list.
#[derive(Debug, Clone, Default)]
pub struct PhaseFilter {
    /// Only those of this item.
    pub item: Option<ItemKey>,
    /// Only those that stand so.
    pub status: Option<ItemStatus>,
}

/// A step to take with a phase.
#[derive(Debug, Clone)]
pub struct PhaseStepRequest {
    /// Which phase.
    pub id: QueueId,
    /// What.
    pub step: PhaseStep,
    /// The session that asks; must be registered. None for a person at a terminal.
    pub mover: Option<SessionId>,
    /// Who asks, and why; the reason of a reopening must say something.
    pub provenance: Provenance,
}

/// A phase that changed, as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseChange {
    /// Where it stood before.
    pub from: ItemStatus,
    /// The row now.
    pub phase: Phase,
}

/// What a step changed.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseChanges {
    /// The phase itself.
    pub change: PhaseChange,
    /// What followed for the others of its item, by number.
    pub affected: Vec<PhaseChange>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum PhaseStepOutcome {
    /// It was taken.
    Applied(Box<PhaseChanges>),
    /// It was not; nothing changed.
    Refused(PhaseRefusal),
}

/// The phase queue of the database.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says. What follows from a
/// change for other phases of the item is written in the same transaction.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once above, and where one is special"
)]
pub trait PhaseStore {
    /// Adds the phases of an item that has none; those that wait for nothing are ready.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) when there is no such item, or
    /// it has phases.
    fn add_phases(&mut self, phases: &NewPhases, provenance: &Provenance) -> Result<Vec<Phase>>;

    /// Reads a phase.
    fn load_phase(&mut self, id: &QueueId) -> Result<Option<Phase>>;

    /// Lists phases in the order of the queue: priority, position, phase number.
    fn list_phases(&mut self, filter: &PhaseFilter) -> Result<Vec<Phase>>;

    /// Finds the first ready phase whose item nobody but this session holds.
    fn find_next_phase(&mut self, session: Option<&SessionId>) -> Result<Option<Phase>>;

    /// Takes a step, as [`phase::decide`](crate::model::phase::decide) allows, on what the
    /// database holds at that moment. Starting a phase of an item that the mover holds makes it
    /// the phase of the item and of the session's execution state.
    fn apply_phase_step(&mut self, request: &PhaseStepRequest) -> Result<PhaseStepOutcome>;

    /// Frees the running phases of an orchestrator that is gone: each is to be done again, with
    /// the reason in its error message. Returns them.
    fn interrupt_phases(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<Phase>>;

    /// Lists running phases without a sign of life, by themselves or by the session that
    /// started them, for at least so many seconds; those longest without a change first.
    fn list_stuck_phases(&mut self, seconds: u64, limit: u32) -> Result<Vec<StuckPhase>>;

    /// Fails a phase that was found stuck, whoever holds its item.
    ///
    /// Conditional on what was read: one that changed since, or whose session gave a sign of
    /// life, is left alone and `None` returned.
    fn fail_stuck_phase(
        &mut self,
        stuck: &StuckPhase,
        error: &str,
        provenance: &Provenance,
    ) -> Result<Option<PhaseChanges>>;
}
