//! Rows of `phase_queue` into values.

use rusqlite::Row;
use serde_json::{Map, Value as Json};

use super::super::rows::{
    RowResult, parse_column, parse_count, parse_lenient_time, parse_optional_column, parse_time,
    unreadable_column,
};
use crate::model::{Phase, Revision};

/// The columns [`phase`] reads, of `phase_queue p`.
pub(super) const PHASE_COLUMNS: &str = "p.queue_id, p.item, p.issue_number, p.feature_id, p.phase_number, \
     p.current_phase, p.status, p.depends_on_phases, p.phase_data, p.assigned_to, p.adw_id, \
     p.pr_number, p.priority, p.queue_position, p.created_at, p.updated_at, p.completed_at, \
     p.ready_timestamp, p.started_timestamp, p.error_message, p.blocked_by, p.orchestrator, \
     p.revision";

/// How many columns [`PHASE`] has: whatever a statement adds comes behind them.
pub(super) const PHASE_COLUMN_COUNT: usize = 23;

pub(super) fn phase_from_row(row: &Row<'_>) -> RowResult<Phase> {
    let number = row.get::<_, i64>(4)?;
    let data: Option<String> = row.get(8)?;
    let data: Option<Map<String, Json>> = data
        .map(|text| serde_json::from_str(&text).map_err(|error| unreadable_column(8, error)))
        .transpose()?;
    let depends_on: String = row.get(7)?;
    Ok(Phase {
        id: parse_column(row, 0)?,
        item: parse_column(row, 1)?,
        issue_number: row.get(2)?,
        feature_id: row.get(3)?,
        number: u32::try_from(number).map_err(|error| unreadable_column(4, error))?,
        name: parse_column(row, 5)?,
        status: parse_column(row, 6)?,
        depends_on: serde_json::from_str(&depends_on)
            .map_err(|error| unreadable_column(7, error))?,
        data,
        assigned_to: parse_optional_column(row, 9)?,
        adw_id: row.get(10)?,
        pr_number: row.get(11)?,
        priority: row.get(12)?,
        position: row.get(13)?,
        created_at: parse_time(row, 14)?,
        updated_at: parse_time(row, 15)?,
        completed_at: parse_lenient_time(row, 16),
        ready_at: parse_lenient_time(row, 17),
        started_at: parse_lenient_time(row, 18),
        error_message: row.get(19)?,
        blocked_by: parse_optional_column(row, 20)?,
        orchestrator: parse_optional_column(row, 21)?,
        revision: Revision(parse_count(row, 22)?),
    })
}
