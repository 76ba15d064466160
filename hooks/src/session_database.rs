//! What the handlers of events need of a database: a whole one, or what is known here of one on a
//! server.

use trueup_core::model::Session;
use trueup_core::replica::RenderedBriefing;
use trueup_core::store::{HookStore, StoreError};
use trueup_core::sync::{DrainReport, SyncError, TrueUpOutcome};

use crate::HookContext;

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

    /// Records what the event says of the session's work. Returns the session as it is now, where
    /// its state changed.
    ///
    /// # Errors
    ///
    /// When it is recorded nowhere.
    fn record_event(
        context: &HookContext,
        store: &mut Self::Store,
        synced: TrueUpOutcome,
    ) -> Result<Option<Session>, SyncError>;

    /// Shares STATE.md if it changed; returns lines for the user.
    fn share_state(context: &HookContext, store: &mut Self::Store) -> Vec<String>;

    /// Says on how old an answer a decision is made, where it is not made on the database itself.
    ///
    /// # Errors
    ///
    /// When the answer is too old to decide on.
    fn describe_basis(
        _context: &HookContext,
        _store: &mut Self::Store,
    ) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// Returns whether a hand-off is to be shown that the revision does not tell of. An agent that
    /// is told of an older reading may be marked as current by that, after the hand-off was made.
    fn has_unread_handoffs(_store: &Self::Store) -> bool {
        false
    }

    /// Takes what the start of the session brought too late to be told then.
    fn take_briefing(_store: &mut Self::Store) -> Option<RenderedBriefing> {
        None
    }

    /// Takes lines that wait for the user.
    fn take_news(_store: &mut Self::Store) -> Vec<String> {
        Vec::new()
    }

    /// Ends the work with the store; returns lines about what failed.
    fn close(_context: &HookContext, _store: Self::Store) -> Vec<String> {
        Vec::new()
    }

    /// Sees to it that what failed is tried again, where the next hook alone would not do it.
    fn retry_later(_context: &HookContext) {}
}
