//! The store over a PostgreSQL database, by every way to one, with the rights of a hub: those of a
//! client, and the operations on tokens.

use std::ffi::OsStr;
use std::sync::{Arc, Condvar, Mutex};

use support::postgres::{PgBouncer, TestDatabase};
use support::supabase::SupabaseServer;
use trueup_core::deadline::Deadline;
use trueup_core::model::Timestamp;
use trueup_core::settings::{
    ApiCredentials, CredentialSource, DatabaseAddress, DatabaseUrl, RemoteUrl, Secret, TlsRoots,
};
use trueup_core::store::SCHEMA_VERSION;
use trueup_core::store::Store;
use trueup_remote::exchange::ExchangeEngine;
use trueup_remote::url::PasswordSources;
use trueup_remote::{RemoteDatabase, RemoteStore, RemoteTransport, Transport, TransportError};

use crate::fixture::{StoreFixture, shift_all_times, shift_back, test_deadline};
use crate::strict::StrictStore;

/// An open way to a database of the tests.
///
/// Tests hand it on to each other: making a database and a connection takes longer than most tests.
struct Lane {
    database: TestDatabase,
    transport: Arc<Mutex<RemoteTransport>>,
    /// Runs as long as the lane is used.
    _gateway: Option<SupabaseServer>,
}

/// A kind of way to a database, with the lanes of that kind that no test uses.
pub(crate) struct Way {
    open: fn() -> Option<Lane>,
    state: Mutex<WayState>,
    changed: Condvar,
    /// How many there may be.
    most: usize,
}

struct WayState {
    free: Vec<Lane>,
    open: usize,
}

/// To the server itself.
pub(crate) static DIRECT: Way = Way::new(usize::MAX, || {
    let database = TestDatabase::create()?;
    let url = database.add_user("trueup_hub");
    Some(Lane::new(database, open_transport(&remote_url(&url)), None))
});

/// Through a pooler that lends a connection for one transaction at a time.
pub(crate) static PGBOUNCER: Way = Way::new(usize::MAX, || {
    let database = TestDatabase::create()?;
    let url = PgBouncer::shared()?.url(&database.add_user("trueup_hub"));
    Some(Lane::new(database, open_transport(&remote_url(&url)), None))
});

/// By HTTPS. A gateway takes as much memory as all the rest.
pub(crate) static HTTPS: Way = Way::new(2, open_https);

/// Opens a lane to the gateway of `TEST_POSTGREST_URL`, else to one of the tests' own.
fn open_https() -> Option<Lane> {
    let lookup = |name: &str| std::env::var(name).ok();
    let Some(url) = lookup("TEST_POSTGREST_URL") else {
        let database = TestDatabase::create_supabase()?;
        let gateway = SupabaseServer::start(&database)?;
        let (key, token) = (gateway.key.to_owned(), gateway.hub_token.to_owned());
        let transport = open_gateway(&gateway.url, Some(key), Some(token));
        return Some(Lane::new(database, transport, Some(gateway)));
    };
    let Some(database) = lookup("TEST_POSTGREST_DATABASE_URL") else {
        panic!("TEST_POSTGREST_DATABASE_URL is missing: the database behind the gateway");
    };
    let (key, token) = (lookup("TEST_POSTGREST_KEY"), lookup("TEST_POSTGREST_TOKEN"));
    let database = TestDatabase::adopt(&database);
    database.clear();
    Some(Lane::new(database, open_gateway(&url, key, token), None))
}

fn open_gateway(url: &str, key: Option<String>, token: Option<String>) -> RemoteTransport {
    let source = |secret: Option<String>| match secret {
        Some(secret) => CredentialSource::Value(Secret::new(secret)),
        None => CredentialSource::default(),
    };
    let mut remote = remote_database(remote_url(url));
    remote.credentials = ApiCredentials { key: source(key), token: source(token) };
    remote.open_transport().unwrap()
}

impl Way {
    const fn new(most: usize, open: fn() -> Option<Lane>) -> Self {
        let state = Mutex::new(WayState { free: Vec::new(), open: 0 });
        Self { open, state, changed: Condvar::new(), most }
    }

    /// Returns a lane, once there may be another; `None`, said aloud, where none can be had.
    fn take(&self) -> Option<Lane> {
        let mut state = self.state.lock().unwrap();
        // The gateway of a variable has one database.
        let is_given = std::env::var_os("TEST_POSTGREST_URL").is_some();
        let most = if is_given { 1 } else { self.most };
        while state.free.is_empty() && state.open >= most {
            state = self.changed.wait(state).unwrap();
        }
        if let Some(lane) = state.free.pop() {
            return Some(lane);
        }
        state.open += 1;
        drop(state);
        (self.open)()
    }

    /// Takes back a lane, or learns that it is no more.
    fn put(&self, lane: Option<Lane>) {
        let mut state = self.state.lock().unwrap();
        match lane {
            Some(lane) => state.free.push(lane),
            None => state.open -= 1,
        }
        self.changed.notify_one();
    }
}

impl Lane {
    fn new(
        database: TestDatabase,
        transport: RemoteTransport,
        gateway: Option<SupabaseServer>,
    ) -> Self {
        Self { database, transport: Arc::new(Mutex::new(transport)), _gateway: gateway }
    }
}

/// A transport that the next test uses, too.
struct LaneTransport(Arc<Mutex<RemoteTransport>>);

impl Transport for LaneTransport {
    fn exchange(&mut self, request: &str, deadline: Deadline) -> Result<String, TransportError> {
        self.0.lock().unwrap().exchange(request, deadline)
    }
}

/// A store over one of the lanes.
pub(crate) struct PostgresDatabase {
    /// `None` once it is handed on.
    lane: Option<Lane>,
    store: StrictStore<RemoteStore>,
    way: &'static Way,
}

/// Returns a store over an empty database; `None`, said aloud, where there is no such way.
pub(crate) fn new_remote(way: &'static Way) -> Option<PostgresDatabase> {
    let lane = way.take()?;
    let transport = Box::new(LaneTransport(Arc::clone(&lane.transport)));
    let engine = ExchangeEngine::new(transport, SCHEMA_VERSION, test_deadline());
    Some(PostgresDatabase {
        lane: Some(lane),
        store: StrictStore::new(RemoteStore::new(engine)),
        way,
    })
}

impl Drop for PostgresDatabase {
    /// Hands the lane on, unless the test failed and may have broken it.
    fn drop(&mut self) {
        let lane = self.lane.take().filter(|_| !std::thread::panicking());
        if let Some(lane) = &lane {
            lane.database.clear();
        }
        self.way.put(lane);
    }
}

/// Creates a database and connects to it through `wrap`, for a test that looks at the requests.
pub(crate) fn new_postgres_through(
    wrap: impl FnOnce(RemoteTransport, DatabaseAddress) -> Box<dyn Transport>,
) -> Option<(TestDatabase, ExchangeEngine)> {
    let database = TestDatabase::create()?;
    let url = remote_url(&database.add_user("trueup_hub"));
    let transport = wrap(open_transport(&url), url.first_address());
    Some((database, ExchangeEngine::new(transport, SCHEMA_VERSION, test_deadline())))
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

/// Opens a store at a URL.
pub(crate) fn open_store(url: &str) -> RemoteStore {
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
        let lane = self.lane.as_ref().unwrap();
        lane.database.run(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
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
