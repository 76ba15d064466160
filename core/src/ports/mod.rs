//! Reserving and clearing ports over the store port.
//!
//! The rules are in [`crate::model`]; here are the readings they are made from: what is
//! reserved, who of the owners lives, and whether the system lets a port be bound at all. A
//! reservation that nobody can bind is worth nothing, so it is tried before the row is
//! written, outside of any transaction.

mod occupant;
mod probe;

use std::collections::BTreeMap;

pub use probe::{Occupied, Probe, TcpProbe};

use crate::cache::lock::FileLock;
use crate::liveness::{self, Vitality};
use crate::model::{
    PortOwner, Reservation, ReservationId, Slot, is_stale, lowest_free, next_owner, owner_alive,
};
use crate::settings::private_dir;
use crate::store::{PortRelease, PortRequest, Provenance, Result, Store, StoreError};
use crate::sync::{Doubt, Site};

/// Attempts before giving up on a pool whose slots keep changing hands: each lost race means
/// that another got a slot.
const ATTEMPTS: usize = 256;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// For whom.
    pub id: ReservationId,
    /// Who asks.
    pub owner: PortOwner,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// A reservation with a judgement of its owner.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The reservation.
    pub reservation: Reservation,
    /// How alive its owner looks.
    pub owner: Vitality,
}

impl Judged {
    /// Tells whether it may be cleared.
    pub fn is_stale(&self) -> bool {
        self.is_stale_despite(0)
    }

    /// Tells whether it may be cleared even if the present reading of the clock is so many
    /// seconds too late.
    fn is_stale_despite(&self, doubt: u64) -> bool {
        let age = self.reservation.age_seconds().saturating_sub(doubt);
        is_stale(age, self.owner.alive)
    }
}

/// How a request ended.
#[derive(Debug)]
pub enum Reserved {
    /// The id has its ports.
    Given(Box<Given>),
    /// There is no slot left.
    Full {
        /// Who has what.
        holders: Vec<Judged>,
        /// What the system does not let anybody bind.
        occupied: Vec<Occupied>,
    },
}

/// Ports given.
#[derive(Debug)]
pub struct Given {
    /// The reservation.
    pub reservation: Reservation,
    /// Whether the id had it before.
    pub kept: bool,
    /// Slots passed over because the system does not let them be bound.
    pub occupied: Vec<Occupied>,
    /// Stale reservations that were cleared to make room.
    pub cleared: Vec<Judged>,
}

/// Reserves ports for an id; one that has some keeps them.
///
/// # Errors
///
/// When the database cannot be asked, or its slots kept changing hands.
pub fn reserve(
    store: &mut dyn Store,
    wish: &Wish,
    site: &Site,
    probe: &mut dyn Probe,
) -> Result<Reserved> {
    // Two that try the same port at once would each take the other for a stranger. Who cannot
    // have the turn goes on without it: the database decides who gets what.
    let _turn = turn(site);
    let mut occupied = BTreeMap::new();
    let mut cleared = Vec::new();
    let mut lost = None;
    for _ in 0..ATTEMPTS {
        let reserved = store.reservations(Some(&site.host))?;
        let given = |reservation, kept, occupied: BTreeMap<Slot, Occupied>, cleared| {
            Reserved::Given(Box::new(Given {
                reservation,
                kept,
                occupied: occupied.into_values().collect(),
                cleared,
            }))
        };
        if let Some(mine) = reserved.iter().find(|r| r.id == wish.id) {
            let mine = keep(store, mine, wish, site)?;
            return Ok(given(mine, true, occupied, cleared));
        }
        let refused = occupied.keys().copied().collect();
        let Some(slot) = lowest_free(&reserved, &refused) else {
            let stale = clear(store, &reserved, &wish.provenance.actor, site)?;
            if stale.is_empty() {
                return Ok(Reserved::Full {
                    holders: judge_all(store, reserved, site)?,
                    occupied: occupied.into_values().collect(),
                });
            }
            cleared.extend(stale);
            continue;
        };
        if let Some(by) = probe.occupied(slot) {
            occupied.insert(slot, by);
            continue;
        }
        let request = PortRequest {
            id: wish.id.clone(),
            host: site.host.clone(),
            slot,
            owner: wish.owner.clone(),
            provenance: wish.provenance.clone(),
        };
        match store.reserve_port(&request) {
            Ok(mine) => return Ok(given(mine, false, occupied, cleared)),
            // Somebody was faster: the next reading shows who.
            Err(error @ StoreError::Conflict(_)) => lost = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(lost.unwrap_or_else(|| StoreError::Conflict("the ports keep changing".to_owned())))
}

fn turn(site: &Site) -> Option<FileLock> {
    let folder = &site.settings.paths.data;
    private_dir(folder).ok()?;
    FileLock::exclusive(&folder.join("ports.lock"), site.deadline.left() / 2).ok()
}

/// Lets who asks again own what it has.
fn keep(
    store: &mut dyn Store,
    mine: &Reservation,
    wish: &Wish,
    site: &Site,
) -> Result<Reservation> {
    let alive = judge(store, mine, site)?.alive;
    let Some(owner) = next_owner(&mine.owner, alive, &wish.owner) else {
        return Ok(mine.clone());
    };
    match store.reassign_port(mine, &owner, &wish.provenance) {
        // Another that speaks for the same id was faster, and owns it now.
        Err(StoreError::Conflict(_)) => Ok(mine.clone()),
        other => other,
    }
}

/// Judges the owner of a reservation.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn judge(store: &mut dyn Store, reservation: &Reservation, site: &Site) -> Result<Vitality> {
    let owner = &reservation.owner;
    let session = match &owner.session {
        Some(id) => store.session(id)?,
        None => None,
    };
    let ceiling = site.settings.ceiling_seconds;
    if let Some(session) = session {
        let evidence = liveness::evidence(&session, &site.host);
        let vitality = liveness::judge(&session, evidence, ceiling);
        return Ok(Vitality {
            alive: owner_alive(
                Some(vitality.alive),
                evidence,
                reservation.age_seconds(),
                ceiling,
            ),
            witness: format!("session {}: {}", session.id, vitality.witness),
            process: evidence,
            doubt_seconds: 0,
        });
    }
    let evidence =
        liveness::evidence_of(owner.process.as_ref(), Some(&reservation.host), &site.host);
    let alive = owner_alive(None, evidence, reservation.age_seconds(), ceiling);
    let process = owner
        .process
        .as_ref()
        .map_or_else(|| "process".to_owned(), |p| format!("process {}", p.pid));
    Ok(Vitality {
        alive,
        witness: format!("{process} {}", evidence.in_words()),
        process: evidence,
        doubt_seconds: 0,
    })
}

fn judge_all(
    store: &mut dyn Store,
    reservations: Vec<Reservation>,
    site: &Site,
) -> Result<Vec<Judged>> {
    let mut judged = Vec::with_capacity(reservations.len());
    for reservation in reservations {
        let owner = judge(store, &reservation, site)?;
        judged.push(Judged { reservation, owner });
    }
    Ok(judged)
}

/// Lists every reservation with a judgement of its owner.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn list(store: &mut dyn Store, site: &Site) -> Result<Vec<Judged>> {
    let all = store.reservations(None)?;
    judge_all(store, all, site)
}

/// Clears what is stale, on every host; returns what that was.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn sweep(store: &mut dyn Store, actor: &str, site: &Site) -> Result<Vec<Judged>> {
    let all = store.reservations(None)?;
    clear(store, &all, actor, site)
}

fn clear(
    store: &mut dyn Store,
    reservations: &[Reservation],
    actor: &str,
    site: &Site,
) -> Result<Vec<Judged>> {
    let mut cleared = Vec::new();
    let mut doubt = Doubt::default();
    for judged in judge_all(store, reservations.to_vec(), site)? {
        if !judged.is_stale() || !judged.is_stale_despite(doubt.added_to(0, store)?) {
            continue;
        }
        let release = PortRelease {
            id: judged.reservation.id.clone(),
            host: judged.reservation.host.clone(),
            as_read: Some(judged.reservation.clone()),
            provenance: Provenance::new(actor, &format!("stale: {}", judged.owner.witness)),
        };
        match store.release_port(&release) {
            Ok(_) => cleared.push(judged),
            // Renewed or cleared by another in between.
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(cleared)
}

#[cfg(test)]
mod tests;
