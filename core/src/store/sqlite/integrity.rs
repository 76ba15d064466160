//! Whether a file is whole: its pages, its rows and its indexes.

use rusqlite::{Connection, Transaction};

use super::errors::from_sqlite;
use crate::store::{Result, StoreError};

/// Checks everything, also that indexes hold what the tables do, which `quick_check` leaves out;
/// returns what is wrong, line by line.
///
/// # Errors
///
/// When the check itself cannot run.
pub(super) fn check_integrity(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection
        .prepare("PRAGMA integrity_check")
        .map_err(from_sqlite)?;
    let lines: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Makes the indexes anew from the tables. Where that does not make the file whole, nothing is
/// changed.
///
/// # Errors
///
/// [`StoreError::Corrupt`] with what is wrong even then.
pub(super) fn rebuild_indexes(tx: &Transaction<'_>) -> Result<()> {
    tx.execute_batch("REINDEX").map_err(from_sqlite)?;
    match check_integrity(tx)? {
        wrong if wrong.is_empty() => Ok(()),
        wrong => Err(StoreError::Corrupt(wrong.join("; "))),
    }
}
