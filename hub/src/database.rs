//! The database that is served, and opening it.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::settings::{DatabaseUrl, Environment, Settings};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{CommandStore, Result as StoreResult, StoreError};
use trueup_remote::{ChangeListener, OpenOptions, RemoteDatabase};

use crate::command_line::DatabaseArgs;
use crate::failure::Failure;

/// The variable that names the database.
const URL_VARIABLE: &str = "TRUEUP_DATABASE_URL";

/// How long one operation may take.
pub(crate) const OPERATION_PATIENCE: Duration = Duration::from_secs(10);

/// The database that is served. Each thread that asks it opens it for itself.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    settings: Settings,
    environment: Environment,
}

impl Database {
    /// Finds the database of the arguments, or else the configured one.
    pub(crate) fn find(arguments: &DatabaseArgs) -> Result<Self, Failure> {
        let url = arguments.url.as_deref().map(OsStr::new).map(OsStr::to_owned);
        let environment = Environment::from_lookup(|name| look_up(name, url.as_ref()));
        let settings = Settings::load(&environment)
            .map_err(|error| Failure::unable("config_invalid", error.to_string()))?;
        if let DatabaseUrl::Unusable(url) = &settings.database {
            let problem = format!("database URL: {}", url.problem);
            return Err(Failure::unable("database_url", problem)
                .with_hint("give --database sqlite:/PATH or postgres://USER@HOST/DATABASE"));
        }
        Ok(Self { settings, environment })
    }

    /// The settings of this machine.
    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The environment of this process.
    pub(crate) const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Returns what the database is called, without anything secret.
    pub(crate) fn describe(&self) -> String {
        self.settings.database.to_string()
    }

    /// Opens the database. One that is not there is not created: it may be back in a moment, and
    /// would be hidden by an empty one.
    pub(crate) fn open(&self) -> StoreResult<Box<dyn CommandStore>> {
        let deadline = Deadline::after(OPERATION_PATIENCE);
        match &self.settings.database {
            DatabaseUrl::Sqlite(path) => Ok(Box::new(SqliteStore::open(path, deadline)?)),
            _ => self.open_remote(deadline),
        }
    }

    /// Opens the database. The file that this machine has by default is created; one that a URL names
    /// has to be there, as a database on a server has: the name may be wrong.
    pub(crate) fn open_or_create(&self) -> StoreResult<Box<dyn CommandStore>> {
        let deadline = Deadline::after(OPERATION_PATIENCE);
        match &self.settings.database {
            DatabaseUrl::Sqlite(path) if *path != self.settings.paths.database() => self.open(),
            DatabaseUrl::Sqlite(path) => Ok(Box::new(SqliteStore::open_or_create(path, deadline)?)),
            _ => self.open_remote(deadline),
        }
    }

    /// Whether the database is a file of this machine.
    pub(crate) const fn is_embedded(&self) -> bool {
        matches!(self.settings.database, DatabaseUrl::Sqlite(_))
    }

    /// Prepares to hear of new events; nothing where the database does not tell.
    pub(crate) fn open_listener(&self) -> Option<ChangeListener> {
        RemoteDatabase::from_settings(&self.settings, &self.environment)?.open_listener().ok()?
    }

    /// Opens a remote database without a memory of rows: whoever serves others must see what they
    /// changed.
    fn open_remote(&self, deadline: Deadline) -> StoreResult<Box<dyn CommandStore>> {
        let database = RemoteDatabase::from_settings(&self.settings, &self.environment)
            .ok_or_else(|| StoreError::invalid("the URL names no database"))?;
        database.open_store(OpenOptions { deadline, row_age: None, waits_for_server: false })
    }
}

fn look_up(name: &str, url: Option<&OsString>) -> Option<OsString> {
    match url {
        Some(url) if name == URL_VARIABLE => Some(url.clone()),
        _ => std::env::var_os(name),
    }
}
