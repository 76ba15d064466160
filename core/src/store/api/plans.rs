//! Plans and their tasks.

use super::Provenance;
use crate::model::{
    NewPlan, OrchestratorId, Plan, PlanId, PlanState, PlanSummary, PlanTask, PlanTaskId,
    PlanTaskStep, Revision,
};
use crate::store::{Result, StoreError};
use serde::{Deserialize, Serialize};

/// A plan that was imported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedPlan {
    /// The plan with all its tasks, as it is now.
    pub plan_state: PlanState,
    /// How many tasks are new.
    pub added: u64,
    /// How many were there and changed.
    pub changed: u64,
    /// The tasks that the database has and the file does not. They stay.
    pub tasks_not_in_file: Vec<PlanTaskId>,
}

/// A plan in a list, with its tasks counted by status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanOverview {
    /// The plan.
    pub plan: Plan,
    /// The number of its tasks by status.
    pub summary: PlanSummary,
}

/// A step of a task, conditional on the revision that it was decided on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanTaskStepRequest {
    /// The plan.
    pub plan: PlanId,
    /// The task.
    pub task: PlanTaskId,
    /// The revision that was read; the write is refused when the task has another.
    pub expected_revision: Revision,
    /// The step.
    pub step: PlanTaskStep,
    /// Who does it.
    pub provenance: Provenance,
}

impl PlanTaskStepRequest {
    /// Returns the provenance with the reason that the event of a step shows.
    pub(crate) fn provenance_with_reason(
        step: &PlanTaskStep,
        provenance: &Provenance,
    ) -> Provenance {
        provenance.because(step.reason())
    }

    /// The error for a step that the rules forbid.
    pub(crate) fn denied_error(&self, task: &PlanTask) -> StoreError {
        StoreError::denied(format!(
            "task {} is {} and cannot become {}",
            task.key(),
            task.status,
            self.step.target()
        ))
    }
}

/// The operations on plans and their tasks.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
#[expect(clippy::missing_errors_doc, reason = "said once above, and where one is special")]
pub trait PlanStore {
    /// Imports a plan, whole or not at all. The file decides what its tasks are about, the database
    /// decides their status, unless the status in the file is further along.
    fn import_plan(&mut self, plan: &NewPlan, provenance: &Provenance) -> Result<ImportedPlan>;

    /// Lists plans, by id.
    fn list_plans(&mut self) -> Result<Vec<PlanOverview>>;

    /// Reads a plan and its tasks at one moment, so that counts and tasks always agree.
    fn load_plan(&mut self, id: &PlanId) -> Result<Option<PlanState>>;

    /// Lists the ids of all plans, in order, without counting tasks.
    fn list_plan_ids(&mut self) -> Result<Vec<PlanId>>;

    /// Finds the plan of a file.
    fn find_plan_by_path(&mut self, path: &str) -> Result<Option<PlanId>>;

    /// Removes a plan with its tasks; the record of changes keeps what became of them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when there is no plan of
    /// this id.
    fn remove_plan(&mut self, id: &PlanId, provenance: &Provenance) -> Result<()>;

    /// Reads a task.
    fn load_plan_task(&mut self, plan: &PlanId, task: &PlanTaskId) -> Result<Option<PlanTask>>;

    /// Takes a step with a task.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when the task has changed;
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) when the rules forbid the step.
    fn apply_plan_task_step(&mut self, request: &PlanTaskStepRequest) -> Result<PlanTask>;

    /// Puts the tasks in progress under an orchestrator back, even if a session works on them:
    /// they wait for the next worker, with the reason in their error.
    fn interrupt_plan_tasks(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>>;
}
