//! Steps: a decision on the rows as they are, and everything that follows, in one transaction.

use rusqlite::{Transaction, params};
use serde_json::json;

use super::super::claims::patch_execution_state;
use super::super::errors::from_sqlite;
use super::super::rows::{parse_column, parse_time};
use super::super::sessions::{self, to_signed};
use super::super::stored_text::stored_optional_text;
use super::super::{is_replay, items, require_registered};
use super::{list_phases_of_item, load_phase};
use crate::model::phase::{
    self, COOLDOWN_SECONDS, MAX_STARTS, PhaseRefusal, PhaseStep, PhaseStepFacts,
    interrupt_phases as interrupt_loaded_phases,
};
use crate::model::{
    Entity, Item, ItemKey, ItemStatus, OrchestratorId, Phase, QueueId, SessionId, Timestamp,
    TransitionKind, classify_transition,
};
use crate::store::{
    PhaseChange, PhaseChanges, PhaseStepOutcome, PhaseStepRequest, Provenance, Result, StoreError,
};

pub(super) fn apply_phase_step(
    tx: &Transaction<'_>,
    request: &PhaseStepRequest,
) -> Result<PhaseStepOutcome> {
    let provenance = &request.provenance;
    if is_replay(tx, provenance)? {
        return load_phase_changes(tx, &request.id, provenance)
            .map(|moved| PhaseStepOutcome::Applied(Box::new(moved)));
    }
    if let Some(mover) = &request.mover {
        require_registered(sessions::load_session(tx, mover)?, mover)?;
    }
    let Some(phase) = load_phase(tx, &request.id)? else {
        return Ok(PhaseStepOutcome::Refused(PhaseRefusal::NotFound));
    };
    let (item, phases) = load_item_with_phases(tx, &phase.item)?;
    let starts = match request.step {
        PhaseStep::Start { .. } => list_latest_starts(tx, &phase.id)?,
        _ => Vec::new(),
    };
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
    if matches!(request.step, PhaseStep::Start { .. })
        && let Some(mover) = request.mover.as_ref()
        && item.holder.as_ref() == Some(mover)
    {
        set_current_phase(tx, &item, mover, &phase, provenance)?;
    }
    load_phase_changes(tx, &phase.id, provenance)
        .map(|moved| PhaseStepOutcome::Applied(Box::new(moved)))
}

pub(super) fn load_item_with_phases(
    tx: &Transaction<'_>,
    item: &ItemKey,
) -> Result<(Item, Vec<Phase>)> {
    let missing = || StoreError::Corrupt(format!("phases of item {item}, which does not exist"));
    Ok((
        items::load_item(tx, item)?.ok_or_else(missing)?,
        list_phases_of_item(tx, item)?,
    ))
}

/// Returns the latest starts within the cooldown, newest first, by the database's clock.
fn list_latest_starts(tx: &Transaction<'_>, id: &QueueId) -> Result<Vec<Timestamp>> {
    let mut statement = tx.prepare(LATEST_STARTS).map_err(from_sqlite)?;
    let most = i64::try_from(MAX_STARTS).unwrap_or(i64::MAX);
    statement
        .query_map(
            params![id.as_str(), format!("-{COOLDOWN_SECONDS} seconds"), most],
            |row| parse_time(row, 0),
        )
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Reads along the events of one phase.
pub(in super::super) const LATEST_STARTS: &str = "SELECT at FROM events
     WHERE entity = 'phase' AND key = ?1 AND kind = 'status' AND after ->> 'status' = 'running'
       AND at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2)
     ORDER BY seq DESC LIMIT ?3";

/// Writes the rows of an item that are to change, under the epoch of its claim.
pub(super) fn update_phases(
    tx: &Transaction<'_>,
    item: &Item,
    phases_before: &[Phase],
    changed_phases: &[Phase],
    provenance: &Provenance,
) -> Result<()> {
    let mut statement = tx
        .prepare(
            "UPDATE phase_queue SET status = ?1, error_message = ?2, blocked_by = ?3,
                 assigned_to = ?4, orchestrator = ?5, pr_number = ?6, reopened = reopened + ?7,
                 under_epoch = ?8, last_actor = ?9, last_reason = ?10, last_op = ?11
             WHERE queue_id = ?12 AND revision = ?13",
        )
        .map_err(from_sqlite)?;
    let epoch = phase::required_epoch(item).map(|epoch| to_signed(epoch.0));
    for phase in changed_phases {
        let from = phases_before.iter().find(|old| old.id == phase.id);
        let from = from.map_or(phase.status, |old| old.status);
        let back = classify_transition(Entity::Phase, from.as_str(), phase.status.as_str())
            == TransitionKind::Back;
        let written = statement
            .execute(params![
                phase.status.as_str(),
                stored_optional_text(phase.error_message.as_ref()),
                phase.blocked_by.as_ref().map(QueueId::as_str),
                phase.assigned_to.as_ref().map(SessionId::as_str),
                phase.orchestrator.as_ref().map(OrchestratorId::as_str),
                phase.pr_number,
                back,
                epoch,
                provenance.actor,
                provenance.reason,
                provenance.op_id,
                phase.id.as_str(),
                to_signed(phase.revision.0),
            ])
            .map_err(from_sqlite)?;
        if written == 0 {
            return Err(StoreError::Conflict(format!(
                "phase {} has changed",
                phase.id
            )));
        }
    }
    Ok(())
}

/// Makes a phase that its holder starts what item and session are in.
fn set_current_phase(
    tx: &Transaction<'_>,
    item: &Item,
    holder: &SessionId,
    phase: &Phase,
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(
        "UPDATE work_items SET phase = ?1, under_epoch = claim_epoch, last_actor = ?2,
             last_reason = ?3, last_op = ?4
         WHERE key = ?5 AND phase IS NOT ?1",
        params![
            phase.name.as_str(),
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            item.key.as_str()
        ],
    )
    .map_err(from_sqlite)?;
    let session = require_registered(sessions::load_session(tx, holder)?, holder)?;
    if session.execution_state().work.phase.as_deref() == Some(phase.name.as_str()) {
        return Ok(());
    }
    let state = json!({"currentPhase": phase.name});
    patch_execution_state(tx, holder, state, provenance)
}

/// Returns what an operation changed, as its events tell and the rows now are: the first answer
/// and a repeated one are the same.
pub(super) fn load_phase_changes(
    tx: &Transaction<'_>,
    id: &QueueId,
    provenance: &Provenance,
) -> Result<PhaseChanges> {
    let mut moves = list_phase_changes(tx, provenance)?;
    let place = moves.iter().position(|moved| moved.phase.id == *id);
    let row = place.map(|place| moves.remove(place));
    let row = row.ok_or_else(|| {
        StoreError::Invalid(format!(
            "operation id {} was already used for something else",
            provenance.op_id
        ))
    })?;
    moves.sort_by_key(|moved| moved.phase.number);
    Ok(PhaseChanges {
        change: row,
        affected: moves,
    })
}

/// Returns the phases an operation changed, in the order in which it did.
fn list_phase_changes(tx: &Transaction<'_>, provenance: &Provenance) -> Result<Vec<PhaseChange>> {
    let mut statement = tx
        .prepare(
            "SELECT key, before ->> 'status' FROM events
             WHERE op_id = ?1 AND entity = 'phase' AND before IS NOT NULL ORDER BY seq",
        )
        .map_err(from_sqlite)?;
    let keys: Vec<(QueueId, ItemStatus)> = statement
        .query_map([&provenance.op_id], |row| {
            Ok((parse_column(row, 0)?, parse_column(row, 1)?))
        })
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    let mut moves = Vec::with_capacity(keys.len());
    for (id, from) in keys {
        moves.extend(load_phase(tx, &id)?.map(|phase| PhaseChange { from, phase }));
    }
    Ok(moves)
}

pub(super) fn interrupt_phases(
    tx: &Transaction<'_>,
    orchestrator: &OrchestratorId,
    reason: &str,
    provenance: &Provenance,
) -> Result<Vec<Phase>> {
    if !is_replay(tx, provenance)? {
        put_back_phases(tx, orchestrator, reason, provenance)?;
    }
    list_freed_phases(tx, provenance)
}

/// Puts back what runs for an orchestrator, as one step of an operation that has others.
pub(in super::super) fn put_back_phases(
    tx: &Transaction<'_>,
    orchestrator: &OrchestratorId,
    reason: &str,
    provenance: &Provenance,
) -> Result<()> {
    let provenance = Provenance {
        reason: Some(reason.into()),
        ..provenance.clone()
    };
    for item in list_items_running_for(tx, orchestrator)? {
        let (item, rows) = load_item_with_phases(tx, &item)?;
        let changed = interrupt_loaded_phases(&rows, orchestrator, reason);
        update_phases(tx, &item, &rows, &changed, &provenance)?;
    }
    Ok(())
}

/// Reads the phases that an operation took from their work.
pub(in super::super) fn list_freed_phases(
    tx: &Transaction<'_>,
    provenance: &Provenance,
) -> Result<Vec<Phase>> {
    let freed = list_phase_changes(tx, provenance)?.into_iter();
    let freed = freed.filter(|moved| moved.from == ItemStatus::Running);
    Ok(freed.map(|moved| moved.phase).collect())
}

/// Lists the items that have a phase running for an orchestrator.
fn list_items_running_for(
    tx: &Transaction<'_>,
    orchestrator: &OrchestratorId,
) -> Result<Vec<ItemKey>> {
    let mut statement = tx
        .prepare(
            "SELECT DISTINCT item FROM phase_queue
             WHERE status = 'running' AND orchestrator = ?1 ORDER BY item",
        )
        .map_err(from_sqlite)?;
    statement
        .query_map([orchestrator.as_str()], |row| parse_column(row, 0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}
