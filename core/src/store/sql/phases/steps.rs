//! Steps: a decision on the rows as they are, and everything that follows, in one transaction.

use serde_json::json;

use super::super::engine::{Tx, args};
use super::super::items;
use super::super::sessions::{load_registered, patch_execution_state};
use super::super::statement::statements;
use super::super::stored_text::stored_optional_text;
use super::{
    LIST_PHASES_BESIDE, PhaseColumn, list_phases_of_item, phase_from_row, prefetch_item_with_phases,
};
use crate::model::phase::{
    self, COOLDOWN_SECONDS, MAX_STARTS, PhaseRefusal, PhaseStep, PhaseStepFacts,
};
use crate::model::{
    Entity, Item, ItemKey, ItemStatus, OrchestratorId, Phase, QueueId, Session, Timestamp,
    TransitionKind, classify_transition,
};
use crate::store::{
    PhaseChange, PhaseChanges, PhaseStepOutcome, PhaseStepRequest, Provenance, Result, StoreError,
};

/// The place of a column behind those of a phase.
const STATUS_BEFORE: usize = PhaseColumn::Revision as usize + 1;

statements! {
    /// The latest starts within the cooldown, newest first, by the database's clock. Reads along
    /// the events of one phase.
    LIST_LATEST_STARTS(text, text, int) =
        "SELECT at FROM events
         WHERE entity = 'phase' AND key = ?1 AND kind = 'status' AND after ->> 'status' = 'running'
           AND at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2)
         ORDER BY seq DESC LIMIT ?3";

    UPDATE_PHASE(text, text, text, text, text, int, int, int, text, text, text, text, int) =
        @repeated
        "UPDATE phase_queue SET status = ?1, error_message = ?2, blocked_by = ?3,
             assigned_to = ?4, orchestrator = ?5, pr_number = ?6, reopened = reopened + ?7,
             under_epoch = ?8, last_actor = ?9, last_reason = ?10, last_op = ?11
         WHERE queue_id = ?12 AND revision = ?13";

    SET_PHASE_OF_ITEM(text, text, text, text, text) =
        "UPDATE work_items SET phase = ?1, under_epoch = claim_epoch, last_actor = ?2,
             last_reason = ?3, last_op = ?4
         WHERE key = ?5 AND phase IS DISTINCT FROM ?1";

    /// The phases that an operation changed, in the order in which it did.
    LIST_PHASE_CHANGES(text) =
        "SELECT ", PhaseColumn::SQL, ", e.before ->> 'status'
         FROM events e JOIN phase_queue p ON p.queue_id = e.key
         WHERE e.op_id = ?1 AND e.entity = 'phase' AND e.before IS NOT NULL ORDER BY e.seq";

    LOAD_ITEM_OF_PHASE(text) =
        items::SELECT_ITEM, "key = (SELECT item FROM phase_queue WHERE queue_id = ?1)";

    LIST_ITEMS_RUNNING_FOR(text) =
        "SELECT DISTINCT item FROM phase_queue
         WHERE status = 'running' AND orchestrator = ?1 ORDER BY item";
}

pub(in super::super) fn apply_phase_step(
    tx: &mut impl Tx,
    request: &PhaseStepRequest,
) -> Result<PhaseStepOutcome> {
    let provenance = &request.provenance;
    if tx.is_replay(provenance)? {
        return load_step_outcome(tx, &request.id, provenance);
    }
    let is_start = matches!(request.step, PhaseStep::Start { .. });
    tx.prefetch(&LIST_PHASES_BESIDE, args![request.id]);
    tx.prefetch(&LOAD_ITEM_OF_PHASE, args![request.id]);
    if is_start {
        let (cooldown, most) = latest_starts_bounds();
        tx.prefetch(&LIST_LATEST_STARTS, args![request.id, cooldown, most]);
    }
    let mover = match &request.mover {
        Some(mover) => Some(load_registered(tx, mover)?),
        None => None,
    };
    let phases = tx.rows(&LIST_PHASES_BESIDE, args![request.id], phase_from_row)?;
    let Some(phase) = phases.iter().find(|phase| phase.id == request.id).cloned() else {
        return Ok(PhaseStepOutcome::Refused(PhaseRefusal::NotFound));
    };
    let item = tx.row(&LOAD_ITEM_OF_PHASE, args![request.id], items::item_from_row)?;
    let item = item.ok_or_else(|| missing_item_error(&phase.item))?;
    let starts = if is_start { list_latest_starts(tx, &phase.id)? } else { Vec::new() };
    let facts = PhaseStepFacts {
        mover: request.mover.as_ref(),
        item: &item,
        rows: &phases,
        id: &phase.id,
        starts: &starts,
    };
    let changed = match phase::decide_phase_step(&facts, &request.step) {
        Ok(changed) => changed,
        Err(refusal) => return Ok(PhaseStepOutcome::Refused(refusal)),
    };
    update_phases(tx, &item, &phases, &changed, provenance)?;
    if let Some(mover) = &mover
        && is_start
        && item.holder.as_ref() == Some(&mover.id)
    {
        set_current_phase(tx, &item, mover, &phase, provenance)?;
    }
    tx.finish();
    load_step_outcome(tx, &phase.id, provenance)
}

fn load_step_outcome(
    tx: &mut impl Tx,
    id: &QueueId,
    provenance: &Provenance,
) -> Result<PhaseStepOutcome> {
    let changes = load_phase_changes(tx, id, provenance)?;
    Ok(PhaseStepOutcome::Applied(Box::new(changes)))
}

pub(super) fn load_item_with_phases(
    tx: &mut impl Tx,
    item: &ItemKey,
) -> Result<(Item, Vec<Phase>)> {
    prefetch_item_with_phases(tx, item);
    let found = items::load_item(tx, item)?.ok_or_else(|| missing_item_error(item))?;
    Ok((found, list_phases_of_item(tx, item)?))
}

pub(super) fn missing_item_error(item: &ItemKey) -> StoreError {
    StoreError::corrupt(format!("phases of item {item}, which does not exist"))
}

fn list_latest_starts(tx: &mut impl Tx, id: &QueueId) -> Result<Vec<Timestamp>> {
    let (cooldown, most) = latest_starts_bounds();
    tx.rows(&LIST_LATEST_STARTS, args![id, cooldown, most], |row| row.get(0))
}

/// Returns since when starts are listed, and how many at most.
fn latest_starts_bounds() -> (String, i64) {
    (format!("-{COOLDOWN_SECONDS} seconds"), i64::try_from(MAX_STARTS).unwrap_or(i64::MAX))
}

/// Writes the changed phases of an item, under the epoch of its claim.
pub(super) fn update_phases(
    tx: &mut impl Tx,
    item: &Item,
    phases_before: &[Phase],
    changed_phases: &[Phase],
    provenance: &Provenance,
) -> Result<()> {
    let epoch = phase::required_epoch(item);
    for phase in changed_phases {
        let before = phases_before.iter().find(|before| before.id == phase.id);
        let from = before.map_or(phase.status, |before| before.status);
        let kind = classify_transition(Entity::Phase, from.as_str(), phase.status.as_str());
        tx.change(
            &UPDATE_PHASE,
            args![
                phase.status.as_str(),
                stored_optional_text(phase.error_message.as_ref()),
                phase.blocked_by,
                phase.assigned_to,
                phase.orchestrator,
                phase.pr_number,
                kind == TransitionKind::Back,
                epoch,
                provenance.actor,
                provenance.reason,
                provenance.op_id,
                phase.id,
                phase.revision,
            ],
            || StoreError::Conflict(format!("phase {} has changed", phase.id)),
        )?;
    }
    Ok(())
}

/// Makes a phase that the item's holder starts the phase that item and session are in.
fn set_current_phase(
    tx: &mut impl Tx,
    item: &Item,
    holder: &Session,
    phase: &Phase,
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(
        &SET_PHASE_OF_ITEM,
        args![
            phase.name.as_str(),
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            item.key,
        ],
    )?;
    if holder.execution_state().work.phase.as_deref() == Some(phase.name.as_str()) {
        return Ok(());
    }
    let state = json!({"currentPhase": phase.name});
    patch_execution_state(tx, &holder.id, state, provenance)
}

/// Returns what an operation changed, as its events tell and the rows now are: the first answer
/// and a repeated one are the same.
pub(super) fn load_phase_changes(
    tx: &mut impl Tx,
    id: &QueueId,
    provenance: &Provenance,
) -> Result<PhaseChanges> {
    let mut changes = list_phase_changes(tx, provenance)?;
    let place = changes.iter().position(|change| change.phase.id == *id);
    let change = place.map(|place| changes.remove(place)).ok_or_else(|| {
        StoreError::invalid(format!(
            "operation id {} was already used for something else",
            provenance.op_id
        ))
    })?;
    changes.sort_by_key(|change| change.phase.number);
    Ok(PhaseChanges { change, affected: changes })
}

fn list_phase_changes(tx: &mut impl Tx, provenance: &Provenance) -> Result<Vec<PhaseChange>> {
    tx.rows(&LIST_PHASE_CHANGES, args![provenance.op_id], |row| {
        Ok(PhaseChange { from: row.get(STATUS_BEFORE)?, phase: phase_from_row(row)? })
    })
}

pub(in super::super) fn interrupt_phases(
    tx: &mut impl Tx,
    orchestrator: &OrchestratorId,
    reason: &str,
    provenance: &Provenance,
) -> Result<Vec<Phase>> {
    if !tx.is_replay(provenance)? {
        let running = list_running_phases(tx, orchestrator)?;
        put_back_phases(tx, &running, orchestrator, reason, provenance)?;
    }
    tx.finish();
    list_freed_phases(tx, provenance)
}

/// Says that [`list_running_phases`] will be asked.
pub(in super::super) fn prefetch_running_phases(tx: &mut impl Tx, orchestrator: &OrchestratorId) {
    tx.prefetch(&LIST_ITEMS_RUNNING_FOR, args![orchestrator]);
}

/// Reads the items with phases that run for an orchestrator, each with all of its phases.
pub(in super::super) fn list_running_phases(
    tx: &mut impl Tx,
    orchestrator: &OrchestratorId,
) -> Result<Vec<(Item, Vec<Phase>)>> {
    let items: Vec<ItemKey> =
        tx.rows(&LIST_ITEMS_RUNNING_FOR, args![orchestrator], |row| row.get(0))?;
    for item in &items {
        prefetch_item_with_phases(tx, item);
    }
    items.iter().map(|item| load_item_with_phases(tx, item)).collect()
}

/// Puts back what runs for an orchestrator, as one step of an operation that has others.
pub(in super::super) fn put_back_phases(
    tx: &mut impl Tx,
    running: &[(Item, Vec<Phase>)],
    orchestrator: &OrchestratorId,
    reason: &str,
    provenance: &Provenance,
) -> Result<()> {
    let provenance = provenance.because(reason);
    for (item, phases) in running {
        let changed = phase::interrupt_phases(phases, orchestrator, reason);
        update_phases(tx, item, phases, &changed, &provenance)?;
    }
    Ok(())
}

/// Says that [`list_freed_phases`] will be asked.
pub(in super::super) fn prefetch_freed_phases(tx: &mut impl Tx, provenance: &Provenance) {
    tx.prefetch(&LIST_PHASE_CHANGES, args![provenance.op_id]);
}

/// Reads the phases that an operation took from their work.
pub(in super::super) fn list_freed_phases(
    tx: &mut impl Tx,
    provenance: &Provenance,
) -> Result<Vec<Phase>> {
    let changes = list_phase_changes(tx, provenance)?.into_iter();
    let freed = changes.filter(|change| change.from == ItemStatus::Running);
    Ok(freed.map(|change| change.phase).collect())
}
