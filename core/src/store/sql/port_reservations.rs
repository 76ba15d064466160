//! Reservations of TCP ports.

use serde_json::Value as Json;

use super::engine::{Tx, args};
use super::events::record_event;
use super::row::Row;
use super::statement::{columns, joined, statements};
use crate::model::EventKind;
use crate::model::{PortOwner, PortReservation, ReservationId};
use crate::store::event_draft::EventDraft;
use crate::store::{Provenance, ReleasePortRequest, ReservePortRequest, Result, StoreError};

columns! {
    /// The columns of a reservation, of a row or of the facts of an event.
    enum ReservationColumn {
        Id = "id",
        Host = "host",
        Backend = "backend",
        Session = "session",
        Process = "pid",
        _Started = "pid_started",
        _Boot = "boot_id",
        _Machine = "machine_id",
        _Namespace = "pid_namespace",
        AllocatedAt = "allocated_at",
        ReadAt = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS read_at",
    }
}

const SELECT_RESERVATION: &str = joined!("SELECT ", ReservationColumn::SQL, " FROM ");

statements! {
    LIST_RESERVATIONS(text) =
        SELECT_RESERVATION, "port_reservations WHERE ?1 IS NULL OR host = ?1 ORDER BY host, backend";
    LOAD_RESERVATION(text, text) = @repeated
        SELECT_RESERVATION, "port_reservations WHERE host = ?1 AND id = ?2";

    /// What a release carried out before gave up.
    FIND_RESERVATION_RELEASED_BY(text, text) =
        SELECT_RESERVATION, "(
             SELECT key AS id, before ->> 'host' AS host,
                    CAST(before ->> 'backend' AS bigint) AS backend,
                    before ->> 'session' AS session, CAST(before ->> 'pid' AS bigint) AS pid,
                    CAST(before ->> 'pid_started' AS bigint) AS pid_started,
                    before ->> 'boot_id' AS boot_id,
                    before ->> 'machine_id' AS machine_id,
                    before ->> 'pid_namespace' AS pid_namespace,
                    before ->> 'allocated_at' AS allocated_at
             FROM events
             WHERE op_id = ?1 AND entity = 'port' AND key = ?2 AND kind = 'released') AS released";

    INSERT_RESERVATION(text, text, int, int, text, int, int, text, text, text) =
        "INSERT INTO port_reservations (id, host, backend, frontend, session, pid,
             pid_started, boot_id, machine_id, pid_namespace)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
         WHERE NOT EXISTS (SELECT 1 FROM port_reservations WHERE host = ?2 AND backend = ?3)";
    REASSIGN_RESERVATION(text, text, text, int, int, text, text, text) =
        "UPDATE port_reservations SET session = ?3, pid = ?4, pid_started = ?5, boot_id = ?6,
             machine_id = ?7, pid_namespace = ?8
         WHERE host = ?1 AND id = ?2";
    DELETE_RESERVATION(text, text) = "DELETE FROM port_reservations WHERE host = ?1 AND id = ?2";
}

fn reservation_from_row(row: &dyn Row) -> Result<PortReservation> {
    Ok(PortReservation {
        id: row.get(ReservationColumn::Id)?,
        host: row.get(ReservationColumn::Host)?,
        slot: row.get(ReservationColumn::Backend)?,
        owner: PortOwner {
            session: row.get(ReservationColumn::Session)?,
            process: row.process(ReservationColumn::Process)?,
        },
        allocated_at: row.get(ReservationColumn::AllocatedAt)?,
        read_at: row.get(ReservationColumn::ReadAt)?,
    })
}

pub(super) fn list_reservations(
    tx: &mut impl Tx,
    host: Option<&str>,
) -> Result<Vec<PortReservation>> {
    tx.rows(&LIST_RESERVATIONS, args![host], reservation_from_row)
}

fn load_reservation(
    tx: &mut impl Tx,
    host: &str,
    id: &ReservationId,
) -> Result<Option<PortReservation>> {
    tx.row(&LOAD_RESERVATION, args![host, id], reservation_from_row)
}

fn load_existing_reservation(
    tx: &mut impl Tx,
    host: &str,
    id: &ReservationId,
) -> Result<PortReservation> {
    let reservation = load_reservation(tx, host, id)?;
    reservation.ok_or_else(|| StoreError::Conflict(format!("{id} has no ports on {host}")))
}

pub(super) fn reserve_port(
    tx: &mut impl Tx,
    request: &ReservePortRequest,
) -> Result<PortReservation> {
    let (owner, provenance) = (&request.owner, &request.provenance);
    if let Some(reservation) = load_reservation(tx, &request.host, &request.id)? {
        return Ok(reservation);
    }
    if tx.is_replay(provenance)? {
        return Err(StoreError::Conflict(format!(
            "the ports of {} have been released",
            request.id
        )));
    }
    let process = owner.process.as_ref();
    tx.change(
        &INSERT_RESERVATION,
        args![
            request.id,
            request.host,
            request.slot.backend_port(),
            request.slot.frontend_port(),
            owner.session,
            process.map(|process| process.pid),
            process.and_then(|process| process.started),
            process.and_then(|process| process.place.boot.as_deref()),
            process.and_then(|process| process.place.machine.as_deref()),
            process.and_then(|process| process.place.namespace.as_deref()),
        ],
        || {
            let port = request.slot.backend_port();
            StoreError::Conflict(format!("port {port} is reserved by another workflow"))
        },
    )?;
    let reservation = load_existing_reservation(tx, &request.host, &request.id)?;
    let facts = reservation.event_facts();
    let draft = EventDraft::of_port(&reservation, EventKind::Reserved, Json::Null, facts);
    record_event(tx, provenance, &draft)?;
    Ok(reservation)
}

/// Reads a reservation that must still be as it was read.
fn load_unchanged_reservation(
    tx: &mut impl Tx,
    as_read: &PortReservation,
) -> Result<PortReservation> {
    let current = load_existing_reservation(tx, &as_read.host, &as_read.id)?;
    if current.is_same_reservation(as_read) {
        return Ok(current);
    }
    Err(StoreError::Conflict(format!("the reservation of {} has changed", as_read.id)))
}

pub(super) fn reassign_port(
    tx: &mut impl Tx,
    as_read: &PortReservation,
    owner: &PortOwner,
    provenance: &Provenance,
) -> Result<PortReservation> {
    if tx.is_replay(provenance)? {
        return load_existing_reservation(tx, &as_read.host, &as_read.id);
    }
    let old = load_unchanged_reservation(tx, as_read)?;
    let process = owner.process.as_ref();
    tx.execute(
        &REASSIGN_RESERVATION,
        args![
            as_read.host,
            as_read.id,
            owner.session,
            process.map(|process| process.pid),
            process.and_then(|process| process.started),
            process.and_then(|process| process.place.boot.as_deref()),
            process.and_then(|process| process.place.machine.as_deref()),
            process.and_then(|process| process.place.namespace.as_deref()),
        ],
    )?;
    let new = load_existing_reservation(tx, &as_read.host, &as_read.id)?;
    if new.owner != old.owner {
        let draft =
            EventDraft::of_port(&new, EventKind::Changed, old.event_facts(), new.event_facts());
        record_event(tx, provenance, &draft)?;
    }
    Ok(new)
}

pub(super) fn release_port(
    tx: &mut impl Tx,
    request: &ReleasePortRequest,
) -> Result<PortReservation> {
    let provenance = &request.provenance;
    tx.prefetch(&LOAD_RESERVATION, args![request.host, request.id]);
    if let Some(first) = find_reservation_released_by(tx, request)? {
        return Ok(first);
    }
    let reservation = match &request.as_read {
        Some(as_read) => load_unchanged_reservation(tx, as_read)?,
        None => load_existing_reservation(tx, &request.host, &request.id)?,
    };
    tx.execute(&DELETE_RESERVATION, args![request.host, request.id])?;
    let facts = reservation.event_facts();
    let draft = EventDraft::of_port(&reservation, EventKind::Released, facts, Json::Null);
    record_event(tx, provenance, &draft)?;
    Ok(reservation)
}

fn find_reservation_released_by(
    tx: &mut impl Tx,
    request: &ReleasePortRequest,
) -> Result<Option<PortReservation>> {
    tx.row(
        &FIND_RESERVATION_RELEASED_BY,
        args![request.provenance.op_id, request.id],
        reservation_from_row,
    )
}
