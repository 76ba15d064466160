//! Decides who may do what with a phase, and what follows.
//!
//! Refusals come in this order: unknown phase, held by another session, illegal change, finished
//! item, started too often.

use super::propagation::change_phase;
use super::retry_limit::check_retry_limit;
use super::{Phase, RetryLimit};
use crate::model::{
    Entity, Item, ItemStatus, OrchestratorId, QueueId, SessionId, Timestamp, TransitionKind,
    classify_transition, legal_edges,
};
use serde::{Deserialize, Serialize};

/// What is to be done with a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseStep {
    /// Starts it, for an orchestrator if one runs it.
    Start {
        /// The orchestrator.
        orchestrator: Option<OrchestratorId>,
    },
    /// Completes it.
    Complete {
        /// Its pull request; `None` keeps the one that is known.
        pr_number: Option<i64>,
    },
    /// Marks it failed.
    Fail {
        /// The error, which the phases that depend on it show as well.
        error: String,
    },
    /// Blocks it for a reason outside the phases.
    Block {
        /// The reason.
        reason: String,
    },
    /// Reopens it.
    Reopen {
        /// The reason, kept in the event.
        reason: String,
    },
    /// Cancels it.
    Cancel {
        /// The reason, which the phases that depend on it show as well.
        reason: String,
    },
}

impl PhaseStep {
    /// Returns the status it leads to. A reopened phase may become ready at once.
    pub const fn target(&self) -> ItemStatus {
        match self {
            Self::Start { .. } => ItemStatus::Running,
            Self::Complete { .. } => ItemStatus::Completed,
            Self::Fail { .. } => ItemStatus::Failed,
            Self::Block { .. } => ItemStatus::Blocked,
            Self::Reopen { .. } => ItemStatus::Queued,
            Self::Cancel { .. } => ItemStatus::Cancelled,
        }
    }

    /// Applies the step to the phase itself, without checking it and without its consequences.
    pub(crate) fn apply(&self, row: &mut Phase, actor: Option<&SessionId>) {
        if let Self::Reopen { .. } = self {
            row.release();
            return;
        }
        row.status = self.target();
        row.blocked_by = None;
        row.error_message = None;
        match self {
            Self::Start { orchestrator } => {
                row.assigned_to = actor.cloned();
                row.orchestrator.clone_from(orchestrator);
            }
            Self::Complete { pr_number } => row.pr_number = pr_number.or(row.pr_number),
            Self::Fail { error: text }
            | Self::Block { reason: text }
            | Self::Cancel { reason: text } => {
                row.error_message = Some(text.clone());
            }
            Self::Reopen { .. } => {}
        }
    }
}

/// The facts that a step is decided from.
#[derive(Debug, Clone, Copy)]
pub struct PhaseStepFacts<'a> {
    /// The registered session that asks, or `None` for a person at a terminal.
    pub mover: Option<&'a SessionId>,
    /// The phase's item.
    pub item: &'a Item,
    /// All phases of the item.
    pub rows: &'a [Phase],
    /// The phase.
    pub id: &'a QueueId,
    /// Its latest starts within [`COOLDOWN_SECONDS`](super::COOLDOWN_SECONDS), newest first. Only a
    /// start needs them.
    pub starts: &'a [Timestamp],
}

/// Why a phase stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseRefusal {
    /// The phase does not exist.
    NotFound,
    /// Another session holds the item.
    NotHolder {
        /// The holder.
        holder: SessionId,
    },
    /// The session started the phase, but the item was taken from it since.
    StaleEpoch {
        /// The present holder.
        holder: SessionId,
    },
    /// The status cannot change that way.
    Illegal {
        /// The present status.
        from: ItemStatus,
        /// The requested status.
        to: ItemStatus,
        /// The statuses that are allowed.
        legal: Vec<ItemStatus>,
        /// Whether it can be reopened.
        reopens: bool,
        /// Its open dependencies, each as a phrase.
        waits_for: Vec<String>,
    },
    /// Reopening would block it again at once, because a dependency failed or was cancelled.
    Blocked {
        /// The present status.
        from: ItemStatus,
        /// That dependency.
        by: QueueId,
        /// The message of that dependency.
        message: String,
    },
    /// Its item is finished: there is nothing to start.
    ItemFinished {
        /// The status of the item.
        status: ItemStatus,
    },
    /// It was started too often within a short time.
    RetryLimit(RetryLimit),
    /// A phase that would be removed is running.
    Running {
        /// That phase.
        phase: QueueId,
    },
    /// Phases that would stay depend on the one that would be removed.
    DependedOn {
        /// Those phases.
        dependents: Vec<QueueId>,
    },
}

impl PhaseRefusal {
    /// Returns the code for scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "phase_not_found",
            Self::NotHolder { .. } => "not_holder",
            Self::StaleEpoch { .. } => "stale_epoch",
            Self::Illegal { .. } | Self::Blocked { .. } => "illegal_transition",
            Self::ItemFinished { .. } => "item_finished",
            Self::RetryLimit(_) => "retry_limit",
            Self::Running { .. } => "phase_running",
            Self::DependedOn { .. } => "phase_in_use",
        }
    }
}

/// Decides a step. Returns every phase that changes, the phase itself first.
///
/// # Errors
///
/// The reason why the step is refused, with what a person needs to continue.
pub fn decide_phase_step(
    facts: &PhaseStepFacts<'_>,
    step: &PhaseStep,
) -> Result<Vec<Phase>, PhaseRefusal> {
    let row = facts.rows.iter().find(|row| row.id == *facts.id);
    let row = row.ok_or(PhaseRefusal::NotFound)?;
    check_holder(facts.mover, facts.item, row)?;
    let reopening = matches!(step, PhaseStep::Reopen { .. });
    let transition =
        classify_transition(Entity::Phase, row.status.as_str(), step.target().as_str());
    let required = if reopening { TransitionKind::Back } else { TransitionKind::Forward };
    if transition != required || begins_too_early(facts, row, step) {
        return Err(illegal_transition(facts, row, step.target()));
    }
    if matches!(step, PhaseStep::Start { .. }) {
        let status = facts.item.status;
        if status.is_finished() {
            return Err(PhaseRefusal::ItemFinished { status });
        }
        if let Some(limit) = check_retry_limit(facts.starts) {
            return Err(PhaseRefusal::RetryLimit(limit));
        }
    }
    let changed = change_phase(facts.rows, facts.id, |row| step.apply(row, facts.mover));
    // While the dependency is failed, reopening leads back to blocked.
    let now = changed.iter().find(|now| now.id == row.id).unwrap_or(row);
    if reopening && let Some(by) = &now.blocked_by {
        return Err(PhaseRefusal::Blocked {
            from: row.status,
            by: by.clone(),
            message: now.error_message.clone().unwrap_or_default(),
        });
    }
    Ok(changed)
}

/// Any actor may change a phase of a free item; only the holder may change one of a held item.
pub(super) fn check_holder(
    mover: Option<&SessionId>,
    item: &Item,
    row: &Phase,
) -> Result<(), PhaseRefusal> {
    let Some(holder) = &item.holder else {
        return Ok(());
    };
    if mover == Some(holder) {
        return Ok(());
    }
    let holder = holder.clone();
    let began = mover.is_some() && row.assigned_to.as_ref() == mover;
    Err(if began && row.status == ItemStatus::Running {
        PhaseRefusal::StaleEpoch { holder }
    } else {
        PhaseRefusal::NotHolder { holder }
    })
}

/// Plain SQL may have reopened a dependency without looking at the phases that follow it.
fn begins_too_early(facts: &PhaseStepFacts<'_>, row: &Phase, step: &PhaseStep) -> bool {
    matches!(step, PhaseStep::Start { .. }) && open_dependencies(facts, row).next().is_some()
}

fn open_dependencies<'a>(
    facts: &PhaseStepFacts<'a>,
    row: &Phase,
) -> impl Iterator<Item = &'a Phase> {
    facts.rows.iter().filter(|other| {
        row.depends_on.contains(&other.number) && other.status != ItemStatus::Completed
    })
}

fn illegal_transition(facts: &PhaseStepFacts<'_>, row: &Phase, to: ItemStatus) -> PhaseRefusal {
    let edges = legal_edges().into_iter();
    let edges =
        edges.filter(|edge| edge.entity == Entity::Phase && edge.from == row.status.as_str());
    let (back, forward): (Vec<_>, Vec<_>) = edges.partition(|edge| edge.is_reopening);
    // Nobody asks for queued or ready, which follow from the dependencies.
    let asked = ItemStatus::ALL.into_iter().filter(|status| status.rank() > 0);
    let named = |other: &Phase| format!("{}, which is {}", other.title(), other.status);
    PhaseRefusal::Illegal {
        from: row.status,
        to,
        legal: asked
            .filter(|status| forward.iter().any(|edge| edge.to == status.as_str()))
            .collect(),
        reopens: !back.is_empty(),
        waits_for: open_dependencies(facts, row).map(named).collect(),
    }
}
