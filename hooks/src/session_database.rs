//! What the handlers of events need of a database: a whole one, or what is known here of one on a
//! server.

use trueup_core::model::Session;
use trueup_core::store::{HookStore, StoreError};
use trueup_core::sync::{DrainReport, SyncError, TrueUpOutcome, drain_outbox, register_session};

use crate::record_event::record_session_work;
use crate::share_state::share_with_repos;
use crate::{HookContext, HookDatabase};

/// Where the events of a session that has started are handled.
pub(crate) trait SessionDatabase {
    /// The store.
    type Store: HookStore;

    /// Opens what exists.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be opened.
    fn open(context: &HookContext) -> Result<Self::Store, StoreError>;

    /// Sends what waits in the outbox.
    fn drain_waiting(context: &HookContext, store: &mut Self::Store) -> DrainReport;

    /// Registers the session whose start was missed.
    ///
    /// # Errors
    ///
    /// When the database cannot take it now.
    fn register(context: &HookContext, store: &mut Self::Store) -> Result<Session, StoreError>;

    /// Records what the event says of the session's work. Returns whether its state changed.
    ///
    /// # Errors
    ///
    /// When it is recorded nowhere.
    fn record_event(
        context: &HookContext,
        store: &mut Self::Store,
        synced: TrueUpOutcome,
    ) -> Result<bool, SyncError>;

    /// Shares STATE.md if it changed; returns lines for the user.
    fn share_state(context: &HookContext, store: &mut Self::Store) -> Vec<String>;

    /// Says on how old an answer a decision is made, where it is not made on the database itself.
    ///
    /// # Errors
    ///
    /// When the answer is too old to decide on.
    fn describe_basis(
        context: &HookContext,
        store: &mut Self::Store,
    ) -> Result<Option<String>, StoreError>;

    /// Returns whether a hand-off is to be shown that the revision does not tell of. An agent that
    /// is told of an older reading may be marked as current by that, after the hand-off was made.
    fn has_unread_handoffs(store: &Self::Store) -> bool;

    /// Takes lines that wait for the user.
    fn take_news(store: &mut Self::Store) -> Vec<String>;

    /// Ends the work with the store; returns lines about what failed.
    fn close(context: &HookContext, store: Self::Store) -> Vec<String>;

    /// Sees to it that what failed is tried again.
    fn retry_later(context: &HookContext);
}

impl<D: HookDatabase> SessionDatabase for D {
    type Store = D::Store;

    fn open(context: &HookContext) -> Result<D::Store, StoreError> {
        <D as HookDatabase>::open(context)
    }

    fn drain_waiting(context: &HookContext, store: &mut D::Store) -> DrainReport {
        drain_outbox(store, &context.run)
    }

    fn register(context: &HookContext, store: &mut D::Store) -> Result<Session, StoreError> {
        let session = register_session(store, &context.payload.session, None, &context.run)?;
        // The agent need not be told of its own session's registration.
        store.acknowledge_revision(&session.id, session.revision)?;
        Ok(session)
    }

    fn record_event(
        context: &HookContext,
        store: &mut D::Store,
        synced: TrueUpOutcome,
    ) -> Result<bool, SyncError> {
        record_session_work(context, store, synced)
    }

    fn share_state(context: &HookContext, store: &mut D::Store) -> Vec<String> {
        share_with_repos(context, store)
    }

    fn describe_basis(
        _context: &HookContext,
        _store: &mut D::Store,
    ) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    fn has_unread_handoffs(_store: &D::Store) -> bool {
        false
    }

    fn take_news(_store: &mut D::Store) -> Vec<String> {
        Vec::new()
    }

    fn close(_context: &HookContext, _store: D::Store) -> Vec<String> {
        Vec::new()
    }

    /// The next hook does.
    fn retry_later(_context: &HookContext) {}
}
