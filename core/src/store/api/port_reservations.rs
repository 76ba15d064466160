//! Reservations of TCP ports.

use super::Provenance;
use crate::model::{Host, PortOwner, PortReservation, PortSlot, ReservationId};
use crate::store::Result;
use serde::{Deserialize, Serialize};

/// A request to reserve ports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReservePortRequest {
    /// The workflow that they are for.
    pub id: ReservationId,
    /// The machine.
    pub host: Host,
    /// The ports.
    pub slot: PortSlot,
    /// The session or process that owns them.
    pub owner: PortOwner,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// A request to release ports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleasePortRequest {
    /// The workflow that they are reserved for.
    pub id: ReservationId,
    /// The machine.
    pub host: Host,
    /// The reservation as it was read, where the release depends on it: a sweep must not release
    /// ports that were reserved again since then.
    pub as_read: Option<PortReservation>,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// The operations on reservations of ports.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`, and where one is special")]
pub trait PortStore {
    /// Lists the reservations of all hosts or of one, by host and port.
    fn list_reservations(&mut self, host: Option<&str>) -> Result<Vec<PortReservation>>;

    /// Reserves a slot. A workflow that has one keeps it, even if another one was asked for.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when the slot belongs to
    /// another workflow, or the reservation of a repeated request was released since then.
    fn reserve_port(&mut self, request: &ReservePortRequest) -> Result<PortReservation>;

    /// Gives a reservation that is still as it was read another owner.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when it is not.
    fn reassign_port(
        &mut self,
        as_read: &PortReservation,
        owner: &PortOwner,
        provenance: &Provenance,
    ) -> Result<PortReservation>;

    /// Releases a reservation; returns what it was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when there is none, or it
    /// has changed since it was read.
    fn release_port(&mut self, release: &ReleasePortRequest) -> Result<PortReservation>;
}
