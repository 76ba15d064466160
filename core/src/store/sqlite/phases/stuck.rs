//! Phases that run without a sign of life.

use rusqlite::{Connection, Row, Transaction, params};

use super::super::errors::from_sqlite;
use super::super::rows::{Sql, time};
use super::super::{NOW, was_done};
use super::row::{self, COLUMNS, PHASE};
use super::step::{answer, neighbourhood, write};
use crate::model::ItemStatus;
use crate::model::phase::{PhaseStep, StuckPhase, after};
use crate::store::{PhaseMoved, Provenance, Result, StoreError};

/// Reads [`PHASE`], the last sign of life and the clock.
fn columns() -> String {
    format!(
        "SELECT {PHASE}, max(p.updated_at, coalesce(s.heartbeat_at, p.updated_at),
             coalesce(o.heartbeat_at, p.updated_at)), {NOW}
         FROM phase_queue p LEFT JOIN claude_sessions s ON s.session_id = p.assigned_to
             LEFT JOIN orchestrators o ON o.id = p.orchestrator"
    )
}

/// Looks along the index of what runs: where nothing does, nothing is read.
pub(in super::super) fn question() -> String {
    let before = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)";
    format!(
        "{} WHERE p.status = 'running' AND p.updated_at <= {before}
             AND coalesce(s.heartbeat_at <= {before}, 1)
             AND coalesce(o.heartbeat_at <= {before}, 1)
         ORDER BY p.updated_at LIMIT ?2",
        columns()
    )
}

pub(super) fn list(connection: &Connection, seconds: u64, limit: u32) -> Result<Vec<StuckPhase>> {
    let mut statement = connection.prepare(&question()).map_err(from_sqlite)?;
    let rows = statement
        .query_map(params![format!("-{seconds} seconds"), limit], stuck)
        .map_err(from_sqlite)?;
    let mut found = Vec::new();
    for row in rows {
        match row.map_err(from_sqlite) {
            Ok(stuck) => found.push(stuck),
            // A row that others wrote and nobody can read must not keep the rest from being
            // looked at: sweeps run at every session's start.
            Err(StoreError::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn stuck(row: &Row<'_>) -> Sql<StuckPhase> {
    Ok(StuckPhase {
        phase: row::phase(row)?,
        last_sign: time(row, COLUMNS)?,
        read_at: time(row, COLUMNS + 1)?,
    })
}

pub(super) fn fail(
    tx: &Transaction<'_>,
    read: &StuckPhase,
    error: &str,
    provenance: &Provenance,
) -> Result<Option<PhaseMoved>> {
    let id = &read.phase.id;
    if was_done(tx, provenance)? {
        return answer(tx, id, provenance).map(Some);
    }
    let sql = format!("{} WHERE p.queue_id = ?1", columns());
    let now = tx
        .query_row(&sql, [id.as_str()], stuck)
        .map_err(from_sqlite)?;
    let same = now.phase.revision == read.phase.revision && now.last_sign == read.last_sign;
    if !same || now.phase.status != ItemStatus::Running {
        return Ok(None);
    }
    let (item, rows) = neighbourhood(tx, &now.phase.item)?;
    let step = PhaseStep::Fail {
        error: error.to_owned(),
    };
    let changed = after(&rows, id, |row| step.apply(row, None));
    write(tx, &item, &rows, &changed, provenance)?;
    answer(tx, id, provenance).map(Some)
}
