//! Tasks of plans. Every change is one conditional statement on the revision it was decided on.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params};
use serde_json::json;

use super::errors::from_sqlite;
use super::events::record_event;
use super::sessions::to_signed;
use super::stored_text::{stored_object, stored_optional_text, stored_text};
use super::{NOW, is_replay, rows};
use crate::model::{
    OrchestratorId, PlanId, PlanTask, PlanTaskId, PlanTaskStep, PlanTaskVerdict,
    QUIET_PERIOD_CEILING_SECONDS, SessionId, decide_plan_task_step,
};
use crate::store::event_draft::EventDraft;
use crate::store::{PlanTaskStepRequest, Provenance, Result, StoreError};

/// The columns [`task`] reads, of `plan_tasks t`.
const TASK_COLUMNS: &str = "t.plan_id, t.id, t.phase_number, t.phase_title, t.title, t.status, t.priority, \
     t.position, t.depends_on, t.extra, t.started_at, t.completed_at, t.error, t.skip_reason, \
     t.retry_count, t.stuck, t.orchestrator, t.session, t.started_by, t.revision, t.updated_at";

fn task_from_row(row: &Row<'_>) -> rusqlite::Result<PlanTask> {
    Ok(PlanTask {
        plan: rows::parse_column(row, 0)?,
        id: rows::parse_column(row, 1)?,
        phase_number: row.get(2)?,
        phase_title: row.get(3)?,
        title: row.get(4)?,
        status: rows::parse_column(row, 5)?,
        priority: row.get(6)?,
        position: row.get(7)?,
        depends_on: rows::parse_json(row, 8)?,
        extra: rows::parse_json(row, 9)?,
        started_at: rows::parse_lenient_time(row, 10),
        completed_at: rows::parse_lenient_time(row, 11),
        error: row.get(12)?,
        skip_reason: row.get(13)?,
        retry_count: row.get(14)?,
        stuck: row.get(15)?,
        orchestrator: rows::parse_optional_column(row, 16)?,
        session: rows::parse_optional_column(row, 17)?,
        started_by: row.get(18)?,
        revision: rows::parse_revision(row, 19)?,
        updated_at: rows::parse_time(row, 20)?,
    })
}

fn select_tasks(
    connection: &Connection,
    rest: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<PlanTask>> {
    let sql = format!("SELECT {TASK_COLUMNS} FROM plan_tasks t WHERE {rest}");
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(parameters, task_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

pub(super) fn load_task(
    connection: &Connection,
    plan: &PlanId,
    id: &PlanTaskId,
) -> Result<Option<PlanTask>> {
    let sql = format!("SELECT {TASK_COLUMNS} FROM plan_tasks t WHERE t.plan_id = ?1 AND t.id = ?2");
    // An import asks for each of its tasks.
    let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
    statement
        .query_row([plan.as_str(), id.as_str()], task_from_row)
        .optional()
        .map_err(from_sqlite)
}

pub(super) fn list_tasks(connection: &Connection, plan: &PlanId) -> Result<Vec<PlanTask>> {
    let mut tasks = select_tasks(connection, "t.plan_id = ?1", [plan.as_str()])?;
    // SQLite would write every row into a sorter of its own, and read it back.
    tasks.sort_by_cached_key(|task| (task.position, task.id.as_str().to_owned()));
    Ok(tasks)
}

fn vanished_error(plan: &PlanId, id: &PlanTaskId) -> StoreError {
    StoreError::Conflict(format!("task {plan}/{id} no longer exists"))
}

fn stored_columns(task: &PlanTask) -> (String, String) {
    (
        json!(task.depends_on).to_string(),
        stored_object(&task.extra),
    )
}

pub(super) fn insert_task(
    tx: &Transaction<'_>,
    task: &PlanTask,
    provenance: &Provenance,
) -> Result<()> {
    let (depends_on, extra) = stored_columns(task);
    let mut statement = tx
        .prepare_cached(
            "INSERT INTO plan_tasks (plan_id, id, phase_number, phase_title, title, status,
                 priority, position, depends_on, extra, started_at, completed_at, error,
                 skip_reason, retry_count, last_actor, last_reason, last_op)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18)",
        )
        .map_err(from_sqlite)?;
    statement
        .execute(params![
            task.plan.as_str(),
            task.id.as_str(),
            task.phase_number,
            stored_optional_text(task.phase_title.as_ref()),
            stored_text(&task.title),
            task.status.as_str(),
            task.priority,
            task.position,
            depends_on,
            extra,
            task.started_at.map(|time| time.to_string()),
            task.completed_at.map(|time| time.to_string()),
            stored_optional_text(task.error.as_ref()),
            stored_optional_text(task.skip_reason.as_ref()),
            task.retry_count,
            provenance.actor,
            provenance.reason,
            provenance.op_id
        ])
        .map_err(from_sqlite)?;
    record_event(
        tx,
        provenance,
        &EventDraft::of_new_task(&task.key(), task.event_facts()),
    )
}

/// Writes a task as it is to be, if it still is what was read; returns whether it was.
pub(super) fn update_task(
    tx: &Transaction<'_>,
    before: &PlanTask,
    after: &PlanTask,
    is_back: bool,
    provenance: &Provenance,
) -> Result<bool> {
    let (depends_on, extra) = stored_columns(after);
    let mut statement = tx
        .prepare_cached(
            "UPDATE plan_tasks SET phase_number = :phase_number, phase_title = :phase_title,
                 title = :title, status = :status, priority = :priority, position = :position,
                 depends_on = :depends_on, extra = :extra, error = :error,
                 skip_reason = :skip_reason, retry_count = :retry_count, stuck = :stuck,
                 orchestrator = :orchestrator, session = :session, started_by = :started_by,
                 reopened = reopened + :back, last_actor = :actor, last_reason = :reason,
                 last_op = :op
             WHERE plan_id = :plan AND id = :id AND revision = :expected",
        )
        .map_err(from_sqlite)?;
    let changed = statement
        .execute(named_params! {
            ":phase_number": after.phase_number,
            ":phase_title": stored_optional_text(after.phase_title.as_ref()),
            ":title": stored_text(&after.title),
            ":status": after.status.as_str(),
            ":priority": after.priority,
            ":position": after.position,
            ":depends_on": depends_on,
            ":extra": extra,
            ":error": stored_optional_text(after.error.as_ref()),
            ":skip_reason": stored_optional_text(after.skip_reason.as_ref()),
            ":retry_count": after.retry_count,
            ":stuck": after.stuck,
            ":orchestrator": after.orchestrator.as_ref().map(OrchestratorId::as_str),
            ":session": after.session.as_ref().map(SessionId::as_str),
            ":started_by": after.started_by,
            ":back": is_back,
            ":actor": provenance.actor,
            ":reason": provenance.reason,
            ":op": provenance.op_id,
            ":plan": before.plan.as_str(),
            ":id": before.id.as_str(),
            ":expected": to_signed(before.revision.0),
        })
        .map_err(from_sqlite)?;
    Ok(changed == 1)
}

/// Takes a step with a task as it was read; returns it as the triggers left it.
fn apply_step(
    tx: &Transaction<'_>,
    before: &PlanTask,
    step: &PlanTaskStep,
    provenance: &Provenance,
) -> Result<PlanTask> {
    let mut after = before.clone();
    step.apply(&mut after);
    let step_provenance = PlanTaskStepRequest::provenance_with_reason(step, provenance);
    if !update_task(tx, before, &after, step.is_back(), &step_provenance)? {
        return Err(task_moved_error(before));
    }
    load_task(tx, &before.plan, &before.id)?.ok_or_else(|| vanished_error(&before.plan, &before.id))
}

fn task_moved_error(task: &PlanTask) -> StoreError {
    StoreError::Conflict(format!("task {} has changed", task.key()))
}

pub(super) fn change_task(tx: &Transaction<'_>, change: &PlanTaskStepRequest) -> Result<PlanTask> {
    let before = load_task(tx, &change.plan, &change.task)?;
    let before = before.ok_or_else(|| vanished_error(&change.plan, &change.task))?;
    if is_replay(tx, &change.provenance)? {
        return Ok(before);
    }
    if before.revision != change.expected_revision {
        return Err(task_moved_error(&before));
    }
    if decide_plan_task_step(&before, &change.step) != PlanTaskVerdict::Go {
        return Err(change.denied_error(&before));
    }
    apply_step(tx, &before, &change.step, &change.provenance)
}

/// Returns what an operation changed that was carried out before.
pub(super) fn list_tasks_changed_by(
    connection: &Connection,
    provenance: &Provenance,
) -> Result<Vec<PlanTask>> {
    let rest = "(t.plan_id || '/' || t.id) IN (
             SELECT key FROM events WHERE op_id = ?1 AND entity = 'plan_task')
         ORDER BY t.plan_id, t.position, t.id";
    select_tasks(connection, rest, [&provenance.op_id])
}

pub(super) fn interrupt_tasks(
    tx: &Transaction<'_>,
    orchestrator: &OrchestratorId,
    reason: &str,
    provenance: &Provenance,
) -> Result<Vec<PlanTask>> {
    if is_replay(tx, provenance)? {
        return list_tasks_changed_by(tx, provenance);
    }
    let rest = "t.status = 'in_progress' AND t.orchestrator = ?1
         ORDER BY t.plan_id, t.position, t.id";
    let step = PlanTaskStep::Interrupt {
        reason: reason.to_owned(),
    };
    let tasks = select_tasks(tx, rest, [orchestrator.as_str()])?;
    tasks
        .iter()
        .map(|task| apply_step(tx, task, &step, provenance))
        .collect()
}

/// Reads what is in progress without a sign of life, the longest silent first.
pub(super) fn list_stuck_tasks(
    connection: &Connection,
    stuck_seconds: u64,
) -> Result<Vec<PlanTask>> {
    let time = "strftime('%Y-%m-%dT%H:%M:%fZ'";
    let limit = format!("{time}, 'now', ?1)");
    // What a wrong clock dated in the future is no sign of life.
    let latest_plausible = format!("{time}, 'now', '+60 seconds')");
    let latest_announced = format!(
        "{time}, 'now', '+{} seconds')",
        QUIET_PERIOD_CEILING_SECONDS + 60
    );
    let mut found = Vec::new();
    for range in [
        format!("t.updated_at <= {limit}"),
        format!("t.updated_at > {latest_plausible} AND {limit} IS NOT NULL"),
    ] {
        let rest = format!(
            "t.status = 'in_progress' AND {range}
               AND NOT EXISTS (SELECT 1 FROM claude_sessions s WHERE s.session_id = t.session
                               AND ({time}, s.heartbeat_at) > {limit}
                                        AND s.heartbeat_at <= {latest_plausible}
                                    OR s.silent_until > {NOW} AND s.silent_until <= {latest_announced}))
               AND NOT EXISTS (SELECT 1 FROM orchestrators o WHERE o.id = t.orchestrator
                               AND {time}, o.heartbeat_at) > {limit}
                               AND o.heartbeat_at <= {latest_plausible})
             ORDER BY t.updated_at"
        );
        found.extend(select_tasks(
            connection,
            &rest,
            [format!("-{stuck_seconds} seconds")],
        )?);
    }
    Ok(found)
}

pub(super) fn fail_stuck_tasks(
    tx: &Transaction<'_>,
    stuck_seconds: u64,
    provenance: &Provenance,
) -> Result<Vec<PlanTask>> {
    if is_replay(tx, provenance)? {
        return list_tasks_changed_by(tx, provenance);
    }
    let step = PlanTaskStep::fail_as_stuck(stuck_seconds);
    let tasks = list_stuck_tasks(tx, stuck_seconds)?;
    tasks
        .iter()
        .map(|task| apply_step(tx, task, &step, provenance))
        .collect()
}
