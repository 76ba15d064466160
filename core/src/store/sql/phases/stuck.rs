//! Phases that run without a sign of life.

use super::super::NOW;
use super::super::engine::{Tx, args};
use super::super::row::Row;
use super::super::statement::{joined, statements};
use super::steps::{load_item_with_phases, load_phase_changes, update_phases};
use super::{PhaseColumn, phase_from_row, prefetch_item_with_phases};
use crate::model::ItemStatus;
use crate::model::phase::{PhaseStep, StuckPhase, change_phase};
use crate::store::{PhaseChanges, Provenance, Result, StoreError};

/// The places of the columns behind those of a phase: the last sign of life, and the clock.
const LAST_SIGN: usize = PhaseColumn::Revision as usize + 1;
const READ_AT: usize = LAST_SIGN + 1;

/// The latest time that is not dated in the future. A sign of life that a wrong clock dated later
/// is no sign.
const LATEST_PLAUSIBLE: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+60 seconds')";
const BEFORE: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)";

const SELECT_STUCK: &str = joined!(
    "SELECT ",
    PhaseColumn::SQL,
    ", coalesce(nullif(max(
           CASE WHEN p.updated_at > ",
    LATEST_PLAUSIBLE,
    " THEN '' ELSE coalesce(p.updated_at, '') END,
           CASE WHEN s.heartbeat_at > ",
    LATEST_PLAUSIBLE,
    " THEN '' ELSE coalesce(s.heartbeat_at, '') END,
           CASE WHEN o.heartbeat_at > ",
    LATEST_PLAUSIBLE,
    " THEN '' ELSE coalesce(o.heartbeat_at, '') END
       ), ''), p.updated_at), ",
    NOW,
    " AS read_at FROM phase_queue p LEFT JOIN claude_sessions s ON s.session_id = p.assigned_to
          LEFT JOIN orchestrators o ON o.id = p.orchestrator WHERE "
);
const IS_SILENT: &str = joined!(
    " AND (s.heartbeat_at <= ",
    BEFORE,
    " OR s.heartbeat_at > ",
    LATEST_PLAUSIBLE,
    ") IS NOT FALSE
      AND (o.heartbeat_at <= ",
    BEFORE,
    " OR o.heartbeat_at > ",
    LATEST_PLAUSIBLE,
    ") IS NOT FALSE
      ORDER BY p.updated_at LIMIT ?2"
);

statements! {
    /// Walks along the index of the running phases; where none runs, nothing is read. Phases that
    /// changed long ago and those dated in the future are two ranges of it.
    LIST_SILENT_STUCK(text, int) =
        SELECT_STUCK, "p.status = 'running' AND p.updated_at <= ", BEFORE, IS_SILENT;
    LIST_FUTURE_STUCK(text, int) =
        SELECT_STUCK, "p.status = 'running' AND p.updated_at > ", LATEST_PLAUSIBLE, " AND ",
        BEFORE, " IS NOT NULL", IS_SILENT;
    LOAD_STUCK(text) = SELECT_STUCK, "p.queue_id = ?1";
}

pub(in super::super) fn list_stuck_phases(
    tx: &mut impl Tx,
    seconds: u64,
    limit: u32,
) -> Result<Vec<StuckPhase>> {
    // A row that others wrote and nobody can read must not keep the rest from being looked at:
    // sweeps run at the start of every session.
    let readable = |row: &dyn Row| match stuck_phase_from_row(row) {
        Err(StoreError::Unreadable { .. }) => Ok(None),
        read => read.map(Some),
    };
    let silence = format!("-{seconds} seconds");
    let mut found = Vec::new();
    tx.prefetch(&LIST_FUTURE_STUCK, args![silence, limit]);
    for statement in [&LIST_SILENT_STUCK, &LIST_FUTURE_STUCK] {
        let rows = tx.rows(statement, args![silence, limit], readable)?;
        found.extend(rows.into_iter().flatten());
    }
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

fn stuck_phase_from_row(row: &dyn Row) -> Result<StuckPhase> {
    Ok(StuckPhase {
        phase: phase_from_row(row)?,
        last_sign: row.get(LAST_SIGN)?,
        read_at: row.get(READ_AT)?,
    })
}

pub(in super::super) fn fail_stuck_phase(
    tx: &mut impl Tx,
    as_read: &StuckPhase,
    error: &str,
    provenance: &Provenance,
) -> Result<Option<PhaseChanges>> {
    let id = &as_read.phase.id;
    if tx.is_replay(provenance)? {
        return load_phase_changes(tx, id, provenance).map(Some);
    }
    prefetch_item_with_phases(tx, &as_read.phase.item);
    let current = tx.one_row(&LOAD_STUCK, args![id], stuck_phase_from_row)?;
    let is_unchanged =
        current.phase.revision == as_read.phase.revision && current.last_sign == as_read.last_sign;
    if !is_unchanged || current.phase.status != ItemStatus::Running {
        return Ok(None);
    }
    let (item, phases) = load_item_with_phases(tx, &current.phase.item)?;
    let step = PhaseStep::Fail { error: error.to_owned() };
    let changed = change_phase(&phases, id, |phase| step.apply(phase, None));
    update_phases(tx, &item, &phases, &changed, provenance)?;
    tx.finish();
    load_phase_changes(tx, id, provenance).map(Some)
}
