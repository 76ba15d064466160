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
mod connection;
mod dependencies;
mod errors;
mod events;
mod handoffs;
mod integrity;
mod item_moves;
mod items;
mod metadata;
mod migrate;
mod next;
mod open;
#[cfg(target_os = "linux")]
mod open_elsewhere;
mod orchestrators;
mod outbox_delivery;
mod phases;
mod plan_tasks;
mod plans;
mod port_reservations;
#[cfg(test)]
mod query_plans;
mod repos;
mod restore;
mod retention;
mod rows;
mod session_tasks;
mod sessions;
mod stored_text;
#[cfg(target_os = "linux")]
mod ticket;
mod watch;
mod workplans;
mod write_queue;

use std::path::Path;

use rusqlite::{Transaction, TransactionBehavior};
use serde_json::{Map, Value as Json};

use super::{
    ClaimedItem, DeliveryOutcome, GrantedClaim, HeartbeatRequest, ItemFilter, OutboxDeliveryStore,
    Provenance, RegistrationDefaults, ReleaseRequest, ReleasedClaim, Result, SessionFilter,
    SessionRegistration, SessionTask, StatePush, Store, StoreError,
};
use crate::deadline::Deadline;
use crate::model::{
    Event, EventFilter, FieldValue, Item, ItemKey, Lineage, NewItem, Revision, Session, SessionId,
    StateField, Timestamp, Violation,
};

use crate::outbox::PendingWrite;
use connection::StoreConnection;
pub use migrate::{APPLICATION_ID, AppliedMigration, SCHEMA_VERSION, SchemaStatus};
pub use restore::RestoredDatabase;
pub use watch::DataVersion;

/// Asks whether there is anything for the sweeps of work.
pub(crate) const HAS_RUNNING_WORK: &str =
    "SELECT EXISTS (SELECT 1 FROM phase_queue WHERE status = 'running')
     OR EXISTS (SELECT 1 FROM plan_tasks WHERE status = 'in_progress')
     OR EXISTS (SELECT 1 FROM orchestrators WHERE status IN ('running', 'stopping'))";

/// The database's clock, as every statement writes it.
pub(crate) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// An open database.
#[derive(Debug)]
pub struct SqliteStore {
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
        open::open_existing(path, deadline)
    }

    /// Opens a database, creating a missing one.
    ///
    /// # Errors
    ///
    /// Those of [`Self::open`] but for the missing file.
    pub fn open_or_create(path: &Path, deadline: Deadline) -> Result<Self> {
        open::open_or_create(path, deadline)
    }

    /// Says that the process ends when this is dropped, so that a connection that only read
    /// need not be closed.
    #[must_use]
    pub fn until_exit(mut self) -> Self {
        self.connection.process_ends = true;
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
    pub fn read_schema_status(path: &Path, deadline: Deadline) -> Result<SchemaStatus> {
        open::read_schema_status(path, deadline)
    }

    /// Copies the database into a new file while others go on working.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] when the target exists; [`StoreError::CopyUnwritable`] when
    /// it cannot be written.
    pub fn back_up(&self, target: &Path) -> Result<()> {
        backup::back_up_database(&self.connection, target)
    }

    /// Checks pages, rows and indexes for damage; returns what is wrong, line by line.
    ///
    /// # Errors
    ///
    /// When the check itself cannot run.
    pub fn check_integrity(&self) -> Result<Vec<String>> {
        integrity::check_integrity(&self.connection)
    }

    /// Makes the indexes anew from the tables, where that makes the file whole.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when it does not; then nothing was changed.
    pub fn rebuild_indexes(&mut self) -> Result<()> {
        self.run_write(integrity::rebuild_indexes)
    }

    /// Reads every row that has rules; returns what breaks one.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn find_violations(&self) -> Result<Vec<Violation>> {
        compliance::find_violations(&self.connection)
    }

    /// Runs a write as one transaction, behind the queue; returns once it is on the disk.
    ///
    /// SQLite would wait for the disk inside the transaction, and all other writers with it.
    /// Here the next one goes on meanwhile: what it adds to the log comes after this and is on
    /// the disk no sooner. Only who is told waits, and nobody is told what can still be lost.
    fn run_write<T>(&mut self, operation: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        if !self.connection.has_written {
            let normal = self.connection.pragma_update(None, "synchronous", "NORMAL");
            normal.map_err(errors::from_sqlite)?;
        }
        let outcome = self.commit_write(operation)?;
        self.connection.sync_wal().map_err(|error| {
            let database = self.connection.database().as_path().display();
            StoreError::Unavailable(format!("{database}: {error}"))
        })?;
        Ok(outcome)
    }

    fn commit_write<T>(
        &mut self,
        operation: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let _ticket = write_queue::wait_for_turn(self.connection.database(), self.deadline);
        self.connection.has_written = true;
        // What waiting in the queue took is gone from the deadline.
        self.connection
            .busy_timeout(self.deadline.remaining())
            .map_err(errors::from_sqlite)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(errors::from_sqlite)?;
        let outcome = operation(&transaction)?;
        transaction.commit().map_err(errors::from_sqlite)?;
        Ok(outcome)
    }
}

impl Store for SqliteStore {
    fn load_lineage(&mut self) -> Result<Lineage> {
        open::load_lineage(&self.connection)
    }

    fn database_time(&mut self) -> Result<Timestamp> {
        self.connection
            .query_row(&format!("SELECT {NOW}"), [], |row| rows::parse_time(row, 0))
            .map_err(errors::from_sqlite)
    }

    fn find_differing_clock_reading(&mut self, apart_seconds: u64) -> Result<Option<Timestamp>> {
        events::find_differing_clock_reading(&self.connection, apart_seconds)
    }

    fn register_session(&mut self, registration: &SessionRegistration) -> Result<Session> {
        self.run_write(|tx| sessions::register_session(tx, registration))
    }

    fn load_session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        sessions::load_session(&self.connection, id)
    }

    fn list_sessions(&mut self, filter: &SessionFilter) -> Result<Vec<Session>> {
        sessions::list_sessions(&self.connection, filter)
    }

    fn record_heartbeat(&mut self, heartbeat: &HeartbeatRequest) -> Result<()> {
        self.run_write(|tx| sessions::record_heartbeat(tx, heartbeat))
    }

    fn push_state(&mut self, push: &StatePush) -> Result<Session> {
        self.run_write(|tx| sessions::push_state(tx, push))
    }

    fn merge_metadata(
        &mut self,
        id: &SessionId,
        patch: &Map<String, Json>,
        provenance: &Provenance,
    ) -> Result<Session> {
        self.run_write(|tx| sessions::merge_metadata(tx, id, patch, provenance))
    }

    fn acknowledge_revision(&mut self, id: &SessionId, revision: Revision) -> Result<()> {
        self.run_write(|tx| sessions::acknowledge_revision(tx, id, revision))
    }

    fn end_session(
        &mut self,
        id: &SessionId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Session> {
        self.run_write(|tx| sessions::end_session(tx, id, reason, provenance))
    }

    fn sessions_with_expired_lease(&mut self, limit: u32) -> Result<Vec<Session>> {
        sessions::sessions_with_expired_lease(&self.connection, limit)
    }

    fn mark_lost(
        &mut self,
        session: &Session,
        provenance: &Provenance,
    ) -> Result<Option<ReleasedClaim>> {
        self.run_write(|tx| claims::mark_lost(tx, session, provenance))
    }

    fn has_running_work(&mut self) -> Result<bool> {
        self.connection
            .query_row(HAS_RUNNING_WORK, [], |row| row.get(0))
            .map_err(errors::from_sqlite)
    }

    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item> {
        self.run_write(|tx| items::add_item(tx, item, provenance))
    }

    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>> {
        items::load_item(&self.connection, key)
    }

    fn load_item_title(&mut self, key: &ItemKey) -> Result<Option<String>> {
        items::load_item_title(&self.connection, key)
    }

    fn list_items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>> {
        items::list_items(&self.connection, filter)
    }

    fn find_item_keys(&mut self, keys: &[&str]) -> Result<Vec<String>> {
        items::find_item_keys(&self.connection, keys)
    }

    fn claim(&mut self, request: &GrantedClaim) -> Result<ClaimedItem> {
        self.run_write(|tx| claims::claim_item(tx, request))
    }

    fn release(&mut self, release: &ReleaseRequest) -> Result<Item> {
        self.run_write(|tx| claims::release_item(tx, release))
    }

    fn upsert_task(&mut self, session: &SessionId, note: &SessionTask) -> Result<()> {
        self.run_write(|tx| session_tasks::upsert_task(tx, session, note))
    }

    fn load_task(&mut self, session: &SessionId, task: &str) -> Result<Option<SessionTask>> {
        session_tasks::load_task(&self.connection, session, task)
    }

    fn had_state_value(
        &mut self,
        session: &SessionId,
        field: StateField,
        value: &FieldValue,
    ) -> Result<bool> {
        events::had_value(&self.connection, session, field, value)
    }

    fn record_refusal(&mut self, item: &ItemKey, provenance: &Provenance) -> Result<()> {
        self.run_write(|tx| events::record_refusal(tx, item, provenance))
    }

    fn record_checkpoint(
        &mut self,
        session: &SessionId,
        operations: u64,
        provenance: &Provenance,
    ) -> Result<()> {
        self.run_write(|tx| events::record_checkpoint(tx, session, operations, provenance))
    }

    fn list_events(&mut self, filter: &EventFilter) -> Result<Vec<Event>> {
        events::list_events(&self.connection, filter)
    }
}

impl OutboxDeliveryStore for SqliteStore {
    fn deliver_pending(
        &mut self,
        waiting: &[&PendingWrite],
        newcomer: &RegistrationDefaults,
        until: Deadline,
    ) -> Result<Vec<DeliveryOutcome>> {
        // Who wants to write has a time of his own, of which this takes a share.
        let own_deadline = std::mem::replace(&mut self.deadline, until);
        let delivered =
            self.run_write(|tx| outbox_delivery::deliver_pending(tx, waiting, newcomer, until));
        self.deadline = own_deadline;
        delivered
    }
}

/// Tells whether a write of this id was carried out before: its answer may have been lost.
fn is_replay(tx: &Transaction<'_>, provenance: &Provenance) -> Result<bool> {
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
fn require_registered(session: Option<Session>, id: &SessionId) -> Result<Session> {
    session.ok_or_else(|| unregistered_error(id))
}

fn unregistered_error(id: &SessionId) -> StoreError {
    StoreError::Invalid(format!("session {id} is not registered"))
}
