//! Whether phases may be removed from the queue.

use super::phase_step::check_holder;
use super::{Phase, PhaseRefusal};
use crate::model::{Item, ItemStatus, QueueId, SessionId};

/// The facts that a removal is decided from.
#[derive(Debug, Clone, Copy)]
pub struct PhaseRemovalFacts<'a> {
    /// The registered session that asks, or `None` for a person at a terminal.
    pub mover: Option<&'a SessionId>,
    /// The item of the phases.
    pub item: &'a Item,
    /// All phases of the item.
    pub rows: &'a [Phase],
    /// The phase to remove.
    pub id: &'a QueueId,
    /// Whether all others of the item go with it.
    pub with_all: bool,
}

/// Decides a removal. Returns the phases that go.
///
/// # Errors
///
/// The reason why they stay: one runs, or another phase depends on the one that should go.
pub fn decide_phase_removal<'a>(
    facts: &PhaseRemovalFacts<'a>,
) -> Result<Vec<&'a Phase>, PhaseRefusal> {
    let row = facts.rows.iter().find(|row| row.id == *facts.id);
    let row = row.ok_or(PhaseRefusal::NotFound)?;
    let leaving: Vec<&Phase> =
        facts.rows.iter().filter(|other| facts.with_all || other.id == row.id).collect();
    for phase in &leaving {
        check_holder(facts.mover, facts.item, phase)?;
        if phase.status == ItemStatus::Running {
            return Err(PhaseRefusal::Running { phase: phase.id.clone() });
        }
    }
    let dependents: Vec<QueueId> = facts
        .rows
        .iter()
        .filter(|other| !leaving.iter().any(|phase| phase.id == other.id))
        .filter(|other| other.depends_on.contains(&row.number))
        .map(|other| other.id.clone())
        .collect();
    if dependents.is_empty() { Ok(leaving) } else { Err(PhaseRefusal::DependedOn { dependents }) }
}
