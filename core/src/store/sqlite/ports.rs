//! Reservations of ports.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value as Json;

use super::errors::from_sqlite;
use super::events::record;
use super::sessions::signed;
use super::{NOW, SqliteStore, rows, was_done};
use crate::model::{PortOwner, Reservation, ReservationId, SessionId};
use crate::store::news::News;
use crate::store::{PortRelease, PortRequest, PortStore, Provenance, Result, StoreError};

impl PortStore for SqliteStore {
    fn reservations(&mut self, host: Option<&str>) -> Result<Vec<Reservation>> {
        list(&self.connection, host)
    }

    fn reserve_port(&mut self, request: &PortRequest) -> Result<Reservation> {
        self.write(|tx| reserve(tx, request))
    }

    fn reassign_port(
        &mut self,
        as_read: &Reservation,
        owner: &PortOwner,
        provenance: &Provenance,
    ) -> Result<Reservation> {
        self.write(|tx| reassign(tx, as_read, owner, provenance))
    }

    fn release_port(&mut self, release: &PortRelease) -> Result<Reservation> {
        self.write(|tx| give_up(tx, release))
    }
}

/// The columns [`reservation`] reads, of a row or of the facts of an event.
const COLUMNS: &str = "id, host, backend, session, pid, pid_started, boot_id, machine_id, \
     pid_namespace, allocated_at";

fn reservation(row: &Row<'_>) -> rusqlite::Result<Reservation> {
    Ok(Reservation {
        id: rows::parsed(row, 0)?,
        host: row.get(1)?,
        slot: rows::slot(row, 2)?,
        owner: PortOwner {
            session: rows::optional(row, 3)?,
            process: rows::process(row, 4)?,
        },
        allocated_at: rows::time(row, 9)?,
        read_at: rows::time(row, 10)?,
    })
}

fn list(connection: &Connection, host: Option<&str>) -> Result<Vec<Reservation>> {
    let sql = format!(
        "SELECT {COLUMNS}, {NOW} FROM port_reservations WHERE ?1 IS NULL OR host = ?1
         ORDER BY host, backend"
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map([host], reservation)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn load(tx: &Transaction<'_>, host: &str, id: &ReservationId) -> Result<Option<Reservation>> {
    let sql = format!("SELECT {COLUMNS}, {NOW} FROM port_reservations WHERE host = ?1 AND id = ?2");
    tx.query_row(&sql, [host, id.as_str()], reservation)
        .optional()
        .map_err(from_sqlite)
}

fn existing(tx: &Transaction<'_>, host: &str, id: &ReservationId) -> Result<Reservation> {
    load(tx, host, id)?.ok_or_else(|| StoreError::Conflict(format!("{id} has no ports on {host}")))
}

fn reserve(tx: &Transaction<'_>, request: &PortRequest) -> Result<Reservation> {
    if let Some(mine) = load(tx, &request.host, &request.id)? {
        return Ok(mine);
    }
    if was_done(tx, &request.provenance)? {
        return Err(StoreError::Conflict(format!(
            "the ports of {} have been released",
            request.id
        )));
    }
    let (owner, by) = (&request.owner, &request.provenance);
    let process = owner.process.as_ref();
    let changed = tx
        .execute(
            "INSERT INTO port_reservations (id, host, backend, frontend, session, pid,
                 pid_started, boot_id, machine_id, pid_namespace)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
             WHERE NOT EXISTS (SELECT 1 FROM port_reservations WHERE host = ?2 AND backend = ?3)",
            params![
                request.id.as_str(),
                request.host,
                request.slot.backend(),
                request.slot.frontend(),
                owner.session.as_ref().map(SessionId::as_str),
                process.map(|p| p.pid),
                process.and_then(|p| p.started).map(signed),
                process.and_then(|p| p.place.boot.as_deref()),
                process.and_then(|p| p.place.machine.as_deref()),
                process.and_then(|p| p.place.namespace.as_deref()),
            ],
        )
        .map_err(from_sqlite)?;
    if changed == 0 {
        return Err(StoreError::Conflict(format!(
            "port {} is reserved by another workflow",
            request.slot.backend()
        )));
    }
    let row = existing(tx, &request.host, &request.id)?;
    let news = News::of_port(&row, "reserved", Json::Null, row.facts());
    record(tx, by, &news)?;
    Ok(row)
}

/// Reads a reservation that must still be as it was read.
fn unchanged(tx: &Transaction<'_>, as_read: &Reservation) -> Result<Reservation> {
    let row = existing(tx, &as_read.host, &as_read.id)?;
    if row.is_same(as_read) {
        return Ok(row);
    }
    Err(StoreError::Conflict(format!(
        "the reservation of {} has changed",
        as_read.id
    )))
}

fn reassign(
    tx: &Transaction<'_>,
    as_read: &Reservation,
    owner: &PortOwner,
    by: &Provenance,
) -> Result<Reservation> {
    if was_done(tx, by)? {
        return existing(tx, &as_read.host, &as_read.id);
    }
    let old = unchanged(tx, as_read)?;
    let process = owner.process.as_ref();
    tx.execute(
        "UPDATE port_reservations SET session = ?3, pid = ?4, pid_started = ?5, boot_id = ?6,
             machine_id = ?7, pid_namespace = ?8
         WHERE host = ?1 AND id = ?2",
        params![
            as_read.host,
            as_read.id.as_str(),
            owner.session.as_ref().map(SessionId::as_str),
            process.map(|p| p.pid),
            process.and_then(|p| p.started).map(signed),
            process.and_then(|p| p.place.boot.as_deref()),
            process.and_then(|p| p.place.machine.as_deref()),
            process.and_then(|p| p.place.namespace.as_deref()),
        ],
    )
    .map_err(from_sqlite)?;
    let new = existing(tx, &as_read.host, &as_read.id)?;
    if new.owner != old.owner {
        let news = News::of_port(&new, "changed", old.facts(), new.facts());
        record(tx, by, &news)?;
    }
    Ok(new)
}

fn give_up(tx: &Transaction<'_>, release: &PortRelease) -> Result<Reservation> {
    let by = &release.provenance;
    if let Some(first) = released_by(tx, release)? {
        return Ok(first);
    }
    if let Some(as_read) = &release.as_read {
        unchanged(tx, as_read)?;
    }
    let gone = existing(tx, &release.host, &release.id)?;
    let place = [release.host.as_str(), release.id.as_str()];
    tx.execute(
        "DELETE FROM port_reservations WHERE host = ?1 AND id = ?2",
        place,
    )
    .map_err(from_sqlite)?;
    let news = News::of_port(&gone, "released", gone.facts(), Json::Null);
    record(tx, by, &news)?;
    Ok(gone)
}

/// Returns what a release carried out before gave up.
fn released_by(tx: &Transaction<'_>, release: &PortRelease) -> Result<Option<Reservation>> {
    let sql = format!(
        "SELECT {COLUMNS}, {NOW} FROM (
             SELECT key AS id, before ->> 'host' AS host, before ->> 'backend' AS backend,
                    before ->> 'session' AS session, before ->> 'pid' AS pid,
                    before ->> 'pid_started' AS pid_started, before ->> 'boot_id' AS boot_id,
                    before ->> 'machine_id' AS machine_id,
                    before ->> 'pid_namespace' AS pid_namespace,
                    before ->> 'allocated_at' AS allocated_at
             FROM events
             WHERE op_id = ?1 AND entity = 'port' AND key = ?2 AND kind = 'released')"
    );
    tx.query_row(
        &sql,
        [&release.provenance.op_id, release.id.as_str()],
        reservation,
    )
    .optional()
    .map_err(from_sqlite)
}
