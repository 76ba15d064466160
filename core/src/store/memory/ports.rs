//! Reservations of ports.

use serde_json::Value as Json;

use super::MemoryStore;
use super::events::record;
use crate::model::{PortOwner, Reservation, ReservationId};
use crate::store::news::News;
use crate::store::{PortRelease, PortRequest, PortStore, Provenance, Result, StoreError};

impl PortStore for MemoryStore {
    fn reservations(&mut self, host: Option<&str>) -> Result<Vec<Reservation>> {
        let mut found: Vec<Reservation> = self
            .reservations
            .iter()
            .filter(|r| host.is_none_or(|host| r.host == host))
            .map(|r| read(self, r))
            .collect();
        found.sort_by(|a, b| (&a.host, a.slot).cmp(&(&b.host, b.slot)));
        Ok(found)
    }

    fn reserve_port(&mut self, request: &PortRequest) -> Result<Reservation> {
        let by = &request.provenance;
        let again = |store: &Self| existing(store, &request.host, &request.id);
        self.write("reserve_port", by, |store| reserve(store, request), again)
    }

    fn reassign_port(
        &mut self,
        as_read: &Reservation,
        owner: &PortOwner,
        provenance: &Provenance,
    ) -> Result<Reservation> {
        let work = |store: &mut Self| reassign(store, as_read, owner, provenance);
        let again = |store: &Self| existing(store, &as_read.host, &as_read.id);
        self.write("reassign_port", provenance, work, again)
    }

    fn release_port(&mut self, release: &PortRelease) -> Result<Reservation> {
        let by = &release.provenance;
        let again = |store: &Self| released_by(store, release);
        self.write("release_port", by, |store| give_up(store, release), again)
    }
}

fn read(store: &MemoryStore, row: &Reservation) -> Reservation {
    Reservation {
        read_at: store.now,
        ..row.clone()
    }
}

fn existing(store: &MemoryStore, host: &str, id: &ReservationId) -> Result<Reservation> {
    store
        .reservations
        .iter()
        .find(|r| r.host == host && r.id == *id)
        .map(|r| read(store, r))
        .ok_or_else(|| StoreError::Conflict(format!("{id} has no ports on {host}")))
}

fn reserve(store: &mut MemoryStore, request: &PortRequest) -> Result<Reservation> {
    if let Ok(mine) = existing(store, &request.host, &request.id) {
        return Ok(mine);
    }
    let on_host = |r: &&Reservation| r.host == request.host;
    if store
        .reservations
        .iter()
        .filter(on_host)
        .any(|r| r.slot == request.slot)
    {
        return Err(StoreError::Conflict(format!(
            "port {} is another's",
            request.slot.backend()
        )));
    }
    let row = Reservation {
        id: request.id.clone(),
        host: request.host.clone(),
        slot: request.slot,
        owner: request.owner.clone(),
        allocated_at: store.now,
        read_at: store.now,
    };
    let news = News::of_port(&row, "reserved", Json::Null, row.facts());
    record(store, &request.provenance, news);
    store.reservations.push(row.clone());
    Ok(row)
}

fn unchanged(store: &MemoryStore, as_read: &Reservation) -> Result<Reservation> {
    let row = existing(store, &as_read.host, &as_read.id)?;
    if row.is_same(as_read) {
        return Ok(row);
    }
    Err(StoreError::Conflict(format!(
        "the reservation of {} has changed",
        as_read.id
    )))
}

fn reassign(
    store: &mut MemoryStore,
    as_read: &Reservation,
    owner: &PortOwner,
    by: &Provenance,
) -> Result<Reservation> {
    let old = unchanged(store, as_read)?;
    let new = Reservation {
        owner: owner.clone(),
        ..old.clone()
    };
    if new == old {
        return Ok(old);
    }
    record(
        store,
        by,
        News::of_port(&new, "changed", old.facts(), new.facts()),
    );
    for row in &mut store.reservations {
        if row.is_same(&old) {
            row.owner.clone_from(owner);
        }
    }
    Ok(new)
}

fn give_up(store: &mut MemoryStore, release: &PortRelease) -> Result<Reservation> {
    if let Some(as_read) = &release.as_read {
        unchanged(store, as_read)?;
    }
    let gone = existing(store, &release.host, &release.id)?;
    let news = News::of_port(&gone, "released", gone.facts(), Json::Null);
    record(store, &release.provenance, news);
    store.reservations.retain(|row| !row.is_same(&gone));
    Ok(gone)
}

/// Returns what a release carried out before gave up.
fn released_by(store: &MemoryStore, release: &PortRelease) -> Result<Reservation> {
    let op = Some(release.provenance.op_id.as_str());
    let event = store
        .events
        .iter()
        .find(|e| e.op_id.as_deref() == op && e.entity == "port");
    let row = event.and_then(|event| {
        let port = event.before["backend"].as_u64()?;
        let text = |key: &str| event.before[key].as_str();
        let number = |key: &str| event.before[key].as_u64();
        let process = number("pid").and_then(|pid| u32::try_from(pid).ok());
        Some(Reservation {
            id: release.id.clone(),
            host: text("host")?.to_owned(),
            slot: crate::model::Slot::of_backend(u16::try_from(port).ok()?)?,
            owner: PortOwner {
                session: text("session").and_then(|s| s.parse().ok()),
                process: process.map(|pid| crate::model::ProcessId {
                    pid,
                    started: number("pid_started"),
                    place: crate::model::ProcessPlace {
                        machine: text("machine_id").map(str::to_owned),
                        boot: text("boot_id").map(str::to_owned),
                        namespace: text("pid_namespace").map(str::to_owned),
                    },
                }),
            },
            allocated_at: text("allocated_at")?.parse().ok()?,
            read_at: store.now,
        })
    });
    row.ok_or_else(|| StoreError::Conflict(format!("{} was never released", release.id)))
}
