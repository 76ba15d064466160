//! Reserving and clearing ports, over the operations of the store.
//!
//! The rules are in [`crate::model`]. This module collects the facts for them: which ports are
//! reserved, whose owners live, and whether the system lets a port be bound. A reservation that
//! nobody can bind is useless, so binding is tried before the row is written, outside any
//! transaction.

mod listener;
mod slot_probe;

use std::collections::BTreeMap;

pub use slot_probe::{OccupiedSlot, SlotProbe, TcpProbe};

use crate::fs::{FileLock, create_private_dir};
use crate::liveness;
use crate::model::{
    Liveness, PortOwner, PortReservation, PortSlot, ReservationId, decide_next_owner,
    find_lowest_free_slot, is_stale_reservation, judge_port_owner, judge_session,
};
use crate::store::{Provenance, ReleasePortRequest, ReservePortRequest, Result, Store, StoreError};
use crate::sync::{ClockDoubt, RunContext};

/// Attempts before giving up on a pool whose ports keep changing hands. Each lost race means that
/// another workflow got a pair.
const MAX_ATTEMPTS: usize = 256;

/// A request for a pair of ports.
#[derive(Debug, Clone)]
pub struct PortPairRequest {
    /// The id to reserve for.
    pub id: ReservationId,
    /// The owner.
    pub owner: PortOwner,
    /// The actor and the reason for events.
    pub provenance: Provenance,
}

/// A reservation with the liveness of its owner.
#[derive(Debug, Clone)]
pub struct JudgedReservation {
    /// The reservation.
    pub reservation: PortReservation,
    /// The liveness of its owner.
    pub owner: Liveness,
}

impl JudgedReservation {
    /// Returns whether it may be cleared.
    pub fn is_stale(&self) -> bool {
        self.is_stale_despite(0)
    }

    /// Returns whether it may be cleared even if the clock is `doubt` seconds ahead.
    fn is_stale_despite(&self, doubt: u64) -> bool {
        let age = self.reservation.age_seconds().saturating_sub(doubt);
        is_stale_reservation(age, self.owner.state)
    }
}

/// The answer to a [`PortPairRequest`].
#[derive(Debug)]
pub enum ReserveAnswer {
    /// The ports that the id has now.
    Given(Box<ReservedPorts>),
    /// No pair is left.
    Full {
        /// All reservations of the host.
        holders: Vec<JudgedReservation>,
        /// The pairs that the system does not let anybody bind.
        occupied: Vec<OccupiedSlot>,
    },
}

/// Ports that an id has.
#[derive(Debug)]
pub struct ReservedPorts {
    /// The reservation.
    pub reservation: PortReservation,
    /// Whether the id had them before.
    pub was_reserved: bool,
    /// Pairs that were skipped because the system does not let them be bound.
    pub occupied: Vec<OccupiedSlot>,
    /// Stale reservations that were cleared to make room.
    pub cleared: Vec<JudgedReservation>,
}

/// Reserves a pair of ports for an id. An id that has one keeps it.
///
/// # Errors
///
/// When the database cannot be read, or its ports kept changing hands.
pub fn reserve_ports(
    store: &mut dyn Store,
    request: &PortPairRequest,
    site: &RunContext,
    probe: &mut dyn SlotProbe,
) -> Result<ReserveAnswer> {
    // Two commands that try the same port at once would each take the other for a foreign process.
    // A command that does not get the lock continues without it; the database decides who gets
    // which port.
    let _turn = lock_pool(site);
    let mut occupied = BTreeMap::new();
    let mut cleared = Vec::new();
    let mut conflict = None;
    for _ in 0..MAX_ATTEMPTS {
        let reserved = store.list_reservations(Some(&site.host))?;
        let given = |reservation, kept, occupied: BTreeMap<PortSlot, OccupiedSlot>, cleared| {
            ReserveAnswer::Given(Box::new(ReservedPorts {
                reservation,
                was_reserved: kept,
                occupied: occupied.into_values().collect(),
                cleared,
            }))
        };
        if let Some(reservation) = reserved.iter().find(|r| r.id == request.id) {
            let reservation = keep_reservation(store, reservation, request, site)?;
            return Ok(given(reservation, true, occupied, cleared));
        }
        let refused = occupied.keys().copied().collect();
        let Some(slot) = find_lowest_free_slot(&reserved, &refused) else {
            let stale = clear_stale(store, &reserved, &request.provenance.actor, site)?;
            if stale.is_empty() {
                return Ok(ReserveAnswer::Full {
                    holders: judge_reservations(store, reserved, site)?,
                    occupied: occupied.into_values().collect(),
                });
            }
            cleared.extend(stale);
            continue;
        };
        if let Some(by) = probe.check_slot(slot) {
            occupied.insert(slot, by);
            continue;
        }
        let slot_request = ReservePortRequest {
            id: request.id.clone(),
            host: site.host.clone(),
            slot,
            owner: request.owner.clone(),
            provenance: request.provenance.clone(),
        };
        match store.reserve_port(&slot_request) {
            Ok(mine) => return Ok(given(mine, false, occupied, cleared)),
            // Another command was faster. The next reading shows which port is left.
            Err(error @ StoreError::Conflict(_)) => conflict = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(conflict.unwrap_or_else(|| StoreError::Conflict("the ports keep changing".to_owned())))
}

fn lock_pool(site: &RunContext) -> Option<FileLock> {
    let dir = &site.settings.paths.data;
    create_private_dir(dir).ok()?;
    FileLock::acquire(&dir.join("ports.lock"), site.deadline.remaining() / 2).ok()
}

/// Makes the requester the owner of a reservation that its id has.
fn keep_reservation(
    store: &mut dyn Store,
    reservation: &PortReservation,
    request: &PortPairRequest,
    site: &RunContext,
) -> Result<PortReservation> {
    let alive = judge_owner(store, reservation, site)?.state;
    let Some(owner) = decide_next_owner(&reservation.owner, alive, &request.owner) else {
        return Ok(reservation.clone());
    };
    match store.reassign_port(reservation, &owner, &request.provenance) {
        // Another command for the same id was faster and owns it now.
        Err(StoreError::Conflict(_)) => Ok(reservation.clone()),
        other => other,
    }
}

/// Judges whether the owner of a reservation lives.
///
/// # Errors
///
/// When the database cannot be read.
pub fn judge_owner(
    store: &mut dyn Store,
    reservation: &PortReservation,
    site: &RunContext,
) -> Result<Liveness> {
    let owner = &reservation.owner;
    let session = match &owner.session {
        Some(id) => store.load_session(id)?,
        None => None,
    };
    let ceiling = site.settings.ceiling_seconds;
    if let Some(session) = session {
        let evidence = liveness::check_session_process(&session, &site.host);
        let liveness = judge_session(&session, evidence, ceiling);
        return Ok(Liveness {
            state: judge_port_owner(
                Some(liveness.state),
                evidence,
                reservation.age_seconds(),
                ceiling,
            ),
            evidence: format!("session {}: {}", session.id, liveness.evidence),
            process: evidence,
            clock_doubt_seconds: 0,
        });
    }
    let evidence =
        liveness::check_process(owner.process.as_ref(), Some(&reservation.host), &site.host);
    let alive = judge_port_owner(None, evidence, reservation.age_seconds(), ceiling);
    let process = owner
        .process
        .as_ref()
        .map_or_else(|| "process".to_owned(), |p| format!("process {}", p.pid));
    Ok(Liveness {
        state: alive,
        evidence: format!("{process} {}", evidence.describe()),
        process: evidence,
        clock_doubt_seconds: 0,
    })
}

fn judge_reservations(
    store: &mut dyn Store,
    reservations: Vec<PortReservation>,
    site: &RunContext,
) -> Result<Vec<JudgedReservation>> {
    let mut judged = Vec::with_capacity(reservations.len());
    for reservation in reservations {
        let owner = judge_owner(store, &reservation, site)?;
        judged.push(JudgedReservation { reservation, owner });
    }
    Ok(judged)
}

/// Lists every reservation with the liveness of its owner.
///
/// # Errors
///
/// When the database cannot be read.
pub fn list_reservations(
    store: &mut dyn Store,
    site: &RunContext,
) -> Result<Vec<JudgedReservation>> {
    let all = store.list_reservations(None)?;
    judge_reservations(store, all, site)
}

/// Clears stale reservations on every host, and returns them.
///
/// # Errors
///
/// When the database cannot be read.
pub fn sweep_stale_reservations(
    store: &mut dyn Store,
    actor: &str,
    site: &RunContext,
) -> Result<Vec<JudgedReservation>> {
    let all = store.list_reservations(None)?;
    clear_stale(store, &all, actor, site)
}

fn clear_stale(
    store: &mut dyn Store,
    reservations: &[PortReservation],
    actor: &str,
    site: &RunContext,
) -> Result<Vec<JudgedReservation>> {
    let mut cleared = Vec::new();
    let mut doubt = ClockDoubt::default();
    for judged in judge_reservations(store, reservations.to_vec(), site)? {
        if !judged.is_stale() || !judged.is_stale_despite(doubt.extend_limit(0, store)?) {
            continue;
        }
        let release = ReleasePortRequest {
            id: judged.reservation.id.clone(),
            host: judged.reservation.host.clone(),
            as_read: Some(judged.reservation.clone()),
            provenance: Provenance::new(actor, &format!("stale: {}", judged.owner.evidence)),
        };
        match store.release_port(&release) {
            Ok(_) => cleared.push(judged),
            // Another command renewed or cleared it in between.
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(cleared)
}

#[cfg(test)]
mod tests;
