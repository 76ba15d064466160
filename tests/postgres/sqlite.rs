//! A database of SQLite to compare with.

use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use trueup_core::deadline::Deadline;
use trueup_core::store::sqlite::SqliteStore;

/// Creates a database and opens it as the `sqlite3` shell does.
pub(crate) fn new_sqlite() -> (TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    drop(SqliteStore::open_or_create(&path, Deadline::after(Duration::from_mins(1))).unwrap());
    let connection = Connection::open(path).unwrap();
    (folder, connection)
}
