//! What a file says of a plan, and how it is merged into the plan that the database has.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::{Plan, PlanId, PlanTask, PlanTaskId, PlanTaskStatus, Revision, Timestamp};

/// A plan as a file describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewPlan {
    /// The id it should have. When another plan has that id, a number is added.
    pub id: PlanId,
    /// The absolute path of its file, by which a plan is recognized.
    pub path: String,
    /// The title.
    pub title: Option<String>,
    /// Other fields of the file.
    pub extra: Map<String, Value>,
    /// Its tasks, in order.
    pub tasks: Vec<NewPlanTask>,
}

impl NewPlan {
    /// Merges this into the plan that exists: the file's title and fields win, and what it does not
    /// mention stays.
    pub fn merge_into(&self, plan: &Plan) -> Plan {
        let mut merged = plan.clone();
        if self.title.is_some() {
            merged.title.clone_from(&self.title);
        }
        for (key, value) in &self.extra {
            merged.extra.insert(key.clone(), value.clone());
        }
        merged
    }

    /// Lists the tasks that exist but are missing in the file.
    pub fn list_missing_tasks(&self, tasks: &[PlanTask]) -> Vec<PlanTaskId> {
        let known: BTreeSet<&PlanTaskId> = self.tasks.iter().map(|task| &task.id).collect();
        let others = tasks.iter().filter(|task| !known.contains(&task.id));
        others.map(|task| task.id.clone()).collect()
    }
}

/// A task as a file describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewPlanTask {
    /// Its id in the plan.
    pub id: PlanTaskId,
    /// The number of its phase.
    pub phase_number: Option<u32>,
    /// The title of its phase.
    pub phase_title: Option<String>,
    /// The title.
    pub title: String,
    /// The status in the file.
    pub status: PlanTaskStatus,
    /// The priority, in the plan's own words, or `None` when the file has none.
    pub priority: Option<String>,
    /// The dependencies, or `None` when the file lists none.
    pub depends_on: Option<Vec<PlanTaskId>>,
    /// Other fields of the file.
    pub extra: Map<String, Value>,
    /// When it was started, according to the file.
    pub started_at: Option<Timestamp>,
    /// When it ended, according to the file.
    pub completed_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// Why it was skipped.
    pub skip_reason: Option<String>,
    /// How often it was retried.
    pub retry_count: u8,
}

impl NewPlanTask {
    /// Makes a task with nothing but id, title and status.
    pub fn new(id: PlanTaskId, title: String, status: PlanTaskStatus) -> Self {
        Self {
            id,
            phase_number: None,
            phase_title: None,
            title,
            status,
            priority: None,
            depends_on: None,
            extra: Map::new(),
            started_at: None,
            completed_at: None,
            error: None,
            skip_reason: None,
            retry_count: 0,
        }
    }

    /// Makes the row of a task that the plan does not have yet. `now` is used for missing times.
    pub fn to_new_row(&self, plan: &PlanId, position: i64, now: Timestamp) -> PlanTask {
        let started = self.status != PlanTaskStatus::Pending;
        let ended = self.status.is_finished();
        PlanTask {
            plan: plan.clone(),
            id: self.id.clone(),
            phase_number: self.phase_number,
            phase_title: self.phase_title.clone(),
            title: self.title.clone(),
            status: self.status,
            priority: self.priority.clone(),
            position,
            depends_on: self.depends_on.clone().unwrap_or_default(),
            extra: self.extra.clone(),
            started_at: self
                .started_at
                .filter(|_| started)
                .or_else(|| (self.status == PlanTaskStatus::InProgress).then_some(now)),
            completed_at: ended.then(|| self.completed_at.unwrap_or(now)),
            error: self.error.clone(),
            skip_reason: self.skip_reason.clone(),
            retry_count: self.retry_count,
            stuck: false,
            orchestrator: None,
            session: None,
            started_by: None,
            revision: Revision(1),
            updated_at: now,
        }
    }
}

/// Merges a task of a file into the row that exists. The file decides everything but the status; a
/// status changes only forward, to one with a higher rank.
pub fn merge_reimported_task(task: &PlanTask, file: &NewPlanTask, position: i64) -> PlanTask {
    let mut merged = task.clone();
    merged.phase_number = file.phase_number;
    merged.phase_title.clone_from(&file.phase_title);
    merged.title.clone_from(&file.title);
    merged.position = position;
    if let Some(depends_on) = &file.depends_on {
        merged.depends_on.clone_from(depends_on);
    }
    if file.priority.is_some() {
        merged.priority.clone_from(&file.priority);
    }
    for (key, value) in &file.extra {
        merged.extra.insert(key.clone(), value.clone());
    }
    if file.status.rank() > task.status.rank() {
        merged.status = file.status;
        merged.error.clone_from(&file.error);
        merged.skip_reason.clone_from(&file.skip_reason);
        merged.retry_count = task.retry_count.max(file.retry_count);
    }
    merged
}
