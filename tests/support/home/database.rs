//! The scratch database by plain SQL, for states that no command creates and facts that should not
//! be asked of a command. The SQL is SQLite's; over PostgreSQL it is translated.

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rusqlite::types::{FromSql, Value as SqlValue, ValueRef};
use rusqlite::{Connection, Params, ToSql};
use serde_json::{Value, json};

use super::postgres_sql::{bind_literals, translate};
use super::{FIRST_SESSION, Home};

/// The columns with times, except those that no test wants to be older.
const DATED_COLUMNS: [(&str, &str); 8] = [
    ("events", "at"),
    ("schema_migrations", "applied_at"),
    ("claude_sessions", "heartbeat_at"),
    ("claude_sessions", "lease_expires_at"),
    ("claude_sessions", "registered_at"),
    ("orchestrators", "heartbeat_at"),
    ("orchestrators", "started_at"),
    ("phase_queue", "updated_at"),
];

/// Returns whether each [`Home`] has a database of its own on a PostgreSQL server, which
/// `TRUEUP_TEST_DATABASE=postgres` asks for.
pub(super) fn is_over_postgres() -> bool {
    std::env::var("TRUEUP_TEST_DATABASE").is_ok_and(|kind| kind == "postgres")
}

/// Returns whether a test is skipped because the suite runs over PostgreSQL and the test is about
/// what only a database in a file has. Each skipped test is printed with its number.
pub fn skip_over_postgres(reason: &str) -> bool {
    static SKIPPED: AtomicU32 = AtomicU32::new(0);
    let is_skipped = is_over_postgres();
    if is_skipped {
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        let test = thread::current().name().unwrap_or_default().to_owned();
        // Straight to the stream: the test runner captures the printing macros.
        let line = format!("\nSKIPPED over PostgreSQL ({count}): {test}: {reason}\n");
        drop(std::io::stderr().write_all(line.as_bytes()));
    }
    is_skipped
}

impl Home {
    /// Opens the file of the database.
    #[track_caller]
    pub fn open_database(&self) -> Connection {
        assert!(self.shared.is_none(), "a database on a server is no file to open");
        let connection = Connection::open(self.trueup_home().join("trueup.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_mins(1)).unwrap();
        connection
    }

    /// Runs one statement.
    #[track_caller]
    pub fn execute_sql(&self, statement: &str, parameters: impl Params) -> usize {
        match &self.shared {
            None => self.open_database().execute(statement, parameters).unwrap(),
            Some(shared) => {
                let statement = bind_literals(&translate(statement), parameters);
                let counted = format!(
                    "SET search_path = trueup; WITH changed AS ({statement} RETURNING 1) \
                     SELECT count(*) FROM changed"
                );
                let run = shared.database.run(&counted);
                run.unwrap_or_else(|error| panic!("{statement}: {error:?}")).parse().unwrap()
            }
        }
    }

    /// Runs a statement that a rule of the database refuses; returns the reason.
    #[track_caller]
    pub fn refused_sql(&self, statement: &str) -> String {
        match &self.shared {
            None => self.open_database().execute(statement, []).unwrap_err().to_string(),
            Some(shared) => {
                let statement = format!("SET search_path = trueup; {statement}");
                shared.database.run(&statement).unwrap_err().message
            }
        }
    }

    /// Queries one value.
    #[track_caller]
    pub fn query_value<T: FromSql>(&self, query: &str, parameters: impl Params) -> T {
        let Some(shared) = &self.shared else {
            return self.open_database().query_row(query, parameters, |row| row.get(0)).unwrap();
        };
        let query = bind_literals(&translate(query), parameters);
        let row = format!(
            "SET search_path = trueup; \
             SELECT jsonb_build_array(value) -> 0 FROM ({query}) AS asked (value) LIMIT 1"
        );
        let text = shared.database.run(&row).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        let value: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{query}: no row"));
        let text = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let found = match &value {
            Value::Null => ValueRef::Null,
            Value::Bool(flag) => ValueRef::Integer((*flag).into()),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => ValueRef::Integer(whole),
                None => ValueRef::Real(number.as_f64().unwrap()),
            },
            _ => ValueRef::Text(text.as_bytes()),
        };
        T::column_result(found).unwrap_or_else(|error| panic!("{query}: {text}: {error}"))
    }

    /// Returns how many seconds it is until a time, by the clock of the database.
    #[track_caller]
    pub fn seconds_until(&self, time: &str) -> f64 {
        let query = match &self.shared {
            None => "SELECT (julianday(?1) - julianday('now')) * 86400",
            Some(_) => "SELECT extract(epoch FROM ?1::timestamptz - clock())",
        };
        self.query_value(query, [time])
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
        let patch = match key.strip_prefix("execution_state.") {
            Some(key) => json!({ "execution_state": { key: value.into() } }),
            None => json!({ key: value.into() }),
        };
        let changed = self.execute_sql(
            "UPDATE claude_sessions SET metadata = json_patch(metadata, ?2) WHERE session_id = ?1",
            [session, &patch.to_string()],
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
        self.send_waiting_writes();
        let changed = self.execute_sql(
            "UPDATE claude_sessions SET
                 heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2),
                 lease_expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 second')
             WHERE session_id = ?1",
            [session, &format!("-{seconds} seconds")],
        );
        assert_eq!(changed, 1, "session {session} is registered");
    }

    /// Sends what hooks wrote while the database is on a server: it arrives by a process of its own, and
    /// would undo what a test sets in the database.
    fn send_waiting_writes(&self) {
        if !is_over_postgres() {
            return;
        }
        let run = |arguments: &[&str]| self.prepare_run("trueup").args(arguments).wait();
        let is_waiting = || {
            let list = run(&["outbox", "list", "--json"]).ok().json();
            !list["data"]["records"].as_array().is_some_and(Vec::is_empty)
        };
        while is_waiting() {
            run(&["outbox", "drain"]);
        }
    }

    /// Shifts every stored time by an SQLite modifier such as `-1 year`, as if the clock had been
    /// set forward since.
    pub fn age_database(&self, modifier: &str) {
        let shift = |(table, column): (&str, &str)| {
            let earlier = self.shifted_time(column, modifier);
            format!("UPDATE {table} SET {column} = {earlier} WHERE {column} IS NOT NULL;")
        };
        self.execute_unchecked(&DATED_COLUMNS.map(shift).concat());
    }

    /// Makes a session's last heartbeat, and what follows from it, older by so many seconds.
    #[track_caller]
    pub fn age_heartbeat(&self, session: &str, seconds: f64) {
        let back = format!("{} seconds", -seconds);
        let shift = |column: &str| format!("{column} = {}", self.shifted_time(column, &back));
        let columns = ["heartbeat_at", "lease_expires_at", "silent_until"].map(shift).join(", ");
        let sql = format!("UPDATE claude_sessions SET {columns} WHERE session_id = ?1");
        assert_eq!(self.execute_sql(&sql, [session]), 1);
    }

    /// Returns the SQL of the time in a column, shifted by a modifier such as `-1 year`.
    fn shifted_time(&self, column: &str, modifier: &str) -> String {
        match &self.shared {
            None => format!("strftime('%Y-%m-%dT%H:%M:%fZ', {column}, '{modifier}')"),
            Some(_) => format!("format_time({column}::timestamptz + interval '{modifier}')"),
        }
    }

    /// Runs statements without the rules that keep events from being changed or removed.
    #[track_caller]
    pub fn execute_unchecked(&self, statements: &str) {
        if let Some(shared) = &self.shared {
            let unchecked = format!(
                "SET search_path = trueup; SET session_replication_role = replica; {statements}"
            );
            shared.database.run(&unchecked).unwrap_or_else(|error| panic!("{error:?}"));
            return;
        }
        let rules = ["events_no_update", "events_no_delete"];
        let texts = rules.map(|name| {
            let query = "SELECT sql FROM sqlite_schema WHERE name = ?1";
            self.query_value::<String>(query, [name])
        });
        let all = format!(
            "BEGIN; DROP TRIGGER {}; DROP TRIGGER {}; {statements}; {}; {}; COMMIT;",
            rules[0], rules[1], texts[0], texts[1]
        );
        self.open_database().execute_batch(&all).unwrap();
    }

    /// Lists every row of every table.
    pub fn list_rows(&self) -> Vec<String> {
        match &self.shared {
            None => list_file_rows(&self.open_database()),
            Some(shared) => {
                let tables = "SELECT relname FROM pg_class WHERE relkind = 'r'
                    AND relnamespace = 'trueup'::regnamespace ORDER BY relname";
                let tables = shared.database.run(tables).unwrap();
                let select = |table: &str| {
                    format!("SELECT '{table} ' || to_jsonb(it)::text FROM trueup.{table} AS it;")
                };
                let rows = shared.database.run(&tables.lines().map(select).collect::<String>());
                rows.unwrap().lines().map(str::to_owned).collect()
            }
        }
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

fn list_file_rows(database: &Connection) -> Vec<String> {
    let mut tables = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    let names: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut all = Vec::new();
    for name in names {
        let mut select = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<SqlValue> = (0..columns).map(|i| row.get(i).unwrap()).collect();
            all.push(format!("{name} {values:?}"));
        }
    }
    all
}
