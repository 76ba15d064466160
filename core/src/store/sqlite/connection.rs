//! An open connection, and how it is parted with.
//!
//! Closing a connection frees the schema piece by piece and, for the last one of a database,
//! removes the log and its index, which the next process makes again: a fifth of what a hook
//! that only looks costs. A process that ends anyway leaves all that to the kernel, but only
//! where nothing is lost by it: where the log is empty, or another process has the database open
//! and will come to the same question. Of two that leave at once each may see the other; then
//! the log stays, and the next process moves it into the file.

use std::fs;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use rusqlite::Connection;

use crate::fs::{ResolvedPath, open_for_reading};

#[cfg(target_os = "linux")]
use super::open_elsewhere;

/// Elsewhere nobody can be asked.
#[cfg(not(target_os = "linux"))]
mod open_elsewhere {
    pub(super) fn is_open_elsewhere(_database: &std::path::Path) -> bool {
        false
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct StoreConnection {
    /// Present until dropped.
    connection: Option<Connection>,
    database: ResolvedPath,
    /// Whether the process ends with it.
    pub(super) process_ends: bool,
    /// Whether anything was written through it.
    pub(super) has_written: bool,
}

impl StoreConnection {
    pub(super) fn new(connection: Connection, database: ResolvedPath) -> Self {
        Self {
            connection: Some(connection),
            database,
            process_ends: false,
            has_written: false,
        }
    }

    /// The file that is open, by the name that the engine names its log after.
    pub(super) const fn database(&self) -> &ResolvedPath {
        &self.database
    }

    /// Where the log of the database is, while there is one.
    pub(super) fn wal_path(&self) -> PathBuf {
        self.database.with_suffix("-wal")
    }

    /// Waits until what was committed is on the disk.
    ///
    /// # Errors
    ///
    /// When the disk says no.
    pub(super) fn sync_wal(&self) -> io::Result<()> {
        match open_for_reading(&self.wal_path(), false).and_then(|(log, _)| log.sync_data()) {
            // Nothing is in a log, so everything is in the file, which was settled before.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn may_skip_close(&self) -> bool {
        let is_wal_empty = || fs::metadata(self.wal_path()).map_or(true, |log| log.len() == 0);
        self.process_ends
            && (!self.has_written && is_wal_empty()
                || open_elsewhere::is_open_elsewhere(self.database.as_path()))
    }
}

impl Drop for StoreConnection {
    fn drop(&mut self) {
        if self.may_skip_close() {
            std::mem::forget(self.connection.take());
        }
    }
}

impl Deref for StoreConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        let Some(connection) = &self.connection else {
            unreachable!("it is taken when dropped");
        };
        connection
    }
}

impl DerefMut for StoreConnection {
    fn deref_mut(&mut self) -> &mut Connection {
        let Some(connection) = &mut self.connection else {
            unreachable!("it is taken when dropped");
        };
        connection
    }
}
