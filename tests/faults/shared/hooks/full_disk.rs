//! A disk that is full on the machine of a session whose database is on a server.

use std::fs;

use serde_json::Value;
use support::home::Home;
use support::network::faulty_proxy::{Fault, FaultyProxy};

use super::super::super::mount::Mount;
use super::super::scene::{Server, url_by};
use super::fixture::{RemoteSession, step_name};

/// How many steps are tried at most: the rest of a block of the file system has space for some.
const TRIES: usize = 60;

/// What the user is told of a write that is nowhere.
const LOST: &str = "⚠️ the write is lost, because the outbox cannot be written: ";

#[test]
fn an_outbox_that_cannot_grow_loses_what_it_says_and_nothing_else() {
    let Some(server) = Server::shared() else { return };
    let home = Home::new();
    let Some(mount) = Mount::over(&home.trueup_home(), "2m") else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start_in(home, &server.postgres, url_by("agent", proxy.port));
    network.set(Fault::CutAfter(0));
    session.push(0).ok();
    mount.fill();
    let mut kept = vec![step_name(0)];
    let lost = (1..TRIES).find(|&number| {
        let output = session.push(number);
        assert_eq!(output.code, Some(0), "{output:?}");
        let lines = output.message();
        let is_lost = lines.iter().any(|line| line.starts_with(LOST));
        assert!(lines.len() <= 1 && is_lost != lines.is_empty(), "{output:?}");
        if !is_lost {
            kept.push(step_name(number));
        }
        is_lost
    });
    let lost = lost.expect("the disk was not full");
    assert_eq!(session.outbox().list_waiting().unwrap().len(), kept.len());
    // What waits arrives while the disk is full, and no pull writes anything twice.
    network.set(Fault::None);
    session.command(&["pull"]);
    session.command(&["pull"]);
    mount.free();
    session.push(lost + 1).ok();
    session.pull();
    kept.push(step_name(lost + 1));
    assert_eq!(session.list_tasks(), kept);
    for file in ["journal.jsonl", "outbox.dead.jsonl"] {
        assert_eq!(session.home.read_lines(file), [Value::Null; 0], "{file}");
    }
    // What the disk had space for of the lost write is kept, and is no write.
    assert!(session.outbox().count_damaged().unwrap() <= 1);
    assert_eq!(session.home.read_cache()["currentTask"], step_name(lost + 1));
}

#[test]
fn a_replica_that_cannot_be_replaced_costs_no_write() {
    let Some(server) = Server::shared() else { return };
    let session = RemoteSession::start(server, server.url());
    let path = session.replica_path();
    let replica = fs::read(&path).unwrap();
    let Some(mount) = Mount::over(path.parent().unwrap(), "1m") else { return };
    fs::write(&path, replica).unwrap();
    mount.fill();
    for number in 0..4 {
        let output = session.push(number);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(output.message(), [""; 0], "{output:?}");
        assert!(output.stderr.lines().count() <= 1, "{output:?}");
    }
    mount.free();
    session.push(4).ok();
    session.check_arrived("a full disk", 0..5);
    session.prompt().assert_silent();
}
