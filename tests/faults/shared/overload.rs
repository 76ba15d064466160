//! Servers whose connections or locks others use.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Child;

use support::home::{FIRST_SESSION, ProcessOutput};
use support::postgres::{HeldTurn, start_psql};

use super::scene::{Case, Failure, Scene, Server, await_refusals, check_failing, new_key};

/// How many connections a server takes, and those that are kept for its superuser.
pub(super) const CONNECTIONS: &str = "-c max_connections=8 -c superuser_reserved_connections=3";
const FREE_CONNECTIONS: usize = 5;

/// A connection that does nothing.
pub(super) struct IdleConnection(Child);

impl IdleConnection {
    /// Opens one; `None` where the server refuses it.
    fn open(url: &str) -> Option<Self> {
        let mut psql = start_psql(url);
        // A program that is refused may have ended.
        let _ = psql.stdin.as_mut().unwrap().write_all(b"SELECT 1;\n");
        let mut line = String::new();
        BufReader::new(psql.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let connection = Self(psql);
        (line == "1\n").then_some(connection)
    }

    /// Takes all connections of a server that was started with [`CONNECTIONS`]; `None` where
    /// somebody has one.
    pub(super) fn open_all(url: &str) -> Option<Vec<Self>> {
        (0..FREE_CONNECTIONS).map(|_| Self::open(url)).collect()
    }
}

impl Drop for IdleConnection {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a command that the server refuses, and frees what it needs once the server has refused
/// it, as its log says.
fn free_once_refused(server: &Server, scene: &Scene<'_>, refusal: &str, free: impl FnOnce()) {
    let before = server.postgres.read_log().matches(refusal).count();
    let key = new_key();
    let command = scene.command(&server.url(), &["item", "add", &key]).spawn();
    await_refusals(&server.postgres, refusal, before + 1);
    free();
    ProcessOutput::wait_for(command).ok();
    assert_eq!(scene.count(&key), (1, 1));
}

#[test]
fn a_server_without_a_connection_left_is_asked_until_there_is_one() {
    let Some(server) = Server::start_with(CONNECTIONS) else { return };
    let scene = Scene::new(&server);
    let held = IdleConnection::open_all(&server.url()).unwrap();
    let full = Failure::contended("the server has no connection left", "use a pooler");
    scene.check_failing(&Case::new("full", server.url(), full.at_deadline()));
    let add_for_session = ["item", "add", &new_key(), "--session", FIRST_SESSION];
    check_failing(&scene.home, "full", &server.url(), &add_for_session, full.at_deadline());
    let refusal = "FATAL:  remaining connection slots are reserved";
    free_once_refused(&server, &scene, refusal, || drop(held));
}

/// A statement waits for a lock for some seconds; the tests do not wait for so long.
pub(super) const SHORT_LOCK_TIMEOUT: &str =
    "ALTER FUNCTION trueup.exchange(text) SET lock_timeout = '200ms'";

#[test]
fn writers_wait_for_one_that_hangs_until_their_deadline_and_readers_do_not() {
    let Some(server) = Server::start() else { return };
    let scene = Scene::new(&server);
    server.postgres.run_sql("work", SHORT_LOCK_TIMEOUT);
    let turn = HeldTurn::take(&server.postgres.admin_url("work"));
    let busy = Failure::contended("another transaction held a lock for too long", "try again");
    scene.check_failing(&Case::new("held", server.url(), busy.at_deadline()));
    scene.command(&server.url(), &["item", "list"]).wait().ok();
    let refusal = "canceling statement due to lock timeout";
    free_once_refused(&server, &scene, refusal, || turn.release());
}
