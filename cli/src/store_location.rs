//! Where the configured database is, and opening it. Only this file decides which kind of store
//! that is.

use std::path::{Path, PathBuf};

use trueup_core::deadline::Deadline;
use trueup_core::model::PlanId;
use trueup_core::settings::{Paths, Settings};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{CommandStore, Result as StoreResult};
use trueup_core::text::path_to_text;

use crate::command_error::{CommandError, CommandResult, DatabaseCase};

/// The database of the configured URL. Another kind of database is another variant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StoreLocation<'s> {
    SqliteFile(&'s Path),
}

impl<'s> StoreLocation<'s> {
    pub(crate) fn from_settings(settings: &'s Settings) -> CommandResult<Self> {
        find_sqlite_file(settings).map(Self::SqliteFile)
    }

    /// Opens the database; a missing one is an error.
    pub(crate) fn open(self, deadline: Deadline) -> StoreResult<Box<dyn CommandStore>> {
        match self {
            Self::SqliteFile(path) => Ok(Box::new(SqliteStore::open(path, deadline)?)),
        }
    }

    /// Opens the database as [`Self::open`] does, for the rest of the process: what closing would
    /// free is left to the kernel.
    pub(crate) fn open_until_exit(self, deadline: Deadline) -> StoreResult<Box<dyn CommandStore>> {
        match self {
            Self::SqliteFile(path) => Ok(Box::new(SqliteStore::open(path, deadline)?.until_exit())),
        }
    }

    /// Opens the database, and creates a missing one.
    pub(crate) fn open_or_create(self, deadline: Deadline) -> StoreResult<Box<dyn CommandStore>> {
        match self {
            Self::SqliteFile(path) => Ok(Box::new(SqliteStore::open_or_create(path, deadline)?)),
        }
    }

    /// Returns the lock of a run: one for each plan of each database.
    pub(crate) fn run_lock(self, paths: &Paths, plan: &PlanId) -> PathBuf {
        match self {
            Self::SqliteFile(path) => paths.lock_of(&path.join(plan.as_str())),
        }
    }
}

/// Returns the file of the database, for what only an embedded database has: a file to copy, to
/// replace by a backup, to create, and to check page by page. On a server its administrator does
/// that, with the tools of the server.
pub(crate) fn find_sqlite_file(settings: &Settings) -> CommandResult<&Path> {
    let path = settings
        .sqlite_path()
        .map_err(|problem| CommandError::new(DatabaseCase::DatabaseUrl, problem))?;
    if path.is_dir() {
        let shown = path_to_text(path);
        let case = DatabaseCase::DatabaseIsDirectory { path: shown.as_str().into() };
        return Err(CommandError::new(case, format!("{shown}: is a directory, not a database")));
    }
    Ok(path)
}
