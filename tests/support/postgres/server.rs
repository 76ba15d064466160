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
        let data = directory.join("data");
        let initdb = run_unprivileged(&programs.join("initdb"));
        let output = Command::new(&initdb[0])
            .args(&initdb[1..])
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale", "-D"])
            .arg(&data)
            .current_dir(&directory)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let mut server = run_unprivileged(&programs.join("postgres"));
        let port = free_port();
        let (place, number) = (directory.display(), port.to_string());
        let mut line = format!(
            "-D {place}/data -k {place} -p {number} -c listen_addresses=127.0.0.1 -c fsync=off \
             -c max_connections=200"
        );
        if let Some(admission) = options.admission {
            fs::write(data.join("pg_hba.conf"), admission).unwrap();
        }
        if let Some(identity) = options.identity {
            line.push_str(" -c ssl=on");
            for (name, text) in
                [("server.crt", &identity.certificate), ("server.key", &identity.key)]
            {
                let path = data.join(name);
                fs::write(&path, text).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
                give_away(&path);
            }
        }
        server.extend(line.split(' ').map(Into::into));
        let process = TiedProcess::start(directory, "INT", &server);
        let status = data.join("postmaster.pid");
        // The server adds this word once it takes connections.
        process.wait_until(|| fs::read_to_string(&status).is_ok_and(|text| text.contains("ready")));
        Some(Self { port, process })
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

    /// Stops the server's first process from running, without ending it.
    pub fn freeze(&self) {
        let path = self.socket_directory().join("data/postmaster.pid");
        let text = fs::read_to_string(path).unwrap();
        let pid = text.lines().next().and_then(|line| Pid::from_raw(line.parse().unwrap()));
        kill_process(pid.unwrap(), Signal::STOP).unwrap();
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
