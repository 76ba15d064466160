//! Reservations of TCP ports.

use super::super::engine::Engine;
use super::super::{SqlStore, port_reservations};
use crate::model::{PortOwner, PortReservation};
use crate::store::{PortStore, Provenance, ReleasePortRequest, ReservePortRequest, Result};

impl<E: Engine> PortStore for SqlStore<E> {
    fn list_reservations(&mut self, host: Option<&str>) -> Result<Vec<PortReservation>> {
        self.engine.read(|tx| port_reservations::list_reservations(tx, host))
    }

    fn reserve_port(&mut self, request: &ReservePortRequest) -> Result<PortReservation> {
        self.engine.write(|tx| port_reservations::reserve_port(tx, request))
    }

    fn reassign_port(
        &mut self,
        as_read: &PortReservation,
        owner: &PortOwner,
        provenance: &Provenance,
    ) -> Result<PortReservation> {
        self.engine.write(|tx| port_reservations::reassign_port(tx, as_read, owner, provenance))
    }

    fn release_port(&mut self, request: &ReleasePortRequest) -> Result<PortReservation> {
        self.engine.write(|tx| port_reservations::release_port(tx, request))
    }
}
