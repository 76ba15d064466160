//! Waiting for changes by other processes.
//!
//! SQLite does not notify other processes, but `PRAGMA data_version` differs after another
//! connection committed, and is read from shared memory, without a query. A waiting process reads
//! only that, at short intervals.

use std::thread;
use std::time::Duration;

use super::SqliteStore;
use crate::deadline::Deadline;
use crate::store::Result;

/// The pause between two reads: a reader sees a change well within a quarter of a second, and
/// uses a few thousandths of a percent of a processor meanwhile.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A state of the database as one connection saw it. Two versions are equal or not; nothing else
/// about them has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataVersion(i64);

impl SqliteStore {
    /// Returns the state of the database. To follow changes, take it *before* reading, so that no
    /// write in between is missed.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn data_version(&self) -> Result<DataVersion> {
        let connection = &self.engine.connection;
        let mut statement = connection.prepare_cached("PRAGMA data_version")?;
        Ok(statement.query_row([], |row| row.get(0).map(DataVersion))?)
    }

    /// Waits until another connection has written since that state, for at most `patience`;
    /// returns the new state, or nothing when there is none.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn wait_for_change(
        &self,
        seen_version: DataVersion,
        patience: Duration,
    ) -> Result<Option<DataVersion>> {
        let deadline = Deadline::after(patience);
        loop {
            let current = self.data_version()?;
            if current != seen_version {
                return Ok(Some(current));
            }
            let left = deadline.remaining();
            if left.is_zero() {
                return Ok(None);
            }
            thread::sleep(POLL_INTERVAL.min(left));
        }
    }
}
