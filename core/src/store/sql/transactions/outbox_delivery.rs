//! Delivery of the writes that waited in an outbox.

use super::super::engine::Engine;
use super::super::{SqlStore, outbox_delivery};
use crate::deadline::Deadline;
use crate::outbox::PendingWrite;
use crate::store::{DeliveryOutcome, OutboxDeliveryStore, RegistrationDefaults, Result};

impl<E: Engine> OutboxDeliveryStore for SqlStore<E> {
    fn deliver_pending(
        &mut self,
        pending: &[&PendingWrite],
        registration_defaults: &RegistrationDefaults,
        deadline: Deadline,
    ) -> Result<Vec<DeliveryOutcome>> {
        self.engine.write_until(deadline, |tx| {
            outbox_delivery::deliver_pending(tx, pending, registration_defaults, deadline)
        })
    }
}
