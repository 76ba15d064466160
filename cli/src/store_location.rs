//! Where the configured database is, and opening it. Only this file decides which kind of store
//! that is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::model::PlanId;
use trueup_core::settings::{DatabaseUrl, Environment, Paths, Settings, UnusableUrl};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{CommandStore, Result as StoreResult, StoreError};
use trueup_core::text::path_to_text;
use trueup_hooks::HookContext;
use trueup_remote::{OpenOptions, RemoteDatabase};

use crate::command_error::{CommandError, CommandResult, DatabaseCase};

/// How old rows may be that a command uses again. One that waits longer, for a program or a person,
/// reads anew.
const MAX_ROW_AGE: Duration = Duration::from_secs(2);

/// How old rows may be that a pull uses again: as long as it works, for what it writes is checked
/// against them. Otherwise one to a server seconds away would ask for all of them again.
const MAX_ROW_AGE_OF_PULL: Duration = Duration::from_secs(10);

/// The database of the configured URL.
#[derive(Debug, Clone)]
pub(crate) enum StoreLocation<'s> {
    SqliteFile(&'s Path),
    Remote(Box<RemoteDatabase>),
}

impl<'s> StoreLocation<'s> {
    pub(crate) fn from_settings(
        settings: &'s Settings,
        environment: &Environment,
    ) -> CommandResult<Self> {
        match RemoteDatabase::from_settings(settings, environment) {
            Some(database) => Ok(Self::Remote(Box::new(database))),
            None => find_sqlite_file(settings).map(Self::SqliteFile),
        }
    }

    /// Opens the database; a missing file is an error. A remote one is connected to by its first
    /// operation.
    pub(crate) fn open(&self, deadline: Deadline) -> StoreResult<Box<dyn CommandStore>> {
        match self {
            Self::SqliteFile(path) => Ok(Box::new(SqliteStore::open(path, deadline)?)),
            Self::Remote(database) => open_for_command(database, deadline),
        }
    }

    /// Opens the database as [`Self::open`] does, for the rest of the process: what closing would
    /// free is left to the kernel.
    pub(crate) fn open_until_exit(&self, deadline: Deadline) -> StoreResult<Box<dyn CommandStore>> {
        match self {
            Self::SqliteFile(path) => Ok(Box::new(SqliteStore::open(path, deadline)?.until_exit())),
            Self::Remote(database) => open_for_command(database, deadline),
        }
    }

    /// Opens the database, and creates a missing file; `trueup db migrate` alone creates a remote
    /// database.
    pub(crate) fn open_or_create(&self, deadline: Deadline) -> StoreResult<Box<dyn CommandStore>> {
        match self {
            Self::SqliteFile(path) => Ok(Box::new(SqliteStore::open_or_create(path, deadline)?)),
            Self::Remote(database) => open_for_command(database, deadline),
        }
    }

    /// Returns the lock of a run: one for each plan of each database.
    pub(crate) fn run_lock(&self, paths: &Paths, plan: &PlanId) -> PathBuf {
        match self {
            Self::SqliteFile(path) => paths.lock_of(&path.join(plan.as_str())),
            Self::Remote(database) => {
                paths.lock_of(&Path::new(&database.url.to_string()).join(plan.as_str()))
            }
        }
    }
}

/// Opens the database on a server for a pull, which does not wait for one that is out of use: what
/// it would bring waits in the outbox.
pub(crate) fn open_for_pull(context: &HookContext) -> StoreResult<Box<dyn CommandStore>> {
    let run = &context.run;
    let database = RemoteDatabase::from_settings(&run.settings, &context.environment);
    let database = database.ok_or_else(|| {
        StoreError::unavailable(format!("{} is not on a server", run.settings.database))
    })?;
    database.open_store(OpenOptions {
        deadline: run.deadline,
        row_age: Some(MAX_ROW_AGE_OF_PULL),
        waits_for_server: false,
    })
}

fn open_for_command(
    database: &RemoteDatabase,
    deadline: Deadline,
) -> StoreResult<Box<dyn CommandStore>> {
    let row_age = Some(MAX_ROW_AGE);
    database.open_store(OpenOptions { deadline, row_age, waits_for_server: true })
}

/// Returns the file of the database, for what only an embedded database has: a file to copy, to
/// replace by a backup, and to check page by page. On a server its administrator does that, with
/// the tools of the server.
pub(crate) fn find_sqlite_file(settings: &Settings) -> CommandResult<&Path> {
    let path = settings.sqlite_path().map_err(|problem| {
        let case = match &settings.database {
            DatabaseUrl::Unusable(UnusableUrl { meant_scheme: Some(scheme), .. }) => {
                DatabaseCase::DatabaseUrlMistyped { scheme: (*scheme).into() }
            }
            DatabaseUrl::Remote(_) => DatabaseCase::NotEmbedded,
            _ => DatabaseCase::DatabaseUrl,
        };
        CommandError::new(case, problem)
    })?;
    if path.is_dir() {
        let shown = path_to_text(path);
        let case = DatabaseCase::DatabaseIsDirectory { path: shown.as_str().into() };
        return Err(CommandError::new(case, format!("{shown}: is a directory, not a database")));
    }
    Ok(path)
}
