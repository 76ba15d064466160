//! Plans and their tasks.

use super::super::engine::Engine;
use super::super::{SqlStore, plan_tasks, plans};
use crate::model::{NewPlan, OrchestratorId, PlanId, PlanState, PlanTask, PlanTaskId};
use crate::store::{
    ImportedPlan, PlanOverview, PlanStore, PlanTaskStepRequest, Provenance, Result,
};

impl<E: Engine> PlanStore for SqlStore<E> {
    fn import_plan(&mut self, plan: &NewPlan, provenance: &Provenance) -> Result<ImportedPlan> {
        self.engine.write(|tx| plans::import_plan(tx, plan, provenance))
    }

    fn list_plans(&mut self) -> Result<Vec<PlanOverview>> {
        self.engine.read(|tx| plans::list_plans(tx))
    }

    fn load_plan(&mut self, id: &PlanId) -> Result<Option<PlanState>> {
        self.engine.snapshot(|tx| plans::load_plan_state(tx, id))
    }

    fn list_plan_ids(&mut self) -> Result<Vec<PlanId>> {
        self.engine.read(|tx| plans::list_plan_ids(tx))
    }

    fn find_plan_by_path(&mut self, path: &str) -> Result<Option<PlanId>> {
        self.engine.read(|tx| plans::find_plan_by_path(tx, path))
    }

    fn remove_plan(&mut self, id: &PlanId, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| plans::remove_plan(tx, id, provenance))
    }

    fn load_plan_task(&mut self, plan: &PlanId, task: &PlanTaskId) -> Result<Option<PlanTask>> {
        self.engine.read(|tx| plan_tasks::load_task(tx, plan, task))
    }

    fn apply_plan_task_step(&mut self, request: &PlanTaskStepRequest) -> Result<PlanTask> {
        self.engine.write(|tx| plan_tasks::change_task(tx, request))
    }

    fn interrupt_plan_tasks(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        self.engine.write(|tx| plan_tasks::interrupt_tasks(tx, orchestrator, reason, provenance))
    }
}
