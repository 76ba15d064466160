//! What a file says of a plan, and what becomes of the task that is there already.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::{Plan, PlanId, PlanTask, PlanTaskId, PlanTaskStatus, Revision, Timestamp};

/// A plan as a file describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPlan {
    /// The id it should have; another plan of that name makes it a numbered one.
    pub id: PlanId,
    /// The plan's file, absolute: the same file is the same plan.
    pub path: String,
    /// What it is about.
    pub title: Option<String>,
    /// What else the file said of it.
    pub extra: Map<String, Value>,
    /// Its tasks, in their order.
    pub tasks: Vec<NewPlanTask>,
}

impl NewPlan {
    /// Returns what becomes of the plan that is there already: the file's title wins, and
    /// what it says nothing of stays.
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

    /// Returns the tasks that are there and the file has not.
    pub fn list_missing_tasks(&self, tasks: &[PlanTask]) -> Vec<PlanTaskId> {
        let known: BTreeSet<&PlanTaskId> = self.tasks.iter().map(|task| &task.id).collect();
        let others = tasks.iter().filter(|task| !known.contains(&task.id));
        others.map(|task| task.id.clone()).collect()
    }
}

/// A task as a file describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPlanTask {
    /// Its id in the plan.
    pub id: PlanTaskId,
    /// The number of its phase.
    pub phase_number: Option<u32>,
    /// The name of its phase.
    pub phase_title: Option<String>,
    /// What is to be done.
    pub title: String,
    /// Where the file says it stands.
    pub status: PlanTaskStatus,
    /// A word of the plan's choice; absent when the file says nothing of it.
    pub priority: Option<String>,
    /// What comes first; absent when the file says nothing of it.
    pub depends_on: Option<Vec<PlanTaskId>>,
    /// What else the file says of it.
    pub extra: Map<String, Value>,
    /// When it was started, as the file says.
    pub started_at: Option<Timestamp>,
    /// When it ended, as the file says.
    pub completed_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// Why it was left out.
    pub skip_reason: Option<String>,
    /// How often it was tried again.
    pub retry_count: u8,
}

impl NewPlanTask {
    /// Makes a task of which nothing else is said.
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

    /// Makes the task of a plan that has none of this id. The store dates what is undated.
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

/// Returns what becomes of a task when a file is imported again: the file decides what it is
/// about, the database where it stands, unless the file is further. A status never goes back.
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
