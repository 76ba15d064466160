//! What may be done with a task, and what becomes of it: pure, the same for every store.

use crate::model::{
    Entity, OrchestratorId, PlanTask, PlanTaskStatus, SessionId, TransitionKind,
    classify_transition,
};

/// How often a failed task may be tried again. One limit, in the schema too: the seed had two
/// that disagreed.
pub const MAX_RETRIES: u8 = 2;

/// Who works on a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanWorker {
    /// A session id, or a person's name.
    pub actor: String,
    /// The session, when there is one.
    pub session: Option<SessionId>,
    /// The orchestrator it works under.
    pub orchestrator: Option<OrchestratorId>,
}

/// What is done with a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanTaskStep {
    /// Work begins.
    Start(PlanWorker),
    /// Work is finished.
    Complete,
    /// Work ended with an error.
    Fail {
        /// Which.
        error: String,
        /// Whether a sweep found no sign of life.
        stuck: bool,
    },
    /// It is left out.
    Skip {
        /// Why.
        reason: String,
    },
    /// It failed and is to be tried again.
    Retry,
    /// Its worker is gone and it waits for another.
    Interrupt {
        /// What happened.
        reason: String,
    },
}

impl PlanTaskStep {
    /// Makes the failure of a task that gave no sign of life for so many seconds.
    pub fn fail_as_stuck(seconds: u64) -> Self {
        Self::Fail {
            error: format!("no heartbeat for more than {seconds} s"),
            stuck: true,
        }
    }

    /// Returns the status it leads to.
    pub const fn target(&self) -> PlanTaskStatus {
        match self {
            Self::Start(_) => PlanTaskStatus::InProgress,
            Self::Complete => PlanTaskStatus::Completed,
            Self::Fail { .. } => PlanTaskStatus::Failed,
            Self::Skip { .. } => PlanTaskStatus::Skipped,
            Self::Retry | Self::Interrupt { .. } => PlanTaskStatus::Pending,
        }
    }

    /// Returns the one status that a step back starts from.
    const fn back_from(&self) -> Option<PlanTaskStatus> {
        match self {
            Self::Retry => Some(PlanTaskStatus::Failed),
            Self::Interrupt { .. } => Some(PlanTaskStatus::InProgress),
            _ => None,
        }
    }

    /// Tells whether it goes back, which counts as a reopening.
    pub const fn is_back(&self) -> bool {
        self.back_from().is_some()
    }

    /// Returns why, for the event.
    pub fn reason(&self) -> &str {
        match self {
            Self::Start(_) => "plan start",
            Self::Complete => "plan complete",
            Self::Fail { error, .. } => error,
            Self::Skip { reason } | Self::Interrupt { reason } => reason,
            Self::Retry => "plan retry",
        }
    }

    /// Carries it out on a task; times and revision are the store's.
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
            Self::Retry | Self::Interrupt { .. } => {
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
    /// It may.
    Go,
    /// The task stands there already.
    Already,
    /// It may not.
    Refuse(PlanTaskRefusal),
}

/// Why a step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanTaskRefusal {
    /// Another works on it.
    InProgressElsewhere,
    /// It was tried again often enough.
    RetryLimit,
    /// No legal change of status.
    Illegal,
}

impl PlanTaskRefusal {
    /// Returns the stable word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InProgressElsewhere => "already_in_progress",
            Self::RetryLimit => "retry_limit",
            Self::Illegal => "illegal_transition",
        }
    }
}

/// Decides whether a step may be taken with a task as it is.
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
        TransitionKind::Back if step.back_from() == Some(from) => {
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

/// Tells whether a task in progress is this worker's own. People at terminals cannot be told
/// apart, so what one of them started is nobody else's.
fn is_own_task(task: &PlanTask, worker: &PlanWorker) -> bool {
    match (&task.session, &worker.session) {
        (Some(theirs), Some(own)) => theirs == own,
        (None, _) => task.orchestrator.is_some() && task.orchestrator == worker.orchestrator,
        (Some(_), None) => false,
    }
}
