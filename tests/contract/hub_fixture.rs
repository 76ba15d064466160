//! The store over a hub, which serves a database file.

use std::process::Child;

use support::home::Home;
use trueup_core::fs::sha256_hex;
use trueup_core::settings::{ApiCredentials, CredentialSource, Secret};
use trueup_core::store::operations::prelude::*;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::{for_each_operation, operation_parameter};
use trueup_remote::{HubStore, HubTransport, OpenOptions, RemoteDatabase};

use crate::fixture::{DatabaseFile, StoreFixture, new_sqlite, test_deadline};
use crate::postgres_fixture::{remote_database, remote_url};
use crate::strict::StrictStore;

/// The name of the token of the tests.
const TOKEN_NAME: &str = "suite";

/// The token of the tests.
const TOKEN: &str = "tuh_of_the_contract_suite";

/// A database file with a hub that serves it.
pub(crate) struct HubDatabase {
    file: DatabaseFile,
    store: StrictStore<HubWithTokens>,
    hub: Child,
    _home: Home,
}

/// A client of a hub, and what `trueup-hub token` does beside it: a hub serves no tokens.
struct HubWithTokens {
    hub: HubStore,
    beside: SqliteStore,
}

/// Returns a store over a hub that serves an empty database.
pub(crate) fn new_hub() -> HubDatabase {
    new_hub_through(|transport| transport)
}

/// Returns a store whose requests to a hub go through `wrap`, for a test that looks at them.
pub(crate) fn new_hub_through(
    wrap: impl FnOnce(Box<dyn HubTransport>) -> Box<dyn HubTransport>,
) -> HubDatabase {
    let file = new_sqlite();
    let beside = SqliteStore::open(&file.path(), test_deadline()).unwrap();
    let digest = sha256_hex(TOKEN.as_bytes());
    // Plain SQL leaves no event, and the suite counts events.
    file.execute_sql(&format!(
        "INSERT INTO access_tokens (name, role, digest, created_by) \
         VALUES ('{TOKEN_NAME}', 'admin', '{digest}', 'suite')"
    ));
    let home = Home::without_git();
    let url = format!("sqlite:{}", file.path().display());
    let (hub, line) = home
        .prepare_run("trueup-hub")
        .args(["serve", "--database", &url, "--listen", "127.0.0.1:0", "--max-rate", "100000"])
        .begin();
    let address = line.split(' ').find(|word| word.starts_with("http://")).unwrap_or_else(|| {
        panic!("no address of a hub: {line:?}");
    });
    let options = OpenOptions { deadline: test_deadline(), row_age: None, waits_for_server: false };
    let transport = database_at(address).open_hub_transport(options).unwrap().unwrap();
    let client = HubStore::new(wrap(transport), options.deadline);
    let store = StrictStore::new(HubWithTokens { hub: client, beside });
    HubDatabase { file, store, hub, _home: home }
}

/// Returns the database at the address of a hub, with the token of the tests.
fn database_at(address: &str) -> RemoteDatabase {
    let mut database = remote_database(remote_url(address.trim()));
    let token = CredentialSource::Value(Secret::new(TOKEN.to_owned()));
    database.credentials = ApiCredentials { key: CredentialSource::default(), token };
    database
}

impl HubDatabase {
    /// Runs a scenario that makes all that is stored older.
    pub(crate) fn run_with_age(&mut self, scenario: impl FnOnce(&mut dyn Store, &dyn Fn())) {
        let Self { file, store, .. } = self;
        scenario(store, &|| file.advance(3 * 24 * 3_600));
    }

    /// Reads what only commands read.
    pub(crate) fn run_commands(&mut self) {
        self.store.engine.hub.load_schema_status().unwrap();
        assert_eq!(self.store.engine.hub.find_violations().unwrap(), []);
    }
}

impl Drop for HubDatabase {
    fn drop(&mut self) {
        let _ = self.hub.kill();
        let _ = self.hub.wait();
    }
}

impl StoreFixture for HubDatabase {
    fn store(&mut self) -> &mut dyn Store {
        &mut self.store
    }

    fn advance_time(&mut self, seconds: u64) {
        self.file.advance_time(seconds);
    }

    fn age_events(&mut self, seconds: u64) {
        self.file.age_events(seconds);
    }

    fn shifted_time(&self, then: Timestamp, seconds: u64) -> Timestamp {
        self.file.shifted_time(then, seconds)
    }
}

macro_rules! ask_hub {
    (stores { $($store:ident { $($access:ident $name:ident(
        $($mode:ident $argument:ident: $type:ty),*) -> $answer:ty $(, by $ids:expr)?;)* })* }
        commands { $($commands:tt)* }) => {
        $(impl $store for HubWithTokens {
            $(fn $name(
                &mut self,
                $($argument: operation_parameter!($mode $type)),*
            ) -> Result<$answer> {
                self.hub.$name($($argument),*)
            })*
        })*
    };
}

for_each_operation!(ask_hub);

impl TokenStore for HubWithTokens {
    fn create_token(&mut self, new: &NewToken, provenance: &Provenance) -> Result<AccessToken> {
        self.beside.create_token(new, provenance)
    }

    fn list_tokens(&mut self) -> Result<Vec<AccessToken>> {
        let mut tokens = self.beside.list_tokens()?;
        tokens.retain(|token| token.name.as_str() != TOKEN_NAME);
        Ok(tokens)
    }

    fn revoke_token(&mut self, name: &TokenName, provenance: &Provenance) -> Result<AccessToken> {
        self.beside.revoke_token(name, provenance)
    }

    fn find_token(&mut self, digest: &str) -> Result<Option<AccessToken>> {
        self.beside.find_token(digest)
    }

    fn record_callers(&mut self, callers: &[Caller]) -> Result<()> {
        self.beside.record_callers(callers)
    }
}
