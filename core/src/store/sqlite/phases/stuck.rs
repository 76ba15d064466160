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

/// The latest time that is not dated in the future.
const AHEAD: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+60 seconds')";

/// Reads [`PHASE`], the last sign of life and the clock. A sign that a wrong clock dated in the
/// future is none.
fn columns() -> String {
    let sign = |column: &str| format!("iif({column} > {AHEAD}, '', coalesce({column}, ''))");
    let [phase, session, run] = ["p.updated_at", "s.heartbeat_at", "o.heartbeat_at"].map(sign);
    format!(
        "SELECT {PHASE}, coalesce(nullif(max({phase}, {session}, {run}), ''), p.updated_at), {NOW}
         FROM phase_queue p LEFT JOIN claude_sessions s ON s.session_id = p.assigned_to
             LEFT JOIN orchestrators o ON o.id = p.orchestrator"
    )
}

/// Looks along the index of what runs: where nothing does, nothing is read. What was changed long
/// ago and what was changed in the future are two ranges of it.
pub(in super::super) fn questions() -> [String; 2] {
    let before = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)";
    let silent = |sign: &str| format!("coalesce({sign} <= {before} OR {sign} > {AHEAD}, 1)");
    [
        format!("p.updated_at <= {before}"),
        format!("p.updated_at > {AHEAD} AND {before} IS NOT NULL"),
    ]
    .map(|range| {
        format!(
            "{} WHERE p.status = 'running' AND {range} AND {} AND {}
             ORDER BY p.updated_at LIMIT ?2",
            columns(),
            silent("s.heartbeat_at"),
            silent("o.heartbeat_at"),
        )
    })
}

pub(super) fn list(connection: &Connection, seconds: u64, limit: u32) -> Result<Vec<StuckPhase>> {
    let mut found = Vec::new();
    for question in questions() {
        let mut statement = connection.prepare(&question).map_err(from_sqlite)?;
        let rows = statement
            .query_map(params![format!("-{seconds} seconds"), limit], stuck)
            .map_err(from_sqlite)?;
        for row in rows {
            match row.map_err(from_sqlite) {
                Ok(stuck) => found.push(stuck),
                // A row that others wrote and nobody can read must not keep the rest from being
                // looked at: sweeps run at every session's start.
                Err(StoreError::Corrupt(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
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
