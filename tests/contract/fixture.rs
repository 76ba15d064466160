//! A store with a clock that a test can move.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use trueup_core::deadline::Deadline;
use trueup_core::model::Timestamp;
use trueup_core::store::Store;
use trueup_core::store::memory::MemoryStore;
use trueup_core::store::sqlite::SqliteStore;

/// What the suite needs of a store beyond the port.
pub(crate) trait Fixture {
    fn store(&mut self) -> &mut dyn Store;

    /// Lets time pass.
    fn advance(&mut self, seconds: u64);

    /// Returns what a time read before is recorded as once so many seconds have passed.
    fn recorded(&self, then: Timestamp, seconds: u64) -> Timestamp;
}

pub(crate) fn memory() -> MemoryStore {
    MemoryStore::new()
}

impl Fixture for MemoryStore {
    fn store(&mut self) -> &mut dyn Store {
        self
    }

    fn advance(&mut self, seconds: u64) {
        Self::advance(self, seconds);
    }

    fn recorded(&self, then: Timestamp, _: u64) -> Timestamp {
        then
    }
}

/// A database file in a folder of its own.
pub(crate) struct File {
    pub(crate) folder: TempDir,
    pub(crate) store: SqliteStore,
}

pub(crate) fn patience() -> Deadline {
    Deadline::after(Duration::from_mins(2))
}

pub(crate) fn sqlite() -> File {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_or_create(&folder.path().join("t.db"), patience()).unwrap();
    File { folder, store }
}

impl File {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("t.db")
    }

    /// Opens a connection of its own, as somebody with the `sqlite3` shell.
    pub(crate) fn stranger(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.busy_timeout(Duration::from_mins(2)).unwrap();
        connection
    }

    pub(crate) fn sql(&self, sql: &str) {
        self.stranger().execute_batch(sql).unwrap();
    }
}

impl Fixture for File {
    fn store(&mut self) -> &mut dyn Store {
        &mut self.store
    }

    /// The engine's clock cannot be moved, so everything it dated moves the other way.
    fn advance(&mut self, seconds: u64) {
        let back = |column: &str| {
            format!("{column} = strftime('%Y-%m-%dT%H:%M:%fZ', {column}, '-{seconds} seconds')")
        };
        self.sql(&format!(
            "UPDATE claude_sessions SET {}, {}, {}, {};
             UPDATE plan_tasks SET {}",
            back("registered_at"),
            back("heartbeat_at"),
            back("lease_expires_at"),
            back("silent_until"),
            back("updated_at")
        ));
        self.sql(&format!(
            "UPDATE orchestrators SET {}, {} WHERE status IN ('running', 'stopping')",
            back("started_at"),
            back("heartbeat_at"),
        ));
    }
    fn recorded(&self, then: Timestamp, seconds: u64) -> Timestamp {
        let millis = i64::try_from(seconds * 1000).unwrap();
        Timestamp::from_millis(then.as_millis() - millis)
    }
}
