//! Waiting for what others write.
//!
//! The engine tells other processes nothing, but it counts: `PRAGMA data_version` differs after
//! another connection committed, and is read from shared memory, without a query. So who waits
//! asks only that, at short intervals.

use std::thread;
use std::time::Duration;

use super::SqliteStore;
use super::errors::from_sqlite;
use crate::deadline::Deadline;
use crate::store::Result;

/// Pause between two looks: a reader sees a change well within a quarter of a second, and
/// costs a few thousandths of a percent of a processor meanwhile.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A state of the database as one connection saw it. Of two only equality says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataVersion(i64);

impl SqliteStore {
    /// Notes the state of the database: to be taken *before* reading what is followed, so that
    /// nothing written in between is missed.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked.
    pub fn data_version(&self) -> Result<DataVersion> {
        let mut statement = self
            .connection
            .prepare_cached("PRAGMA data_version")
            .map_err(from_sqlite)?;
        statement
            .query_row([], |row| row.get(0).map(DataVersion))
            .map_err(from_sqlite)
    }

    /// Waits until another connection has written since, at most `patience`; returns the new
    /// state, or nothing when there is none.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked.
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
