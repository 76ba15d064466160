//! The registry of orchestrators: which run works on which plan.

use super::Provenance;
use crate::model::phase::Phase;
use crate::model::{Orchestrator, OrchestratorId, PlanId, PlanTask, ProcessId, RunEnd, SessionId};
use crate::store::{Result, StoreError};
use serde::{Deserialize, Serialize};

/// A run of a plan that is about to begin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewRun {
    /// Its id, chosen by the caller.
    pub id: OrchestratorId,
    /// The plan; it need not have been imported.
    pub plan: PlanId,
    /// The session that starts it.
    pub session: Option<SessionId>,
    /// The machine.
    pub host: String,
    /// The process that is the orchestrator.
    pub process: ProcessId,
    /// Whether that process is trueup itself, which supervises the orchestrator.
    pub supervised: bool,
    /// Who registers it.
    pub provenance: Provenance,
}

/// The answer to a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunRegistration {
    /// The run has begun.
    Started(Orchestrator),
    /// The plan has a live orchestrator, which is named; nothing was changed.
    PlanTaken(Orchestrator),
}

/// A run that ended, and the work that it left unfinished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedRun {
    /// The run, as it is now.
    pub orchestrator: Orchestrator,
    /// Tasks of plans that were in progress under it; they wait again.
    pub tasks: Vec<PlanTask>,
    /// Phases that ran under it; they wait again.
    pub phases: Vec<Phase>,
}

impl EndedRun {
    /// Describes each piece of work that it left unfinished.
    pub fn describe_interrupted(&self) -> Vec<String> {
        let tasks = self.tasks.iter().map(|task| format!("task {}", task.key()));
        let phases = self.phases.iter().map(|phase| format!("phase {}", phase.id));
        tasks.chain(phases).collect()
    }
}

/// The registry of orchestrators: a plan has at most one live run.
///
/// Every operation fails as [`StoreError`] says.
#[expect(clippy::missing_errors_doc, reason = "said once above, and where one is special")]
pub trait OrchestratorStore {
    /// Registers a run of a plan that has no live one, under the plan's next epoch.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`] when a run has the id already.
    fn register_orchestrator(&mut self, run: &NewRun) -> Result<RunRegistration>;

    /// Reads an orchestrator.
    fn load_orchestrator(&mut self, id: &OrchestratorId) -> Result<Option<Orchestrator>>;

    /// Lists all, the latest first; a `limit` of 0 means all.
    fn list_orchestrators(&mut self, limit: u32) -> Result<Vec<Orchestrator>>;

    /// Renews the heartbeat; returns the row, whose status says whether it was told to stop.
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
    /// Those of [`Self::record_orchestrator_heartbeat`].
    fn request_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        provenance: &Provenance,
    ) -> Result<Orchestrator>;

    /// Records that a run ended by itself, and how. The work in progress under it waits again, in
    /// the same transaction.
    ///
    /// # Errors
    ///
    /// Those of [`Self::record_orchestrator_heartbeat`].
    fn record_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        end: RunEnd,
        provenance: &Provenance,
    ) -> Result<EndedRun>;
}

/// The error for an id that no run has. A heartbeat for an unknown run must fail, or an
/// orchestrator could work for hours without being registered.
pub(in crate::store) fn unknown_orchestrator_error(id: &OrchestratorId) -> StoreError {
    StoreError::invalid(format!("orchestrator {id} does not exist"))
}

/// The error for a registration under an id that a run has.
pub(in crate::store) fn taken_orchestrator_id_error(id: &OrchestratorId) -> StoreError {
    StoreError::denied(format!("orchestrator {id} already exists"))
}

/// The error for a registration under the id of another operation.
pub(in crate::store) fn foreign_operation_error(provenance: &Provenance) -> StoreError {
    let op_id = &provenance.op_id;
    StoreError::invalid(format!("operation id {op_id} did not start an orchestrator"))
}

/// The error for a write to a run that ended.
pub(in crate::store) fn ended_orchestrator_error(orchestrator: &Orchestrator) -> StoreError {
    let since = orchestrator.stopped_at.map_or_else(String::new, |at| format!(" at {at}"));
    StoreError::Conflict(format!("orchestrator {} {}{since}", orchestrator.id, orchestrator.status))
}
