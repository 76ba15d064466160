//! Reservations of ports.

use super::Provenance;
use crate::model::{Host, PortOwner, PortReservation, PortSlot, ReservationId};
use crate::store::Result;

/// A reservation to make.
#[derive(Debug, Clone)]
pub struct ReservePortRequest {
    /// For whom.
    pub id: ReservationId,
    /// On which machine.
    pub host: Host,
    /// Which ports.
    pub slot: PortSlot,
    /// Who asks.
    pub owner: PortOwner,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// A reservation to give up.
#[derive(Debug, Clone)]
pub struct ReleasePortRequest {
    /// Whose.
    pub id: ReservationId,
    /// On which machine.
    pub host: Host,
    /// Only while it is still as it was read: a sweep clears nothing that was renewed since.
    pub as_read: Option<PortReservation>,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// The pool of ports.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once at `Store`, and where one is special"
)]
pub trait PortStore {
    /// Lists reservations, by host and port; of one host, when it is named.
    fn list_reservations(&mut self, host: Option<&str>) -> Result<Vec<PortReservation>>;

    /// Reserves a slot. An id that has one already keeps it, whatever slot was asked for.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when the slot is another
    /// id's, or a repeated request's reservation was released since.
    fn reserve_port(&mut self, request: &ReservePortRequest) -> Result<PortReservation>;

    /// Makes somebody else the owner of a reservation that is still as it was read.
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

    /// Gives a reservation up; returns what it was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when there is none, or it
    /// is not as it was read.
    fn release_port(&mut self, release: &ReleasePortRequest) -> Result<PortReservation>;
}
