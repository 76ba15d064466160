//! Writes that waited outside the database.

use crate::deadline::Deadline;
use crate::outbox::PendingWrite;
use crate::reconcile::RejectedEdit;
use crate::store::Result;

/// What is known of a session that the database has not heard of.
#[derive(Debug, Clone)]
pub struct RegistrationDefaults {
    /// The machine.
    pub host: Option<String>,
    /// How long silence means nothing.
    pub lease_seconds: u64,
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryOutcome {
    /// It is in the database, or there was nothing to write.
    Written,
    /// Somebody else was there first; what it would have changed.
    Superseded(RejectedEdit),
    /// The database's rules forbid it, now and later; why.
    Refused(String),
}

/// The operation on them.
pub trait OutboxDeliveryStore {
    /// Writes what waited, in order and as one; answers for as many as there was time for until
    /// `until`, at least for the first.
    ///
    /// A write is lost where the session's state was changed otherwise than by writes that
    /// waited, after the revision that the write was made on: by revision and origin, never by a
    /// clock. One that was carried out before is not carried out again.
    ///
    /// # Errors
    ///
    /// When the database cannot take writes now; then none of them was written.
    fn deliver_pending(
        &mut self,
        pending: &[&PendingWrite],
        registration_defaults: &RegistrationDefaults,
        deadline: Deadline,
    ) -> Result<Vec<DeliveryOutcome>>;
}
