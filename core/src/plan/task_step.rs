//! Applies steps of tasks to the store.
//!
//! [`decide_step`] makes the decision; this module reads what it needs, and tries again when the
//! task changed between reading and writing.

use crate::model::{
    PlanId, PlanTask, PlanTaskId, PlanTaskRefusal, PlanTaskStatus, PlanTaskStep, PlanTaskVerdict,
    decide_plan_task_step,
};
use crate::store::{PlanTaskStepRequest, Provenance, Result, Store, StoreError};

/// How often a step is tried on a task that keeps changing.
const MAX_ATTEMPTS: usize = 16;

/// The outcome of a step.
#[derive(Debug)]
pub enum TaskStepOutcome {
    /// The step was taken.
    Changed {
        /// The status before.
        from: PlanTaskStatus,
        /// The task after the step.
        task: PlanTask,
    },
    /// The task has the wanted status already; nothing was written.
    Already(PlanTask),
    /// The step is not allowed.
    Refused {
        /// The reason.
        refusal: PlanTaskRefusal,
        /// The task, unchanged.
        task: PlanTask,
    },
    /// The plan has no such task.
    Unknown,
}

/// Applies a step to a task. If several processes apply the same step at once, one of them takes it
/// and the others get [`TaskStepOutcome::Already`].
///
/// # Errors
///
/// When the database cannot be reached, or the task kept changing.
pub fn apply_task_step(
    store: &mut dyn Store,
    plan: &PlanId,
    task: &PlanTaskId,
    step: &PlanTaskStep,
    provenance: &Provenance,
) -> Result<TaskStepOutcome> {
    let mut conflict = None;
    for _ in 0..MAX_ATTEMPTS {
        let Some(current) = store.load_plan_task(plan, task)? else {
            return Ok(TaskStepOutcome::Unknown);
        };
        match decide_plan_task_step(&current, step) {
            PlanTaskVerdict::Already => return Ok(TaskStepOutcome::Already(current)),
            PlanTaskVerdict::Refuse(refusal) => {
                return Ok(TaskStepOutcome::Refused { refusal, task: current });
            }
            PlanTaskVerdict::Go => {}
        }
        let change = PlanTaskStepRequest {
            plan: plan.clone(),
            task: task.clone(),
            expected_revision: current.revision,
            step: step.clone(),
            // All attempts share one op id, so that a step that took effect is recognized.
            provenance: provenance.clone(),
        };
        match store.apply_plan_task_step(&change) {
            Ok(task) => {
                let from = current.status;
                return Ok(TaskStepOutcome::Changed { from, task });
            }
            // Another process changed the task; the next reading shows what is left to do.
            Err(error @ StoreError::Conflict(_)) => conflict = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(conflict
        .unwrap_or_else(|| StoreError::Conflict(format!("task {plan}/{task} keeps changing"))))
}
