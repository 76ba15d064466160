//! Tasks of plans. Every change is one conditional statement on the revision it was decided on.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params};
use serde_json::json;

use super::errors::from_sqlite;
use super::events::record;
use super::free::{free, free_object, free_option};
use super::sessions::signed;
use super::{NOW, rows, was_done};
use crate::model::{
    OrchestratorId, PlanId, PlanTask, PlanTaskId, PlanTaskStep, PlanTaskVerdict,
    SPAN_CEILING_SECONDS, SessionId, decide_step,
};
use crate::store::news::News;
use crate::store::{PlanTaskChange, Provenance, Result, StoreError};

/// The columns [`task`] reads, of `plan_tasks t`.
const TASK: &str = "t.plan_id, t.id, t.phase_number, t.phase_title, t.title, t.status, t.priority, \
     t.position, t.depends_on, t.extra, t.started_at, t.completed_at, t.error, t.skip_reason, \
     t.retry_count, t.stuck, t.orchestrator, t.session, t.started_by, t.revision, t.updated_at";

fn task(row: &Row<'_>) -> rusqlite::Result<PlanTask> {
    Ok(PlanTask {
        plan: rows::parsed(row, 0)?,
        id: rows::parsed(row, 1)?,
        phase_number: row.get(2)?,
        phase_title: row.get(3)?,
        title: row.get(4)?,
        status: rows::parsed(row, 5)?,
        priority: row.get(6)?,
        position: row.get(7)?,
        depends_on: rows::json(row, 8)?,
        extra: rows::json(row, 9)?,
        started_at: rows::lenient_time(row, 10),
        completed_at: rows::lenient_time(row, 11),
        error: row.get(12)?,
        skip_reason: row.get(13)?,
        retry_count: row.get(14)?,
        stuck: row.get(15)?,
        orchestrator: rows::optional(row, 16)?,
        session: rows::optional(row, 17)?,
        started_by: row.get(18)?,
        revision: rows::revision(row, 19)?,
        updated_at: rows::time(row, 20)?,
    })
}

fn select(
    connection: &Connection,
    rest: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<PlanTask>> {
    let sql = format!("SELECT {TASK} FROM plan_tasks t WHERE {rest}");
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(parameters, task)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

pub(super) fn load(
    connection: &Connection,
    plan: &PlanId,
    id: &PlanTaskId,
) -> Result<Option<PlanTask>> {
    let sql = format!("SELECT {TASK} FROM plan_tasks t WHERE t.plan_id = ?1 AND t.id = ?2");
    // An import asks for each of its tasks.
    let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
    statement
        .query_row([plan.as_str(), id.as_str()], task)
        .optional()
        .map_err(from_sqlite)
}

pub(super) fn list(connection: &Connection, plan: &PlanId) -> Result<Vec<PlanTask>> {
    let mut tasks = select(connection, "t.plan_id = ?1", [plan.as_str()])?;
    // SQLite would write every row into a sorter of its own, and read it back.
    tasks.sort_by_cached_key(|task| (task.position, task.id.as_str().to_owned()));
    Ok(tasks)
}

fn vanished(plan: &PlanId, id: &PlanTaskId) -> StoreError {
    StoreError::Conflict(format!("task {plan}/{id} vanished"))
}

fn texts(task: &PlanTask) -> (String, String) {
    (json!(task.depends_on).to_string(), free_object(&task.extra))
}

pub(super) fn insert(tx: &Transaction<'_>, task: &PlanTask, by: &Provenance) -> Result<()> {
    let (depends_on, extra) = texts(task);
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
            free_option(task.phase_title.as_ref()),
            free(&task.title),
            task.status.as_str(),
            task.priority,
            task.position,
            depends_on,
            extra,
            task.started_at.map(|time| time.to_string()),
            task.completed_at.map(|time| time.to_string()),
            free_option(task.error.as_ref()),
            free_option(task.skip_reason.as_ref()),
            task.retry_count,
            by.actor,
            by.reason,
            by.op_id
        ])
        .map_err(from_sqlite)?;
    record(tx, by, &News::of_new_task(&task.key(), task.facts()))
}

/// Writes a task as it is to be, if it still is what was read; returns whether it was.
pub(super) fn write(
    tx: &Transaction<'_>,
    before: &PlanTask,
    after: &PlanTask,
    back: bool,
    by: &Provenance,
) -> Result<bool> {
    let (depends_on, extra) = texts(after);
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
            ":phase_title": free_option(after.phase_title.as_ref()),
            ":title": free(&after.title),
            ":status": after.status.as_str(),
            ":priority": after.priority,
            ":position": after.position,
            ":depends_on": depends_on,
            ":extra": extra,
            ":error": free_option(after.error.as_ref()),
            ":skip_reason": free_option(after.skip_reason.as_ref()),
            ":retry_count": after.retry_count,
            ":stuck": after.stuck,
            ":orchestrator": after.orchestrator.as_ref().map(OrchestratorId::as_str),
            ":session": after.session.as_ref().map(SessionId::as_str),
            ":started_by": after.started_by,
            ":back": back,
            ":actor": by.actor,
            ":reason": by.reason,
            ":op": by.op_id,
            ":plan": before.plan.as_str(),
            ":id": before.id.as_str(),
            ":expected": signed(before.revision.0),
        })
        .map_err(from_sqlite)?;
    Ok(changed == 1)
}

/// Takes a step with a task as it was read; returns it as the triggers left it.
fn take(
    tx: &Transaction<'_>,
    before: &PlanTask,
    step: &PlanTaskStep,
    by: &Provenance,
) -> Result<PlanTask> {
    let mut after = before.clone();
    step.apply(&mut after);
    let by = PlanTaskChange::because(step, by);
    if !write(tx, before, &after, step.is_back(), &by)? {
        return Err(moved_on(before));
    }
    load(tx, &before.plan, &before.id)?.ok_or_else(|| vanished(&before.plan, &before.id))
}

fn moved_on(task: &PlanTask) -> StoreError {
    StoreError::Conflict(format!("task {} has changed", task.key()))
}

pub(super) fn change(tx: &Transaction<'_>, change: &PlanTaskChange) -> Result<PlanTask> {
    let before = load(tx, &change.plan, &change.task)?;
    let before = before.ok_or_else(|| vanished(&change.plan, &change.task))?;
    if was_done(tx, &change.provenance)? {
        return Ok(before);
    }
    if before.revision != change.expected {
        return Err(moved_on(&before));
    }
    if decide_step(&before, &change.step) != PlanTaskVerdict::Go {
        return Err(change.denied(&before));
    }
    take(tx, &before, &change.step, &change.provenance)
}

/// Returns what an operation changed that was carried out before.
pub(super) fn done_by(connection: &Connection, by: &Provenance) -> Result<Vec<PlanTask>> {
    let rest = "(t.plan_id || '/' || t.id) IN (
             SELECT key FROM events WHERE op_id = ?1 AND entity = 'plan_task')
         ORDER BY t.plan_id, t.position, t.id";
    select(connection, rest, [&by.op_id])
}

pub(super) fn interrupt(
    tx: &Transaction<'_>,
    orchestrator: &OrchestratorId,
    reason: &str,
    by: &Provenance,
) -> Result<Vec<PlanTask>> {
    if was_done(tx, by)? {
        return done_by(tx, by);
    }
    let rest = "t.status = 'in_progress' AND t.orchestrator = ?1
         ORDER BY t.plan_id, t.position, t.id";
    let step = PlanTaskStep::Interrupt {
        reason: reason.to_owned(),
    };
    let tasks = select(tx, rest, [orchestrator.as_str()])?;
    tasks.iter().map(|task| take(tx, task, &step, by)).collect()
}

/// Reads what is in progress without a sign of life, the longest silent first.
pub(super) fn stuck(connection: &Connection, stuck_seconds: u64) -> Result<Vec<PlanTask>> {
    let time = "strftime('%Y-%m-%dT%H:%M:%fZ'";
    let limit = format!("{time}, 'now', ?1)");
    // What a wrong clock dated in the future is no sign of life.
    let ahead = format!("{time}, 'now', '+60 seconds')");
    let announced = format!("{time}, 'now', '+{} seconds')", SPAN_CEILING_SECONDS + 60);
    let mut found = Vec::new();
    for range in [
        format!("t.updated_at <= {limit}"),
        format!("t.updated_at > {ahead} AND {limit} IS NOT NULL"),
    ] {
        let rest = format!(
            "t.status = 'in_progress' AND {range}
               AND NOT EXISTS (SELECT 1 FROM claude_sessions s WHERE s.session_id = t.session
                               AND ({time}, s.heartbeat_at) > {limit}
                                        AND s.heartbeat_at <= {ahead}
                                    OR s.silent_until > {NOW} AND s.silent_until <= {announced}))
               AND NOT EXISTS (SELECT 1 FROM orchestrators o WHERE o.id = t.orchestrator
                               AND {time}, o.heartbeat_at) > {limit}
                               AND o.heartbeat_at <= {ahead})
             ORDER BY t.updated_at"
        );
        found.extend(select(
            connection,
            &rest,
            [format!("-{stuck_seconds} seconds")],
        )?);
    }
    Ok(found)
}

pub(super) fn fail_stuck(
    tx: &Transaction<'_>,
    stuck_seconds: u64,
    by: &Provenance,
) -> Result<Vec<PlanTask>> {
    if was_done(tx, by)? {
        return done_by(tx, by);
    }
    let step = PlanTaskStep::stuck(stuck_seconds);
    let tasks = stuck(tx, stuck_seconds)?;
    tasks.iter().map(|task| take(tx, task, &step, by)).collect()
}
