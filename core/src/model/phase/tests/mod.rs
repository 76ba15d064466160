//! Phases: planning, propagation, permissions and steps.

mod laws;
mod permission;
mod planning;
mod table;

use super::{Phase, PhaseName, PhaseStep, PhaseStepFacts, decide_phase_step};
use crate::model::fixture::{sample_item, seconds_from_now};
use crate::model::{Item, ItemStatus, OrchestratorId, QueueId, Revision, SessionId};

/// Makes phases of item `SD-002C` from what they depend on, in the order of [`PhaseName::USUAL`].
fn build_queue(depends: &[&[u32]]) -> Vec<Phase> {
    let names = PhaseName::USUAL.into_iter().cycle();
    let rows = (1..).zip(names).zip(depends);
    rows.map(|((number, name), on)| build_phase(number, name, on)).collect()
}

fn build_phase(number: u32, name: PhaseName, on: &[u32]) -> Phase {
    let item = sample_item(ItemStatus::Queued, None).key;
    Phase {
        id: QueueId::for_phase(&item, number),
        item,
        issue_number: None,
        feature_id: None,
        number,
        name,
        status: if on.is_empty() { ItemStatus::Ready } else { ItemStatus::Queued },
        depends_on: on.to_vec(),
        data: None,
        assigned_to: None,
        adw_id: None,
        pr_number: None,
        priority: 50,
        position: Some(1),
        created_at: seconds_from_now(0),
        updated_at: seconds_from_now(0),
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
fn unheld_item() -> Item {
    sample_item(ItemStatus::Running, None)
}

fn queue_id(number: u32) -> QueueId {
    QueueId::for_phase(&unheld_item().key, number)
}

/// Takes a step as a person at a terminal, and keeps what became of it.
fn apply_step(
    rows: &mut [Phase],
    number: u32,
    step: &PhaseStep,
) -> Result<Vec<u32>, super::PhaseRefusal> {
    let facts = PhaseStepFacts {
        mover: None,
        item: &unheld_item(),
        rows,
        id: &queue_id(number),
        starts: &[],
    };
    let changed = decide_phase_step(&facts, step)?;
    store_rows(rows, &changed);
    Ok(changed.iter().map(|row| row.number).collect())
}

fn store_rows(rows: &mut [Phase], changed: &[Phase]) {
    for new in changed {
        let old = rows.iter_mut().find(|row| row.id == new.id).unwrap();
        *old = new.clone();
    }
}

fn render_statuses(rows: &[Phase]) -> String {
    let statuses: Vec<&str> = rows.iter().map(|row| row.status.as_str()).collect();
    statuses.join(" ")
}

fn start_step() -> PhaseStep {
    PhaseStep::Start { orchestrator: None }
}

fn complete_step() -> PhaseStep {
    PhaseStep::Complete { pr_number: None }
}

fn fail_step(error: &str) -> PhaseStep {
    PhaseStep::Fail { error: error.to_owned() }
}

fn block_step(reason: &str) -> PhaseStep {
    PhaseStep::Block { reason: reason.to_owned() }
}

fn reopen_step() -> PhaseStep {
    PhaseStep::Reopen { reason: "again".to_owned() }
}

fn cancel_step(reason: &str) -> PhaseStep {
    PhaseStep::Cancel { reason: reason.to_owned() }
}

fn session_id(text: &str) -> SessionId {
    text.parse().unwrap()
}

fn orchestrator_id(text: &str) -> OrchestratorId {
    text.parse().unwrap()
}
