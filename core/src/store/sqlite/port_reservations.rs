//! Reservations of ports.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value as Json;

use super::errors::from_sqlite;
use super::events::record_event;
use super::sessions::to_signed;
use super::{NOW, SqliteStore, is_replay, rows};
use crate::model::{PortOwner, PortReservation, ReservationId, SessionId};
use crate::store::event_draft::EventDraft;
use crate::store::{
    PortStore, Provenance, ReleasePortRequest, ReservePortRequest, Result, StoreError,
};

impl PortStore for SqliteStore {
    fn list_reservations(&mut self, host: Option<&str>) -> Result<Vec<PortReservation>> {
        list_reservations(&self.connection, host)
    }

    fn reserve_port(&mut self, request: &ReservePortRequest) -> Result<PortReservation> {
        self.run_write(|tx| reserve_port(tx, request))
    }

    fn reassign_port(
        &mut self,
        as_read: &PortReservation,
        owner: &PortOwner,
        provenance: &Provenance,
    ) -> Result<PortReservation> {
        self.run_write(|tx| reassign_port(tx, as_read, owner, provenance))
    }

    fn release_port(&mut self, release: &ReleasePortRequest) -> Result<PortReservation> {
        self.run_write(|tx| release_port(tx, release))
    }
}

/// The columns [`reservation`] reads, of a row or of the facts of an event.
const RESERVATION_COLUMNS: &str = "id, host, backend, session, pid, pid_started, boot_id, machine_id, \
     pid_namespace, allocated_at";

fn reservation_from_row(row: &Row<'_>) -> rusqlite::Result<PortReservation> {
    Ok(PortReservation {
        id: rows::parse_column(row, 0)?,
        host: row.get(1)?,
        slot: rows::parse_slot(row, 2)?,
        owner: PortOwner {
            session: rows::parse_optional_column(row, 3)?,
            process: rows::parse_process(row, 4)?,
        },
        allocated_at: rows::parse_time(row, 9)?,
        read_at: rows::parse_time(row, 10)?,
    })
}

fn list_reservations(connection: &Connection, host: Option<&str>) -> Result<Vec<PortReservation>> {
    let sql = format!(
        "SELECT {RESERVATION_COLUMNS}, {NOW} FROM port_reservations WHERE ?1 IS NULL OR host = ?1
         ORDER BY host, backend"
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map([host], reservation_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn load_reservation(
    tx: &Transaction<'_>,
    host: &str,
    id: &ReservationId,
) -> Result<Option<PortReservation>> {
    let sql = format!(
        "SELECT {RESERVATION_COLUMNS}, {NOW} FROM port_reservations WHERE host = ?1 AND id = ?2"
    );
    tx.query_row(&sql, [host, id.as_str()], reservation_from_row)
        .optional()
        .map_err(from_sqlite)
}

fn load_existing_reservation(
    tx: &Transaction<'_>,
    host: &str,
    id: &ReservationId,
) -> Result<PortReservation> {
    load_reservation(tx, host, id)?
        .ok_or_else(|| StoreError::Conflict(format!("{id} has no ports on {host}")))
}

fn reserve_port(tx: &Transaction<'_>, request: &ReservePortRequest) -> Result<PortReservation> {
    if let Some(reservation) = load_reservation(tx, &request.host, &request.id)? {
        return Ok(reservation);
    }
    if is_replay(tx, &request.provenance)? {
        return Err(StoreError::Conflict(format!(
            "the ports of {} have been released",
            request.id
        )));
    }
    let (owner, provenance) = (&request.owner, &request.provenance);
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
                request.slot.backend_port(),
                request.slot.frontend_port(),
                owner.session.as_ref().map(SessionId::as_str),
                process.map(|p| p.pid),
                process.and_then(|p| p.started).map(to_signed),
                process.and_then(|p| p.place.boot.as_deref()),
                process.and_then(|p| p.place.machine.as_deref()),
                process.and_then(|p| p.place.namespace.as_deref()),
            ],
        )
        .map_err(from_sqlite)?;
    if changed == 0 {
        return Err(StoreError::Conflict(format!(
            "port {} is reserved by another workflow",
            request.slot.backend_port()
        )));
    }
    let reservation = load_existing_reservation(tx, &request.host, &request.id)?;
    let draft = EventDraft::of_port(
        &reservation,
        "reserved",
        Json::Null,
        reservation.event_facts(),
    );
    record_event(tx, provenance, &draft)?;
    Ok(reservation)
}

/// Reads a reservation that must still be as it was read.
fn load_unchanged_reservation(
    tx: &Transaction<'_>,
    as_read: &PortReservation,
) -> Result<PortReservation> {
    let current = load_existing_reservation(tx, &as_read.host, &as_read.id)?;
    if current.is_same_reservation(as_read) {
        return Ok(current);
    }
    Err(StoreError::Conflict(format!(
        "the reservation of {} has changed",
        as_read.id
    )))
}

fn reassign_port(
    tx: &Transaction<'_>,
    as_read: &PortReservation,
    owner: &PortOwner,
    provenance: &Provenance,
) -> Result<PortReservation> {
    if is_replay(tx, provenance)? {
        return load_existing_reservation(tx, &as_read.host, &as_read.id);
    }
    let old = load_unchanged_reservation(tx, as_read)?;
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
            process.and_then(|p| p.started).map(to_signed),
            process.and_then(|p| p.place.boot.as_deref()),
            process.and_then(|p| p.place.machine.as_deref()),
            process.and_then(|p| p.place.namespace.as_deref()),
        ],
    )
    .map_err(from_sqlite)?;
    let new = load_existing_reservation(tx, &as_read.host, &as_read.id)?;
    if new.owner != old.owner {
        let draft = EventDraft::of_port(&new, "changed", old.event_facts(), new.event_facts());
        record_event(tx, provenance, &draft)?;
    }
    Ok(new)
}

fn release_port(tx: &Transaction<'_>, request: &ReleasePortRequest) -> Result<PortReservation> {
    let provenance = &request.provenance;
    if let Some(first) = find_reservation_released_by(tx, request)? {
        return Ok(first);
    }
    if let Some(as_read) = &request.as_read {
        load_unchanged_reservation(tx, as_read)?;
    }
    let reservation = load_existing_reservation(tx, &request.host, &request.id)?;
    let place = [request.host.as_str(), request.id.as_str()];
    tx.execute(
        "DELETE FROM port_reservations WHERE host = ?1 AND id = ?2",
        place,
    )
    .map_err(from_sqlite)?;
    let draft = EventDraft::of_port(
        &reservation,
        "released",
        reservation.event_facts(),
        Json::Null,
    );
    record_event(tx, provenance, &draft)?;
    Ok(reservation)
}

/// Returns what a release carried out before gave up.
fn find_reservation_released_by(
    tx: &Transaction<'_>,
    request: &ReleasePortRequest,
) -> Result<Option<PortReservation>> {
    let sql = format!(
        "SELECT {RESERVATION_COLUMNS}, {NOW} FROM (
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
        [&request.provenance.op_id, request.id.as_str()],
        reservation_from_row,
    )
    .optional()
    .map_err(from_sqlite)
}
