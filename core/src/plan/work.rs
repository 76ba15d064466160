//! Working on tasks over the store port.
//!
//! The decision is [`decide_step`]; here are the readings it is made from, and the repetition
//! when the task moved between reading and writing.

use crate::model::{
    PlanId, PlanTask, PlanTaskId, PlanTaskRefusal, PlanTaskStatus, PlanTaskStep, PlanTaskVerdict,
    decide_step,
};
use crate::store::{PlanTaskChange, Provenance, Result, Store, StoreError};

/// Attempts before giving up on a task that keeps moving.
const ATTEMPTS: usize = 16;

/// How a step ended.
#[derive(Debug)]
pub enum StepTaken {
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
pub fn take_step(
    store: &mut dyn Store,
    plan: &PlanId,
    task: &PlanTaskId,
    step: &PlanTaskStep,
    provenance: &Provenance,
) -> Result<StepTaken> {
    let mut moved = None;
    for _ in 0..ATTEMPTS {
        let Some(before) = store.plan_task(plan, task)? else {
            return Ok(StepTaken::Unknown);
        };
        match decide_step(&before, step) {
            PlanTaskVerdict::Already => return Ok(StepTaken::Already(before)),
            PlanTaskVerdict::Refuse(refusal) => {
                return Ok(StepTaken::Refused {
                    refusal,
                    task: before,
                });
            }
            PlanTaskVerdict::Go => {}
        }
        let change = PlanTaskChange {
            plan: plan.clone(),
            task: task.clone(),
            expected: before.revision,
            step: step.clone(),
            // One op id for all attempts: a step that did take effect is recognised.
            provenance: provenance.clone(),
        };
        match store.change_plan_task(&change) {
            Ok(task) => {
                let from = before.status;
                return Ok(StepTaken::Changed { from, task });
            }
            // Somebody was faster: the next reading shows what is left to do.
            Err(error @ StoreError::Conflict(_)) => moved = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(moved.unwrap_or_else(|| StoreError::Conflict(format!("task {plan}/{task} keeps changing"))))
}
