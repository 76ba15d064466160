//! Phases that run without a sign of life.

use rusqlite::{Connection, Row, Transaction, params};

use super::super::errors::from_sqlite;
use super::super::rows::{RowResult, parse_time};
use super::super::{NOW, is_replay};
use super::row::{self, PHASE_COLUMN_COUNT, PHASE_COLUMNS};
use super::steps::{load_item_with_phases, load_phase_changes, update_phases};
use crate::model::ItemStatus;
use crate::model::phase::{PhaseStep, StuckPhase, change_phase};
use crate::store::{PhaseChanges, Provenance, Result, StoreError};

/// The latest time that is not dated in the future.
const LATEST_PLAUSIBLE: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+60 seconds')";

/// Reads [`PHASE`], the last sign of life and the clock. A sign that a wrong clock dated in the
/// future is none.
fn stuck_phase_select() -> String {
    let sign =
        |column: &str| format!("iif({column} > {LATEST_PLAUSIBLE}, '', coalesce({column}, ''))");
    let [phase, session, run] = ["p.updated_at", "s.heartbeat_at", "o.heartbeat_at"].map(sign);
    format!(
        "SELECT {PHASE_COLUMNS}, coalesce(nullif(max({phase}, {session}, {run}), ''), p.updated_at), {NOW}
         FROM phase_queue p LEFT JOIN claude_sessions s ON s.session_id = p.assigned_to
             LEFT JOIN orchestrators o ON o.id = p.orchestrator"
    )
}

/// Looks along the index of what runs: where nothing does, nothing is read. What was changed long
/// ago and what was changed in the future are two ranges of it.
pub(in super::super) fn stuck_phase_queries() -> [String; 2] {
    let before = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)";
    let silent =
        |sign: &str| format!("coalesce({sign} <= {before} OR {sign} > {LATEST_PLAUSIBLE}, 1)");
    [
        format!("p.updated_at <= {before}"),
        format!("p.updated_at > {LATEST_PLAUSIBLE} AND {before} IS NOT NULL"),
    ]
    .map(|range| {
        format!(
            "{} WHERE p.status = 'running' AND {range} AND {} AND {}
             ORDER BY p.updated_at LIMIT ?2",
            stuck_phase_select(),
            silent("s.heartbeat_at"),
            silent("o.heartbeat_at"),
        )
    })
}

pub(super) fn list_stuck_phases(
    connection: &Connection,
    seconds: u64,
    limit: u32,
) -> Result<Vec<StuckPhase>> {
    let mut found = Vec::new();
    for query in stuck_phase_queries() {
        let mut statement = connection.prepare(&query).map_err(from_sqlite)?;
        let rows = statement
            .query_map(
                params![format!("-{seconds} seconds"), limit],
                stuck_phase_from_row,
            )
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

fn stuck_phase_from_row(row: &Row<'_>) -> RowResult<StuckPhase> {
    Ok(StuckPhase {
        phase: row::phase_from_row(row)?,
        last_sign: parse_time(row, PHASE_COLUMN_COUNT)?,
        read_at: parse_time(row, PHASE_COLUMN_COUNT + 1)?,
    })
}

pub(super) fn fail_stuck_phase(
    tx: &Transaction<'_>,
    as_read: &StuckPhase,
    error: &str,
    provenance: &Provenance,
) -> Result<Option<PhaseChanges>> {
    let id = &as_read.phase.id;
    if is_replay(tx, provenance)? {
        return load_phase_changes(tx, id, provenance).map(Some);
    }
    let sql = format!("{} WHERE p.queue_id = ?1", stuck_phase_select());
    let current = tx
        .query_row(&sql, [id.as_str()], stuck_phase_from_row)
        .map_err(from_sqlite)?;
    let is_unchanged =
        current.phase.revision == as_read.phase.revision && current.last_sign == as_read.last_sign;
    if !is_unchanged || current.phase.status != ItemStatus::Running {
        return Ok(None);
    }
    let (item, phases) = load_item_with_phases(tx, &current.phase.item)?;
    let step = PhaseStep::Fail {
        error: error.to_owned(),
    };
    let changed = change_phase(&phases, id, |row| step.apply(row, None));
    update_phases(tx, &item, &phases, &changed, provenance)?;
    load_phase_changes(tx, id, provenance).map(Some)
}
