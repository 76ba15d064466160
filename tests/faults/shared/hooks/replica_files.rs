//! A replica that is damaged, of another version, locked, or cannot be written.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use support::home::{Home, ProcessOutput};
use support::network::faulty_proxy::{Fault, FaultyProxy};
use trueup_core::fs::FileLock;
use trueup_core::replica::REPLICA_VERSION;

use super::super::super::mount::Mount;
use super::super::scene::{SHORT_DEADLINE_MS, Server, url_by};
use super::fixture::{RemoteSession, await_event};

/// What a push says whose write is in the outbox and nowhere else. It says why as well.
const SAVED: &str = "trueup: saved in the outbox; it is sent later";

/// What a hook says that could not read the replica.
const UNREAD: &str = "trueup: the database cannot be used: ";

/// Checks that a push put its write into the outbox without the replica.
#[track_caller]
fn check_saved(name: &str, output: &ProcessOutput) {
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{name}: {output:?}");
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with(UNREAD), "{name}: {output:?}");
    assert_eq!(lines[1], SAVED, "{name}: {output:?}");
}

/// Asks the gate with little time, since it waits for a pull to bring what is missing.
fn ask_gate_briefly(session: &RemoteSession<'_>) -> Value {
    let handoff = session.payload("pre-tool-use.agent");
    let run = session.prepare_hook("pre-handoff-validate", &handoff);
    let output = run.env("TRUEUP_DEADLINE_MS", SHORT_DEADLINE_MS).wait();
    assert_eq!(output.code, Some(0), "{output:?}");
    output.json()["hookSpecificOutput"]["permissionDecision"].clone()
}

/// What becomes of the text of a replica.
type Damage<'a> = &'a dyn Fn(&str) -> Vec<u8>;

#[test]
fn a_replica_that_cannot_be_read_is_read_anew_and_costs_no_write() {
    let Some(server) = Server::shared() else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(server, url_by("agent", proxy.port));
    let path = session.replica_path();
    let (version, other) = (REPLICA_VERSION, REPLICA_VERSION + 1);
    let of_version = |number: u32| format!("{{\"version\":{number},");
    let ways: [(&str, Damage<'_>); 5] = [
        ("absent", &|_| Vec::new()),
        ("half", &|text| text.as_bytes()[..text.len() / 2].to_vec()),
        ("zeroes", &|text| vec![0; text.len()]),
        ("no text", &|_| vec![0xff; 100]),
        ("another version", &|text| {
            text.replacen(&of_version(version), &of_version(other), 1).into_bytes()
        }),
    ];
    for (round, (name, damage)) in ways.into_iter().enumerate() {
        let first = 3 * round;
        network.set(Fault::CutAfter(0));
        session.push(first).ok();
        let before = fs::read_to_string(&path).unwrap();
        let damaged = damage(&before);
        assert_ne!(damaged, before.as_bytes(), "{name}");
        fs::write(&path, damaged).unwrap();
        check_saved(name, &session.push(first + 1));
        assert!(session.prompt().single_line().starts_with(UNREAD), "{name}");
        assert_eq!(ask_gate_briefly(&session), "ask", "{name}");
        network.set(Fault::None);
        // The push starts the pull that makes another replica.
        check_saved(name, &session.push(first + 2));
        await_event(|| {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            if text.starts_with(&of_version(version)) && text.ends_with('}') {
                return Ok(());
            }
            Err(text)
        });
        session.check_arrived(name, 0..first + 3);
        session.prompt().assert_silent();
    }
}

#[test]
fn a_replica_that_another_process_holds_for_long_costs_no_write() {
    let Some(server) = Server::shared() else { return };
    let session = RemoteSession::start(server, server.url());
    let lock = FileLock::acquire(&session.replica_lock_path(), Duration::ZERO).unwrap();
    for number in 0..3 {
        check_saved("locked", &session.push(number));
    }
    let line = session.prompt().single_line();
    assert!(line.contains("what is known of the session is locked"), "{line}");
    assert_eq!(ask_gate_briefly(&session), "ask");
    // What waits is sent all the same.
    await_event(|| if session.list_tasks().len() == 3 { Ok(()) } else { Err("not sent") });
    drop(lock);
    session.await_quiet();
    session.push(3).ok();
    session.check_arrived("locked", 0..4);
    session.prompt().assert_silent();
}

#[test]
fn a_replica_that_is_read_only_costs_no_write() {
    let Some(server) = Server::shared() else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start(server, url_by("agent", proxy.port));
    let folder = session.replica_path().parent().unwrap().to_owned();
    let replica = session.replica_path();
    for (round, place) in [replica, folder].into_iter().enumerate() {
        let name = place.display().to_string();
        let first = 4 * round;
        let Some(mount) = Mount::over_itself(&place) else { return };
        mount.read_only(true);
        network.set(Fault::CutAfter(0));
        for number in first..first + 3 {
            let output = session.push(number);
            assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{name}: {output:?}");
            assert!(output.stderr.lines().count() <= 1, "{name}: {output:?}");
        }
        drop(mount);
        network.set(Fault::None);
        session.push(first + 3).ok();
        session.check_arrived(&name, 0..first + 4);
        session.prompt().assert_silent();
    }
}

#[test]
fn an_outbox_that_is_read_only_loses_what_it_says_and_nothing_else() {
    let Some(server) = Server::shared() else { return };
    let home = Home::new();
    let Some(mount) = Mount::over(&home.trueup_home(), "4m") else { return };
    let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
    let session = RemoteSession::start_in(home, &server.postgres, url_by("agent", proxy.port));
    network.set(Fault::CutAfter(0));
    session.push(0).ok();
    mount.read_only(true);
    let output = session.push(1);
    assert_eq!(output.code, Some(0), "{output:?}");
    let [line] = &output.message()[..] else { panic!("{output:?}") };
    assert!(line.starts_with("⚠️ the write is lost, because "), "{line}");
    session.prompt().single_line();
    assert_eq!(ask_gate_briefly(&session), "ask");
    mount.read_only(false);
    network.set(Fault::None);
    session.push(2).ok();
    session.pull();
    assert_eq!(session.list_tasks(), ["step 0000", "step 0002"]);
    session.check_nothing_set_aside("read-only");
    session.prompt().assert_silent();
}
