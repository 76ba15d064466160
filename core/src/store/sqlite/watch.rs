//! Waiting for changes by other processes.
//!
//! SQLite does not notify other processes, but `PRAGMA data_version` differs after another
//! connection committed, and is read from shared memory, without a query. A waiting process reads
//! only that, at short intervals.

use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use crate::deadline::Deadline;
use crate::store::{ChangeMark, Result};

/// The pause between two reads: a reader sees a change well within a quarter of a second, and
/// uses a few thousandths of a percent of a processor meanwhile.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

pub(super) fn read_change_mark(connection: &Connection) -> Result<ChangeMark> {
    let mut statement = connection.prepare_cached("PRAGMA data_version")?;
    Ok(statement.query_row([], |row| row.get(0).map(ChangeMark::new))?)
}

pub(super) fn wait_for_change(
    connection: &Connection,
    seen: ChangeMark,
    patience: Duration,
) -> Result<Option<ChangeMark>> {
    let deadline = Deadline::after(patience);
    loop {
        let current = read_change_mark(connection)?;
        if current != seen {
            return Ok(Some(current));
        }
        let left = deadline.remaining();
        if left.is_zero() {
            return Ok(None);
        }
        thread::sleep(POLL_INTERVAL.min(left));
    }
}
