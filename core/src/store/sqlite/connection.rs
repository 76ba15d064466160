//! An open connection, and when it need not be closed.
//!
//! Closing a connection frees the schema piece by piece and, for the last connection of a
//! database, removes the log and its index, which the next process creates again: a fifth of the
//! cost of a hook that only reads. A process that ends anyway leaves all that to the kernel, but
//! only where nothing is lost by it: where the log is empty, or where another process has the
//! database open and will decide the same question. When two processes leave at once, each may see
//! the other; then the log stays, and the next process moves it into the file.

use std::fs;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use rusqlite::Connection;

use crate::fs::{ResolvedPath, open_for_reading};

#[cfg(target_os = "linux")]
use super::open_elsewhere;

/// On other systems open files of other processes are not known.
#[cfg(not(target_os = "linux"))]
mod open_elsewhere {
    pub(super) fn is_open_elsewhere(_database: &std::path::Path) -> bool {
        false
    }
}

/// A connection to the database of a store.
#[derive(Debug)]
pub(super) struct StoreConnection {
    /// Present until dropped.
    connection: Option<Connection>,
    database: ResolvedPath,
    /// Whether the process ends with the connection.
    pub(super) process_ends: bool,
    /// Whether anything was written through it.
    pub(super) has_written: bool,
}

impl StoreConnection {
    pub(super) fn new(connection: Connection, database: ResolvedPath) -> Self {
        Self { connection: Some(connection), database, process_ends: false, has_written: false }
    }

    /// The open file, by the name after which SQLite names its log.
    pub(super) const fn database(&self) -> &ResolvedPath {
        &self.database
    }

    /// The path of the database's log, while there is one.
    pub(super) fn wal_path(&self) -> PathBuf {
        self.database.with_suffix("-wal")
    }

    /// Waits until what was committed is on the disk.
    ///
    /// # Errors
    ///
    /// When the disk reports a failure.
    pub(super) fn sync_wal(&self) -> io::Result<()> {
        match open_for_reading(&self.wal_path(), false).and_then(|(log, _)| log.sync_data()) {
            // Without a log everything is in the file, which SQLite has synced.
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
