//! Integrity of a file: its pages, its rows and its indexes.

use rusqlite::{Connection, Transaction};

use crate::store::{Result, StoreError};

/// Checks everything, also that indexes agree with their tables, which `quick_check` leaves out;
/// returns the problems, one per line.
///
/// # Errors
///
/// When the check itself cannot run.
pub(super) fn check_integrity(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines: Vec<String> =
        statement.query_map([], |row| row.get(0)).and_then(Iterator::collect)?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Rebuilds the indexes from the tables. Where that does not repair the file, nothing is changed.
///
/// # Errors
///
/// [`StoreError::Corrupt`] with the problems that are left.
pub(super) fn rebuild_indexes(tx: &Transaction<'_>) -> Result<()> {
    tx.execute_batch("REINDEX")?;
    match check_integrity(tx)? {
        wrong if wrong.is_empty() => Ok(()),
        wrong => Err(StoreError::corrupt(wrong.join("; "))),
    }
}
