//! Opening the database of a hook.
//!
//! Each program says when it is built which kind of database its handlers work on, so that it links
//! only what they use: a store that is chosen while the hook runs would link every operation, and
//! a quarter more of each binary.

use trueup_core::store::{Store, StoreError};

use crate::HookContext;

/// The kind of database that the handlers of a program work on.
pub trait HookDatabase {
    /// The store of such a database.
    type Store: Store + 'static;

    /// Whether it is on a server, and this program speaks to it.
    const IS_ON_SERVER: bool;

    /// Returns whether events are handled on what is known here of a database on a server, because
    /// this program does not speak to servers.
    fn answers_from_replica(context: &HookContext) -> bool {
        context.is_remote() && !Self::IS_ON_SERVER
    }

    /// Opens an existing database. One on a server is connected to by its first operation.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be opened.
    fn open(context: &HookContext) -> Result<Self::Store, StoreError>;

    /// Opens the database, and creates a missing file; no hook creates a database on a server.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    fn open_or_create(context: &HookContext) -> Result<Self::Store, StoreError>;
}
