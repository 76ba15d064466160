//! Tasks of plans. Every change is one conditional statement on the revision that it was decided
//! on.

use serde_json::json;

use super::NOW;
use super::engine::{Arg, Tx, args};
use super::events::record_event;
use super::row::Row;
use super::statement::{Statement, columns, joined, statements};
use super::stored_text::{stored_object, stored_optional_text, stored_text};
use crate::model::{
    OrchestratorId, PlanId, PlanTask, PlanTaskId, PlanTaskStep, PlanTaskVerdict,
    QUIET_PERIOD_CEILING_SECONDS, decide_plan_task_step,
};
use crate::store::event_draft::EventDraft;
use crate::store::{PlanTaskStepRequest, Provenance, Result, StoreError};

columns! {
    /// The columns of a task, of `plan_tasks t`.
    enum PlanTaskColumn {
        Plan = "t.plan_id",
        Id = "t.id",
        PhaseNumber = "t.phase_number",
        PhaseTitle = "t.phase_title",
        Title = "t.title",
        Status = "t.status",
        Priority = "t.priority",
        Position = "t.position",
        DependsOn = "t.depends_on",
        Extra = "t.extra",
        StartedAt = "t.started_at",
        CompletedAt = "t.completed_at",
        Error = "t.error",
        SkipReason = "t.skip_reason",
        RetryCount = "t.retry_count",
        Stuck = "t.stuck",
        Orchestrator = "t.orchestrator",
        Session = "t.session",
        StartedBy = "t.started_by",
        Revision = "t.revision",
        UpdatedAt = "t.updated_at",
    }
}

pub(super) const SELECT_TASK: &str =
    joined!("SELECT ", PlanTaskColumn::SQL, " FROM plan_tasks t WHERE ");

/// Times that a wrong clock dated later than these are no signs of life.
const LATEST_PLAUSIBLE: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+60 seconds')";
const SILENT_SINCE: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)";

const IS_WITHOUT_SIGN: &str = joined!(
    " AND NOT EXISTS (SELECT 1 FROM claude_sessions s WHERE s.session_id = t.session
          AND (strftime('%Y-%m-%dT%H:%M:%fZ', s.heartbeat_at) > ",
    SILENT_SINCE,
    "
                   AND s.heartbeat_at <= ",
    LATEST_PLAUSIBLE,
    "
               OR s.silent_until > ",
    NOW,
    "
                   AND s.silent_until <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2)))
      AND NOT EXISTS (SELECT 1 FROM orchestrators o WHERE o.id = t.orchestrator
          AND strftime('%Y-%m-%dT%H:%M:%fZ', o.heartbeat_at) > ",
    SILENT_SINCE,
    "
          AND o.heartbeat_at <= ",
    LATEST_PLAUSIBLE,
    ")
      ORDER BY t.updated_at"
);

statements! {
    LOAD_TASK(text, text) = @repeated SELECT_TASK, "t.plan_id = ?1 AND t.id = ?2";
    LIST_TASKS(text) = @repeated SELECT_TASK, "t.plan_id = ?1";
    LIST_TASKS_CHANGED_BY(text) =
        SELECT_TASK, "(t.plan_id || '/' || t.id) IN (
             SELECT key FROM events WHERE op_id = ?1 AND entity = 'plan_task')
         ORDER BY t.plan_id, t.position, t.id";
    LIST_TASKS_RUNNING_FOR(text) =
        SELECT_TASK, "t.status = 'in_progress' AND t.orchestrator = ?1
         ORDER BY t.plan_id, t.position, t.id";

    /// Tasks in progress that changed long ago, and those dated in the future, are two ranges of
    /// an index.
    LIST_SILENT_TASKS(text, text) =
        SELECT_TASK, "t.status = 'in_progress' AND t.updated_at <= ", SILENT_SINCE, IS_WITHOUT_SIGN;
    LIST_FUTURE_TASKS(text, text) =
        SELECT_TASK, "t.status = 'in_progress' AND t.updated_at > ", LATEST_PLAUSIBLE,
        " AND ", SILENT_SINCE, " IS NOT NULL", IS_WITHOUT_SIGN;

    INSERT_TASK(
        text, text, int, text, text, text, text, int, text, text, text, text, text, text, int,
        text, text, text) =
        @repeated
        "INSERT INTO plan_tasks (plan_id, id, phase_number, phase_title, title, status,
             priority, position, depends_on, extra, started_at, completed_at, error,
             skip_reason, retry_count, last_actor, last_reason, last_op)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

    UPDATE_TASK(
        int, text, text, text, text, int, text, text, text, text, int, int, text, text, text,
        int, text, text, text, text, text, int) =
        @repeated
        "UPDATE plan_tasks SET phase_number = ?1, phase_title = ?2, title = ?3, status = ?4,
             priority = ?5, position = ?6, depends_on = ?7, extra = ?8, error = ?9,
             skip_reason = ?10, retry_count = ?11, stuck = ?12, orchestrator = ?13,
             session = ?14, started_by = ?15, reopened = reopened + ?16,
             last_actor = ?17, last_reason = ?18, last_op = ?19
         WHERE plan_id = ?20 AND id = ?21 AND revision = ?22";
}

pub(super) fn task_from_row(row: &dyn Row) -> Result<PlanTask> {
    Ok(PlanTask {
        plan: row.get(PlanTaskColumn::Plan)?,
        id: row.get(PlanTaskColumn::Id)?,
        phase_number: row.get(PlanTaskColumn::PhaseNumber)?,
        phase_title: row.get(PlanTaskColumn::PhaseTitle)?,
        title: row.get(PlanTaskColumn::Title)?,
        status: row.get(PlanTaskColumn::Status)?,
        priority: row.get(PlanTaskColumn::Priority)?,
        position: row.get(PlanTaskColumn::Position)?,
        depends_on: row.json(PlanTaskColumn::DependsOn)?,
        extra: row.json(PlanTaskColumn::Extra)?,
        started_at: row.lenient_time(PlanTaskColumn::StartedAt),
        completed_at: row.lenient_time(PlanTaskColumn::CompletedAt),
        error: row.get(PlanTaskColumn::Error)?,
        skip_reason: row.get(PlanTaskColumn::SkipReason)?,
        retry_count: row.get(PlanTaskColumn::RetryCount)?,
        stuck: row.get(PlanTaskColumn::Stuck)?,
        orchestrator: row.get(PlanTaskColumn::Orchestrator)?,
        session: row.get(PlanTaskColumn::Session)?,
        started_by: row.get(PlanTaskColumn::StartedBy)?,
        revision: row.get(PlanTaskColumn::Revision)?,
        updated_at: row.get(PlanTaskColumn::UpdatedAt)?,
    })
}

fn select_tasks(
    tx: &mut impl Tx,
    statement: &'static Statement,
    args: &[Arg<'_>],
) -> Result<Vec<PlanTask>> {
    tx.rows(statement, args, task_from_row)
}

pub(super) fn load_task(
    tx: &mut impl Tx,
    plan: &PlanId,
    id: &PlanTaskId,
) -> Result<Option<PlanTask>> {
    tx.row(&LOAD_TASK, args![plan, id], task_from_row)
}

/// Says that the tasks of a plan will be listed.
pub(super) fn prefetch_tasks(tx: &mut impl Tx, plan: &PlanId) {
    tx.prefetch(&LIST_TASKS, args![plan]);
}

fn load_existing_task(tx: &mut impl Tx, plan: &PlanId, id: &PlanTaskId) -> Result<PlanTask> {
    let task = load_task(tx, plan, id)?;
    task.ok_or_else(|| StoreError::Conflict(format!("task {plan}/{id} no longer exists")))
}

pub(super) fn list_tasks(tx: &mut impl Tx, plan: &PlanId) -> Result<Vec<PlanTask>> {
    let mut tasks = select_tasks(tx, &LIST_TASKS, args![plan])?;
    // SQLite would write every row into a sorter of its own, and read it back.
    tasks.sort_by_cached_key(|task| (task.position, task.id.as_str().to_owned()));
    Ok(tasks)
}

pub(super) fn insert_task(
    tx: &mut impl Tx,
    task: &PlanTask,
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(
        &INSERT_TASK,
        args![
            task.plan,
            task.id,
            task.phase_number,
            stored_optional_text(task.phase_title.as_ref()),
            stored_text(&task.title),
            task.status.as_str(),
            task.priority,
            task.position,
            json!(task.depends_on).to_string(),
            stored_object(&task.extra),
            task.started_at.map(|time| time.to_string()),
            task.completed_at.map(|time| time.to_string()),
            stored_optional_text(task.error.as_ref()),
            stored_optional_text(task.skip_reason.as_ref()),
            task.retry_count,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
        ],
    )?;
    let draft_key = task.key();
    let draft = EventDraft::of_new_task(&draft_key, task.event_facts());
    record_event(tx, provenance, &draft)
}

/// Writes a task as it is to be, if it still is what was read; returns whether it was.
pub(super) fn update_task(
    tx: &mut impl Tx,
    before: &PlanTask,
    after: &PlanTask,
    is_back: bool,
    provenance: &Provenance,
) -> Result<bool> {
    tx.try_change(
        &UPDATE_TASK,
        args![
            after.phase_number,
            stored_optional_text(after.phase_title.as_ref()),
            stored_text(&after.title),
            after.status.as_str(),
            after.priority,
            after.position,
            json!(after.depends_on).to_string(),
            stored_object(&after.extra),
            stored_optional_text(after.error.as_ref()),
            stored_optional_text(after.skip_reason.as_ref()),
            after.retry_count,
            after.stuck,
            after.orchestrator,
            after.session,
            after.started_by,
            is_back,
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            before.plan,
            before.id,
            before.revision,
        ],
    )
}

/// Takes a step with a task as it was read.
fn apply_step(
    tx: &mut impl Tx,
    before: &PlanTask,
    step: &PlanTaskStep,
    provenance: &Provenance,
) -> Result<()> {
    let mut after = before.clone();
    step.apply(&mut after);
    let provenance = PlanTaskStepRequest::provenance_with_reason(step, provenance);
    if update_task(tx, before, &after, step.is_back(), &provenance)? {
        Ok(())
    } else {
        Err(task_moved_error(before))
    }
}

/// Takes a step with several tasks as they were read; returns them as the triggers left them.
fn apply_step_to_each(
    tx: &mut impl Tx,
    tasks: &[PlanTask],
    step: &PlanTaskStep,
    provenance: &Provenance,
) -> Result<Vec<PlanTask>> {
    for task in tasks {
        apply_step(tx, task, step, provenance)?;
    }
    tx.finish();
    prefetch_again(tx, tasks);
    load_again(tx, tasks)
}

/// Says that tasks will be read again.
pub(super) fn prefetch_again(tx: &mut impl Tx, tasks: &[PlanTask]) {
    for task in tasks {
        tx.prefetch(&LOAD_TASK, args![task.plan, task.id]);
    }
}

/// Reads tasks again.
pub(super) fn load_again(tx: &mut impl Tx, tasks: &[PlanTask]) -> Result<Vec<PlanTask>> {
    tasks.iter().map(|task| load_existing_task(tx, &task.plan, &task.id)).collect()
}

fn task_moved_error(task: &PlanTask) -> StoreError {
    StoreError::Conflict(format!("task {} has changed", task.key()))
}

pub(super) fn change_task(tx: &mut impl Tx, request: &PlanTaskStepRequest) -> Result<PlanTask> {
    let before = load_existing_task(tx, &request.plan, &request.task)?;
    if tx.is_replay(&request.provenance)? {
        return Ok(before);
    }
    if before.revision != request.expected_revision {
        return Err(task_moved_error(&before));
    }
    if decide_plan_task_step(&before, &request.step) != PlanTaskVerdict::Go {
        return Err(request.denied_error(&before));
    }
    apply_step(tx, &before, &request.step, &request.provenance)?;
    tx.finish();
    load_existing_task(tx, &request.plan, &request.task)
}

/// Returns what an operation changed that was carried out before.
pub(super) fn list_tasks_changed_by(
    tx: &mut impl Tx,
    provenance: &Provenance,
) -> Result<Vec<PlanTask>> {
    select_tasks(tx, &LIST_TASKS_CHANGED_BY, args![provenance.op_id])
}

pub(super) fn interrupt_tasks(
    tx: &mut impl Tx,
    orchestrator: &OrchestratorId,
    reason: &str,
    provenance: &Provenance,
) -> Result<Vec<PlanTask>> {
    if tx.is_replay(provenance)? {
        return list_tasks_changed_by(tx, provenance);
    }
    let tasks = list_running_tasks(tx, orchestrator)?;
    apply_step_to_each(tx, &tasks, &interruption(reason), provenance)
}

/// Reads the tasks that an orchestrator works on.
pub(super) fn list_running_tasks(
    tx: &mut impl Tx,
    orchestrator: &OrchestratorId,
) -> Result<Vec<PlanTask>> {
    select_tasks(tx, &LIST_TASKS_RUNNING_FOR, args![orchestrator])
}

/// Says that [`list_running_tasks`] will be asked.
pub(super) fn prefetch_running_tasks(tx: &mut impl Tx, orchestrator: &OrchestratorId) {
    tx.prefetch(&LIST_TASKS_RUNNING_FOR, args![orchestrator]);
}

/// Puts back tasks as they were read, as one step of an operation that has others.
pub(super) fn put_back_tasks(
    tx: &mut impl Tx,
    tasks: &[PlanTask],
    reason: &str,
    provenance: &Provenance,
) -> Result<()> {
    let step = interruption(reason);
    tasks.iter().try_for_each(|task| apply_step(tx, task, &step, provenance))
}

fn interruption(reason: &str) -> PlanTaskStep {
    PlanTaskStep::Interrupt { reason: reason.to_owned() }
}

/// Reads the tasks in progress without a sign of life, the longest silent first.
pub(super) fn list_stuck_tasks(tx: &mut impl Tx, stuck_seconds: u64) -> Result<Vec<PlanTask>> {
    let silence = format!("-{stuck_seconds} seconds");
    let latest_announced = format!("+{} seconds", QUIET_PERIOD_CEILING_SECONDS + 60);
    let args = args![silence, latest_announced];
    tx.prefetch(&LIST_FUTURE_TASKS, args);
    let mut tasks = select_tasks(tx, &LIST_SILENT_TASKS, args)?;
    tasks.extend(select_tasks(tx, &LIST_FUTURE_TASKS, args)?);
    Ok(tasks)
}

pub(super) fn fail_stuck_tasks(
    tx: &mut impl Tx,
    stuck_seconds: u64,
    provenance: &Provenance,
) -> Result<Vec<PlanTask>> {
    if tx.is_replay(provenance)? {
        return list_tasks_changed_by(tx, provenance);
    }
    let step = PlanTaskStep::fail_as_stuck(stuck_seconds);
    let tasks = list_stuck_tasks(tx, stuck_seconds)?;
    apply_step_to_each(tx, &tasks, &step, provenance)
}
