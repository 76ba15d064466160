//! The embedded database: stock SQLite in WAL mode.
//!
//! Invariants: every write is one `BEGIN IMMEDIATE` transaction behind a queue, so writers wait
//! instead of failing; waiting is bounded by the deadline; a file that is not trueup's, is
//! damaged or newer is never written.

mod backup;
#[cfg(target_os = "linux")]
mod byte_range;
mod compliance;
mod connection;
mod engine;
mod errors;
mod integrity;
mod kept_files;
mod migrate;
mod open;
#[cfg(target_os = "linux")]
mod open_elsewhere;
#[cfg(test)]
mod query_plans;
mod restore;
mod transfer;
mod watch;
mod write_queue;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::sql::{CommandEngine, Engine, SqlStore};
use super::{ChangeMark, ReadTime, Result, SchemaStatus, StoreError, Violation};
use crate::deadline::Deadline;

use connection::StoreConnection;
pub use engine::SqliteTx;
pub use migrate::APPLICATION_ID;
pub use restore::RestoredDatabase;

/// An open database of SQLite.
pub type SqliteStore = SqlStore<SqliteEngine>;

/// A connection to a database, and until when its writes may wait.
#[derive(Debug)]
pub struct SqliteEngine {
    connection: StoreConnection,
    deadline: Deadline,
}

impl SqliteStore {
    /// Opens an existing database of exactly this schema, or migrates an older one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when there is no file; never creates one.
    pub fn open(path: &Path, deadline: Deadline) -> Result<Self> {
        open::open_existing(path, deadline).map(Self::new)
    }

    /// Opens a database, creating a missing one.
    ///
    /// # Errors
    ///
    /// Those of [`Self::open`] but for the missing file.
    pub fn open_or_create(path: &Path, deadline: Deadline) -> Result<Self> {
        open::open_or_create(path, deadline).map(Self::new)
    }

    /// Declares that the process ends when this is dropped, so that a connection that only read
    /// need not be closed.
    #[must_use]
    pub fn until_exit(mut self) -> Self {
        self.engine.connection.process_ends = true;
        self
    }

    /// Reads which schema a database has, without changing it.
    ///
    /// # Errors
    ///
    /// When the file is missing, unreadable or not trueup's.
    pub fn read_schema_status(path: &Path, deadline: Deadline) -> Result<SchemaStatus> {
        open::read_schema_status(path, deadline)
    }

    /// Copies the database into a new file while other processes go on working.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] when the target exists; [`StoreError::CopyUnwritable`] when
    /// it cannot be written.
    pub fn back_up(&self, target: &Path) -> Result<()> {
        backup::back_up_database(&self.engine.connection, target)
    }

    /// Checks pages, rows and indexes for damage; returns the problems, one per line.
    ///
    /// # Errors
    ///
    /// When the check itself cannot run.
    pub fn check_integrity(&self) -> Result<Vec<String>> {
        integrity::check_integrity(&self.engine.connection)
    }

    /// Rebuilds the indexes from the tables, where that repairs the file.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when it does not; then nothing was changed.
    pub fn rebuild_indexes(&mut self) -> Result<()> {
        self.engine.run_write(integrity::rebuild_indexes)
    }
}

impl CommandEngine for SqliteEngine {
    fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    fn expect_reads(&mut self, _: ReadTime, _: impl FnOnce(&mut Self::Tx<'_>)) {}

    fn change_mark(&mut self) -> Result<ChangeMark> {
        watch::read_change_mark(&self.connection)
    }

    fn wait_for_change(
        &mut self,
        seen: ChangeMark,
        patience: Duration,
    ) -> Result<Option<ChangeMark>> {
        watch::wait_for_change(&self.connection, seen, patience)
    }

    fn load_schema_status(&mut self) -> Result<SchemaStatus> {
        migrate::load_schema_status(&self.connection)
    }

    fn find_violations(&mut self) -> Result<Vec<Violation>> {
        compliance::find_violations(&self.connection)
    }
}

impl SqliteEngine {
    /// Opens a database, creating a missing one, for an engine that wraps this one.
    ///
    /// # Errors
    ///
    /// Those of [`SqliteStore::open`] but for the missing file.
    pub fn open_or_create(path: &Path, deadline: Deadline) -> Result<Self> {
        open::open_or_create(path, deadline)
    }

    /// Runs a write as one transaction, behind the queue; returns once it is on the disk.
    ///
    /// SQLite would wait for the disk inside the transaction, and all other writers with it. Here
    /// the next writer goes on meanwhile: what it adds to the log comes after this write and is on
    /// the disk no sooner. Only the caller waits, so nobody is told of a write that can still be
    /// lost.
    fn run_write<T, E: From<StoreError>>(
        &mut self,
        operation: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        if !self.connection.has_written {
            let setting = self.connection.pragma_update(None, "synchronous", "NORMAL");
            setting.map_err(StoreError::from)?;
        }
        let outcome = self.commit_write(operation)?;
        self.connection.sync_wal().map_err(|error| {
            let database = self.connection.database().as_path().display();
            StoreError::unavailable(format!("{database}: {error}"))
        })?;
        Ok(outcome)
    }

    fn commit_write<T, E: From<StoreError>>(
        &mut self,
        operation: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let _ticket = write_queue::wait_for_turn(self.connection.database(), self.deadline);
        self.connection.has_written = true;
        // The time spent in the queue is gone from the deadline.
        self.connection.busy_timeout(self.deadline.remaining()).map_err(StoreError::from)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let outcome = operation(&transaction)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(outcome)
    }
}

impl Engine for SqliteEngine {
    type Tx<'t> = SqliteTx<'t>;

    fn read<T>(&self, operation: impl Fn(&mut SqliteTx<'_>) -> Result<T>) -> Result<T> {
        operation(&mut SqliteTx::new(&self.connection))
    }

    fn snapshot<T>(&mut self, operation: impl Fn(&mut SqliteTx<'_>) -> Result<T>) -> Result<T> {
        let transaction = self.connection.transaction()?;
        operation(&mut SqliteTx::new(&transaction))
    }

    fn write<T>(&mut self, operation: impl Fn(&mut SqliteTx<'_>) -> Result<T>) -> Result<T> {
        self.run_write(|transaction| operation(&mut SqliteTx::new(transaction)))
    }

    fn write_until<T>(
        &mut self,
        deadline: Deadline,
        operation: impl Fn(&mut SqliteTx<'_>) -> Result<T>,
    ) -> Result<T> {
        let own_deadline = std::mem::replace(&mut self.deadline, deadline);
        let outcome = self.write(operation);
        self.deadline = own_deadline;
        outcome
    }
}

/// Switches the journal mode of a database; the mode is kept in its file.
fn set_journal_mode(connection: &Connection, mode: &str) -> Result<()> {
    let pragma = format!("PRAGMA journal_mode = {mode}");
    connection.query_row(&pragma, [], |_| Ok(()))?;
    Ok(())
}
