//! Work that is in progress without a sign of life.

use super::{ClockStore, EndedRun, PhaseChanges, Provenance};
use crate::model::phase::StuckPhase;
use crate::model::{Orchestrator, PlanTask};
use crate::store::Result;

/// The operations that find work in progress without a sign of life, and end it.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`")]
pub trait StuckWorkStore: ClockStore {
    /// Lists running phases that, like the session that started them, gave no sign of life for at
    /// least so many seconds; the longest without a change first.
    fn list_stuck_phases(&mut self, seconds: u64, limit: u32) -> Result<Vec<StuckPhase>>;

    /// Fails a stuck phase, even if another session holds its item.
    ///
    /// Conditional on the phase as it was read: one that changed since then, or whose session gave
    /// a sign of life, is left alone, and `None` is returned.
    fn fail_stuck_phase(
        &mut self,
        stuck: &StuckPhase,
        error: &str,
        provenance: &Provenance,
    ) -> Result<Option<PhaseChanges>>;

    /// Fails the tasks in progress that gave no sign of life for so many seconds, like the session
    /// or orchestrator that works on them. Takes no turn among the writers when there is none.
    fn fail_stuck_plan_tasks(
        &mut self,
        stuck_seconds: u64,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>>;

    /// Lists the running and stopping orchestrators, by plan. The price does not depend on how many ended.
    fn list_live_orchestrators(&mut self) -> Result<Vec<Orchestrator>>;

    /// Records that a run died. The work in progress under it waits again, in the same
    /// transaction.
    ///
    /// Conditional on the row as it was read: a run that gave a sign of life since then, or ended,
    /// is left alone, and `None` is returned.
    fn record_orchestrator_crash(
        &mut self,
        as_read: &Orchestrator,
        provenance: &Provenance,
    ) -> Result<Option<EndedRun>>;
}
