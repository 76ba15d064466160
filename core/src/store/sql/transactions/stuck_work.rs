//! Work that is in progress without a sign of life.

use super::super::engine::Engine;
use super::super::{SqlStore, orchestrators, phases, plan_tasks};
use crate::model::phase::StuckPhase;
use crate::model::{Orchestrator, PlanTask};
use crate::store::{EndedRun, PhaseChanges, Provenance, Result, StuckWorkStore};

impl<E: Engine> StuckWorkStore for SqlStore<E> {
    fn list_stuck_phases(&mut self, seconds: u64, limit: u32) -> Result<Vec<StuckPhase>> {
        self.engine.read(|tx| phases::list_stuck_phases(tx, seconds, limit))
    }

    fn fail_stuck_phase(
        &mut self,
        stuck: &StuckPhase,
        error: &str,
        provenance: &Provenance,
    ) -> Result<Option<PhaseChanges>> {
        self.engine.write(|tx| phases::fail_stuck_phase(tx, stuck, error, provenance))
    }

    fn fail_stuck_plan_tasks(
        &mut self,
        stuck_seconds: u64,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        // Usually nothing is stuck, and reading takes no ticket in the queue of writers.
        let stuck = self.engine.read(|tx| plan_tasks::list_stuck_tasks(tx, stuck_seconds))?;
        if stuck.is_empty() {
            return Ok(Vec::new());
        }
        self.engine.write(|tx| plan_tasks::fail_stuck_tasks(tx, stuck_seconds, provenance))
    }

    fn list_live_orchestrators(&mut self) -> Result<Vec<Orchestrator>> {
        self.engine.read(|tx| orchestrators::list_live_orchestrators(tx))
    }

    fn record_orchestrator_crash(
        &mut self,
        as_read: &Orchestrator,
        provenance: &Provenance,
    ) -> Result<Option<EndedRun>> {
        self.engine.write(|tx| orchestrators::record_crash(tx, as_read, provenance))
    }
}
