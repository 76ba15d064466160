//! Who runs which plan.

use super::Provenance;
use crate::model::phase::Phase;
use crate::model::{Orchestrator, OrchestratorId, PlanId, PlanTask, ProcessId, RunEnd, SessionId};
use crate::store::{Result, StoreError};

/// A run of a plan that is about to begin.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id; made by who asks.
    pub id: OrchestratorId,
    /// The plan; it need not have been imported.
    pub plan: PlanId,
    /// The session it is started from.
    pub session: Option<SessionId>,
    /// The machine.
    pub host: String,
    /// The process that is the orchestrator.
    pub process: ProcessId,
    /// Whether that process is trueup itself.
    pub supervised: bool,
    /// Who registers it.
    pub provenance: Provenance,
}

/// How a registration ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunRegistration {
    /// The run has begun.
    Started(Orchestrator),
    /// The plan has an orchestrator; nothing was changed.
    PlanTaken(Orchestrator),
}

/// A run that ended, and what it left unfinished.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedRun {
    /// The run, as it is now.
    pub orchestrator: Orchestrator,
    /// Tasks of plans that were in progress under it, put back.
    pub tasks: Vec<PlanTask>,
    /// Phases that ran under it, put back.
    pub phases: Vec<Phase>,
}

impl EndedRun {
    /// Names what it left unfinished.
    pub fn describe_interrupted(&self) -> Vec<String> {
        let tasks = self.tasks.iter().map(|task| format!("task {}", task.key()));
        let phases = self
            .phases
            .iter()
            .map(|phase| format!("phase {}", phase.id));
        tasks.chain(phases).collect()
    }
}

/// The registry of orchestrators: one per plan.
///
/// Every operation fails as [`StoreError`] says.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once above, and where one is special"
)]
pub trait OrchestratorStore {
    /// Begins a run of a plan that has no orchestrator, under the plan's next epoch.
    fn register_orchestrator(&mut self, run: &NewRun) -> Result<RunRegistration>;

    /// Reads an orchestrator.
    fn load_orchestrator(&mut self, id: &OrchestratorId) -> Result<Option<Orchestrator>>;

    /// Lists those that run or stop, by plan, whatever the number of those that ended.
    fn list_live_orchestrators(&mut self) -> Result<Vec<Orchestrator>>;

    /// Lists all, the latest first; a `limit` of 0 is none.
    fn list_orchestrators(&mut self, limit: u32) -> Result<Vec<Orchestrator>>;

    /// Renews the heartbeat; returns the row, which says whether it was told to stop.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] for an unknown one,
    /// [`StoreError::Conflict`] for one that ended.
    fn record_orchestrator_heartbeat(&mut self, id: &OrchestratorId) -> Result<Orchestrator>;

    /// Tells a running one to stop.
    ///
    /// # Errors
    ///
    /// Those of [`Self::beat_orchestrator`].
    fn request_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        provenance: &Provenance,
    ) -> Result<Orchestrator>;

    /// Records that a run ended as it should, and how; what is in progress under it is put
    /// back in the same transaction.
    ///
    /// # Errors
    ///
    /// Those of [`Self::beat_orchestrator`].
    fn record_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        end: RunEnd,
        provenance: &Provenance,
    ) -> Result<EndedRun>;

    /// Records that a run died; what is in progress under it is put back in the same
    /// transaction.
    ///
    /// Conditional on the row read: one that gave a sign of life since, or ended, is left
    /// alone and `None` returned.
    fn record_orchestrator_crash(
        &mut self,
        as_read: &Orchestrator,
        provenance: &Provenance,
    ) -> Result<Option<EndedRun>>;
}

/// Says that nothing runs under an id. A heartbeat for it must not pass in silence (seed 4).
pub(in crate::store) fn unknown_orchestrator_error(id: &OrchestratorId) -> StoreError {
    StoreError::Invalid(format!("orchestrator {id} does not exist"))
}

/// Says that a registration was repeated under the id of another operation.
pub(in crate::store) fn foreign_operation_error(provenance: &Provenance) -> StoreError {
    let op_id = &provenance.op_id;
    StoreError::Invalid(format!(
        "operation id {op_id} did not start an orchestrator"
    ))
}

/// Says that a run is over, so that nothing more can be written of it.
pub(in crate::store) fn ended_orchestrator_error(orchestrator: &Orchestrator) -> StoreError {
    let since = orchestrator
        .stopped_at
        .map_or_else(String::new, |at| format!(" at {at}"));
    StoreError::Conflict(format!(
        "orchestrator {} {}{since}",
        orchestrator.id, orchestrator.status
    ))
}
