//! Who may do what with a phase, and what becomes of it: the decision alone.
//!
//! Order of refusal: unknown phase, held by another, no legal change, started too often.

use super::propagation::change_phase;
use super::retry_limit::check_retry_limit;
use super::{Phase, RetryLimit};
use crate::model::{
    Entity, Item, ItemStatus, OrchestratorId, QueueId, SessionId, Timestamp, TransitionKind,
    classify_transition, legal_edges,
};

/// What is to be done with a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhaseStep {
    /// Begins it, for an orchestrator when one runs it.
    Start {
        /// Its id.
        orchestrator: Option<OrchestratorId>,
    },
    /// It is done.
    Complete {
        /// The pull request it made; absent keeps the one known.
        pr_number: Option<i64>,
    },
    /// It went wrong.
    Fail {
        /// How; those that wait for it are told.
        error: String,
    },
    /// It has to wait for something that is no phase.
    Block {
        /// For what.
        reason: String,
    },
    /// It is to be done, again or after all.
    Reopen {
        /// Why; kept in the event.
        reason: String,
    },
    /// It will not be done.
    Cancel {
        /// Why; those that wait for it are told.
        reason: String,
    },
}

impl PhaseStep {
    /// Returns where it leads; a reopened phase may turn out to be ready at once.
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

    /// Changes a phase itself; whether it may be, and what follows, is decided elsewhere.
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

/// What the decision is made from.
#[derive(Debug, Clone, Copy)]
pub struct PhaseStepFacts<'a> {
    /// The registered session that asks; none for a person at a terminal.
    pub mover: Option<&'a SessionId>,
    /// The phase's item.
    pub item: &'a Item,
    /// All phases of that item.
    pub rows: &'a [Phase],
    /// Which phase.
    pub id: &'a QueueId,
    /// Its latest starts within [`COOLDOWN_SECONDS`](super::COOLDOWN_SECONDS), newest first;
    /// looked at for a start alone.
    pub starts: &'a [Timestamp],
}

/// Why a phase stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhaseRefusal {
    /// There is no such phase.
    NotFound,
    /// Another session holds the item.
    NotHolder {
        /// Which.
        holder: SessionId,
    },
    /// The session started it, and the item was taken from that session since.
    StaleEpoch {
        /// Who holds the item now.
        holder: SessionId,
    },
    /// That status does not follow from the present one.
    Illegal {
        /// The present one.
        from: ItemStatus,
        /// The one asked for.
        to: ItemStatus,
        /// Those that do.
        legal: Vec<ItemStatus>,
        /// Whether a reopening leads back.
        reopens: bool,
        /// The phases it waits for that are not completed, in words.
        waits_for: Vec<String>,
    },
    /// It would be blocked again at once: a phase it waits for failed or was cancelled.
    Blocked {
        /// The present status.
        from: ItemStatus,
        /// That phase.
        by: QueueId,
        /// What it left to be told.
        message: String,
    },
    /// It was started too often of late.
    RetryLimit(RetryLimit),
}

impl PhaseRefusal {
    /// Returns the stable word for scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "phase_not_found",
            Self::NotHolder { .. } => "not_holder",
            Self::StaleEpoch { .. } => "stale_epoch",
            Self::Illegal { .. } | Self::Blocked { .. } => "illegal_transition",
            Self::RetryLimit(_) => "retry_limit",
        }
    }
}

/// Decides a step; returns every row that is another after it, the phase itself first.
///
/// # Errors
///
/// The refusal, with what a person needs to go on.
pub fn decide_phase_step(
    facts: &PhaseStepFacts<'_>,
    step: &PhaseStep,
) -> Result<Vec<Phase>, PhaseRefusal> {
    let row = facts.rows.iter().find(|row| row.id == *facts.id);
    let row = row.ok_or(PhaseRefusal::NotFound)?;
    check_holder(facts, row)?;
    let reopening = matches!(step, PhaseStep::Reopen { .. });
    let transition =
        classify_transition(Entity::Phase, row.status.as_str(), step.target().as_str());
    let required = if reopening {
        TransitionKind::Back
    } else {
        TransitionKind::Forward
    };
    if transition != required || begins_too_early(facts, row, step) {
        return Err(illegal_transition(facts, row, step.target()));
    }
    if matches!(step, PhaseStep::Start { .. })
        && let Some(limit) = check_retry_limit(facts.starts)
    {
        return Err(PhaseRefusal::RetryLimit(limit));
    }
    let changed = change_phase(facts.rows, facts.id, |row| step.apply(row, facts.mover));
    // One whose cause still stands comes out of it as it went in.
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

/// A phase of an item that nobody holds is anybody's; of a held item, the holder's alone.
fn check_holder(facts: &PhaseStepFacts<'_>, row: &Phase) -> Result<(), PhaseRefusal> {
    let Some(holder) = &facts.item.holder else {
        return Ok(());
    };
    if facts.mover == Some(holder) {
        return Ok(());
    }
    let holder = holder.clone();
    let began = facts.mover.is_some() && row.assigned_to.as_ref() == facts.mover;
    Err(if began && row.status == ItemStatus::Running {
        PhaseRefusal::StaleEpoch { holder }
    } else {
        PhaseRefusal::NotHolder { holder }
    })
}

/// Plain SQL may reopen a phase without a thought for those that follow it.
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
    // Queued and ready follow by themselves: nobody asks for them.
    let asked = ItemStatus::ALL
        .into_iter()
        .filter(|status| status.rank() > 0);
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
