//! Runs of orchestrators.

use super::super::engine::Engine;
use super::super::{SqlStore, orchestrators};
use crate::model::{Orchestrator, OrchestratorId, RunEnd};
use crate::store::{EndedRun, NewRun, OrchestratorStore, Provenance, Result, RunRegistration};

impl<E: Engine> OrchestratorStore for SqlStore<E> {
    fn register_orchestrator(&mut self, run: &NewRun) -> Result<RunRegistration> {
        self.engine.write(|tx| orchestrators::register_run(tx, run))
    }

    fn load_orchestrator(&mut self, id: &OrchestratorId) -> Result<Option<Orchestrator>> {
        self.engine.read(|tx| orchestrators::load_orchestrator(tx, id))
    }

    fn list_orchestrators(&mut self, limit: u32) -> Result<Vec<Orchestrator>> {
        self.engine.read(|tx| orchestrators::list_orchestrators(tx, limit))
    }

    fn record_orchestrator_heartbeat(&mut self, id: &OrchestratorId) -> Result<Orchestrator> {
        self.engine.write(|tx| orchestrators::record_heartbeat(tx, id))
    }

    fn request_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        provenance: &Provenance,
    ) -> Result<Orchestrator> {
        self.engine.write(|tx| orchestrators::request_stop(tx, id, provenance))
    }

    fn record_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        end: RunEnd,
        provenance: &Provenance,
    ) -> Result<EndedRun> {
        self.engine.write(|tx| orchestrators::record_stop(tx, id, end, provenance))
    }
}
