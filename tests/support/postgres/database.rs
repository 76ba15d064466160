//! A database of a test's own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use trueup_core::store::sql::{PostgresFlavor, postgres_schema};

use super::psql::{KeptPsql, SqlError};
use super::server::{SharedServer, shared_server};

/// Deletes what operations write, past the rules, and keeps what the schema holds from its start.
const CLEAR: &str = "
    SET session_replication_role = replica;
    DO $$
    DECLARE
        found text;
    BEGIN
        FOR found IN SELECT relname FROM pg_class
            WHERE relnamespace = 'trueup'::regnamespace AND relkind = 'r' AND relname NOT IN
                ('legal_transitions', 'schema_migrations', 'statements', 'trueup_meta') LOOP
            EXECUTE format('DELETE FROM trueup.%I', found);
        END LOOP;
        DELETE FROM trueup.trueup_meta WHERE key <> 'lineage';
        PERFORM setval(oid::regclass, 1, false) FROM pg_class
            WHERE relnamespace = 'trueup'::regnamespace AND relkind = 'S';
    END $$";

/// The roles that a project of Supabase has before anything is made in it.
const SUPABASE_ROLES: &str = "
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'authenticator') THEN
            CREATE ROLE anon NOLOGIN;
            CREATE ROLE authenticated NOLOGIN;
            CREATE ROLE service_role NOLOGIN BYPASSRLS;
            CREATE ROLE authenticator LOGIN NOINHERIT PASSWORD 'test'
                IN ROLE anon, authenticated, service_role;
        END IF;
    END $$";

/// A database with the schema of trueup, removed when the value is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    server: SharedServer,
    name: String,
    psql: KeptPsql,
    /// False for one that was there before.
    is_own: bool,
}

impl TestDatabase {
    /// Creates a database with the schema; `None` where there is no server.
    pub fn create() -> Option<Self> {
        static TEMPLATE: OnceLock<Option<TestDatabase>> = OnceLock::new();
        Self::create_from(&TEMPLATE, "", PostgresFlavor::Postgres)
    }

    /// Creates a database as a project of Supabase has it; `None` where there is no server.
    pub fn create_supabase() -> Option<Self> {
        static TEMPLATE: OnceLock<Option<TestDatabase>> = OnceLock::new();
        Self::create_from(&TEMPLATE, SUPABASE_ROLES, PostgresFlavor::Supabase)
    }

    /// The schema is applied once in each process, and its files copied: that is ten times faster,
    /// and a server of tests need not survive a crash.
    fn create_from(
        template: &OnceLock<Option<Self>>,
        before: &str,
        flavor: PostgresFlavor,
    ) -> Option<Self> {
        let template = template.get_or_init(|| {
            let database = Self::create_empty()?;
            let schema = format!("{before};\n{}", postgres_schema(flavor));
            database.run(&schema).unwrap_or_else(|error| panic!("the schema: {error:?}"));
            database.psql.disconnect();
            Some(database)
        });
        let name = &template.as_ref()?.name;
        let database = Self::copy(&format!("TEMPLATE {name} STRATEGY file_copy"))?;
        // No two databases that were made apart have the same.
        let lineage =
            "UPDATE trueup.trueup_meta SET value = gen_random_uuid() WHERE key = 'lineage'";
        database.run(lineage).unwrap_or_else(|error| panic!("{error:?}"));
        Some(database)
    }

    /// Takes a database that has the schema; it is not removed.
    pub fn adopt(url: &str) -> Self {
        let (server, name) = SharedServer::from_url(url);
        Self { server, name, psql: KeptPsql::new(url.to_owned()), is_own: false }
    }

    /// Creates a database without any table; `None` where there is no server. Its locale orders
    /// texts otherwise than by bytes, which nothing may depend on.
    pub fn create_empty() -> Option<Self> {
        Self::copy("TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
    }

    fn copy(options: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = shared_server()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("trueup_test_{}_{number}", std::process::id());
        run_as_admin(server, &format!("CREATE DATABASE {name} {options}"))
            .unwrap_or_else(|error| panic!("{error:?}"));
        let psql = KeptPsql::new(server.url(&server.user, &name));
        Some(Self { server: server.clone(), name, psql, is_own: true })
    }

    /// The URL of the superuser who made the database.
    pub fn url(&self) -> String {
        self.url_of(&self.server.user)
    }

    /// The URL for a user, whose password may follow a colon.
    pub fn url_of(&self, user: &str) -> String {
        self.server.url(user, &self.name)
    }

    /// Returns the URL of a user with the rights of a client alone, who is the same for all
    /// databases of this process: a role for each costs as much as the database.
    pub fn client_url(&self) -> String {
        static USER: OnceLock<String> = OnceLock::new();
        self.url_in_role(&USER, "client")
    }

    /// Returns the URL of a user with the rights of a hub, who is the same for all databases of this
    /// process.
    pub fn hub_url(&self) -> String {
        static USER: OnceLock<String> = OnceLock::new();
        self.url_in_role(&USER, "hub")
    }

    fn url_in_role(&self, user: &OnceLock<String>, role: &str) -> String {
        let user = user.get_or_init(|| {
            let user = format!("trueup_test_{}_{role}", std::process::id());
            let sql = format!("CREATE ROLE {user} LOGIN PASSWORD 'test' IN ROLE trueup_{role}");
            self.run(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            user
        });
        self.url_of(&format!("{user}:test"))
    }

    /// Makes a user who logs in and belongs to a role; returns the URL.
    pub fn add_user(&self, role: &str) -> String {
        let user = format!("{}_{role}", self.name);
        let sql = format!("CREATE ROLE {user} LOGIN PASSWORD 'test' IN ROLE {role}");
        self.run(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        self.url_of(&format!("{user}:test"))
    }

    /// Runs SQL as the superuser; returns what it printed, a row a line and `|` between columns.
    ///
    /// # Errors
    ///
    /// What the server said no to.
    pub fn run(&self, sql: &str) -> Result<String, SqlError> {
        self.psql.run(sql)
    }

    /// Makes the database as if nothing had been done in it, for the next test.
    pub fn clear(&self) {
        self.run(CLEAR).unwrap_or_else(|error| panic!("{error:?}"));
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if !self.is_own {
            return;
        }
        self.psql.disconnect();
        let name = &self.name;
        let users = format!("SELECT rolname FROM pg_roles WHERE rolname LIKE '{name}\\_%'");
        let _ = run_as_admin(&self.server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        for user in run_as_admin(&self.server, &users).unwrap_or_default().lines() {
            let _ = run_as_admin(&self.server, &format!("DROP ROLE {user}"));
        }
    }
}

/// Runs SQL that belongs to no database of a test.
fn run_as_admin(server: &SharedServer, sql: &str) -> Result<String, SqlError> {
    static ADMIN: OnceLock<KeptPsql> = OnceLock::new();
    let admin = ADMIN.get_or_init(|| KeptPsql::new(server.url(&server.user, "postgres")));
    admin.run(sql)
}
