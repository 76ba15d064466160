//! The server of PostgreSQL that these tests share.

use std::ops::Deref;
use std::sync::{Arc, Mutex, Weak};

use support::certificates::Authority;
use support::postgres::ServerOptions;

/// What every database of the tests has; answers with the request.
const ECHO: &str = "create schema trueup; \
     create function trueup.exchange(request text) returns text language sql \
     as $$ select request $$;";

/// The roles and databases of the tests.
const SETUP: &str = "\
    create role client login password 's3cret';\
    create role single login password 's3cret' connection limit 1;\
    create role powerless login password 's3cret';\
    create role readonly login password 's3cret';\
    alter role readonly set default_transaction_read_only = on;";

/// What `pg_hba.conf` says: passwords by TCP, except for a few.
const ADMISSION: &str = "\
    local all postgres trust\n\
    hostnossl encrypted all 127.0.0.1/32 reject\n\
    hostssl plain all 127.0.0.1/32 reject\n\
    local all all trust\n\
    host all all 127.0.0.1/32 scram-sha-256\n";

/// A running server with TLS.
pub(crate) struct PostgresServer {
    server: support::postgres::PostgresServer,
    pub(crate) authority: Authority,
}

static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());

impl PostgresServer {
    /// Returns the server that tests share. It ends with the last of them that runs.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap();
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start()?);
        server.run_sql("postgres", SETUP);
        for name in ["work", "encrypted", "plain", "empty"] {
            server.run_sql("postgres", &format!("create database {name};"));
            if name != "empty" {
                server.run_sql(
                    name,
                    &format!(
                        "{ECHO} grant usage on schema trueup to client, \
                     single, readonly;"
                    ),
                );
            }
        }
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// Starts a server of a test's own, with TLS, without roles and databases.
    pub(crate) fn start() -> Option<Self> {
        let authority = Authority::new();
        let identity = authority.sign("localhost");
        let options = ServerOptions {
            admission: Some(ADMISSION),
            identity: Some(&identity),
            ..ServerOptions::default()
        };
        let server = support::postgres::PostgresServer::start(&options)?;
        Some(Self { server, authority })
    }

    /// Returns a URL by TCP.
    pub(crate) fn url(&self, user: &str, rest: &str) -> String {
        format!("postgres://{user}:s3cret@localhost:{}/{rest}", self.port)
    }

    /// Shuts the server down, whoever is connected.
    pub(crate) fn shut_down(&mut self) {
        self.server.shut_down();
    }
}

impl Deref for PostgresServer {
    type Target = support::postgres::PostgresServer;

    fn deref(&self) -> &Self::Target {
        &self.server
    }
}
