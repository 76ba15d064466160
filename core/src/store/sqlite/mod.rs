//! The embedded rung: stock SQLite in WAL mode.
//!
//! Invariants: every write is one `BEGIN IMMEDIATE` transaction behind a queue lock, so
//! writers wait instead of failing; waiting is bounded by the deadline; a file that is not
//! trueup's, is damaged or newer is never written.

mod backup;
#[cfg(target_os = "linux")]
mod byte_range;
mod claims;
mod compliance;
mod dependencies;
mod errors;
mod events;
mod free;
mod handle;
mod handoffs;
mod integrity;
mod items;
mod metadata;
mod migrate;
mod moves;
mod next;
#[cfg(target_os = "linux")]
mod numbers;
mod open;
mod orchestrators;
#[cfg(target_os = "linux")]
mod others;
mod phases;
mod plan_tasks;
mod plans;
mod ports;
#[cfg(test)]
mod query_plans;
mod repos;
mod restore;
mod retention;
mod rows;
mod sessions;
mod tasks;
mod turn;
mod waiting;
mod watch;
mod workplans;

use std::path::Path;

use rusqlite::{Transaction, TransactionBehavior};
use serde_json::{Map, Value as Json};

use super::{
    ClaimRequest, ClaimTaken, Delivered, Heartbeat, ItemFilter, Newcomer, Provenance, Push,
    Registration, Release, Released, Result, SessionFilter, Store, StoreError, TaskNote,
    WaitingStore,
};
use crate::deadline::Deadline;
use crate::model::{
    Event, EventFilter, Field, Flaw, Item, ItemKey, Lineage, NewItem, Revision, Session, SessionId,
    Timestamp, Value,
};

use crate::outbox::Pending;
use handle::Handle;
pub use migrate::{APPLICATION_ID, Applied, SCHEMA_VERSION, SchemaStatus};
pub use restore::Restored;
pub use watch::Seen;

/// Asks whether there is anything for the sweeps of work.
pub(crate) const UNDERWAY: &str =
    "SELECT EXISTS (SELECT 1 FROM phase_queue WHERE status = 'running')
     OR EXISTS (SELECT 1 FROM plan_tasks WHERE status = 'in_progress')
     OR EXISTS (SELECT 1 FROM orchestrators WHERE status IN ('running', 'stopping'))";

/// The database's clock, as every statement writes it.
pub(crate) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// An open database.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Handle,
    deadline: Deadline,
}

impl SqliteStore {
    /// Opens an existing database of exactly this schema, or migrates an older one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when there is no file; never creates one.
    pub fn open(path: &Path, deadline: Deadline) -> Result<Self> {
        open::existing(path, deadline)
    }

    /// Opens a database, creating a missing one.
    ///
    /// # Errors
    ///
    /// Those of [`Self::open`] but for the missing file.
    pub fn open_or_create(path: &Path, deadline: Deadline) -> Result<Self> {
        open::or_create(path, deadline)
    }

    /// Says that the process ends when this is dropped, so that a connection that only read
    /// need not be closed.
    #[must_use]
    pub fn until_exit(mut self) -> Self {
        self.connection.last = true;
        self
    }

    /// Gives the writes to come until another time, for work that consists of many.
    pub const fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// Reads which schema a database has, without changing it.
    ///
    /// # Errors
    ///
    /// When the file is missing, unreadable or not trueup's.
    pub fn schema(path: &Path, deadline: Deadline) -> Result<SchemaStatus> {
        open::schema(path, deadline)
    }

    /// Copies the database into a new file while others go on working.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] when the target exists; [`StoreError::CopyUnwritable`] when
    /// it cannot be written.
    pub fn backup(&self, target: &Path) -> Result<()> {
        backup::backup(&self.connection, target)
    }

    /// Checks pages, rows and indexes for damage; returns what is wrong, line by line.
    ///
    /// # Errors
    ///
    /// When the check itself cannot run.
    pub fn check(&self) -> Result<Vec<String>> {
        integrity::check(&self.connection)
    }

    /// Makes the indexes anew from the tables, where that makes the file whole.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when it does not; then nothing was changed.
    pub fn rebuild_indexes(&mut self) -> Result<()> {
        self.write(integrity::rebuild_indexes)
    }

    /// Reads every row that has rules; returns what breaks one.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn compliance(&self) -> Result<Vec<Flaw>> {
        compliance::flaws(&self.connection)
    }

    /// Runs a write as one transaction, behind the queue; returns once it is on the disk.
    ///
    /// SQLite would wait for the disk inside the transaction, and all other writers with it.
    /// Here the next one goes on meanwhile: what it adds to the log comes after this and is on
    /// the disk no sooner. Only who is told waits, and nobody is told what can still be lost.
    fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        if !self.connection.wrote {
            let normal = self.connection.pragma_update(None, "synchronous", "NORMAL");
            normal.map_err(errors::from_sqlite)?;
        }
        let answer = self.commit(work)?;
        self.connection.settle().map_err(|error| {
            let database = self.connection.database().as_path().display();
            StoreError::Unavailable(format!("{database}: {error}"))
        })?;
        Ok(answer)
    }

    fn commit<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let _turn = turn::wait(self.connection.database(), self.deadline);
        self.connection.wrote = true;
        // What waiting in the queue took is gone from the deadline.
        self.connection
            .busy_timeout(self.deadline.left())
            .map_err(errors::from_sqlite)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(errors::from_sqlite)?;
        let answer = work(&transaction)?;
        transaction.commit().map_err(errors::from_sqlite)?;
        Ok(answer)
    }
}

impl Store for SqliteStore {
    fn lineage(&mut self) -> Result<Lineage> {
        open::lineage(&self.connection)
    }

    fn now(&mut self) -> Result<Timestamp> {
        self.connection
            .query_row(&format!("SELECT {NOW}"), [], |row| rows::time(row, 0))
            .map_err(errors::from_sqlite)
    }

    fn other_reading(&mut self, apart_seconds: u64) -> Result<Option<Timestamp>> {
        events::other_reading(&self.connection, apart_seconds)
    }

    fn register(&mut self, registration: &Registration) -> Result<Session> {
        self.write(|tx| sessions::register(tx, registration))
    }

    fn session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        sessions::load(&self.connection, id)
    }

    fn sessions(&mut self, filter: &SessionFilter) -> Result<Vec<Session>> {
        sessions::list(&self.connection, filter)
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<()> {
        self.write(|tx| sessions::heartbeat(tx, heartbeat))
    }

    fn push(&mut self, push: &Push) -> Result<Session> {
        self.write(|tx| sessions::push(tx, push))
    }

    fn merge_metadata(
        &mut self,
        id: &SessionId,
        patch: &Map<String, Json>,
        provenance: &Provenance,
    ) -> Result<Session> {
        self.write(|tx| sessions::merge_metadata(tx, id, patch, provenance))
    }

    fn acknowledge(&mut self, id: &SessionId, revision: Revision) -> Result<()> {
        self.write(|tx| sessions::acknowledge(tx, id, revision))
    }

    fn end(&mut self, id: &SessionId, reason: &str, provenance: &Provenance) -> Result<Session> {
        self.write(|tx| sessions::end(tx, id, reason, provenance))
    }

    fn lapsed(&mut self, limit: u32) -> Result<Vec<Session>> {
        sessions::lapsed(&self.connection, limit)
    }

    fn park(&mut self, session: &Session, provenance: &Provenance) -> Result<Option<Released>> {
        self.write(|tx| claims::park(tx, session, provenance))
    }

    fn is_anything_underway(&mut self) -> Result<bool> {
        self.connection
            .query_row(UNDERWAY, [], |row| row.get(0))
            .map_err(errors::from_sqlite)
    }

    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item> {
        self.write(|tx| items::add(tx, item, provenance))
    }

    fn item(&mut self, key: &ItemKey) -> Result<Option<Item>> {
        items::load(&self.connection, key)
    }

    fn item_title(&mut self, key: &ItemKey) -> Result<Option<String>> {
        items::title(&self.connection, key)
    }

    fn items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>> {
        items::list(&self.connection, filter)
    }

    fn known_items(&mut self, keys: &[&str]) -> Result<Vec<String>> {
        items::known(&self.connection, keys)
    }

    fn claim(&mut self, request: &ClaimRequest) -> Result<ClaimTaken> {
        self.write(|tx| claims::claim(tx, request))
    }

    fn release(&mut self, release: &Release) -> Result<Item> {
        self.write(|tx| claims::release(tx, release))
    }

    fn note_task(&mut self, session: &SessionId, note: &TaskNote) -> Result<()> {
        self.write(|tx| tasks::note(tx, session, note))
    }

    fn task(&mut self, session: &SessionId, task: &str) -> Result<Option<TaskNote>> {
        tasks::load(&self.connection, session, task)
    }

    fn had_value(&mut self, session: &SessionId, field: Field, value: &Value) -> Result<bool> {
        events::had_value(&self.connection, session, field, value)
    }

    fn note_refusal(&mut self, item: &ItemKey, provenance: &Provenance) -> Result<()> {
        self.write(|tx| events::refusal(tx, item, provenance))
    }

    fn checkpoint(
        &mut self,
        session: &SessionId,
        operations: u64,
        provenance: &Provenance,
    ) -> Result<()> {
        self.write(|tx| events::checkpoint(tx, session, operations, provenance))
    }

    fn events(&mut self, filter: &EventFilter) -> Result<Vec<Event>> {
        events::list(&self.connection, filter)
    }
}

impl WaitingStore for SqliteStore {
    fn deliver(
        &mut self,
        waiting: &[&Pending],
        newcomer: &Newcomer,
        until: Deadline,
    ) -> Result<Vec<Delivered>> {
        // Who wants to write has a time of his own, of which this takes a share.
        let own = std::mem::replace(&mut self.deadline, until);
        let delivered = self.write(|tx| waiting::deliver(tx, waiting, newcomer, until));
        self.deadline = own;
        delivered
    }
}

/// Tells whether a write of this id was carried out before: its answer may have been lost.
fn was_done(tx: &Transaction<'_>, provenance: &Provenance) -> Result<bool> {
    tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM events WHERE op_id = ?1)")
        .and_then(|mut statement| statement.query_row([&provenance.op_id], |row| row.get(0)))
        .map_err(errors::from_sqlite)
}

/// Runs a statement that a batch runs once for each of its rows: parsing one that has triggers
/// takes longer than running it.
fn execute_cached(tx: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> Result<usize> {
    tx.prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values))
        .map_err(errors::from_sqlite)
}

/// Turns "no such session" into the refusal of a write.
fn registered(session: Option<Session>, id: &SessionId) -> Result<Session> {
    session.ok_or_else(|| unregistered(id))
}

fn unregistered(id: &SessionId) -> StoreError {
    StoreError::Invalid(format!("session {id} is not registered"))
}
