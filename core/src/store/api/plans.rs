//! Plans and their tasks.

use super::Provenance;
use crate::model::{
    NewPlan, OrchestratorId, Plan, PlanId, PlanState, PlanSummary, PlanTask, PlanTaskId,
    PlanTaskStep, Revision,
};
use crate::store::{Result, StoreError};

/// A plan that was imported.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedPlan {
    /// The plan with all its tasks, as it is now.
    pub plan_state: PlanState,
    /// How many tasks are new.
    pub added: u64,
    /// How many were there and changed.
    pub changed: u64,
    /// The tasks that the database has and the file has not. They stay.
    pub tasks_not_in_file: Vec<PlanTaskId>,
}

/// A plan in a list, with its tasks counted in the same statement.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanOverview {
    /// The plan.
    pub plan: Plan,
    /// How many of its tasks stand where.
    pub summary: PlanSummary,
}

/// A step of a task, conditional on what it was decided on.
#[derive(Debug, Clone)]
pub struct PlanTaskStepRequest {
    /// The plan.
    pub plan: PlanId,
    /// The task.
    pub task: PlanTaskId,
    /// The revision that was read; the write is refused when the task moved on.
    pub expected_revision: Revision,
    /// What is done.
    pub step: PlanTaskStep,
    /// Who does it.
    pub provenance: Provenance,
}

impl PlanTaskStepRequest {
    /// Returns who does it, with the reason that its event gives.
    pub(crate) fn provenance_with_reason(
        step: &PlanTaskStep,
        provenance: &Provenance,
    ) -> Provenance {
        Provenance {
            reason: Some(step.reason().into()),
            ..provenance.clone()
        }
    }

    /// Returns the refusal of a step that the rules forbid.
    pub(crate) fn denied_error(&self, task: &PlanTask) -> StoreError {
        StoreError::Denied(format!(
            "task {} is {} and cannot become {}",
            task.key(),
            task.status,
            self.step.target()
        ))
    }
}

/// What the database does with plans.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once above, and where one is special"
)]
pub trait PlanStore {
    /// Takes a plan in, whole or not at all. The file decides what its tasks are about, the
    /// database where they stand, unless the file is further.
    fn import_plan(&mut self, plan: &NewPlan, provenance: &Provenance) -> Result<ImportedPlan>;

    /// Lists plans, by id.
    fn list_plans(&mut self) -> Result<Vec<PlanOverview>>;

    /// Reads a plan and its tasks at one moment, so that counts and tasks always agree.
    fn load_plan(&mut self, id: &PlanId) -> Result<Option<PlanState>>;

    /// Lists the ids of all plans, in order, and counts nothing.
    fn list_plan_ids(&mut self) -> Result<Vec<PlanId>>;

    /// Finds the plan of a file.
    fn find_plan_by_path(&mut self, path: &str) -> Result<Option<PlanId>>;

    /// Removes a plan with its tasks; the log keeps what became of them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when there is none of this
    /// id.
    fn remove_plan(&mut self, id: &PlanId, provenance: &Provenance) -> Result<()>;

    /// Reads a task.
    fn load_plan_task(&mut self, plan: &PlanId, task: &PlanTaskId) -> Result<Option<PlanTask>>;

    /// Takes a step with a task.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when the task moved on;
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) when the rules forbid the step.
    fn apply_plan_task_step(&mut self, request: &PlanTaskStepRequest) -> Result<PlanTask>;

    /// Puts back what is in progress under an orchestrator, whoever works on it: it waits for
    /// the next worker, and says why.
    fn interrupt_plan_tasks(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>>;

    /// Fails what is in progress without a sign of life for so many seconds: neither of the task
    /// nor of the session or orchestrator that works on it. Looks again in the transaction that writes, and
    /// writes nothing when there is nothing to fail.
    fn fail_stuck_plan_tasks(
        &mut self,
        stuck_seconds: u64,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>>;
}
