//! A store with a clock that a test can move.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use trueup_core::deadline::Deadline;
use trueup_core::model::Timestamp;
use trueup_core::store::Store;
use trueup_core::store::sqlite::SqliteStore;

use crate::strict::StrictStore;

/// What the suite needs beyond the store's operations.
pub(crate) trait StoreFixture {
    fn store(&mut self) -> &mut dyn Store;

    /// Advances the store's clock.
    fn advance_time(&mut self, seconds: u64);

    /// Makes all events so far older.
    fn age_events(&mut self, seconds: u64);

    /// Returns how a time that was read before is stored after the clock advanced by `seconds`.
    fn shifted_time(&self, then: Timestamp, seconds: u64) -> Timestamp;
}

/// A database file in its own directory.
pub(crate) struct DatabaseFile {
    pub(crate) dir: TempDir,
    pub(crate) store: StrictStore<SqliteStore>,
}

pub(crate) fn test_deadline() -> Deadline {
    Deadline::after(Duration::from_mins(2))
}

pub(crate) fn new_sqlite() -> DatabaseFile {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_or_create(&dir.path().join("t.db"), test_deadline()).unwrap();
    let store = StrictStore::new(store);
    DatabaseFile { dir, store }
}

impl DatabaseFile {
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("t.db")
    }

    /// Opens another connection, as the `sqlite3` shell does.
    pub(crate) fn open_foreign_connection(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.busy_timeout(Duration::from_mins(2)).unwrap();
        connection
    }

    pub(crate) fn execute_sql(&self, sql: &str) {
        self.open_foreign_connection().execute_batch(sql).unwrap();
    }

    /// Advances the clock of the database, which means to shift all stored times back.
    pub(crate) fn advance(&self, seconds: u64) {
        self.execute_unchecked(&shift_all_times(|column| shift_column(column, seconds)));
    }

    /// Runs a statement with the trigger disabled that keeps events from being changed.
    fn execute_unchecked(&self, sql: &str) {
        let rule: String = self
            .open_foreign_connection()
            .query_row("SELECT sql FROM sqlite_schema WHERE name = 'events_no_update'", [], |row| {
                row.get(0)
            })
            .unwrap();
        self.execute_sql(&format!(
            "BEGIN IMMEDIATE; DROP TRIGGER events_no_update; {sql} {rule}; COMMIT"
        ));
    }
}

impl StoreFixture for DatabaseFile {
    fn store(&mut self) -> &mut dyn Store {
        &mut self.store
    }

    fn advance_time(&mut self, seconds: u64) {
        self.advance(seconds);
    }

    fn age_events(&mut self, seconds: u64) {
        self.execute_unchecked(&format!("UPDATE events SET at = {};", shift_column("at", seconds)));
    }

    fn shifted_time(&self, then: Timestamp, seconds: u64) -> Timestamp {
        shift_back(then, seconds)
    }
}

/// Returns the SQL that sets all stored times to what `shift` makes of their column.
pub(crate) fn shift_all_times(shift: impl Fn(&str) -> String) -> String {
    let dated: [(&str, &[&str], &str); 5] = [
        (
            "claude_sessions",
            &["registered_at", "heartbeat_at", "lease_expires_at", "silent_until"],
            "",
        ),
        ("plan_tasks", &["updated_at"], ""),
        (
            "phase_queue",
            &["created_at", "updated_at", "completed_at", "ready_timestamp", "started_timestamp"],
            "",
        ),
        (
            "orchestrators",
            &["started_at", "heartbeat_at"],
            "WHERE status IN ('running', 'stopping')",
        ),
        ("events", &["at"], ""),
    ];
    let back = |column: &&str| format!("{column} = {}", shift(column));
    let moved = dated.map(|(table, columns, those)| {
        let columns: Vec<String> = columns.iter().map(back).collect();
        format!("UPDATE {table} SET {} {those};", columns.join(", "))
    });
    moved.concat()
}

/// Returns the SQL of an earlier time than that of a column, for SQLite.
fn shift_column(column: &str, seconds: u64) -> String {
    format!("strftime('%Y-%m-%dT%H:%M:%fZ', {column}, '-{seconds} seconds')")
}

/// Returns a time that was read before its database was shifted back.
pub(crate) fn shift_back(then: Timestamp, seconds: u64) -> Timestamp {
    let millis = i64::try_from(seconds * 1000).unwrap();
    Timestamp::from_millis(then.as_millis() - millis)
}
