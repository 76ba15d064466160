//! Working on tasks over the store port.
//!
//! The decision is [`decide_step`]; here are the readings it is made from, and the repetition
//! when the task moved between reading and writing.

use crate::model::{
    PlanId, PlanTask, PlanTaskId, PlanTaskRefusal, PlanTaskStatus, PlanTaskStep, PlanTaskVerdict,
    decide_plan_task_step,
};
use crate::store::{PlanTaskStepRequest, Provenance, Result, Store, StoreError};

/// Attempts before giving up on a task that keeps moving.
const MAX_ATTEMPTS: usize = 16;

/// How a step ended.
#[derive(Debug)]
pub enum TaskStepOutcome {
    /// It was taken.
    Changed {
        /// Where the task stood before.
        from: PlanTaskStatus,
        /// The task now.
        task: PlanTask,
    },
    /// The task stands there already; nothing was written.
    Already(PlanTask),
    /// It may not be taken.
    Refused {
        /// Why.
        refusal: PlanTaskRefusal,
        /// The task as it is.
        task: PlanTask,
    },
    /// There is no such task.
    Unknown,
}

/// Takes a step with a task. Of several that take the same one at once, one does and the
/// others are told so.
///
/// # Errors
///
/// When the database cannot be asked, or the task kept moving.
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
                return Ok(TaskStepOutcome::Refused {
                    refusal,
                    task: current,
                });
            }
            PlanTaskVerdict::Go => {}
        }
        let change = PlanTaskStepRequest {
            plan: plan.clone(),
            task: task.clone(),
            expected_revision: current.revision,
            step: step.clone(),
            // One op id for all attempts: a step that did take effect is recognised.
            provenance: provenance.clone(),
        };
        match store.apply_plan_task_step(&change) {
            Ok(task) => {
                let from = current.status;
                return Ok(TaskStepOutcome::Changed { from, task });
            }
            // Somebody was faster: the next reading shows what is left to do.
            Err(error @ StoreError::Conflict(_)) => conflict = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(conflict
        .unwrap_or_else(|| StoreError::Conflict(format!("task {plan}/{task} keeps changing"))))
}
