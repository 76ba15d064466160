//! The views of plans and their tasks.

use serde::Serialize;

use crate::model::{
    Plan, PlanId, PlanState, PlanSummary, PlanTask, PlanTaskId, PlanTaskStatus, Revision, Timestamp,
};
use crate::store::PlanOverview;

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanView {
    /// The id, made from the name of the file.
    pub plan_id: PlanId,
    /// The absolute path of its file.
    pub path: String,
    /// The title.
    pub title: Option<String>,
    /// The status of the plan as a whole.
    pub status: PlanTaskStatus,
}

impl PlanView {
    /// Builds the view of a plan.
    pub fn new(plan: &Plan, summary: &PlanSummary) -> Self {
        Self {
            plan_id: plan.id.clone(),
            path: plan.path.clone(),
            title: plan.title.clone(),
            status: summary.status(),
        }
    }
}

/// The number of tasks of a plan by status, under the names of status files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanSummaryView {
    /// All tasks.
    #[serde(rename = "totalTasks")]
    pub total_tasks: u64,
    /// Completed.
    pub completed: u64,
    /// Not started.
    pub pending: u64,
    /// In progress.
    pub in_progress: u64,
    /// Failed.
    pub failed: u64,
    /// Skipped.
    pub skipped: u64,
}

impl From<&PlanSummary> for PlanSummaryView {
    fn from(summary: &PlanSummary) -> Self {
        Self {
            total_tasks: summary.total,
            completed: summary.completed,
            pending: summary.pending,
            in_progress: summary.in_progress,
            failed: summary.failed,
            skipped: summary.skipped,
        }
    }
}

/// A plan in a list, with its tasks counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanOverviewView {
    /// The plan.
    #[serde(flatten)]
    pub plan: PlanView,
    /// The number of its tasks by status.
    pub summary: PlanSummaryView,
}

impl From<&PlanOverview> for PlanOverviewView {
    fn from(listed: &PlanOverview) -> Self {
        Self {
            plan: PlanView::new(&listed.plan, &listed.summary),
            summary: (&listed.summary).into(),
        }
    }
}

/// A task of a plan. It borrows, because a plan may have thousands of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanTaskView<'a> {
    /// The plan and the id, joined.
    pub task_id: String,
    /// The id in the plan.
    pub id: &'a PlanTaskId,
    /// The title.
    pub title: &'a str,
    /// The status.
    pub status: PlanTaskStatus,
    /// The priority, in the plan's word.
    pub priority: Option<&'a str>,
    /// The tasks that must be done before it.
    pub depends_on: &'a [PlanTaskId],
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it was finished.
    pub completed_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<&'a str>,
    /// Why it was skipped.
    pub skip_reason: Option<&'a str>,
    /// How often it was tried again.
    pub retry_count: u8,
    /// The number of changes.
    pub revision: Revision,
}

impl<'a> From<&'a PlanTask> for PlanTaskView<'a> {
    fn from(task: &'a PlanTask) -> Self {
        Self {
            task_id: task.key(),
            id: &task.id,
            title: &task.title,
            status: task.status,
            priority: task.priority.as_deref(),
            depends_on: &task.depends_on,
            started_at: task.started_at,
            completed_at: task.completed_at,
            error: task.error.as_deref(),
            skip_reason: task.skip_reason.as_deref(),
            retry_count: task.retry_count,
            revision: task.revision,
        }
    }
}

/// A plan with its tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanStateView<'a> {
    /// The plan.
    pub plan: PlanView,
    /// The number of its tasks by status.
    pub summary: PlanSummaryView,
    /// Its tasks, in order.
    pub tasks: Vec<PlanTaskView<'a>>,
}

impl<'a> From<&'a PlanState> for PlanStateView<'a> {
    fn from(state: &'a PlanState) -> Self {
        let summary = state.summary();
        Self {
            plan: PlanView::new(&state.plan, &summary),
            summary: (&summary).into(),
            tasks: state.tasks.iter().map(PlanTaskView::from).collect(),
        }
    }
}
