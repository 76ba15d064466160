//! Readings of the database's clock.

use crate::model::Timestamp;
use crate::store::Result;

/// The operations on the database's clock.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`")]
pub trait ClockStore {
    /// Returns the database's clock.
    fn database_time(&mut self) -> Result<Timestamp>;

    /// Returns the latest recorded reading of the database's clock that differs from the present
    /// one by more than so many seconds, to either side; nothing where the database itself is not
    /// that old by its own record.
    fn find_differing_clock_reading(&mut self, apart_seconds: u64) -> Result<Option<Timestamp>>;
}
