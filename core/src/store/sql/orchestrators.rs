//! The registry of orchestrators: which run works on which plan.

use super::engine::{Tx, args};
use super::events::record_event;
use super::row::Row;
use super::statement::{columns, joined, statements};
use super::{NOW, phases, plan_tasks};
use crate::model::EventKind;
use crate::model::{Orchestrator, OrchestratorId, OrchestratorStatus, PlanId, RunEnd};
use crate::store::api::{
    ended_orchestrator_error, foreign_operation_error, taken_orchestrator_id_error,
    unknown_orchestrator_error,
};
use crate::store::event_draft::EventDraft;
use crate::store::{EndedRun, NewRun, Provenance, Result, RunRegistration, StoreError};

columns! {
    /// The columns of an orchestrator.
    enum OrchestratorColumn {
        Id = "id",
        Plan = "plan_id",
        Session = "session_id",
        Host = "host",
        Supervised = "supervised",
        Status = "status",
        StartedAt = "started_at",
        HeartbeatAt = "heartbeat_at",
        StoppedAt = "stopped_at",
        ExitCode = "exit_code",
        Signal = "signal",
        Reason = "reason",
        Epoch = "epoch",
        Revision = "revision",
        ReadAt = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS read_at",
        Process = "pid",
        _Started = "pid_started",
        _Boot = "boot_id",
        _Machine = "machine_id",
        _Namespace = "pid_namespace",
    }
}

const SELECT_ORCHESTRATOR: &str =
    joined!("SELECT ", OrchestratorColumn::SQL, " FROM orchestrators ");

/// The condition that the index of the live orchestrators is made for.
const IS_LIVE: &str = "status IN ('running', 'stopping')";

statements! {
    LOAD_ORCHESTRATOR(text) = @repeated SELECT_ORCHESTRATOR, "WHERE id = ?1";
    HAS_LIVE_ORCHESTRATOR() = "SELECT EXISTS (SELECT 1 FROM orchestrators WHERE ", IS_LIVE, ")";
    LIST_LIVE_ORCHESTRATORS() = SELECT_ORCHESTRATOR, "WHERE ", IS_LIVE, " ORDER BY plan_id";
    LIST_ORCHESTRATORS(int) =
        SELECT_ORCHESTRATOR, "ORDER BY started_at DESC, plan_id, epoch DESC LIMIT ?1";
    FIND_LIVE_RUN(text) = SELECT_ORCHESTRATOR, "WHERE ", IS_LIVE, " AND plan_id = ?1";

    /// The id of a run is the first one's, whatever a repetition of its registration proposes.
    FIND_RUN_BEGUN_BY(text) =
        SELECT_ORCHESTRATOR,
        "WHERE id = (SELECT key FROM events WHERE op_id = ?1 AND entity = 'orchestrator')";

    RECORD_RUN_HEARTBEAT(text) = @sign_of_life
        "UPDATE orchestrators SET heartbeat_at = ", NOW, " WHERE id = ?1 AND ", IS_LIVE;

    REQUEST_RUN_STOP(text) =
        "UPDATE orchestrators SET status = 'stopping',
             revision = revision + CASE WHEN status <> 'stopping' THEN 1 ELSE 0 END
         WHERE id = ?1 AND ", IS_LIVE;

    END_RUN(text, text, int, int, text) =
        "UPDATE orchestrators SET status = ?2, exit_code = ?3, signal = ?4, reason = ?5,
             stopped_at = ", NOW, ", revision = revision + 1
         WHERE id = ?1";

    INSERT_RUN(text, text, text, text, int, int, text, int, text, text) =
        "INSERT INTO orchestrators (id, plan_id, session_id, host, pid, pid_started, boot_id,
             supervised, machine_id, pid_namespace, epoch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             (SELECT coalesce(max(epoch), 0) + 1 FROM orchestrators WHERE plan_id = ?2))";
}

fn orchestrator_from_row(row: &dyn Row) -> Result<Orchestrator> {
    let process = row.process(OrchestratorColumn::Process)?;
    Ok(Orchestrator {
        id: row.get(OrchestratorColumn::Id)?,
        plan: row.get(OrchestratorColumn::Plan)?,
        session: row.get(OrchestratorColumn::Session)?,
        host: row.get(OrchestratorColumn::Host)?,
        process: process.ok_or_else(|| StoreError::unreadable(&"a value is missing"))?,
        supervised: row.get(OrchestratorColumn::Supervised)?,
        status: row.get(OrchestratorColumn::Status)?,
        started_at: row.get(OrchestratorColumn::StartedAt)?,
        heartbeat_at: row.get(OrchestratorColumn::HeartbeatAt)?,
        stopped_at: row.lenient_time(OrchestratorColumn::StoppedAt),
        end: RunEnd {
            exit_code: row.get(OrchestratorColumn::ExitCode)?,
            signal: row.get(OrchestratorColumn::Signal)?,
        },
        reason: row.get(OrchestratorColumn::Reason)?,
        epoch: row.get(OrchestratorColumn::Epoch)?,
        revision: row.get(OrchestratorColumn::Revision)?,
        read_at: row.get(OrchestratorColumn::ReadAt)?,
    })
}

pub(super) fn load_orchestrator(
    tx: &mut impl Tx,
    id: &OrchestratorId,
) -> Result<Option<Orchestrator>> {
    tx.row(&LOAD_ORCHESTRATOR, args![id], orchestrator_from_row)
}

fn load_existing_orchestrator(tx: &mut impl Tx, id: &OrchestratorId) -> Result<Orchestrator> {
    load_orchestrator(tx, id)?.ok_or_else(|| unknown_orchestrator_error(id))
}

/// Says that [`list_live_orchestrators`] will be asked.
pub(super) fn prefetch_live(tx: &mut impl Tx) {
    tx.prefetch(&HAS_LIVE_ORCHESTRATOR, args![]);
}

pub(super) fn list_live_orchestrators(tx: &mut impl Tx) -> Result<Vec<Orchestrator>> {
    // Every change runs this check, and usually finds nothing: the short query costs a third.
    if !tx.one_row(&HAS_LIVE_ORCHESTRATOR, args![], |row| row.get(0))? {
        return Ok(Vec::new());
    }
    tx.rows(&LIST_LIVE_ORCHESTRATORS, args![], orchestrator_from_row)
}

pub(super) fn list_orchestrators(tx: &mut impl Tx, limit: u32) -> Result<Vec<Orchestrator>> {
    let limit = match limit {
        0 => i64::MAX,
        limit => i64::from(limit),
    };
    tx.rows(&LIST_ORCHESTRATORS, args![limit], orchestrator_from_row)
}

pub(super) fn record_heartbeat(tx: &mut impl Tx, id: &OrchestratorId) -> Result<Orchestrator> {
    let is_changed = tx.try_change(&RECORD_RUN_HEARTBEAT, args![id])?;
    tx.finish();
    load_changed_orchestrator(tx, id, is_changed)
}

pub(super) fn request_stop(
    tx: &mut impl Tx,
    id: &OrchestratorId,
    provenance: &Provenance,
) -> Result<Orchestrator> {
    let before = load_existing_orchestrator(tx, id)?;
    if tx.is_replay(provenance)? {
        return Ok(before);
    }
    let is_changed = tx.try_change(&REQUEST_RUN_STOP, args![id])?;
    let after = load_changed_orchestrator(tx, id, is_changed)?;
    if after.status != before.status {
        let draft = EventDraft::of_run(EventKind::Stopping, Some(&before), &after);
        record_event(tx, provenance, &draft)?;
    }
    Ok(after)
}

pub(super) fn record_stop(
    tx: &mut impl Tx,
    id: &OrchestratorId,
    end: RunEnd,
    provenance: &Provenance,
) -> Result<EndedRun> {
    prefetch_work_of(tx, id);
    let orchestrator = load_existing_orchestrator(tx, id)?;
    if tx.is_replay(provenance)? {
        return Ok(EndedRun {
            orchestrator,
            tasks: plan_tasks::list_tasks_changed_by(tx, provenance)?,
            phases: phases::list_freed_phases(tx, provenance)?,
        });
    }
    if !orchestrator.status.is_live() {
        return Err(ended_orchestrator_error(&orchestrator));
    }
    end_run(tx, &orchestrator, OrchestratorStatus::Stopped, end, provenance)
}

pub(super) fn record_crash(
    tx: &mut impl Tx,
    as_read: &Orchestrator,
    provenance: &Provenance,
) -> Result<Option<EndedRun>> {
    prefetch_work_of(tx, &as_read.id);
    let current = load_orchestrator(tx, &as_read.id)?;
    match current.filter(|current| current.is_unchanged_since(as_read)) {
        Some(orchestrator) => {
            let (crashed, end) = (OrchestratorStatus::Crashed, RunEnd::default());
            end_run(tx, &orchestrator, crashed, end, provenance).map(Some)
        }
        None => Ok(None),
    }
}

/// Says that the work of a run will be read.
fn prefetch_work_of(tx: &mut impl Tx, id: &OrchestratorId) {
    plan_tasks::prefetch_running_tasks(tx, id);
    phases::prefetch_running_phases(tx, id);
}

/// Ends a run as it was read in this transaction. What it had begun is put back first: the last
/// write of the operation is that of the run, which says that all were done.
fn end_run(
    tx: &mut impl Tx,
    orchestrator: &Orchestrator,
    status: OrchestratorStatus,
    end: RunEnd,
    provenance: &Provenance,
) -> Result<EndedRun> {
    let id = &orchestrator.id;
    let reason = orchestrator.describe_interruption(status, provenance.reason.as_deref());
    let tasks = plan_tasks::list_running_tasks(tx, id)?;
    let running = phases::list_running_phases(tx, id)?;
    plan_tasks::put_back_tasks(tx, &tasks, &reason, provenance)?;
    phases::put_back_phases(tx, &running, id, &format!("interrupted: {reason}"), provenance)?;
    tx.execute(
        &END_RUN,
        args![id, status.as_str(), end.exit_code, end.signal, provenance.reason,],
    )?;
    let ended = Orchestrator {
        status,
        end,
        reason: provenance.reason.as_ref().map(ToString::to_string),
        ..orchestrator.clone()
    };
    let kind = match status {
        OrchestratorStatus::Crashed => EventKind::Crashed,
        _ => EventKind::Stopped,
    };
    let draft = EventDraft::of_run(kind, Some(orchestrator), &ended);
    record_event(tx, provenance, &draft)?;
    tx.finish();
    plan_tasks::prefetch_again(tx, &tasks);
    phases::prefetch_freed_phases(tx, provenance);
    Ok(EndedRun {
        orchestrator: load_existing_orchestrator(tx, id)?,
        tasks: plan_tasks::load_again(tx, &tasks)?,
        phases: phases::list_freed_phases(tx, provenance)?,
    })
}

/// Returns the row that a conditional write changed, or why it changed none.
fn load_changed_orchestrator(
    tx: &mut impl Tx,
    id: &OrchestratorId,
    is_changed: bool,
) -> Result<Orchestrator> {
    let orchestrator = load_existing_orchestrator(tx, id)?;
    if !is_changed {
        return Err(ended_orchestrator_error(&orchestrator));
    }
    Ok(orchestrator)
}

fn find_live_run(tx: &mut impl Tx, plan: &PlanId) -> Result<Option<Orchestrator>> {
    tx.row(&FIND_LIVE_RUN, args![plan], orchestrator_from_row)
}

pub(super) fn register_run(tx: &mut impl Tx, run: &NewRun) -> Result<RunRegistration> {
    let provenance = &run.provenance;
    if tx.is_replay(provenance)? {
        let begun = tx.row(&FIND_RUN_BEGUN_BY, args![provenance.op_id], orchestrator_from_row)?;
        let begun = begun.ok_or_else(|| foreign_operation_error(provenance))?;
        return Ok(RunRegistration::Started(begun));
    }
    tx.prefetch(&LOAD_ORCHESTRATOR, args![run.id]);
    if let Some(live_run) = find_live_run(tx, &run.plan)? {
        return Ok(RunRegistration::PlanTaken(live_run));
    }
    if load_orchestrator(tx, &run.id)?.is_some() {
        return Err(taken_orchestrator_id_error(&run.id));
    }
    let process = &run.process;
    let started = process.started.and_then(|ticks| i64::try_from(ticks).ok());
    tx.execute(
        &INSERT_RUN,
        args![
            run.id,
            run.plan,
            run.session,
            run.host,
            process.pid,
            started,
            process.place.boot,
            run.supervised,
            process.place.machine,
            process.place.namespace,
        ],
    )?;
    let orchestrator = load_existing_orchestrator(tx, &run.id)?;
    let draft = EventDraft::of_run(EventKind::Started, None, &orchestrator);
    record_event(tx, provenance, &draft)?;
    Ok(RunRegistration::Started(orchestrator))
}
