//! Steps: a decision on the rows as they are, and everything that follows, in one transaction.

use rusqlite::{Transaction, params};
use serde_json::json;

use super::super::claims::patch_state;
use super::super::errors::from_sqlite;
use super::super::free::free_option;
use super::super::rows::{parsed, time};
use super::super::sessions::{self, signed};
use super::super::{items, registered, was_done};
use super::{load, of_item};
use crate::model::phase::{
    self, COOLDOWN_SECONDS, MOST_STARTS, PhaseRefusal, PhaseStep, StepFacts, interrupted,
};
use crate::model::{
    Entity, Item, ItemKey, ItemStatus, OrchestratorId, Phase, QueueId, SessionId, Step, Timestamp,
    step,
};
use crate::store::{PhaseMove, PhaseMoved, Provenance, Result, StepRequest, Stepped, StoreError};

pub(super) fn take(tx: &Transaction<'_>, request: &StepRequest) -> Result<Stepped> {
    let provenance = &request.provenance;
    if was_done(tx, provenance)? {
        return answer(tx, &request.id, provenance).map(|moved| Stepped::Moved(Box::new(moved)));
    }
    if let Some(mover) = &request.mover {
        registered(sessions::load(tx, mover)?, mover)?;
    }
    let Some(row) = load(tx, &request.id)? else {
        return Ok(Stepped::Refused(PhaseRefusal::NotFound));
    };
    let (item, rows) = neighbourhood(tx, &row.item)?;
    let starts = match request.step {
        PhaseStep::Start { .. } => latest_starts(tx, &row.id)?,
        _ => Vec::new(),
    };
    let facts = StepFacts {
        mover: request.mover.as_ref(),
        item: &item,
        rows: &rows,
        id: &row.id,
        starts: &starts,
    };
    let changed = match phase::decide(&facts, &request.step) {
        Ok(changed) => changed,
        Err(refusal) => return Ok(Stepped::Refused(refusal)),
    };
    write(tx, &item, &rows, &changed, provenance)?;
    if matches!(request.step, PhaseStep::Start { .. })
        && let Some(mover) = request.mover.as_ref()
        && item.holder.as_ref() == Some(mover)
    {
        begin(tx, &item, mover, &row, provenance)?;
    }
    answer(tx, &row.id, provenance).map(|moved| Stepped::Moved(Box::new(moved)))
}

pub(super) fn neighbourhood(tx: &Transaction<'_>, item: &ItemKey) -> Result<(Item, Vec<Phase>)> {
    let missing = || StoreError::Corrupt(format!("phases of item {item}, which does not exist"));
    Ok((
        items::load(tx, item)?.ok_or_else(missing)?,
        of_item(tx, item)?,
    ))
}

/// Returns the latest starts within the cooldown, newest first, by the database's clock.
fn latest_starts(tx: &Transaction<'_>, id: &QueueId) -> Result<Vec<Timestamp>> {
    let mut statement = tx.prepare(LATEST_STARTS).map_err(from_sqlite)?;
    let most = i64::try_from(MOST_STARTS).unwrap_or(i64::MAX);
    statement
        .query_map(
            params![id.as_str(), format!("-{COOLDOWN_SECONDS} seconds"), most],
            |row| time(row, 0),
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
pub(super) fn write(
    tx: &Transaction<'_>,
    item: &Item,
    before: &[Phase],
    changed: &[Phase],
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
    let epoch = phase::fence(item).map(|epoch| signed(epoch.0));
    for row in changed {
        let from = before.iter().find(|old| old.id == row.id);
        let from = from.map_or(row.status, |old| old.status);
        let back = step(Entity::Phase, from.as_str(), row.status.as_str()) == Step::Back;
        let written = statement
            .execute(params![
                row.status.as_str(),
                free_option(row.error_message.as_ref()),
                row.blocked_by.as_ref().map(QueueId::as_str),
                row.assigned_to.as_ref().map(SessionId::as_str),
                row.orchestrator.as_ref().map(OrchestratorId::as_str),
                row.pr_number,
                back,
                epoch,
                provenance.actor,
                provenance.reason,
                provenance.op_id,
                row.id.as_str(),
                signed(row.revision.0),
            ])
            .map_err(from_sqlite)?;
        if written == 0 {
            return Err(StoreError::Conflict(format!(
                "phase {} has changed",
                row.id
            )));
        }
    }
    Ok(())
}

/// Makes a phase that its holder starts what item and session are in.
fn begin(
    tx: &Transaction<'_>,
    item: &Item,
    holder: &SessionId,
    row: &Phase,
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(
        "UPDATE work_items SET phase = ?1, under_epoch = claim_epoch, last_actor = ?2,
             last_reason = ?3, last_op = ?4
         WHERE key = ?5 AND phase IS NOT ?1",
        params![
            row.name.as_str(),
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            item.key.as_str()
        ],
    )
    .map_err(from_sqlite)?;
    let session = registered(sessions::load(tx, holder)?, holder)?;
    if session.execution_state().work.phase.as_deref() == Some(row.name.as_str()) {
        return Ok(());
    }
    let state = json!({"currentPhase": row.name});
    patch_state(tx, holder, state, provenance)
}

/// Returns what an operation changed, as its events tell and the rows now are: the first answer
/// and a repeated one are the same.
pub(super) fn answer(
    tx: &Transaction<'_>,
    id: &QueueId,
    provenance: &Provenance,
) -> Result<PhaseMoved> {
    let mut moves = moves(tx, provenance)?;
    let place = moves.iter().position(|moved| moved.phase.id == *id);
    let row = place.map(|place| moves.remove(place));
    let row = row.ok_or_else(|| {
        StoreError::Invalid(format!(
            "operation id {} was already used for something else",
            provenance.op_id
        ))
    })?;
    moves.sort_by_key(|moved| moved.phase.number);
    Ok(PhaseMoved {
        row,
        affected: moves,
    })
}

/// Returns the phases an operation changed, in the order in which it did.
fn moves(tx: &Transaction<'_>, provenance: &Provenance) -> Result<Vec<PhaseMove>> {
    let mut statement = tx
        .prepare(
            "SELECT key, before ->> 'status' FROM events
             WHERE op_id = ?1 AND entity = 'phase' AND before IS NOT NULL ORDER BY seq",
        )
        .map_err(from_sqlite)?;
    let keys: Vec<(QueueId, ItemStatus)> = statement
        .query_map([&provenance.op_id], |row| {
            Ok((parsed(row, 0)?, parsed(row, 1)?))
        })
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    let mut moves = Vec::with_capacity(keys.len());
    for (id, from) in keys {
        moves.extend(load(tx, &id)?.map(|phase| PhaseMove { from, phase }));
    }
    Ok(moves)
}

pub(super) fn interrupt(
    tx: &Transaction<'_>,
    orchestrator: &OrchestratorId,
    reason: &str,
    provenance: &Provenance,
) -> Result<Vec<Phase>> {
    if !was_done(tx, provenance)? {
        put_back(tx, orchestrator, reason, provenance)?;
    }
    freed(tx, provenance)
}

/// Puts back what runs for an orchestrator, as one step of an operation that has others.
pub(in super::super) fn put_back(
    tx: &Transaction<'_>,
    orchestrator: &OrchestratorId,
    reason: &str,
    provenance: &Provenance,
) -> Result<()> {
    let provenance = Provenance {
        reason: Some(reason.into()),
        ..provenance.clone()
    };
    for item in running_for(tx, orchestrator)? {
        let (item, rows) = neighbourhood(tx, &item)?;
        let changed = interrupted(&rows, orchestrator, reason);
        write(tx, &item, &rows, &changed, &provenance)?;
    }
    Ok(())
}

/// Reads the phases that an operation took from their work.
pub(in super::super) fn freed(tx: &Transaction<'_>, provenance: &Provenance) -> Result<Vec<Phase>> {
    let freed = moves(tx, provenance)?.into_iter();
    let freed = freed.filter(|moved| moved.from == ItemStatus::Running);
    Ok(freed.map(|moved| moved.phase).collect())
}

/// Lists the items that have a phase running for an orchestrator.
fn running_for(tx: &Transaction<'_>, orchestrator: &OrchestratorId) -> Result<Vec<ItemKey>> {
    let mut statement = tx
        .prepare(
            "SELECT DISTINCT item FROM phase_queue
             WHERE status = 'running' AND orchestrator = ?1 ORDER BY item",
        )
        .map_err(from_sqlite)?;
    statement
        .query_map([orchestrator.as_str()], |row| parsed(row, 0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}
