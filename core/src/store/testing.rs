//! A database in a folder of its own, for unit tests of what works over the store.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::Duration;

use super::sqlite::SqliteStore;
use crate::deadline::Deadline;

/// Columns with the times that tests let pass.
const DATED_COLUMNS: [(&str, &[&str]); 3] = [
    ("claude_sessions", &["registered_at", "heartbeat_at", "lease_expires_at"]),
    ("port_reservations", &["allocated_at"]),
    ("events", &["at"]),
];

/// A store over a new database, which is removed with the value.
pub(crate) struct ScratchStore {
    folder: tempfile::TempDir,
    store: SqliteStore,
}

impl ScratchStore {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let deadline = Deadline::after(Duration::from_mins(2));
        let store = SqliteStore::open_or_create(&folder.path().join("t.db"), deadline)
            .expect("a new database");
        Self { folder, store }
    }

    /// Lets time pass: the engine's clock cannot be moved, so recorded times move back.
    pub(crate) fn advance(&self, seconds: u64) {
        let connection = rusqlite::Connection::open(self.path()).expect("the database");
        let rule: String = connection
            .query_row("SELECT sql FROM sqlite_schema WHERE name = 'events_no_update'", [], |row| {
                row.get(0)
            })
            .expect("the rule that keeps events as they are");
        let updates = DATED_COLUMNS.map(|(table, columns)| {
            let columns: Vec<String> = columns
                .iter()
                .map(|column| {
                    format!(
                        "{column} = strftime('%Y-%m-%dT%H:%M:%fZ', {column}, '-{seconds} seconds')"
                    )
                })
                .collect();
            format!("UPDATE {table} SET {};", columns.join(", "))
        });
        let updates = updates.concat();
        connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE; DROP TRIGGER events_no_update; {updates} {rule}; COMMIT"
            ))
            .expect("times that can be moved");
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("t.db")
    }
}

impl Deref for ScratchStore {
    type Target = SqliteStore;

    fn deref(&self) -> &SqliteStore {
        &self.store
    }
}

impl DerefMut for ScratchStore {
    fn deref_mut(&mut self) -> &mut SqliteStore {
        &mut self.store
    }
}
