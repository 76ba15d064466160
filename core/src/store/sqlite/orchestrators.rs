//! Who runs which plan.

use rusqlite::{Connection, Transaction, params};

use super::errors::from_sqlite;
use super::events::record;
use super::{NOW, SqliteStore, phases, plan_tasks, rows, was_done};
use crate::model::{Orchestrator, OrchestratorId, OrchestratorStatus, PlanId, RunEnd, SessionId};
use crate::store::news::News;
use crate::store::port::{ended_orchestrator, unknown_orchestrator, used_elsewhere};
use crate::store::{NewRun, OrchestratorStore, Provenance, Registered, Result, RunEnded};

/// The condition that the index of the live ones is made for.
pub(super) const LIVE: &str = "status IN ('running', 'stopping')";

impl OrchestratorStore for SqliteStore {
    fn register_orchestrator(&mut self, run: &NewRun) -> Result<Registered> {
        self.write(|tx| register(tx, run))
    }

    fn orchestrator(&mut self, id: &OrchestratorId) -> Result<Option<Orchestrator>> {
        load(&self.connection, id)
    }

    fn live_orchestrators(&mut self) -> Result<Vec<Orchestrator>> {
        // Every change asks, and mostly there is none: the short question is a third of the price.
        let any = format!("SELECT EXISTS (SELECT 1 FROM orchestrators WHERE {LIVE})");
        let any = self.connection.query_row(&any, [], |row| row.get(0));
        if !any.map_err(from_sqlite)? {
            return Ok(Vec::new());
        }
        let rest = format!("WHERE {LIVE} ORDER BY plan_id");
        select(&self.connection, &rest, [])
    }

    fn orchestrators(&mut self, limit: u32) -> Result<Vec<Orchestrator>> {
        let limit = match limit {
            0 => -1,
            most => i64::from(most),
        };
        let rest = "ORDER BY started_at DESC, plan_id, epoch DESC LIMIT ?1";
        select(&self.connection, rest, [limit])
    }

    fn beat_orchestrator(&mut self, id: &OrchestratorId) -> Result<Orchestrator> {
        self.write(|tx| {
            let sql =
                format!("UPDATE orchestrators SET heartbeat_at = {NOW} WHERE id = ?1 AND {LIVE}");
            let changed = tx.execute(&sql, [id.as_str()]).map_err(from_sqlite)?;
            taken(tx, id, changed)
        })
    }

    fn tell_orchestrator_to_stop(
        &mut self,
        id: &OrchestratorId,
        provenance: &Provenance,
    ) -> Result<Orchestrator> {
        self.write(|tx| {
            if was_done(tx, provenance)? {
                return existing(tx, id);
            }
            let before = existing(tx, id)?;
            let sql = format!(
                "UPDATE orchestrators SET status = 'stopping',
                     revision = revision + (status <> 'stopping')
                 WHERE id = ?1 AND {LIVE}"
            );
            let changed = tx.execute(&sql, [id.as_str()]).map_err(from_sqlite)?;
            let row = taken(tx, id, changed)?;
            if row.status != before.status {
                let news = News::of_run(row.status.as_str(), Some(&before), &row);
                record(tx, provenance, &news)?;
            }
            Ok(row)
        })
    }

    fn stop_orchestrator(
        &mut self,
        id: &OrchestratorId,
        end: RunEnd,
        provenance: &Provenance,
    ) -> Result<RunEnded> {
        self.write(|tx| {
            let row = existing(tx, id)?;
            if was_done(tx, provenance)? {
                return Ok(RunEnded {
                    orchestrator: row,
                    tasks: plan_tasks::done_by(tx, provenance)?,
                    phases: phases::freed(tx, provenance)?,
                });
            }
            if !row.status.is_live() {
                return Err(ended_orchestrator(&row));
            }
            finish(tx, &row, OrchestratorStatus::Stopped, end, provenance)
        })
    }

    fn crash_orchestrator(
        &mut self,
        read: &Orchestrator,
        provenance: &Provenance,
    ) -> Result<Option<RunEnded>> {
        self.write(|tx| {
            let row = load(tx, &read.id)?.filter(|row| row.is_as_read(read));
            let crashed = |row: Orchestrator| {
                let end = RunEnd::default();
                finish(tx, &row, OrchestratorStatus::Crashed, end, provenance)
            };
            row.map(crashed).transpose()
        })
    }
}

/// Ends a run as it was read in this transaction. What it had begun is put back first: the
/// writes of one operation end with that of the run, which says that all were done.
fn finish(
    tx: &Transaction<'_>,
    row: &Orchestrator,
    status: OrchestratorStatus,
    end: RunEnd,
    by: &Provenance,
) -> Result<RunEnded> {
    let why = row.interruption(status, by.reason.as_deref());
    let tasks = plan_tasks::interrupt(tx, &row.id, &why, by)?;
    phases::put_back(tx, &row.id, &format!("interrupted: {why}"), by)?;
    tx.execute(
        &format!(
            "UPDATE orchestrators SET status = ?2, exit_code = ?3, signal = ?4, reason = ?5,
                 stopped_at = {NOW}, revision = revision + 1
             WHERE id = ?1"
        ),
        params![
            row.id.as_str(),
            status.as_str(),
            end.exit_code,
            end.signal,
            by.reason,
        ],
    )
    .map_err(from_sqlite)?;
    let ended = existing(tx, &row.id)?;
    let news = News::of_run(status.as_str(), Some(row), &ended);
    record(tx, by, &news)?;
    Ok(RunEnded {
        orchestrator: ended,
        tasks,
        phases: phases::freed(tx, by)?,
    })
}

fn load(connection: &Connection, id: &OrchestratorId) -> Result<Option<Orchestrator>> {
    let found = select(connection, "WHERE id = ?1", [id.as_str()])?;
    Ok(found.into_iter().next())
}

fn existing(connection: &Connection, id: &OrchestratorId) -> Result<Orchestrator> {
    load(connection, id)?.ok_or_else(|| unknown_orchestrator(id))
}

fn select(
    connection: &Connection,
    rest: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Orchestrator>> {
    let sql = format!("SELECT {} FROM orchestrators {rest}", rows::ORCHESTRATOR);
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map(parameters, rows::orchestrator)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Returns the row that a conditional write changed, or why it changed none.
fn taken(tx: &Transaction<'_>, id: &OrchestratorId, changed: usize) -> Result<Orchestrator> {
    let row = existing(tx, id)?;
    if changed == 0 {
        return Err(ended_orchestrator(&row));
    }
    Ok(row)
}

fn holder(tx: &Transaction<'_>, plan: &PlanId) -> Result<Option<Orchestrator>> {
    let rest = format!("WHERE plan_id = ?1 AND {LIVE}");
    Ok(select(tx, &rest, [plan.as_str()])?.into_iter().next())
}

/// Returns the run that a registration carried out before began: its id is the first one's,
/// whatever a repetition proposes.
fn begun_by(tx: &Transaction<'_>, provenance: &Provenance) -> Result<Orchestrator> {
    let rest = "WHERE id = (SELECT key FROM events WHERE op_id = ?1 AND entity = 'orchestrator')";
    let begun = select(tx, rest, [&provenance.op_id])?.into_iter().next();
    begun.ok_or_else(|| used_elsewhere(provenance))
}

fn register(tx: &Transaction<'_>, run: &NewRun) -> Result<Registered> {
    if was_done(tx, &run.provenance)? {
        return begun_by(tx, &run.provenance).map(Registered::Started);
    }
    if let Some(holder) = holder(tx, &run.plan)? {
        return Ok(Registered::Held(holder));
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
    let started = existing(tx, &run.id)?;
    record(
        tx,
        &run.provenance,
        &News::of_run("started", None, &started),
    )?;
    Ok(Registered::Started(started))
}
