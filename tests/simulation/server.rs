//! The server: the store of an embedded database, and what the model reads of it past the network.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;
use trueup_core::deadline::Deadline;
use trueup_core::model::Timestamp;
use trueup_core::store::sqlite::{SqliteEngine, SqliteStore};

/// Nothing at the server waits in a simulation, so this never passes.
const NEVER: Duration = Duration::from_hours(24);

/// The database on the server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) engine: RefCell<SqliteEngine>,
    reader: Connection,
    path: PathBuf,
}

/// A session as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredSession {
    pub(crate) revision: u64,
    /// The revision of the last change that was no waiting write.
    pub(crate) moved_revision: u64,
    pub(crate) acknowledged: u64,
    pub(crate) status: String,
    pub(crate) task: Option<String>,
    pub(crate) item: Option<(String, u64)>,
}

/// A change of a session's task.
#[derive(Debug)]
pub(crate) struct TaskChange {
    before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) at: Timestamp,
    /// Whether somebody set it by a command.
    pub(crate) is_foreign: bool,
}

impl Server {
    /// Makes an empty database at a path.
    pub(crate) fn create(path: &Path) -> Self {
        let opened = SqliteEngine::open_or_create(path, Deadline::after(NEVER));
        let engine = opened.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        Self { engine: RefCell::new(engine), reader, path: path.to_owned() }
    }

    /// Makes a database that others are copied from: to create one takes longer than a run needs.
    pub(crate) fn create_template(path: &Path) {
        drop(SqliteStore::open_or_create(path, Deadline::after(NEVER)).unwrap());
    }

    /// Copies a template.
    pub(crate) fn create_from(template: &Path, path: &Path) -> Self {
        fs::copy(template, path).unwrap();
        Self::create(path)
    }

    /// Returns where the database is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a session.
    pub(crate) fn load_session(&self, session: &str) -> Option<StoredSession> {
        let mut statement = self
            .reader
            .prepare_cached(
                "SELECT revision, moved_revision, acknowledged_revision, status, metadata,
                        (SELECT key FROM work_items WHERE holder = session_id),
                        (SELECT claim_epoch FROM work_items WHERE holder = session_id)
                 FROM claude_sessions WHERE session_id = ?1",
            )
            .unwrap();
        let mut rows = statement.query([session]).unwrap();
        rows.next().unwrap().map(|row| {
            let metadata: String = row.get(4).unwrap();
            let item: Option<String> = row.get(5).unwrap();
            let epoch: Option<i64> = row.get(6).unwrap();
            StoredSession {
                revision: read_counter(row, 0),
                moved_revision: read_counter(row, 1),
                acknowledged: read_counter(row, 2),
                status: row.get(3).unwrap(),
                task: find_task(&metadata),
                item: item.zip(epoch.map(i64::unsigned_abs)),
            }
        })
    }

    /// Lists the changes of a session's task, in their order, but for those that came with a
    /// hand-off: its task is another's, or was one's own before.
    pub(crate) fn list_task_changes(&self, session: &str) -> Vec<TaskChange> {
        let mut statement = self
            .reader
            .prepare_cached(
                "SELECT before, after, at, reason IS 'set' FROM events
                 WHERE entity = 'session' AND key = ?1 AND kind = 'state'
                   AND reason IS NOT 'accept' ORDER BY seq",
            )
            .unwrap();
        let rows = statement.query_map([session], |row| {
            let (before, after): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(TaskChange {
                before: find_task(&before),
                after: find_task(&after),
                at: row.get::<_, String>(2)?.parse().unwrap(),
                is_foreign: row.get(3)?,
            })
        });
        let changes: Vec<TaskChange> = rows.unwrap().map(Result::unwrap).collect();
        changes.into_iter().filter(|change| change.before != change.after).collect()
    }

    /// Returns whether the last change of a session that was no waiting write was an edit of its
    /// cache, which a command brought to the server itself.
    pub(crate) fn was_edited_last(&self, session: &str) -> bool {
        let mut statement = self
            .reader
            .prepare_cached(
                "SELECT reason IS 'local edit' FROM events
                 WHERE entity = 'session' AND key = ?1 AND kind = 'state'
                   AND reason IS NOT 'outbox' ORDER BY seq DESC LIMIT 1",
            )
            .unwrap();
        statement.query_row([session], |row| row.get(0)).unwrap_or(false)
    }

    /// Returns whether a session ever had a task.
    pub(crate) fn had_task(&self, session: &str, task: &str) -> bool {
        let mut statement = self
            .reader
            .prepare_cached(
                "SELECT count(*) FROM events WHERE entity = 'session' AND key = ?1
                   AND kind = 'state' AND after ->> '$.execution_state.currentTask' = ?2",
            )
            .unwrap();
        statement.query_row([session, task], |row| Ok(read_counter(row, 0) > 0)).unwrap()
    }

    /// Counts what may be news of a session and changes no state: hand-offs from or to it, those of
    /// them that were decided, and changes of what it holds.
    pub(crate) fn count_other_news(&self, session: &str) -> [u64; 3] {
        let mut statement = self
            .reader
            .prepare_cached(
                "SELECT count(*), count(decided_at),
                    (SELECT count(*) FROM events WHERE entity = 'item'
                        AND ?1 IN (before ->> '$.holder', after ->> '$.holder'))
                 FROM handoffs WHERE ?1 IN (from_session, to_session)",
            )
            .unwrap();
        statement.query_row([session], |row| Ok([0, 1, 2].map(|it| read_counter(row, it)))).unwrap()
    }

    /// Returns the subject of a task of a session's list.
    pub(crate) fn load_subject(&self, session: &str, task: &str) -> Option<String> {
        let mut statement = self
            .reader
            .prepare_cached(
                "SELECT subject FROM session_tasks WHERE session_id = ?1 AND task_id = ?2",
            )
            .unwrap();
        let mut rows = statement.query([session, task]).unwrap();
        rows.next().unwrap().map(|row| row.get(0).unwrap())
    }
}

fn read_counter(row: &rusqlite::Row<'_>, place: usize) -> u64 {
    row.get::<_, i64>(place).unwrap().unsigned_abs()
}

/// Returns the current task of a state or of metadata.
fn find_task(json: &str) -> Option<String> {
    let json: Json = serde_json::from_str(json).unwrap();
    json["execution_state"]["currentTask"].as_str().map(str::to_owned)
}
