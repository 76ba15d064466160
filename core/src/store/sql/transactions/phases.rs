//! The phase queue.

use super::super::engine::Engine;
use super::super::{SqlStore, phases};
use crate::model::phase::NewPhases;
use crate::model::{OrchestratorId, Phase, QueueId, SessionId};
use crate::store::{
    PhaseFilter, PhaseRemovalOutcome, PhaseRemovalRequest, PhaseStepOutcome, PhaseStepRequest,
    PhaseStore, Provenance, Result,
};

impl<E: Engine> PhaseStore for SqlStore<E> {
    fn add_phases(&mut self, phases: &NewPhases, provenance: &Provenance) -> Result<Vec<Phase>> {
        self.engine.write(|tx| phases::add_phases(tx, phases, provenance))
    }

    fn load_phase(&mut self, id: &QueueId) -> Result<Option<Phase>> {
        self.engine.read(|tx| phases::load_phase(tx, id))
    }

    fn list_phases(&mut self, filter: &PhaseFilter) -> Result<Vec<Phase>> {
        self.engine.read(|tx| phases::list_phases(tx, filter))
    }

    fn find_next_phase(&mut self, session: Option<&SessionId>) -> Result<Option<Phase>> {
        self.engine.read(|tx| phases::find_next_phase(tx, session))
    }

    fn apply_phase_step(&mut self, request: &PhaseStepRequest) -> Result<PhaseStepOutcome> {
        self.engine.write(|tx| phases::apply_phase_step(tx, request))
    }

    fn remove_phases(&mut self, request: &PhaseRemovalRequest) -> Result<PhaseRemovalOutcome> {
        self.engine.write(|tx| phases::remove_phases(tx, request))
    }

    fn interrupt_phases(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<Phase>> {
        self.engine.write(|tx| phases::interrupt_phases(tx, orchestrator, reason, provenance))
    }
}
