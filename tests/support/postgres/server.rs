//! Servers of PostgreSQL: those that tests start, and the one that all tests of a process share.

#![expect(clippy::unwrap_used, reason = "a server that cannot be had fails its test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};

use super::{run_psql, skip_or_fail};
use crate::certificates::Identity;
use crate::tied_process::{TiedProcess, free_port, give_away, new_directory, run_unprivileged};

/// How a server differs from one that lets everybody in without TLS.
#[derive(Default)]
pub struct ServerOptions<'a> {
    /// What `pg_hba.conf` says.
    pub admission: Option<&'a str>,
    /// What the server shows to those who ask for TLS.
    pub identity: Option<&'a Identity>,
    /// Further settings, as `-c name=value`.
    pub settings: &'a str,
}

/// A running server. It ends when the value is dropped, or with the process.
#[derive(Debug)]
pub struct PostgresServer {
    /// Where it listens on this machine.
    pub port: u16,
    process: TiedProcess,
}

impl PostgresServer {
    /// Starts a server; `None`, said aloud, where none is installed.
    pub fn start(options: &ServerOptions<'_>) -> Option<Self> {
        let Some(programs) = find_programs() else {
            skip_or_fail("no PostgreSQL server is installed");
            return None;
        };
        let directory = new_directory();
        let initdb =
            ["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale", "-D"];
        run_to_end(&programs.join("initdb"), &[&initdb[..], &["data"]].concat(), &directory);
        let data = directory.join("data");
        let mut settings = options.settings.to_owned();
        if let Some(admission) = options.admission {
            fs::write(data.join("pg_hba.conf"), admission).unwrap();
        }
        if let Some(identity) = options.identity {
            settings.push_str(" -c ssl=on");
            for (name, text) in
                [("server.crt", &identity.certificate), ("server.key", &identity.key)]
            {
                let path = data.join(name);
                fs::write(&path, text).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
                give_away(&path);
            }
        }
        Some(Self::start_on_data(&programs, directory, &settings))
    }

    /// Starts a standby that follows this server, as `pg_hba.conf` must admit by the local socket.
    #[must_use]
    pub fn start_standby(&self) -> Self {
        let programs = find_programs().unwrap();
        let directory = new_directory();
        let (socket, port) = (self.socket_directory().display().to_string(), self.port.to_string());
        let place = ["-h", &socket, "-p", &port, "-U", "postgres", "-D", "data"];
        let copy = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"];
        run_to_end(&programs.join("pg_basebackup"), &[&place[..], &copy].concat(), &directory);
        Self::start_on_data(&programs, directory, "")
    }

    /// Starts a server on the folder `data` of a directory.
    fn start_on_data(programs: &Path, directory: PathBuf, settings: &str) -> Self {
        let port = free_port();
        let place = directory.display();
        let line = format!(
            "-D {place}/data -k {place} -p {port} -c listen_addresses=127.0.0.1 -c fsync=off \
             -c max_connections=200 {settings}"
        );
        let mut server = run_unprivileged(&programs.join("postgres"));
        server.extend(line.split_ascii_whitespace().map(Into::into));
        let process = TiedProcess::start(directory, "INT", &server);
        let server = Self { port, process };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&self) {
        let status = self.status_file();
        // The server adds this word once it takes connections.
        let is_ready = || fs::read_to_string(&status).is_ok_and(|text| text.contains("ready"));
        self.process.wait_until(is_ready);
    }

    /// The file that names the server's first process while it runs.
    fn status_file(&self) -> PathBuf {
        self.socket_directory().join("data/postmaster.pid")
    }

    /// Returns the directory of the local socket.
    pub fn socket_directory(&self) -> &Path {
        self.process.directory()
    }

    /// Returns the URL of the superuser by the local socket.
    pub fn admin_url(&self, database: &str) -> String {
        let (place, port) = (self.socket_directory().display(), self.port);
        format!("postgres:///{database}?host={place}&port={port}&user=postgres")
    }

    /// Runs SQL as the superuser by the local socket; returns what it printed.
    pub fn run_sql(&self, database: &str, sql: &str) -> String {
        run_psql(&self.admin_url(database), sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// Returns what the server has written to its log.
    pub fn read_log(&self) -> String {
        fs::read_to_string(self.socket_directory().join("log")).unwrap()
    }

    /// Stops the server's processes from running, without ending them.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets the server's processes run on.
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// Kills the server's processes, as `kill -9` or a machine that loses power does.
    pub fn crash(&self) {
        // A first process that does not run starts no others.
        self.signal_all(Signal::STOP);
        let killed = self.signal_all(Signal::KILL);
        // A dead process whose parent has not asked for it yet has no command line.
        let is_gone = |pid: &i32| {
            fs::read(format!("/proc/{pid}/cmdline")).map_or(true, |line| line.is_empty())
        };
        self.process.wait_until(|| killed.iter().all(is_gone));
        fs::remove_file(self.status_file()).unwrap();
    }

    /// Starts the server again after a crash.
    pub fn start_again(&self) {
        self.process.start_again();
        self.wait_until_ready();
    }

    /// Sends a signal to the server's first process and its children; returns them all.
    fn signal_all(&self, signal: Signal) -> Vec<i32> {
        let status = fs::read_to_string(self.status_file()).unwrap();
        let first: i32 = status.lines().next().unwrap().parse().unwrap();
        let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap();
        let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
        let all: Vec<i32> = [first].into_iter().chain(children).collect();
        for &pid in &all {
            // A process that has ended meanwhile needs no signal.
            let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
        }
        all
    }

    /// Shuts the server down, whoever is connected.
    pub fn shut_down(&mut self) {
        self.process.end();
    }
}

/// A server as the URL of a superuser, in parts.
#[derive(Debug, Clone)]
pub(super) struct SharedServer {
    pub(super) user: String,
    /// Host and port.
    pub(super) address: String,
    /// From the question mark on.
    query: String,
}

impl SharedServer {
    pub(super) fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@{}/{database}{}", self.address, self.query)
    }

    /// Takes a URL such as `postgres://user:password@host:port/name?sslmode=disable` apart; returns
    /// the name of the database, too.
    pub(super) fn from_url(url: &str) -> (Self, String) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, format!("?{query}")),
            None => (rest, String::new()),
        };
        let (user, rest) = rest.rsplit_once('@').unwrap_or(("postgres", rest));
        let (address, name) = rest.split_once('/').unwrap_or((rest, "postgres"));
        (Self { user: user.to_owned(), address: address.to_owned(), query }, name.to_owned())
    }
}

/// Returns the server of this process, or `None` after saying once why there is none.
pub(super) fn shared_server() -> Option<&'static SharedServer> {
    static SERVER: OnceLock<Option<(SharedServer, Option<PostgresServer>)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
            return Some((SharedServer::from_url(&url).0, None));
        }
        let server = PostgresServer::start(&ServerOptions::default())?;
        let address = format!("127.0.0.1:{}", server.port);
        let shared = SharedServer { user: "postgres".to_owned(), address, query: String::new() };
        Some((shared, Some(server)))
    });
    server.as_ref().map(|(shared, _)| shared)
}

/// Runs a program as the user of the servers; it must succeed.
fn run_to_end(program: &Path, arguments: &[&str], directory: &Path) {
    let line = run_unprivileged(program);
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).args(arguments).current_dir(directory);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Finds the folder of the server's programs, which packages keep out of the search path.
pub(super) fn find_programs() -> Option<PathBuf> {
    let search_path = std::env::var_os("PATH").unwrap_or_default();
    let mut on_path = std::env::split_paths(&search_path).map(|dir| dir.join("initdb"));
    // One program may be linked there without the others.
    let found = on_path.find_map(|initdb| fs::canonicalize(initdb).ok());
    let beside = found.and_then(|initdb| initdb.parent().map(Path::to_owned));
    beside.or_else(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let programs = versions.flatten().filter_map(|version| {
            let number: u32 = version.file_name().to_str()?.parse().ok()?;
            let dir = version.path().join("bin");
            dir.join("initdb").is_file().then_some((number, dir))
        });
        programs.max().map(|(_, dir)| dir)
    })
}
