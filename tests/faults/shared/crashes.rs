//! Servers that are killed before and in the middle of a command, with and without another start.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use support::home::ProcessOutput;
use support::postgres::{HeldTurn, await_waiting};

use super::scene::{Case, DOUBT, Ends, Failure, Scene, Server, new_key, shows};

/// The deadline of a command that has come as far as its commit when the server dies, and meets no
/// server again, in milliseconds.
const DEADLINE_MS: &str = "4000";

/// Kills the server while a command commits, and lets `then` happen before it ends.
fn crash_within(
    server: &Server,
    scene: &Scene<'_>,
    key: &str,
    ends: Ends,
    then: impl FnOnce(),
) -> ProcessOutput {
    let turn = HeldTurn::take(&server.postgres.admin_url("work"));
    let run = scene.command(&server.url(), &["item", "add", key, "--op-id", key]);
    let mut run = match ends {
        Ends::AtOnce => run,
        Ends::AtDeadline => run.env("TRUEUP_DEADLINE_MS", DEADLINE_MS),
    };
    let command = run.spawn();
    await_waiting(1, |sql| server.postgres.run_sql("work", sql));
    server.postgres.crash();
    turn.release();
    then();
    ProcessOutput::wait_for(command)
}

#[test]
fn a_command_outlives_the_server_and_takes_effect_once() {
    let Some(server) = Server::start() else { return };
    let scene = Scene::new(&server);
    let key = new_key();
    let restart = || server.postgres.start_again();
    crash_within(&server, &scene, &key, Ends::AtOnce, restart).ok();
    assert_eq!(scene.count(&key), (1, 1));

    // A server that stays away: the command does not know what became of its commit.
    let key = new_key();
    let output = crash_within(&server, &scene, &key, Ends::AtDeadline, || {});
    assert_eq!((output.code, output.stderr.lines().count()), (Some(3), 2), "{output:?}");
    assert!(shows(&output, DOUBT), "{output:?}");
    let refused = Failure::unavailable("the connection was refused", "that the server runs");
    scene.check_failing(&Case::new("no server", server.url(), refused));
    server.postgres.start_again();
    assert_eq!(scene.count(&key), (0, 0));
    scene.check_repetition("after the crash", &["item", "add", &key, "--op-id", &key], &key);
    scene.check_secrets("after the crash", &[output]);
}

/// How long a command may take to connect on a machine that has much else to do.
const LIMIT: Duration = Duration::from_mins(1);

/// Starts what closes every connection without a word, as a host does whose server is not there;
/// returns its port, and what tells of each connection.
fn start_closing_host() -> (u16, Receiver<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, attempts) = channel();
    thread::spawn(move || listener.incoming().try_for_each(|_| sender.send(())));
    (port, attempts)
}

#[test]
fn a_server_of_several_that_refuses_connections_is_waited_for() {
    let Some(server) = Server::start() else { return };
    let scene = Scene::new(&server);
    let (other, attempts) = start_closing_host();
    server.postgres.crash();
    let key = new_key();
    let url = server.url();
    let own = format!("127.0.0.1:{}", server.postgres.port);
    let url = url.replace(&own, &format!("127.0.0.1:{other},{own}"));
    let command = scene.command(&url, &["item", "add", &key]).spawn();
    // The second attempt follows the first refusal.
    for _ in 0..2 {
        attempts.recv_timeout(LIMIT).unwrap();
    }
    server.postgres.start_again();
    ProcessOutput::wait_for(command).ok();
    assert_eq!(scene.count(&key), (1, 1));
}
