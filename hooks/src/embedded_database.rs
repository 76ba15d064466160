//! The database of a session that is a file on this machine.

use trueup_core::model::Session;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{HookStore as _, StoreError};
use trueup_core::sync::{DrainReport, SyncError, TrueUpOutcome, drain_outbox, register_session};

use crate::HookContext;
use crate::record_event::record_session_work;
use crate::session_database::SessionDatabase;
use crate::share_state::share_with_repos;

/// An embedded database.
#[derive(Debug)]
pub(crate) struct EmbeddedDatabase;

impl EmbeddedDatabase {
    /// Opens the database, and creates a missing file.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub(crate) fn open_or_create(context: &HookContext) -> Result<SqliteStore, StoreError> {
        let store = SqliteStore::open_or_create(context.database_path()?, context.run.deadline)?;
        Ok(store.until_exit())
    }
}

impl SessionDatabase for EmbeddedDatabase {
    type Store = SqliteStore;

    fn open(context: &HookContext) -> Result<SqliteStore, StoreError> {
        let store = SqliteStore::open(context.database_path()?, context.run.deadline)?;
        Ok(store.until_exit())
    }

    fn drain_waiting(context: &HookContext, store: &mut SqliteStore) -> DrainReport {
        drain_outbox(store, &context.run)
    }

    fn register(context: &HookContext, store: &mut SqliteStore) -> Result<Session, StoreError> {
        let session = register_session(store, &context.payload.session, None, &context.run)?;
        // The agent need not be told of its own session's registration.
        store.acknowledge_revision(&session.id, session.revision)?;
        Ok(session)
    }

    fn record_event(
        context: &HookContext,
        store: &mut SqliteStore,
        synced: TrueUpOutcome,
    ) -> Result<Option<Session>, SyncError> {
        record_session_work(context, store, synced)
    }

    fn share_state(context: &HookContext, store: &mut SqliteStore) -> Vec<String> {
        share_with_repos(context, store)
    }
}
