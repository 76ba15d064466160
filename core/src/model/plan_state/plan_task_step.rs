//! What may be done with a task of a plan, and what it does to the task.

use crate::model::{
    Entity, OrchestratorId, PlanTask, PlanTaskStatus, SessionId, TransitionKind,
    classify_transition,
};
use serde::{Deserialize, Serialize};

/// How often a failed task may be retried. The schema enforces the same limit.
pub const MAX_RETRIES: u8 = 2;

/// Who works on a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanWorker {
    /// A session id, or a person's name.
    pub actor: String,
    /// The session, if there is one.
    pub session: Option<SessionId>,
    /// The orchestrator it works for.
    pub orchestrator: Option<OrchestratorId>,
}

/// What is done with a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanTaskStep {
    /// Starts it.
    Start(PlanWorker),
    /// Completes it.
    Complete,
    /// Marks it failed.
    Fail {
        /// The error.
        error: String,
        /// Whether a sweep found that it gave no sign of life.
        stuck: bool,
    },
    /// Skips it.
    Skip {
        /// The reason.
        reason: String,
    },
    /// Puts a failed task back, to be tried again.
    Retry,
    /// Puts a task back that was done or skipped.
    Reopen {
        /// The reason.
        reason: String,
    },
    /// Puts a task back whose worker is gone.
    Interrupt {
        /// The reason.
        reason: String,
    },
}

impl PlanTaskStep {
    /// Makes the failure of a task that gave no sign of life for this many seconds.
    pub fn fail_as_stuck(seconds: u64) -> Self {
        Self::Fail { error: format!("no heartbeat for more than {seconds} s"), stuck: true }
    }

    /// Returns the status it leads to.
    pub const fn target(&self) -> PlanTaskStatus {
        match self {
            Self::Start(_) => PlanTaskStatus::InProgress,
            Self::Complete => PlanTaskStatus::Completed,
            Self::Fail { .. } => PlanTaskStatus::Failed,
            Self::Skip { .. } => PlanTaskStatus::Skipped,
            Self::Retry | Self::Reopen { .. } | Self::Interrupt { .. } => PlanTaskStatus::Pending,
        }
    }

    /// Returns whether it goes back from a status.
    const fn goes_back_from(&self, from: PlanTaskStatus) -> bool {
        match self {
            Self::Retry => matches!(from, PlanTaskStatus::Failed),
            Self::Reopen { .. } => {
                matches!(from, PlanTaskStatus::Completed | PlanTaskStatus::Skipped)
            }
            Self::Interrupt { .. } => matches!(from, PlanTaskStatus::InProgress),
            Self::Start(_) | Self::Complete | Self::Fail { .. } | Self::Skip { .. } => false,
        }
    }

    /// Returns whether it goes back, which counts as a reopening.
    pub const fn is_back(&self) -> bool {
        matches!(self, Self::Retry | Self::Reopen { .. } | Self::Interrupt { .. })
    }

    /// Returns the reason for the event.
    pub fn reason(&self) -> &str {
        match self {
            Self::Start(_) => "plan start",
            Self::Complete => "plan complete",
            Self::Fail { error, .. } => error,
            Self::Skip { reason } | Self::Reopen { reason } | Self::Interrupt { reason } => reason,
            Self::Retry => "plan retry",
        }
    }

    /// Applies the step to a task. The store sets times and revision.
    pub fn apply(&self, task: &mut PlanTask) {
        task.status = self.target();
        task.stuck = matches!(self, Self::Fail { stuck: true, .. });
        task.error = match self {
            Self::Fail { error, .. } => Some(error.clone()),
            Self::Interrupt { reason } => Some(format!("interrupted: {reason}")),
            _ => None,
        };
        task.skip_reason = match self {
            Self::Skip { reason } => Some(reason.clone()),
            _ => None,
        };
        match self {
            Self::Start(worker) => {
                task.started_by = Some(worker.actor.clone());
                task.session.clone_from(&worker.session);
                task.orchestrator.clone_from(&worker.orchestrator);
            }
            Self::Retry | Self::Reopen { .. } | Self::Interrupt { .. } => {
                task.started_by = None;
                task.session = None;
                task.orchestrator = None;
            }
            Self::Complete | Self::Fail { .. } | Self::Skip { .. } => {}
        }
        if matches!(self, Self::Retry) {
            task.retry_count += 1;
        }
    }
}

/// Whether a step may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanTaskVerdict {
    /// It may be taken.
    Go,
    /// The task has that status already.
    Already,
    /// It is refused.
    Refuse(PlanTaskRefusal),
}

/// Why a step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanTaskRefusal {
    /// Another worker has started it.
    InProgressElsewhere,
    /// It was retried too often.
    RetryLimit,
    /// The status cannot change that way.
    Illegal,
}

impl PlanTaskRefusal {
    /// Returns the code for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InProgressElsewhere => "already_in_progress",
            Self::RetryLimit => "retry_limit",
            Self::Illegal => "illegal_transition",
        }
    }
}

/// Decides whether a step may be taken on a task.
pub fn decide_plan_task_step(task: &PlanTask, step: &PlanTaskStep) -> PlanTaskVerdict {
    let (from, to) = (task.status, step.target());
    if let PlanTaskStep::Start(worker) = step
        && from == to
        && !is_own_task(task, worker)
    {
        return PlanTaskVerdict::Refuse(PlanTaskRefusal::InProgressElsewhere);
    }
    match classify_transition(Entity::PlanTask, from.as_str(), to.as_str()) {
        TransitionKind::Unchanged => PlanTaskVerdict::Already,
        TransitionKind::Forward => PlanTaskVerdict::Go,
        TransitionKind::Back if step.goes_back_from(from) => {
            if matches!(step, PlanTaskStep::Retry) && task.retry_count >= MAX_RETRIES {
                return PlanTaskVerdict::Refuse(PlanTaskRefusal::RetryLimit);
            }
            PlanTaskVerdict::Go
        }
        TransitionKind::Back | TransitionKind::Illegal => {
            PlanTaskVerdict::Refuse(PlanTaskRefusal::Illegal)
        }
    }
}

/// Returns whether a task in progress belongs to this worker. People at terminals cannot be told
/// apart, so a task that one of them started belongs to nobody in particular.
fn is_own_task(task: &PlanTask, worker: &PlanWorker) -> bool {
    match (&task.session, &worker.session) {
        (Some(theirs), Some(own)) => theirs == own,
        (None, _) => task.orchestrator.is_some() && task.orchestrator == worker.orchestrator,
        (Some(_), None) => false,
    }
}
