//! The scratch database by plain SQL, for states that no command creates and facts that should not
//! be asked of a command.

use rusqlite::{Connection, Params, ToSql, types::FromSql};
use serde_json::Value;

use super::{FIRST_SESSION, Home};

impl Home {
    /// Opens the database.
    pub fn open_database(&self) -> Connection {
        let connection = Connection::open(self.trueup_home().join("trueup.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_mins(1)).unwrap();
        connection
    }

    /// Runs one statement.
    #[track_caller]
    pub fn execute_sql(&self, statement: &str, parameters: impl Params) -> usize {
        self.open_database().execute(statement, parameters).unwrap()
    }

    /// Queries one value.
    #[track_caller]
    pub fn query_value<T: FromSql>(&self, query: &str, parameters: impl Params) -> T {
        self.open_database().query_row(query, parameters, |row| row.get(0)).unwrap()
    }

    /// Returns a column of a session.
    #[track_caller]
    pub fn session_column<T: FromSql>(&self, column: &str, session: &str) -> T {
        let query = format!("SELECT {column} FROM claude_sessions WHERE session_id = ?1");
        self.query_value(&query, [session])
    }

    /// Returns the `execution_state` of [`FIRST_SESSION`].
    #[track_caller]
    pub fn execution_state(&self) -> Value {
        let text: String =
            self.session_column("json_extract(metadata, '$.execution_state')", FIRST_SESSION);
        serde_json::from_str(&text).unwrap()
    }

    /// Sets a key of a session's metadata, such as `execution_state.currentPhase`, as a foreign
    /// change.
    #[track_caller]
    pub fn set_state(&self, session: &str, key: &str, value: impl Into<Value>) {
        let value = value.into().to_string();
        let changed = self.execute_sql(
            "UPDATE claude_sessions SET metadata = json_patch(metadata, (
                 SELECT CASE WHEN ?2 LIKE 'execution_state.%'
                     THEN json_object('execution_state', json_object(substr(?2, 17), json(?3)))
                     ELSE json_object(?2, json(?3)) END))
             WHERE session_id = ?1",
            [session, key, &value],
        );
        assert_eq!(changed, 1, "session {session} is registered");
    }

    /// Adds an item.
    pub fn add_item(&self, key: &str) {
        self.execute_sql("INSERT OR IGNORE INTO work_items (key) VALUES (?1)", [key]);
    }

    /// Gives an item to a session, as a claim does.
    #[track_caller]
    pub fn claim(&self, session: &str, key: &str) {
        self.add_item(key);
        self.give_item(session, key);
        self.set_state(session, "execution_state.currentSd", key);
        self.set_state(session, "execution_state.isActive", true);
    }

    /// Makes a session the holder of an item without changing the session's state.
    #[track_caller]
    pub fn give_item(&self, session: &str, key: &str) {
        let parameters: &[&dyn ToSql] = &[&session];
        self.execute_sql("UPDATE work_items SET holder = NULL WHERE holder = ?1", parameters);
        let taken = self.execute_sql(
            "UPDATE work_items SET holder = ?1, status = 'running' WHERE key = ?2",
            [session, key],
        );
        assert_eq!(taken, 1, "item {key} exists");
    }

    /// Makes a session's lease expired and its last heartbeat `seconds` old.
    pub fn expire_lease(&self, session: &str, seconds: u32) {
        let changed = self.execute_sql(
            "UPDATE claude_sessions SET
                 heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2),
                 lease_expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 second')
             WHERE session_id = ?1",
            [session, &format!("-{seconds} seconds")],
        );
        assert_eq!(changed, 1, "session {session} is registered");
    }

    /// Shifts every stored time by an SQLite modifier such as `-1 year`, as if the clock had been
    /// set forward since.
    pub fn age_database(&self, modifier: &str) {
        let shift = |table: &str, column: &str| {
            format!(
                "UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%fZ', {column}, '{modifier}')
                 WHERE {column} IS NOT NULL;"
            )
        };
        let guard: String =
            self.query_value("SELECT sql FROM sqlite_schema WHERE name = 'events_no_update'", []);
        let dated = [
            ("events", "at"),
            ("schema_migrations", "applied_at"),
            ("claude_sessions", "heartbeat_at"),
            ("claude_sessions", "lease_expires_at"),
            ("claude_sessions", "registered_at"),
            ("orchestrators", "heartbeat_at"),
            ("orchestrators", "started_at"),
            ("phase_queue", "updated_at"),
        ];
        let shifts: String = dated.map(|(table, column)| shift(table, column)).concat();
        let all = format!("BEGIN; DROP TRIGGER events_no_update; {shifts} {guard}; COMMIT;");
        self.open_database().execute_batch(&all).unwrap();
    }

    /// Counts the events of a kind that concern a session or item.
    pub fn count_events(&self, kind: &str, key: &str) -> i64 {
        self.query_value("SELECT count(*) FROM events WHERE kind = ?1 AND key = ?2", [kind, key])
    }

    /// Starts [`FIRST_SESSION`], lets it hold `SD-002C` in phase PLAN, and brings its cache in
    /// step.
    pub fn with_held_item(self) -> Self {
        self.start_session().ok();
        self.claim(FIRST_SESSION, "SD-002C");
        self.set_state(FIRST_SESSION, "execution_state.currentPhase", "PLAN");
        self.send_prompt().ok();
        self
    }
}
