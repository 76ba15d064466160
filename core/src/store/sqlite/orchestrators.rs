//! Who runs which plan.

use rusqlite::{Connection, Transaction, params};

use super::errors::from_sqlite;
use super::events::record_event;
use super::{NOW, SqliteStore, is_replay, phases, plan_tasks, rows};
use crate::model::{Orchestrator, OrchestratorId, OrchestratorStatus, PlanId, RunEnd, SessionId};
use crate::store::api::{
    ended_orchestrator_error, foreign_operation_error, unknown_orchestrator_error,
};
use crate::store::event_draft::EventDraft;
use crate::store::{EndedRun, NewRun, OrchestratorStore, Provenance, Result, RunRegistration};

/// The condition that the index of the live ones is made for.
pub(super) const IS_LIVE: &str = "status IN ('running', 'stopping')";

impl OrchestratorStore for SqliteStore {
    fn register_orchestrator(&mut self, run: &NewRun) -> Result<RunRegistration> {
        self.run_write(|tx| register_run(tx, run))
    }

    fn load_orchestrator(&mut self, id: &OrchestratorId) -> Result<Option<Orchestrator>> {
        load_orchestrator(&self.connection, id)
    }

    fn list_live_orchestrators(&mut self) -> Result<Vec<Orchestrator>> {
        // Every change asks, and mostly there is none: the short question is a third of the price.
        let has_live_sql = format!("SELECT EXISTS (SELECT 1 FROM orchestrators WHERE {IS_LIVE})");
        let any = self
            .connection
            .query_row(&has_live_sql, [], |row| row.get(0));
        if !any.map_err(from_sqlite)? {
            return Ok(Vec::new());
        }
        let rest = format!("WHERE {IS_LIVE} ORDER BY plan_id");
        select_orchestrators(&self.connection, &rest, [])
    }

    fn list_orchestrators(&mut self, limit: u32) -> Result<Vec<Orchestrator>> {
        let limit = match limit {
            0 => -1,
            most => i64::from(most),
        };
        let rest = "ORDER BY started_at DESC, plan_id, epoch DESC LIMIT ?1";
        select_orchestrators(&self.connection, rest, [limit])
    }

    fn record_orchestrator_heartbeat(&mut self, id: &OrchestratorId) -> Result<Orchestrator> {
        self.run_write(|tx| {
            let sql = format!(
                "UPDATE orchestrators SET heartbeat_at = {NOW} WHERE id = ?1 AND {IS_LIVE}"
            );
            let changed = tx.execute(&sql, [id.as_str()]).map_err(from_sqlite)?;
            load_changed_orchestrator(tx, id, changed)
        })
    }

    fn request_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        provenance: &Provenance,
    ) -> Result<Orchestrator> {
        self.run_write(|tx| {
            if is_replay(tx, provenance)? {
                return load_existing_orchestrator(tx, id);
            }
            let before = load_existing_orchestrator(tx, id)?;
            let sql = format!(
                "UPDATE orchestrators SET status = 'stopping',
                     revision = revision + (status <> 'stopping')
                 WHERE id = ?1 AND {IS_LIVE}"
            );
            let changed = tx.execute(&sql, [id.as_str()]).map_err(from_sqlite)?;
            let row = load_changed_orchestrator(tx, id, changed)?;
            if row.status != before.status {
                let news = EventDraft::of_run(row.status.as_str(), Some(&before), &row);
                record_event(tx, provenance, &news)?;
            }
            Ok(row)
        })
    }

    fn record_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        end: RunEnd,
        provenance: &Provenance,
    ) -> Result<EndedRun> {
        self.run_write(|tx| {
            let row = load_existing_orchestrator(tx, id)?;
            if is_replay(tx, provenance)? {
                return Ok(EndedRun {
                    orchestrator: row,
                    tasks: plan_tasks::list_tasks_changed_by(tx, provenance)?,
                    phases: phases::list_freed_phases(tx, provenance)?,
                });
            }
            if !row.status.is_live() {
                return Err(ended_orchestrator_error(&row));
            }
            end_run(tx, &row, OrchestratorStatus::Stopped, end, provenance)
        })
    }

    fn record_orchestrator_crash(
        &mut self,
        read: &Orchestrator,
        provenance: &Provenance,
    ) -> Result<Option<EndedRun>> {
        self.run_write(|tx| {
            let row = load_orchestrator(tx, &read.id)?.filter(|row| row.is_unchanged_since(read));
            let crashed = |row: Orchestrator| {
                let end = RunEnd::default();
                end_run(tx, &row, OrchestratorStatus::Crashed, end, provenance)
            };
            row.map(crashed).transpose()
        })
    }
}

/// Ends a run as it was read in this transaction. What it had begun is put back first: the
/// writes of one operation end with that of the run, which says that all were done.
fn end_run(
    tx: &Transaction<'_>,
    orchestrator: &Orchestrator,
    status: OrchestratorStatus,
    end: RunEnd,
    provenance: &Provenance,
) -> Result<EndedRun> {
    let reason = orchestrator.describe_interruption(status, provenance.reason.as_deref());
    let tasks = plan_tasks::interrupt_tasks(tx, &orchestrator.id, &reason, provenance)?;
    phases::put_back_phases(
        tx,
        &orchestrator.id,
        &format!("interrupted: {reason}"),
        provenance,
    )?;
    tx.execute(
        &format!(
            "UPDATE orchestrators SET status = ?2, exit_code = ?3, signal = ?4, reason = ?5,
                 stopped_at = {NOW}, revision = revision + 1
             WHERE id = ?1"
        ),
        params![
            orchestrator.id.as_str(),
            status.as_str(),
            end.exit_code,
            end.signal,
            provenance.reason,
        ],
    )
    .map_err(from_sqlite)?;
    let ended = load_existing_orchestrator(tx, &orchestrator.id)?;
    let draft = EventDraft::of_run(status.as_str(), Some(orchestrator), &ended);
    record_event(tx, provenance, &draft)?;
    Ok(EndedRun {
        orchestrator: ended,
        tasks,
        phases: phases::list_freed_phases(tx, provenance)?,
    })
}

fn load_orchestrator(connection: &Connection, id: &OrchestratorId) -> Result<Option<Orchestrator>> {
    let found = select_orchestrators(connection, "WHERE id = ?1", [id.as_str()])?;
    Ok(found.into_iter().next())
}

fn load_existing_orchestrator(
    connection: &Connection,
    id: &OrchestratorId,
) -> Result<Orchestrator> {
    load_orchestrator(connection, id)?.ok_or_else(|| unknown_orchestrator_error(id))
}

fn select_orchestrators(
    connection: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Orchestrator>> {
    let sql = format!(
        "SELECT {} FROM orchestrators {condition}",
        rows::ORCHESTRATOR_COLUMNS
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(parameters, rows::orchestrator_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Returns the row that a conditional write changed, or why it changed none.
fn load_changed_orchestrator(
    tx: &Transaction<'_>,
    id: &OrchestratorId,
    changed: usize,
) -> Result<Orchestrator> {
    let row = load_existing_orchestrator(tx, id)?;
    if changed == 0 {
        return Err(ended_orchestrator_error(&row));
    }
    Ok(row)
}

fn find_live_run(tx: &Transaction<'_>, plan: &PlanId) -> Result<Option<Orchestrator>> {
    let rest = format!("WHERE plan_id = ?1 AND {IS_LIVE}");
    Ok(select_orchestrators(tx, &rest, [plan.as_str()])?
        .into_iter()
        .next())
}

/// Returns the run that a registration carried out before began: its id is the first one's,
/// whatever a repetition proposes.
fn load_run_begun_by(tx: &Transaction<'_>, provenance: &Provenance) -> Result<Orchestrator> {
    let rest = "WHERE id = (SELECT key FROM events WHERE op_id = ?1 AND entity = 'orchestrator')";
    let begun = select_orchestrators(tx, rest, [&provenance.op_id])?
        .into_iter()
        .next();
    begun.ok_or_else(|| foreign_operation_error(provenance))
}

fn register_run(tx: &Transaction<'_>, run: &NewRun) -> Result<RunRegistration> {
    if is_replay(tx, &run.provenance)? {
        return load_run_begun_by(tx, &run.provenance).map(RunRegistration::Started);
    }
    if let Some(holder) = find_live_run(tx, &run.plan)? {
        return Ok(RunRegistration::PlanTaken(holder));
    }
    let started = run
        .process
        .started
        .and_then(|ticks| i64::try_from(ticks).ok());
    tx.execute(
        "INSERT INTO orchestrators (id, plan_id, session_id, host, pid, pid_started, boot_id,
             supervised, machine_id, pid_namespace, epoch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             (SELECT coalesce(max(epoch), 0) + 1 FROM orchestrators WHERE plan_id = ?2))",
        params![
            run.id.as_str(),
            run.plan.as_str(),
            run.session.as_ref().map(SessionId::as_str),
            run.host,
            run.process.pid,
            started,
            run.process.place.boot,
            run.supervised,
            run.process.place.machine,
            run.process.place.namespace,
        ],
    )
    .map_err(from_sqlite)?;
    let started = load_existing_orchestrator(tx, &run.id)?;
    record_event(
        tx,
        &run.provenance,
        &EventDraft::of_run("started", None, &started),
    )?;
    Ok(RunRegistration::Started(started))
}
