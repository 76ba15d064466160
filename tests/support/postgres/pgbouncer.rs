//! `PgBouncer` in front of the tests' server, which lends a connection for one transaction at a
//! time.

#![expect(clippy::unwrap_used, reason = "a pooler that cannot be had fails its test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::server::{SharedServer, shared_server};
use super::skip_or_fail;
use crate::tied_process::{TiedProcess, free_port, give_away, new_directory, run_unprivileged};

/// A running pooler.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    /// Ends with this process.
    _process: TiedProcess,
}

impl PgBouncer {
    /// Returns the pooler of this process; `None`, said aloud, where none can be had.
    pub fn shared() -> Option<&'static Self> {
        static POOLER: OnceLock<Option<PgBouncer>> = OnceLock::new();
        POOLER.get_or_init(|| Self::start(shared_server()?)).as_ref()
    }

    /// Returns the URL of a database of the tests' server as one through the pooler.
    pub fn url(&self, url: &str) -> String {
        let (SharedServer { user, .. }, database) = SharedServer::from_url(url);
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    fn start(server: &SharedServer) -> Option<Self> {
        let Some(program) = find_program() else {
            skip_or_fail("PgBouncer is not installed");
            return None;
        };
        let (directory, port) = (new_directory(), free_port());
        let (host, host_port) = server.address.split_once(':').unwrap_or((&server.address, "5432"));
        let (user, password) = server.user.split_once(':').unwrap_or((&server.user, ""));
        // Passwords of others are asked of the server.
        let settings = format!(
            "[databases]\n\
             * = host={host} port={host_port} auth_user={user}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = scram-sha-256\n\
             auth_file = users\n\
             pool_mode = transaction\n\
             default_pool_size = 4\n\
             max_client_conn = 400\n"
        );
        write_file(&directory.join("settings"), &settings);
        write_file(&directory.join("users"), &format!("\"{user}\" \"{password}\"\n"));
        let mut line = run_unprivileged(&program);
        line.push("settings".into());
        let process = TiedProcess::start(directory, "TERM", &line);
        process.wait_for_port(port);
        Some(Self { port, _process: process })
    }
}

fn write_file(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    give_away(path);
}

/// Finds the program, which is for administrators and so may be outside of the search path.
fn find_program() -> Option<PathBuf> {
    let search_path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&search_path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}
