//! The phase queue.
//!
//! Decisions are [`decide_phase_step`](crate::model::phase::decide_phase_step) and its like, on
//! rows that are read in the transaction which writes the result.

mod removal;
mod steps;
mod stuck;

use serde_json::{Map, Value as Json};

use super::engine::{Tx, args};
use super::items;
use super::row::Row;
use super::statement::{columns, joined, statements};
use super::stored_text::stored_object;
use crate::model::phase::{NewPhase, NewPhases};
use crate::model::{ItemKey, ItemStatus, Phase, QueueId, SessionId};
use crate::store::{PhaseFilter, Provenance, Result, StoreError};

pub(super) use removal::remove_phases;
pub(super) use steps::{
    apply_phase_step, interrupt_phases, list_freed_phases, list_running_phases,
    prefetch_freed_phases, prefetch_running_phases, put_back_phases,
};
pub(super) use stuck::{fail_stuck_phase, list_stuck_phases};

pub(in crate::store) use removal::STATEMENTS as REMOVAL_STATEMENTS;
pub(in crate::store) use steps::STATEMENTS as STEP_STATEMENTS;
pub(in crate::store) use stuck::STATEMENTS as STUCK_STATEMENTS;

columns! {
    /// The columns of a phase, of `phase_queue p`; a statement adds its own behind them.
    pub(super) enum PhaseColumn {
        Id = "p.queue_id",
        Item = "p.item",
        IssueNumber = "p.issue_number",
        FeatureId = "p.feature_id",
        Number = "p.phase_number",
        Name = "p.current_phase",
        Status = "p.status",
        DependsOn = "p.depends_on_phases",
        Data = "p.phase_data",
        AssignedTo = "p.assigned_to",
        AdwId = "p.adw_id",
        PrNumber = "p.pr_number",
        Priority = "p.priority",
        Position = "p.queue_position",
        CreatedAt = "p.created_at",
        UpdatedAt = "p.updated_at",
        CompletedAt = "p.completed_at",
        ReadyAt = "p.ready_timestamp",
        StartedAt = "p.started_timestamp",
        ErrorMessage = "p.error_message",
        BlockedBy = "p.blocked_by",
        Orchestrator = "p.orchestrator",
        Revision = "p.revision",
    }
}

const SELECT_PHASE: &str = joined!("SELECT ", PhaseColumn::SQL, " FROM phase_queue p WHERE ");
const IN_ORDER: &str =
    " ORDER BY p.priority, p.queue_position NULLS FIRST, p.phase_number, p.rowid";

statements! {
    LOAD_PHASE(text) = SELECT_PHASE, "p.queue_id = ?1";
    LIST_PHASES(text, text) =
        SELECT_PHASE, "?1 IS NULL AND (?2 IS NULL OR p.status = ?2)", IN_ORDER;
    LIST_PHASES_OF_ITEM_IN_ORDER(text, text) =
        SELECT_PHASE, "p.item = ?1 AND (?2 IS NULL OR p.status = ?2)", IN_ORDER;
    /// Walks along the ids, and no further than the page.
    LIST_PHASES_BY_ID(text, text, text, int) = SELECT_PHASE,
        "p.queue_id > ?3 AND (?1 IS NULL OR p.item = ?1) AND (?2 IS NULL OR p.status = ?2)
         ORDER BY p.queue_id LIMIT ?4";
    /// The phases of the item that a phase belongs to.
    LIST_PHASES_BESIDE(text) = SELECT_PHASE,
        "p.item = (SELECT item FROM phase_queue WHERE queue_id = ?1) ORDER BY p.phase_number";
    LIST_PHASES_OF_ITEM(text) = @repeated SELECT_PHASE, "p.item = ?1 ORDER BY p.phase_number";

    /// Walks along the index of the ready phases. It passes the phases of items that others hold,
    /// at most as many items as there are sessions at work, and those of finished items.
    NEXT_PHASE(text) =
        "SELECT ", PhaseColumn::SQL, " FROM phase_queue p INDEXED BY phase_queue_next
         CROSS JOIN work_items w ON w.key = p.item
         WHERE p.status = 'ready' AND p.is_over = 0 AND (w.holder IS NULL OR w.holder = ?1)
           AND w.status NOT IN ('completed', 'failed', 'cancelled')", IN_ORDER, " LIMIT 1"
        => postgres
        "SELECT ", PhaseColumn::SQL, " FROM phase_queue p JOIN work_items w ON w.key = p.item
         WHERE p.status = 'ready' AND p.is_over = 0 AND (w.holder IS NULL OR w.holder = ?1)
           AND w.status NOT IN ('completed', 'failed', 'cancelled')", IN_ORDER, " LIMIT 1";

    NEXT_QUEUE_POSITION() = "SELECT coalesce(max(queue_position), 0) + 1 FROM phase_queue";

    INSERT_PHASE(
        text, text, int, int, int, text, text, text, text, text, int, int, text, text, text) =
        @repeated
        "INSERT INTO phase_queue (queue_id, item, issue_number, feature_id, phase_number,
             current_phase, status, depends_on_phases, phase_data, adw_id, priority,
             queue_position, last_actor, last_reason, last_op)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
}

fn phase_from_row(row: &dyn Row) -> Result<Phase> {
    let data: Option<&str> = row.text(PhaseColumn::Data as usize)?;
    let data: Option<Map<String, Json>> = data
        .map(|text| serde_json::from_str(text).map_err(|error| StoreError::unreadable(&error)))
        .transpose()?;
    let depends_on = row.required_text(PhaseColumn::DependsOn)?;
    let depends_on = serde_json::from_str(depends_on);
    Ok(Phase {
        id: row.get(PhaseColumn::Id)?,
        item: row.get(PhaseColumn::Item)?,
        issue_number: row.get(PhaseColumn::IssueNumber)?,
        feature_id: row.get(PhaseColumn::FeatureId)?,
        number: row.get(PhaseColumn::Number)?,
        name: row.get(PhaseColumn::Name)?,
        status: row.get(PhaseColumn::Status)?,
        depends_on: depends_on.map_err(|error| StoreError::unreadable(&error))?,
        data,
        assigned_to: row.get(PhaseColumn::AssignedTo)?,
        adw_id: row.get(PhaseColumn::AdwId)?,
        pr_number: row.get(PhaseColumn::PrNumber)?,
        priority: row.get(PhaseColumn::Priority)?,
        position: row.get(PhaseColumn::Position)?,
        created_at: row.get(PhaseColumn::CreatedAt)?,
        updated_at: row.get(PhaseColumn::UpdatedAt)?,
        completed_at: row.lenient_time(PhaseColumn::CompletedAt),
        ready_at: row.lenient_time(PhaseColumn::ReadyAt),
        started_at: row.lenient_time(PhaseColumn::StartedAt),
        error_message: row.get(PhaseColumn::ErrorMessage)?,
        blocked_by: row.get(PhaseColumn::BlockedBy)?,
        orchestrator: row.get(PhaseColumn::Orchestrator)?,
        revision: row.get(PhaseColumn::Revision)?,
    })
}

pub(super) fn load_phase(tx: &mut impl Tx, id: &QueueId) -> Result<Option<Phase>> {
    tx.row(&LOAD_PHASE, args![id], phase_from_row)
}

pub(super) fn list_phases(tx: &mut impl Tx, filter: &PhaseFilter) -> Result<Vec<Phase>> {
    let status = filter.status.map(ItemStatus::as_str);
    if let Some(page) = &filter.page {
        let args = args![filter.item, status, page.after, page.limit];
        return tx.rows(&LIST_PHASES_BY_ID, args, phase_from_row);
    }
    let statement = match filter.item {
        Some(_) => &LIST_PHASES_OF_ITEM_IN_ORDER,
        None => &LIST_PHASES,
    };
    tx.rows(statement, args![filter.item, status], phase_from_row)
}

pub(super) fn find_next_phase(
    tx: &mut impl Tx,
    session: Option<&SessionId>,
) -> Result<Option<Phase>> {
    tx.row(&NEXT_PHASE, args![session], phase_from_row)
}

/// Says that an item and its phases will be read.
fn prefetch_item_with_phases(tx: &mut impl Tx, item: &ItemKey) {
    items::prefetch_item(tx, item);
    tx.prefetch(&LIST_PHASES_OF_ITEM, args![item]);
}

fn list_phases_of_item(tx: &mut impl Tx, item: &ItemKey) -> Result<Vec<Phase>> {
    tx.rows(&LIST_PHASES_OF_ITEM, args![item], phase_from_row)
}

pub(super) fn add_phases(
    tx: &mut impl Tx,
    new_phases: &NewPhases,
    provenance: &Provenance,
) -> Result<Vec<Phase>> {
    let item = &new_phases.item;
    if tx.is_replay(provenance)? {
        return list_phases_of_item(tx, item);
    }
    let denied = |problem: &str| StoreError::denied(format!("item {item} {problem}"));
    tx.prefetch(&LIST_PHASES_OF_ITEM, args![item]);
    tx.prefetch(&NEXT_QUEUE_POSITION, args![]);
    if items::load_item(tx, item)?.is_none() {
        return Err(denied("does not exist"));
    }
    if !list_phases_of_item(tx, item)?.is_empty() {
        return Err(denied("already has phases"));
    }
    let position: i64 = tx.one_row(&NEXT_QUEUE_POSITION, args![], |row| row.get(0))?;
    for phase in &new_phases.phases {
        insert_phase(tx, new_phases, phase, position, provenance)?;
    }
    tx.finish();
    list_phases_of_item(tx, item)
}

fn insert_phase(
    tx: &mut impl Tx,
    new_phases: &NewPhases,
    phase: &NewPhase,
    position: i64,
    provenance: &Provenance,
) -> Result<()> {
    let status = if phase.depends_on.is_empty() { ItemStatus::Ready } else { ItemStatus::Queued };
    tx.execute(
        &INSERT_PHASE,
        args![
            QueueId::for_phase(&new_phases.item, phase.number),
            new_phases.item,
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
    )?;
    Ok(())
}
