//! The phase queue.
//!
//! Decisions are [`phase::decide`](crate::model::phase::decide) and its like, on rows read in
//! the transaction that writes what they come to.

mod row;
mod step;
mod stuck;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::Value as Json;

use super::errors::from_sqlite;
use super::free::free_object;
use super::{SqliteStore, items, was_done};
use crate::model::phase::{NewPhase, NewPhases, StuckPhase};
use crate::model::{ItemKey, ItemStatus, OrchestratorId, Phase, QueueId, SessionId};
use crate::store::{
    PhaseFilter, PhaseMoved, Provenance, QueueStore, Result, StepRequest, Stepped, StoreError,
};
use row::PHASE;

pub(super) use step::{freed, put_back};
#[cfg(test)]
pub(super) use {step::LATEST_STARTS, stuck::questions as stuck_questions};

impl QueueStore for SqliteStore {
    fn add_phases(&mut self, phases: &NewPhases, provenance: &Provenance) -> Result<Vec<Phase>> {
        self.write(|tx| add(tx, phases, provenance))
    }

    fn phase(&mut self, id: &QueueId) -> Result<Option<Phase>> {
        load(&self.connection, id)
    }

    fn phases(&mut self, filter: &PhaseFilter) -> Result<Vec<Phase>> {
        list(&self.connection, filter)
    }

    fn next_phase(&mut self, session: Option<&SessionId>) -> Result<Option<Phase>> {
        self.connection
            .query_row(&next(), [session.map(SessionId::as_str)], row::phase)
            .optional()
            .map_err(from_sqlite)
    }

    fn step_phase(&mut self, request: &StepRequest) -> Result<Stepped> {
        self.write(|tx| step::take(tx, request))
    }

    fn interrupt_phases(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<Phase>> {
        self.write(|tx| step::interrupt(tx, orchestrator, reason, provenance))
    }

    fn stuck_phases(&mut self, seconds: u64, limit: u32) -> Result<Vec<StuckPhase>> {
        stuck::list(&self.connection, seconds, limit)
    }

    fn fail_stuck_phase(
        &mut self,
        stuck: &StuckPhase,
        error: &str,
        provenance: &Provenance,
    ) -> Result<Option<PhaseMoved>> {
        self.write(|tx| stuck::fail(tx, stuck, error, provenance))
    }
}

fn load(connection: &Connection, id: &QueueId) -> Result<Option<Phase>> {
    connection
        .query_row(
            &format!("SELECT {PHASE} FROM phase_queue p WHERE p.queue_id = ?1"),
            [id.as_str()],
            row::phase,
        )
        .optional()
        .map_err(from_sqlite)
}

fn list(connection: &Connection, filter: &PhaseFilter) -> Result<Vec<Phase>> {
    let item = match filter.item {
        Some(_) => "p.item = ?1",
        None => "?1 IS NULL",
    };
    let sql = format!(
        "SELECT {PHASE} FROM phase_queue p WHERE {item} AND (?2 IS NULL OR p.status = ?2)
         ORDER BY p.priority, p.queue_position, p.phase_number, p.rowid"
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    let item = filter.item.as_ref().map(ItemKey::as_str);
    let status = filter.status.map(ItemStatus::as_str);
    statement
        .query_map(params![item, status], row::phase)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Walks along the index of what is ready. In its way lie the phases of items that others hold,
/// as many items as there are sessions at work at most, and those that finished items were given.
pub(super) fn next() -> String {
    format!(
        "SELECT {PHASE} FROM phase_queue p INDEXED BY phase_queue_next
         CROSS JOIN work_items w ON w.key = p.item
         WHERE p.status = 'ready' AND p.is_over = 0 AND (w.holder IS NULL OR w.holder = ?1)
           AND w.status NOT IN ('completed', 'failed', 'cancelled')
         ORDER BY p.priority, p.queue_position, p.phase_number, p.rowid LIMIT 1"
    )
}

fn of_item(connection: &Connection, item: &ItemKey) -> Result<Vec<Phase>> {
    let sql =
        format!("SELECT {PHASE} FROM phase_queue p WHERE p.item = ?1 ORDER BY p.phase_number");
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map([item.as_str()], row::phase)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn add(tx: &Transaction<'_>, new: &NewPhases, provenance: &Provenance) -> Result<Vec<Phase>> {
    if was_done(tx, provenance)? {
        return of_item(tx, &new.item);
    }
    let denied = |problem: &str| StoreError::Denied(format!("item {} {problem}", new.item));
    if items::load(tx, &new.item)?.is_none() {
        return Err(denied("does not exist"));
    }
    if !of_item(tx, &new.item)?.is_empty() {
        return Err(denied("already has phases"));
    }
    let position: i64 = tx
        .query_row(
            "SELECT coalesce(max(queue_position), 0) + 1 FROM phase_queue",
            [],
            |row| row.get(0),
        )
        .map_err(from_sqlite)?;
    for phase in &new.phases {
        insert(tx, new, phase, position, provenance)?;
    }
    of_item(tx, &new.item)
}

fn insert(
    tx: &Transaction<'_>,
    new: &NewPhases,
    phase: &NewPhase,
    position: i64,
    provenance: &Provenance,
) -> Result<()> {
    let status = if phase.depends_on.is_empty() {
        ItemStatus::Ready
    } else {
        ItemStatus::Queued
    };
    tx.execute(
        "INSERT INTO phase_queue (queue_id, item, issue_number, feature_id, phase_number,
             current_phase, status, depends_on_phases, phase_data, adw_id, priority,
             queue_position, last_actor, last_reason, last_op)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            QueueId::of(&new.item, phase.number).as_str(),
            new.item.as_str(),
            new.issue_number,
            new.feature_id,
            phase.number,
            phase.name.as_str(),
            status.as_str(),
            Json::from(phase.depends_on.clone()).to_string(),
            new.data.as_ref().map(free_object),
            new.adw_id,
            new.priority,
            position,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
        ],
    )
    .map_err(from_sqlite)?;
    Ok(())
}
