//! The database that a hook's own program opens.

use trueup_core::store::StoreError;
use trueup_core::store::sqlite::SqliteStore;

use crate::hand_over::become_trueup;
use crate::{HookContext, HookDatabase};

/// What a hook's own program opens: an embedded database. A session
/// that starts on a server needs `trueup` to speak to it; its later events need no server.
#[derive(Debug)]
pub struct EmbeddedDatabase;

impl HookDatabase for EmbeddedDatabase {
    type Store = SqliteStore;

    const IS_ON_SERVER: bool = false;

    fn open(context: &HookContext) -> Result<SqliteStore, StoreError> {
        let store = SqliteStore::open(context.database_path()?, context.run.deadline)?;
        Ok(store.until_exit())
    }

    fn open_or_create(context: &HookContext) -> Result<SqliteStore, StoreError> {
        if context.is_remote() {
            return Err(become_trueup(context));
        }
        let store = SqliteStore::open_or_create(context.database_path()?, context.run.deadline)?;
        Ok(store.until_exit())
    }
}
