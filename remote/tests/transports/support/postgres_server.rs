//! A PostgreSQL server of the tests' own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::certificates::{Authority, Identity};

/// The user that the server runs as if the tests run as root, which it refuses to.
const NOBODY: u32 = 65534;

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

/// A running server.
pub(crate) struct PostgresServer {
    folder: TempDir,
    pub(crate) port: u16,
    pub(crate) authority: Authority,
    process: Child,
}

static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());

/// Returns the directory of the server's programs; none where the tests are to be skipped.
#[expect(clippy::print_stderr, reason = "a skipped suite says so")]
fn find_programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path().join("bin")).max();
    let found = newest.filter(|path| path.join("initdb").exists());
    if found.is_none() {
        let is_required = std::env::var_os("TRUEUP_REQUIRE_POSTGRES").is_some();
        assert!(!is_required, "PostgreSQL is not installed");
        eprintln!("SKIPPED: PostgreSQL is not installed");
    }
    found
}

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
        let programs = find_programs()?;
        let folder = tempfile::tempdir().unwrap();
        give_away(folder.path());
        let data = folder.path().join("data");
        let mut initdb = unprivileged(&programs.join("initdb"));
        initdb.args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"]);
        let output = initdb.arg("-D").arg(&data).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let authority = Authority::new();
        let identity = authority.sign("localhost");
        write_identity(&data, &identity);
        fs::write(data.join("pg_hba.conf"), ADMISSION).unwrap();
        let port = free_port();
        let mut server = unprivileged(&programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(folder.path());
        server.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", "ssl=on", "-c", "fsync=off", "-c", "max_connections=40"]);
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = server.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut server = Self { folder, port, authority, process };
        server.wait_until_ready();
        Some(server)
    }

    /// Waits for the line that the server adds to its file of locks once it takes connections.
    fn wait_until_ready(&mut self) {
        let status = self.folder.path().join("data/postmaster.pid");
        for _ in 0..600 {
            if fs::read_to_string(&status).is_ok_and(|text| text.contains("ready")) {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the server does not start: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Runs SQL as the superuser by the local socket.
    pub(crate) fn run_sql(&self, database: &str, sql: &str) -> String {
        let programs = find_programs().unwrap();
        let mut psql = Command::new(programs.join("psql"));
        psql.env("PGHOST", self.folder.path()).args(["-p", &self.port.to_string()]);
        psql.args(["-U", "postgres", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql]);
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the directory of the local socket.
    pub(crate) fn socket_directory(&self) -> &Path {
        self.folder.path()
    }

    /// Returns a URL by TCP.
    pub(crate) fn url(&self, user: &str, rest: &str) -> String {
        format!("postgres://{user}:s3cret@localhost:{}/{rest}", self.port)
    }

    /// Stops the server's processes from running, without ending them.
    pub(crate) fn freeze(&self) {
        kill_process(self.pid(), Signal::STOP).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap()
    }

    /// Shuts the server down, whoever is connected.
    pub(crate) fn shut_down(&mut self) {
        kill_process(self.pid(), Signal::INT).unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.process.try_wait().unwrap().is_none() {
            let _ = kill_process(self.pid(), Signal::CONT);
            let _ = kill_process(self.pid(), Signal::QUIT);
            let _ = self.process.wait();
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}

/// Gives a file to the user that the server runs as.
fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        let mode = if path.is_dir() { 0o711 } else { 0o600 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    command
}

fn write_identity(data: &Path, identity: &Identity) {
    for (name, text) in [("server.crt", &identity.certificate), ("server.key", &identity.key)] {
        let path = data.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        give_away(&path);
    }
}

/// Returns a port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
