//! PostgreSQL for tests: one server for all tests of a process, a database of its own for each.
//!
//! With `TEST_DATABASE_URL`, the URL of a superuser, databases are made on that server. Otherwise a
//! server is started in a temporary directory and ends with the process. Where no server is
//! installed every test says that it is skipped and passes, unless `TRUEUP_REQUIRE_POSTGRES=1`.

#![expect(clippy::unwrap_used, reason = "a server that cannot be had fails its test")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use trueup_core::store::sql::{PostgresFlavor, postgres_schema};

/// How long a server may take to start on a busy machine.
const START_LIMIT: Duration = Duration::from_mins(1);

/// A server, as the URL of a superuser in parts.
#[derive(Debug, Clone)]
struct Server {
    user: String,
    /// Host and port.
    address: String,
    /// From the question mark on.
    query: String,
}

/// What the server said no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// Five characters.
    pub sqlstate: String,
    /// In the server's words.
    pub message: String,
}

/// A database with the schema of trueup, removed when the value is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
    name: String,
}

impl TestDatabase {
    /// Creates a database with the schema; `None` where there is no server.
    pub fn create() -> Option<Self> {
        // The schema is applied once in each process, and copied: that is three times faster.
        static TEMPLATE: OnceLock<Option<TestDatabase>> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let database = Self::create_empty()?;
            let schema = postgres_schema(PostgresFlavor::Postgres);
            database.run(&schema).unwrap_or_else(|error| panic!("the schema: {error:?}"));
            Some(database)
        });
        Self::copy(&format!("TEMPLATE {}", template.as_ref()?.name))
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
        let sql = format!("CREATE DATABASE {name} {options}");
        run_psql(&server.url(&server.user, "postgres"), &sql)
            .unwrap_or_else(|error| panic!("{error:?}"));
        Some(Self { server: server.clone(), name })
    }

    /// The URL of the superuser who made the database.
    pub fn url(&self) -> String {
        self.server.url(&self.server.user, &self.name)
    }

    /// Makes a user who logs in and belongs to a role; returns the URL.
    pub fn add_user(&self, role: &str) -> String {
        let user = format!("{}_{role}", self.name);
        let sql = format!("CREATE ROLE {user} LOGIN PASSWORD 'test' IN ROLE {role}");
        self.run(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        self.server.url(&format!("{user}:test"), &self.name)
    }

    /// Runs SQL as the superuser; returns what it printed, a row a line and `|` between columns.
    ///
    /// # Errors
    ///
    /// What the server said no to.
    pub fn run(&self, sql: &str) -> Result<String, SqlError> {
        run_psql(&self.url(), sql)
    }
}

/// A connection that holds the turn of writers until it is released.
#[derive(Debug)]
pub struct HeldTurn {
    psql: Child,
}

impl HeldTurn {
    /// Lets the next writer go on.
    pub fn release(mut self) {
        drop(self.psql.stdin.take());
        self.psql.wait().unwrap();
    }
}

impl TestDatabase {
    /// Takes the turn of writers, as a writer does that never ends. The key is that of the schema;
    /// a database without one has it too, for the scripts that make it.
    pub fn hold_turn(&self) -> HeldTurn {
        let mut psql = start_psql(&self.url());
        let hold = "BEGIN; SELECT pg_advisory_xact_lock(1414681936) IS NULL;\n";
        psql.stdin.as_mut().unwrap().write_all(hold.as_bytes()).unwrap();
        let mut answer = String::new();
        let mut stdout = BufReader::new(psql.stdout.as_mut().unwrap());
        stdout.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim_end(), "f", "the turn is held");
        HeldTurn { psql }
    }

    /// Waits until so many connections wait for a lock.
    pub fn await_waiting(&self, connections: usize) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let begun = Instant::now();
        while self.run(waiting).unwrap() != connections.to_string() {
            assert!(begun.elapsed() < START_LIMIT, "{connections} connections wait for a lock");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = &self.name;
        let admin = self.server.url(&self.server.user, "postgres");
        let users = format!("SELECT rolname FROM pg_roles WHERE rolname LIKE '{name}\\_%'");
        let _ = run_psql(&admin, &format!("DROP DATABASE {name} WITH (FORCE)"));
        for user in run_psql(&admin, &users).unwrap_or_default().lines() {
            let _ = run_psql(&admin, &format!("DROP ROLE {user}"));
        }
    }
}

/// Runs SQL by `psql`; returns what it printed, a row a line and `|` between columns.
///
/// # Errors
///
/// What the server said no to.
pub fn run_psql(url: &str, sql: &str) -> Result<String, SqlError> {
    let mut child = start_psql(url);
    // It reads no further than the first error, which its answer tells.
    let _ = child.stdin.take().unwrap().write_all(sql.as_bytes());
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap().trim_end().to_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let error = stderr.split_once("ERROR:  ").map_or("", |(_, error)| error);
    let (sqlstate, message) = error.split_once(": ").unwrap_or(("", &stderr));
    let message = message.lines().next().unwrap_or_default();
    Err(SqlError { sqlstate: sqlstate.to_owned(), message: message.to_owned() })
}

/// Starts `psql` for SQL on its standard input.
pub fn start_psql(url: &str) -> Child {
    Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose"])
        .args(["-d", url, "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("psql: {error}"))
}

impl Server {
    fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@{}/{database}{}", self.address, self.query)
    }

    /// Takes a URL such as `postgres://user:password@host:port/name?sslmode=disable` apart.
    fn from_url(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, format!("?{query}")),
            None => (rest, String::new()),
        };
        let (user, rest) = rest.rsplit_once('@').unwrap_or(("postgres", rest));
        let address = rest.split('/').next().unwrap_or(rest);
        Self { user: user.to_owned(), address: address.to_owned(), query }
    }
}

/// Returns the server of this process, or `None` after saying once why there is none.
fn shared_server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static SHELL: OnceLock<Child> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
            return Some(Server::from_url(&url));
        }
        let Some(programs) = find_programs() else {
            let required = std::env::var("TRUEUP_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!required, "no PostgreSQL server is installed");
            // Straight to the stream: the test runner captures the printing macros.
            let line = b"\nSKIPPED PostgreSQL suite: no server is installed\n";
            drop(std::io::stderr().write_all(line));
            return None;
        };
        let (server, _, shell) = start_server(&programs, "", "");
        let _ = SHELL.set(shell);
        Some(server)
    });
    server.as_ref()
}

/// Finds the folder of the server's programs, which packages keep out of the search path.
fn find_programs() -> Option<PathBuf> {
    let search_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&search_path).find(|dir| dir.join("initdb").is_file());
    on_path.or_else(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let programs = versions.flatten().filter_map(|version| {
            let number: u32 = version.file_name().to_str()?.parse().ok()?;
            let dir = version.path().join("bin");
            dir.join("initdb").is_file().then_some((number, dir))
        });
        programs.max().map(|(_, dir)| dir)
    })
}

/// A server of its own that asks for SCRAM and TLS, as one that is reached over a network does. It
/// ends when the value is dropped, or the process ends.
#[derive(Debug)]
pub struct SecureServer {
    server: Server,
    dir: PathBuf,
    /// Ends with its standard input.
    _shell: Child,
}

/// Makes an authority and the certificate that it signs for the server, and what the server asks of
/// whom: nothing of the superuser by the local socket.
const SECURE: &str = "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    {
        openssl req -x509 $key -keyout ca.key -out ca.pem -days 2 -subj /CN=authority &&
        openssl req $key -keyout data/server.key -out server.csr -subj /CN=localhost \\
            -addext subjectAltName=DNS:localhost &&
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \\
            -copy_extensions copy -out data/server.crt
    } >>log 2>&1 || exit 1
    chmod 600 data/server.key
    printf 'local all postgres trust\\nhostssl all all 127.0.0.1/32 scram-sha-256\\n' \\
        >data/pg_hba.conf";

impl SecureServer {
    /// Starts a server; `None` where none is installed.
    pub fn start() -> Option<Self> {
        let (server, dir, shell) = start_server(&find_programs()?, SECURE, "-c ssl=on");
        Some(Self { server, dir, _shell: shell })
    }

    /// The port on the loopback interface.
    pub fn port(&self) -> &str {
        self.server.address.split_once(':').map_or("", |(_, port)| port)
    }

    /// The URL of the superuser, by the local socket.
    pub fn admin_url(&self, database: &str) -> String {
        socket_url(&self.dir, self.port(), database)
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
        self.dir.join("ca.pem")
    }
}

/// The URL of the superuser by the socket in the folder of a server.
fn socket_url(dir: &Path, port: &str, database: &str) -> String {
    format!("postgres:///{database}?host={}&port={port}&user=postgres", dir.display())
}

/// Starts a server that ends when this process does, however it ends: a shell waits for the end
/// of its standard input, which this process holds. `prepare` is run by that shell in the folder of
/// the server before it starts; `settings` are options of the server.
///
/// Returns the server, its folder, and the shell.
fn start_server(programs: &Path, prepare: &str, settings: &str) -> (Server, PathBuf, Child) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let dir = tempfile::Builder::new().prefix("trueup-postgres-").tempdir().unwrap().keep();
    let is_root = fs::metadata(&dir).unwrap().uid() == 0;
    if is_root {
        // The server refuses to run as root.
        let status = Command::new("chown").arg("nobody").arg(&dir).status().unwrap();
        assert!(status.success());
    }
    let script = format!(
        "cd '{dir}' || exit 1
         '{bin}/initdb' -D data -U postgres -A trust --no-sync -E UTF8 --no-locale >log 2>&1 || exit 1
         {prepare}
         '{bin}/postgres' -D data -p {port} -k '{dir}' -c listen_addresses=127.0.0.1 \\
             -c fsync=off -c max_connections=200 {settings} >>log 2>&1 &
         server=$!
         read -r ended
         kill -INT $server
         wait $server
         cd / && rm -rf '{dir}'",
        dir = dir.display(),
        bin = programs.display(),
    );
    let mut command = if is_root {
        let mut command = Command::new("runuser");
        command.args(["-u", "nobody", "--", "sh", "-c", &script]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        command
    };
    let shell = command
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let address = format!("127.0.0.1:{port}");
    let server = Server { user: "postgres".to_owned(), address, query: String::new() };
    let begun = Instant::now();
    let socket = socket_url(&dir, &port.to_string(), "postgres");
    while run_psql(&socket, "SELECT 1").is_err() {
        let log = || fs::read_to_string(dir.join("log")).unwrap_or_default();
        assert!(begun.elapsed() < START_LIMIT, "PostgreSQL does not start: {}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    (server, dir, shell)
}
