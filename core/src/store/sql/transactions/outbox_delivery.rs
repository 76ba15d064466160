//! Delivery of the writes that waited in an outbox.

use super::super::engine::Engine;
use super::super::{SqlStore, outbox_delivery};
use crate::deadline::Deadline;
use crate::outbox::PendingWrite;
use crate::store::{DeliveryOutcome, DeliverySource, OutboxDeliveryStore, Result};

impl<E: Engine> OutboxDeliveryStore for SqlStore<E> {
    fn deliver_pending(
        &mut self,
        pending: &[&PendingWrite],
        source: &DeliverySource,
        deadline: Deadline,
    ) -> Result<Vec<DeliveryOutcome>> {
        let mut outcomes = Vec::with_capacity(pending.len());
        let mut rest = pending;
        while !rest.is_empty() {
            if !outcomes.is_empty() && deadline.has_passed() {
                break;
            }
            let count = match E::WRITES_PER_DELIVERY {
                usize::MAX => rest.len(),
                most => outbox_delivery::count_together(rest, most),
            };
            let (part, later) = rest.split_at(count);
            let delivered = self.engine.write_until(deadline, |tx| {
                outbox_delivery::deliver_pending(tx, part, source, deadline)
            });
            match delivered {
                Ok(delivered) => {
                    let is_whole = delivered.len() == part.len();
                    outcomes.extend(delivered);
                    if !is_whole {
                        break;
                    }
                }
                Err(error) if outcomes.is_empty() => return Err(error),
                // What was delivered so far is; the next call meets the error again, if it stays.
                Err(_) => break,
            }
            rest = later;
        }
        Ok(outcomes)
    }
}
