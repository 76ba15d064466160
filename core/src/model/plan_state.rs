//! Plans and their tasks: what is stored, and what is computed from it.

mod plan_import;
mod plan_task;
mod plan_task_step;

pub use plan_import::{NewPlan, NewPlanTask, merge_reimported_task};
pub use plan_task::{PlanTask, PlanTaskId, PlanTaskIdError};
pub use plan_task_step::{
    MAX_RETRIES, PlanTaskRefusal, PlanTaskStep, PlanTaskVerdict, PlanWorker, decide_plan_task_step,
};

use serde::{Deserialize, Serialize};
use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{PlanId, PlanTaskStatus, Revision, Timestamp};

/// A row of `plans`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The key, made from the name of the file.
    pub id: PlanId,
    /// The absolute path of its file.
    pub path: String,
    /// The title.
    pub title: Option<String>,
    /// Other fields of its status file, unchanged.
    pub extra: Map<String, Value>,
    /// The number of changes.
    pub revision: Revision,
    /// When it was first imported.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Plan {
    /// Returns what an event records of a plan.
    pub fn event_facts(&self) -> Value {
        json!({"path": self.path, "title": self.title, "extra": self.extra})
    }
}

/// The number of tasks by status. It is always counted, never stored, because a stored count would
/// be a second copy that can disagree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// All tasks.
    pub total: u64,
    /// Not started.
    pub pending: u64,
    /// In progress.
    pub in_progress: u64,
    /// Completed.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
    /// Skipped.
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

    /// Adds to the count of one status.
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

    /// Returns the status of the plan as a whole. It is in progress from its first started task on,
    /// and failed at the end when any task failed.
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

/// A plan and its tasks, read at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanState {
    /// The plan.
    pub plan: Plan,
    /// Its tasks, in order.
    pub tasks: Vec<PlanTask>,
}

impl PlanState {
    /// Counts the tasks by status.
    pub fn summary(&self) -> PlanSummary {
        PlanSummary::from_statuses(self.tasks.iter().map(|task| task.status))
    }

    /// Lists the tasks to work on next: those in progress, then pending ones without an open
    /// dependency, each in the plan's order.
    pub fn next_tasks(&self) -> impl Iterator<Item = &PlanTask> {
        let of = |status| self.tasks.iter().filter(move |task| task.status == status);
        let done: HashSet<&PlanTaskId> =
            self.tasks.iter().filter(|task| is_done(task)).map(|task| &task.id).collect();
        let ready = of(PlanTaskStatus::Pending)
            .filter(move |task| task.depends_on.iter().all(|id| done.contains(id)));
        of(PlanTaskStatus::InProgress).chain(ready)
    }

    /// Lists the dependencies of a task that are not tasks of the plan. They keep the task waiting,
    /// because their author meant something.
    pub fn unknown_dependencies<'a>(&'a self, task: &'a PlanTask) -> Vec<&'a PlanTaskId> {
        let known: HashSet<&PlanTaskId> = self.tasks.iter().map(|task| &task.id).collect();
        let ids = task.depends_on.iter();
        ids.filter(|id| !known.contains(id)).collect()
    }

    /// Lists the dependencies of a task that are neither completed nor skipped.
    pub fn open_dependencies<'a>(
        &'a self,
        task: &'a PlanTask,
    ) -> impl Iterator<Item = &'a PlanTask> {
        self.tasks
            .iter()
            .filter(move |other| task.depends_on.contains(&other.id) && !is_done(other))
    }
}

/// Returns whether tasks that depend on this one may start.
const fn is_done(task: &PlanTask) -> bool {
    matches!(task.status, PlanTaskStatus::Completed | PlanTaskStatus::Skipped)
}

#[cfg(test)]
mod tests;
