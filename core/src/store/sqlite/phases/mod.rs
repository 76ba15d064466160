//! The phase queue.
//!
//! Decisions are [`phase::decide`](crate::model::phase::decide) and its like, on rows read in
//! the transaction that writes what they come to.

mod row;
mod steps;
mod stuck;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::Value as Json;

use super::errors::from_sqlite;
use super::stored_text::stored_object;
use super::{SqliteStore, is_replay, items};
use crate::model::phase::{NewPhase, NewPhases, StuckPhase};
use crate::model::{ItemKey, ItemStatus, OrchestratorId, Phase, QueueId, SessionId};
use crate::store::{
    PhaseChanges, PhaseFilter, PhaseStepOutcome, PhaseStepRequest, PhaseStore, Provenance, Result,
    StoreError,
};
use row::PHASE_COLUMNS;

pub(super) use steps::{list_freed_phases, put_back_phases};
#[cfg(test)]
pub(super) use {steps::LATEST_STARTS, stuck::stuck_phase_queries as stuck_questions};

impl PhaseStore for SqliteStore {
    fn add_phases(&mut self, phases: &NewPhases, provenance: &Provenance) -> Result<Vec<Phase>> {
        self.run_write(|tx| add_phases(tx, phases, provenance))
    }

    fn load_phase(&mut self, id: &QueueId) -> Result<Option<Phase>> {
        load_phase(&self.connection, id)
    }

    fn list_phases(&mut self, filter: &PhaseFilter) -> Result<Vec<Phase>> {
        list_phases(&self.connection, filter)
    }

    fn find_next_phase(&mut self, session: Option<&SessionId>) -> Result<Option<Phase>> {
        self.connection
            .query_row(
                &next_phase_sql(),
                [session.map(SessionId::as_str)],
                row::phase_from_row,
            )
            .optional()
            .map_err(from_sqlite)
    }

    fn apply_phase_step(&mut self, request: &PhaseStepRequest) -> Result<PhaseStepOutcome> {
        self.run_write(|tx| steps::apply_phase_step(tx, request))
    }

    fn interrupt_phases(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<Phase>> {
        self.run_write(|tx| steps::interrupt_phases(tx, orchestrator, reason, provenance))
    }

    fn list_stuck_phases(&mut self, seconds: u64, limit: u32) -> Result<Vec<StuckPhase>> {
        stuck::list_stuck_phases(&self.connection, seconds, limit)
    }

    fn fail_stuck_phase(
        &mut self,
        stuck: &StuckPhase,
        error: &str,
        provenance: &Provenance,
    ) -> Result<Option<PhaseChanges>> {
        self.run_write(|tx| stuck::fail_stuck_phase(tx, stuck, error, provenance))
    }
}

fn load_phase(connection: &Connection, id: &QueueId) -> Result<Option<Phase>> {
    connection
        .query_row(
            &format!("SELECT {PHASE_COLUMNS} FROM phase_queue p WHERE p.queue_id = ?1"),
            [id.as_str()],
            row::phase_from_row,
        )
        .optional()
        .map_err(from_sqlite)
}

fn list_phases(connection: &Connection, filter: &PhaseFilter) -> Result<Vec<Phase>> {
    let item = match filter.item {
        Some(_) => "p.item = ?1",
        None => "?1 IS NULL",
    };
    let sql = format!(
        "SELECT {PHASE_COLUMNS} FROM phase_queue p WHERE {item} AND (?2 IS NULL OR p.status = ?2)
         ORDER BY p.priority, p.queue_position, p.phase_number, p.rowid"
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    let item = filter.item.as_ref().map(ItemKey::as_str);
    let status = filter.status.map(ItemStatus::as_str);
    statement
        .query_map(params![item, status], row::phase_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Walks along the index of what is ready. In its way lie the phases of items that others hold,
/// as many items as there are sessions at work at most, and those that finished items were given.
pub(super) fn next_phase_sql() -> String {
    format!(
        "SELECT {PHASE_COLUMNS} FROM phase_queue p INDEXED BY phase_queue_next
         CROSS JOIN work_items w ON w.key = p.item
         WHERE p.status = 'ready' AND p.is_over = 0 AND (w.holder IS NULL OR w.holder = ?1)
           AND w.status NOT IN ('completed', 'failed', 'cancelled')
         ORDER BY p.priority, p.queue_position, p.phase_number, p.rowid LIMIT 1"
    )
}

fn list_phases_of_item(connection: &Connection, item: &ItemKey) -> Result<Vec<Phase>> {
    let sql = format!(
        "SELECT {PHASE_COLUMNS} FROM phase_queue p WHERE p.item = ?1 ORDER BY p.phase_number"
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map([item.as_str()], row::phase_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn add_phases(
    tx: &Transaction<'_>,
    new_phases: &NewPhases,
    provenance: &Provenance,
) -> Result<Vec<Phase>> {
    if is_replay(tx, provenance)? {
        return list_phases_of_item(tx, &new_phases.item);
    }
    let denied = |problem: &str| StoreError::Denied(format!("item {} {problem}", new_phases.item));
    if items::load_item(tx, &new_phases.item)?.is_none() {
        return Err(denied("does not exist"));
    }
    if !list_phases_of_item(tx, &new_phases.item)?.is_empty() {
        return Err(denied("already has phases"));
    }
    let position: i64 = tx
        .query_row(
            "SELECT coalesce(max(queue_position), 0) + 1 FROM phase_queue",
            [],
            |row| row.get(0),
        )
        .map_err(from_sqlite)?;
    for phase in &new_phases.phases {
        insert_phase(tx, new_phases, phase, position, provenance)?;
    }
    list_phases_of_item(tx, &new_phases.item)
}

fn insert_phase(
    tx: &Transaction<'_>,
    new_phases: &NewPhases,
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
            QueueId::for_phase(&new_phases.item, phase.number).as_str(),
            new_phases.item.as_str(),
            new_phases.issue_number,
            new_phases.feature_id,
            phase.number,
            phase.name.as_str(),
            status.as_str(),
            Json::from(phase.depends_on.clone()).to_string(),
            new_phases.data.as_ref().map(stored_object),
            new_phases.adw_id,
            new_phases.priority,
            position,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
        ],
    )
    .map_err(from_sqlite)?;
    Ok(())
}
