//! The store over a PostgreSQL database, with the rights of a client alone.

use std::ffi::OsStr;

use support::postgres::TestDatabase;
use trueup_core::model::Timestamp;
use trueup_core::settings::{ApiCredentials, DatabaseAddress, DatabaseUrl, RemoteUrl, TlsRoots};
use trueup_core::store::SCHEMA_VERSION;
use trueup_core::store::Store;
use trueup_remote::exchange::ExchangeEngine;
use trueup_remote::url::PasswordSources;
use trueup_remote::{RemoteDatabase, RemoteStore, RemoteTransport, Transport};

use crate::fixture::{StoreFixture, shift_all_times, shift_back, test_deadline};
use crate::strict::StrictStore;

/// A database of its own on a server of the tests.
pub(crate) struct PostgresDatabase {
    database: TestDatabase,
    store: StrictStore<RemoteStore>,
}

/// Creates a database and connects to it; `None` where there is no server.
pub(crate) fn new_postgres() -> Option<PostgresDatabase> {
    let database = TestDatabase::create()?;
    let store = open_store(&database.add_user("trueup_client"));
    Some(PostgresDatabase { database, store: StrictStore::new(store) })
}

/// Creates a database and connects to it through `wrap`, for a test that looks at the requests.
pub(crate) fn new_postgres_through(
    wrap: impl FnOnce(RemoteTransport, DatabaseAddress) -> Box<dyn Transport>,
) -> Option<(TestDatabase, RemoteStore)> {
    let database = TestDatabase::create()?;
    let url = remote_url(&database.add_user("trueup_client"));
    let transport = wrap(open_transport(&url), url.first_address());
    let engine = ExchangeEngine::new(transport, SCHEMA_VERSION, test_deadline());
    Some((database, RemoteStore::new(engine)))
}

/// A database that several connections of a test share.
pub(crate) struct SharedDatabase {
    pub(crate) database: TestDatabase,
    url: String,
}

impl SharedDatabase {
    /// Creates a database; `None` where there is no server.
    pub(crate) fn create() -> Option<Self> {
        let database = TestDatabase::create()?;
        let url = database.add_user("trueup_client");
        Some(Self { database, url })
    }

    /// Opens another connection.
    pub(crate) fn open_store(&self) -> RemoteStore {
        open_store(&self.url)
    }
}

fn open_store(url: &str) -> RemoteStore {
    let transport = Box::new(open_transport(&remote_url(url)));
    RemoteStore::new(ExchangeEngine::new(transport, SCHEMA_VERSION, test_deadline()))
}

pub(crate) fn remote_url(url: &str) -> RemoteUrl {
    let DatabaseUrl::Remote(url) = DatabaseUrl::parse(OsStr::new(url)).unwrap() else {
        panic!("{url} is not the URL of a server");
    };
    url
}

fn open_transport(url: &RemoteUrl) -> RemoteTransport {
    remote_database(url.clone()).open_transport().unwrap()
}

/// Returns the database of a URL of a test server.
pub(crate) fn remote_database(url: RemoteUrl) -> RemoteDatabase {
    RemoteDatabase {
        url,
        credentials: ApiCredentials::default(),
        passwords: PasswordSources::default(),
        roots: TlsRoots::default(),
        flavour_memory: None,
    }
}

/// Returns the SQL of an earlier time than that of a column.
fn shift_column(column: &str, seconds: u64) -> String {
    format!(
        "to_char(({column}::timestamptz - interval '{seconds} seconds') AT TIME ZONE 'UTC', \
             'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    )
}

impl PostgresDatabase {
    /// Runs SQL as the superuser, without the rules.
    fn execute_unchecked(&self, sql: &str) {
        let sql =
            format!("SET search_path = trueup; SET session_replication_role = replica; {sql}");
        self.database.run(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

impl StoreFixture for PostgresDatabase {
    fn store(&mut self) -> &mut dyn Store {
        &mut self.store
    }

    /// The server's clock cannot be set, so all stored times are shifted back instead.
    fn advance_time(&mut self, seconds: u64) {
        self.execute_unchecked(&shift_all_times(|column| shift_column(column, seconds)));
    }

    fn age_events(&mut self, seconds: u64) {
        self.execute_unchecked(&format!("UPDATE events SET at = {};", shift_column("at", seconds)));
    }

    fn shifted_time(&self, then: Timestamp, seconds: u64) -> Timestamp {
        shift_back(then, seconds)
    }
}
