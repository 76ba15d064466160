//! Plans and their tasks (seed 4): what is stored, and what is computed from it.

mod plan_import;
mod plan_task;
mod plan_task_step;

pub use plan_import::{NewPlan, NewPlanTask, merge_reimported_task};
pub use plan_task::{PlanTask, PlanTaskId, PlanTaskIdError};
pub use plan_task_step::{
    MAX_RETRIES, PlanTaskRefusal, PlanTaskStep, PlanTaskVerdict, PlanWorker, decide_plan_task_step,
};

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{PlanId, PlanTaskStatus, Revision, Timestamp};

/// A row of `plans`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The key, named after the file.
    pub id: PlanId,
    /// The file it was written in, absolute.
    pub path: String,
    /// What it is about.
    pub title: Option<String>,
    /// What else a status file said of it, value for value.
    pub extra: Map<String, Value>,
    /// Counts changes.
    pub revision: Revision,
    /// When it was imported first.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

impl Plan {
    /// Returns what an event shows of a plan.
    pub fn event_facts(&self) -> Value {
        json!({"path": self.path, "title": self.title, "extra": self.extra})
    }
}

/// How many tasks stand where. Always counted from the tasks, never stored: a stored count is
/// a second copy, and the seed's drifted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanSummary {
    /// All.
    pub total: u64,
    /// Not started.
    pub pending: u64,
    /// Being worked on.
    pub in_progress: u64,
    /// Finished.
    pub completed: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Left out on purpose.
    pub skipped: u64,
}

impl PlanSummary {
    /// Counts statuses.
    pub fn from_statuses(statuses: impl IntoIterator<Item = PlanTaskStatus>) -> Self {
        let mut summary = Self::default();
        for status in statuses {
            summary.add(status, 1);
        }
        summary
    }

    /// Counts so many more of one status.
    pub const fn add(&mut self, status: PlanTaskStatus, count: u64) {
        let place = match status {
            PlanTaskStatus::Pending => &mut self.pending,
            PlanTaskStatus::InProgress => &mut self.in_progress,
            PlanTaskStatus::Completed => &mut self.completed,
            PlanTaskStatus::Failed => &mut self.failed,
            PlanTaskStatus::Skipped => &mut self.skipped,
        };
        *place += count;
        self.total += count;
    }

    /// Returns where the plan as a whole stands: begun with its first task, and at its end
    /// failed when one task is.
    pub const fn status(&self) -> PlanTaskStatus {
        if self.pending == self.total {
            PlanTaskStatus::Pending
        } else if self.pending + self.in_progress > 0 {
            PlanTaskStatus::InProgress
        } else if self.failed > 0 {
            PlanTaskStatus::Failed
        } else if self.skipped == self.total {
            PlanTaskStatus::Skipped
        } else {
            PlanTaskStatus::Completed
        }
    }
}

/// A plan with its tasks, read at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanState {
    /// The plan.
    pub plan: Plan,
    /// Its tasks, in their order.
    pub tasks: Vec<PlanTask>,
}

impl PlanState {
    /// Counts the tasks.
    pub fn summary(&self) -> PlanSummary {
        PlanSummary::from_statuses(self.tasks.iter().map(|task| task.status))
    }

    /// Returns the tasks to go on with: those in progress, then those that are pending with
    /// nothing left to wait for, each in the plan's order.
    pub fn next_tasks(&self) -> impl Iterator<Item = &PlanTask> {
        let of = |status| self.tasks.iter().filter(move |task| task.status == status);
        let done: HashSet<&PlanTaskId> = self
            .tasks
            .iter()
            .filter(|task| is_done(task))
            .map(|task| &task.id)
            .collect();
        let ready = of(PlanTaskStatus::Pending)
            .filter(move |task| task.depends_on.iter().all(|id| done.contains(id)));
        of(PlanTaskStatus::InProgress).chain(ready)
    }

    /// Returns what a task depends on and is no task of the plan. Whoever wrote it meant
    /// something, so the task waits until the plan says what.
    pub fn unknown_dependencies<'a>(&'a self, task: &'a PlanTask) -> Vec<&'a PlanTaskId> {
        let known: HashSet<&PlanTaskId> = self.tasks.iter().map(|task| &task.id).collect();
        let ids = task.depends_on.iter();
        ids.filter(|id| !known.contains(id)).collect()
    }

    /// Returns the tasks that a task depends on and that are neither completed nor skipped.
    pub fn open_dependencies<'a>(
        &'a self,
        task: &'a PlanTask,
    ) -> impl Iterator<Item = &'a PlanTask> {
        self.tasks
            .iter()
            .filter(move |other| task.depends_on.contains(&other.id) && !is_done(other))
    }
}

/// Tells whether nothing waits for a task any more.
const fn is_done(task: &PlanTask) -> bool {
    matches!(
        task.status,
        PlanTaskStatus::Completed | PlanTaskStatus::Skipped
    )
}

#[cfg(test)]
mod tests;
