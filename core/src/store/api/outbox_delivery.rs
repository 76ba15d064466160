//! Delivery of writes that waited in the outbox.

use super::HookStore;
use crate::deadline::Deadline;
use crate::outbox::PendingWrite;
use crate::reconcile::RejectedEdit;
use crate::store::Result;
use serde::{Deserialize, Serialize};

/// Where queued writes come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeliverySource {
    /// The id of the outbox. What another one delivered was not known to those who wrote to this
    /// one.
    pub outbox: Option<String>,
    /// The machine on which a session runs that the database does not know yet.
    pub host: Option<String>,
    /// The length of the lease that such a session gets, in seconds.
    pub lease_seconds: u64,
}

/// The outcome of a write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryOutcome {
    /// The write is in the database, or there was nothing to write.
    Written,
    /// The session was changed by others since the write was made; the edit that was rejected.
    Superseded(RejectedEdit),
    /// The rules of the database forbid the write, now and later; names the rule.
    Refused(String),
}

/// The delivery of writes that waited in the outbox.
pub trait OutboxDeliveryStore {
    /// Writes what waited, in order, in one transaction or in several; returns an outcome for as
    /// many writes as there was time for until the deadline, at least for the first.
    ///
    /// A write is superseded where the session's state was changed by anything but writes that
    /// waited, after the revision that the write was made on. Revisions decide, never clocks. A
    /// write that was carried out before is not carried out again.
    ///
    /// # Errors
    ///
    /// When the database cannot take the first write now; then none of them is written.
    fn deliver_pending(
        &mut self,
        pending: &[&PendingWrite],
        source: &DeliverySource,
        deadline: Deadline,
    ) -> Result<Vec<DeliveryOutcome>>;
}

/// A database that the writes of an outbox are sent to. It names the operations that sending needs:
/// a program that sends and does little else links no others.
pub trait DeliveryTarget: HookStore + OutboxDeliveryStore {}

impl<S: HookStore + OutboxDeliveryStore + ?Sized> DeliveryTarget for S {}
