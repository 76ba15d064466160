//! A server that asks for SCRAM and TLS, as one that is reached over a network does.

use std::fmt::Write as _;
use std::path::PathBuf;

use trueup_core::store::sql::{PostgresFlavor, postgres_schema};

use super::{PostgresServer, ServerOptions, SqlError, run_psql};
use crate::certificates::Authority;

/// What the server asks of whom: nothing of the superuser by the local socket.
const ADMISSION: &str = "local all postgres trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";

/// A server of its own. It ends when the value is dropped, or the process ends.
#[derive(Debug)]
pub struct SecureServer {
    server: PostgresServer,
    authority: Authority,
}

impl SecureServer {
    /// Starts a server; `None` where none is installed.
    pub fn start() -> Option<Self> {
        let authority = Authority::new();
        let identity = authority.sign("localhost");
        let options = ServerOptions {
            admission: Some(ADMISSION),
            identity: Some(&identity),
            ..ServerOptions::default()
        };
        Some(Self { server: PostgresServer::start(&options)?, authority })
    }

    /// The port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The URL of the superuser, by the local socket.
    pub fn admin_url(&self, database: &str) -> String {
        self.server.admin_url(database)
    }

    /// Creates a database with the schema of trueup, and users for clients and owners of it, with
    /// their names as passwords.
    ///
    /// # Errors
    ///
    /// What the server said no to.
    pub fn create_database(&self, name: &str) -> Result<(), SqlError> {
        run_psql(&self.admin_url("postgres"), &format!("CREATE DATABASE {name}"))?;
        let mut sql = postgres_schema(PostgresFlavor::Postgres);
        for role in ["client", "owner"] {
            let _ =
                write!(sql, "CREATE ROLE {role} LOGIN PASSWORD '{role}' IN ROLE trueup_{role};");
        }
        run_psql(&self.admin_url(name), &sql).map(drop)
    }

    /// The URL of a user over the network; the certificate is checked.
    pub fn url(&self, user: &str, database: &str) -> String {
        let (port, authority) = (self.port(), self.authority());
        format!(
            "postgres://{user}:{user}@localhost:{port}/{database}\
             ?sslmode=verify-full&sslrootcert={}",
            authority.display()
        )
    }

    /// The certificate of the authority, in PEM.
    pub fn authority(&self) -> PathBuf {
        self.authority.file()
    }
}
