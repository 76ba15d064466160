//! Phases: what is asked for, what follows, who may.

mod laws;
mod permission;
mod planning;
mod table;

use super::{Phase, PhaseName, PhaseStep, StepFacts, decide};
use crate::model::fixture::{at, item};
use crate::model::{Item, ItemStatus, OrchestratorId, QueueId, Revision, SessionId};

/// Makes phases of item `SD-002C` from what they depend on, in the order of [`PhaseName::ALL`].
fn queue(depends: &[&[u32]]) -> Vec<Phase> {
    let names = PhaseName::ALL.into_iter().cycle();
    let rows = (1..).zip(names).zip(depends);
    rows.map(|((number, name), on)| phase(number, name, on))
        .collect()
}

fn phase(number: u32, name: PhaseName, on: &[u32]) -> Phase {
    let item = item(ItemStatus::Queued, None).key;
    Phase {
        id: QueueId::of(&item, number),
        item,
        issue_number: None,
        feature_id: None,
        number,
        name,
        status: if on.is_empty() {
            ItemStatus::Ready
        } else {
            ItemStatus::Queued
        },
        depends_on: on.to_vec(),
        data: None,
        assigned_to: None,
        adw_id: None,
        pr_number: None,
        priority: 50,
        position: Some(1),
        created_at: at(0),
        updated_at: at(0),
        completed_at: None,
        ready_at: None,
        started_at: None,
        error_message: None,
        blocked_by: None,
        orchestrator: None,
        revision: Revision(1),
    }
}

/// The item of [`queue`], held by nobody.
fn free() -> Item {
    item(ItemStatus::Running, None)
}

fn id(number: u32) -> QueueId {
    QueueId::of(&free().key, number)
}

/// Takes a step as a person at a terminal, and keeps what became of it.
fn go(rows: &mut [Phase], number: u32, step: &PhaseStep) -> Result<Vec<u32>, super::PhaseRefusal> {
    let facts = StepFacts {
        mover: None,
        item: &free(),
        rows,
        id: &id(number),
        starts: &[],
    };
    let changed = decide(&facts, step)?;
    keep(rows, &changed);
    Ok(changed.iter().map(|row| row.number).collect())
}

fn keep(rows: &mut [Phase], changed: &[Phase]) {
    for new in changed {
        let old = rows.iter_mut().find(|row| row.id == new.id).unwrap();
        *old = new.clone();
    }
}

fn statuses(rows: &[Phase]) -> String {
    let words: Vec<&str> = rows.iter().map(|row| row.status.as_str()).collect();
    words.join(" ")
}

fn start() -> PhaseStep {
    PhaseStep::Start { orchestrator: None }
}

fn complete() -> PhaseStep {
    PhaseStep::Complete { pr_number: None }
}

fn fail(error: &str) -> PhaseStep {
    PhaseStep::Fail {
        error: error.to_owned(),
    }
}

fn block(reason: &str) -> PhaseStep {
    PhaseStep::Block {
        reason: reason.to_owned(),
    }
}

fn reopen() -> PhaseStep {
    PhaseStep::Reopen {
        reason: "again".to_owned(),
    }
}

fn cancel(reason: &str) -> PhaseStep {
    PhaseStep::Cancel {
        reason: reason.to_owned(),
    }
}

fn session(text: &str) -> SessionId {
    text.parse().unwrap()
}

fn orchestrator(text: &str) -> OrchestratorId {
    text.parse().unwrap()
}
