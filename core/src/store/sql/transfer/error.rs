//! Why an export or import did not happen.

use std::io;

use crate::store::StoreError;

/// Why an export or import did not happen. Nothing of an import remains.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read.
    #[error("the export cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The export cannot be written.
    #[error("the export cannot be written: {0}")]
    Unwritable(#[source] io::Error),
    /// The file is no export, or not all of one.
    #[error("line {line}: {problem}")]
    Damaged {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The export was made from another schema.
    #[error("the export has schema {found}; this trueup imports schema {needed}")]
    OtherSchema {
        /// The schema of the export.
        found: i64,
        /// The schema of this program.
        needed: i64,
    },
    /// The database has work of its own.
    #[error("the database has work of its own: {0}")]
    Occupied(String),
    /// The database changed while it was read by pages.
    #[error("the database changed while it was exported")]
    Changed,
    /// What was read back is not what was written.
    #[error("{0} differs from the export when it is read back")]
    NotAsExported(&'static str),
}
