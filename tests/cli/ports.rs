//! `trueup port` on the real machine, with whatever else runs on it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, ProcessOutput, SECOND_SESSION};
use support::race;
use trueup_core::fs::FileLock;
use trueup_core::model::PortSlot;
use trueup_core::tcp_ports::{SlotProbe as _, TcpProbe};

use crate::fixture::{create_database, data, keys, object, refused, second, started, trueup};
use crate::state_snapshot::StateSnapshot;

/// How often a port that looks taken is looked at.
const LOOKS: u32 = 100;

/// The machine's port pool, which the tests of all checkouts use in turn.
struct Pool {
    /// The slots that can be bound, the lowest first.
    free: Vec<u16>,
    _turn: FileLock,
}

impl Pool {
    fn take() -> Self {
        let path = std::env::temp_dir().join("trueup-tests-ports.lock");
        let turn = FileLock::acquire(&path, Duration::from_mins(10)).unwrap();
        // A process that another test starts inherits every socket until it calls `exec`, so a port
        // may look taken for a moment.
        let is_free = |slot: &PortSlot| (0..LOOKS).any(|_| TcpProbe.check_slot(*slot).is_none());
        let free = PortSlot::all().filter(is_free);
        Self { free: free.map(PortSlot::backend_port).collect(), _turn: turn }
    }
}

/// Runs `trueup` so often at once, with arguments of its own each; returns the objects.
fn at_once(home: &Home, count: usize, arguments: impl Fn(usize) -> Vec<String>) -> Vec<Value> {
    let run = |n| home.prepare_run("trueup").args(arguments(n)).args(["--json"]);
    let answers = race::run_at_once(count, run);
    answers.iter().map(ProcessOutput::json).collect()
}

fn reserve(id: impl std::fmt::Display) -> Vec<String> {
    vec!["ports".to_owned(), "reserve".to_owned(), id.to_string()]
}

/// Puts a reservation into the database as it was made `hours` ago by a process that is gone.
fn insert_reservation_of_dead_process(home: &Home, id: &str, backend: u16, hours: u32, pid: u32) {
    let host = trueup_core::liveness::host_name();
    home.execute_sql(
        "INSERT INTO port_reservations (id, host, backend, frontend, pid, pid_started, boot_id,
             allocated_at)
         VALUES (?1, ?2, ?3, ?3 + 100, ?4, 1, 'another boot',
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?5))",
        (id, host, backend, pid, format!("-{hours} hours")),
    );
}

#[test]
fn the_lowest_pair_is_given_once_and_again_to_the_same_id() {
    let pool = Pool::take();
    let home = started();
    let first = data(&home, &["ports", "reserve", "3af4a34d"]);
    assert_eq!(keys(&first), ["allocated_at", "backend", "frontend", "id"]);
    assert_eq!(first["id"], "3af4a34d");
    assert_eq!(first["backend"], pool.free[0]);
    assert_eq!(first["frontend"], pool.free[0] + 100);
    let before = StateSnapshot::take(&home);
    assert_eq!(data(&home, &["ports", "reserve", "3af4a34d"]), first);
    assert_eq!(StateSnapshot::take(&home), before, "asking again changes nothing");
    let other = data(&home, &["ports", "reserve", "other"]);
    assert_eq!(other["backend"], pool.free[1]);
    assert_eq!(home.count_events("reserved", "3af4a34d"), 1);
}

#[test]
fn reservations_are_listed_with_their_owners() {
    let _pool = Pool::take();
    let home = started();
    assert_eq!(data(&home, &["ports", "list"]), json!({"reservations": []}));
    let given = data(&home, &["ports", "reserve", "a"]);
    let before = StateSnapshot::take(&home);
    let list = data(&home, &["ports", "list"]);
    assert_eq!(StateSnapshot::take(&home), before);
    let row = &list["reservations"][0];
    let all = ["allocated_at", "backend", "frontend", "host", "id", "owner", "stale"];
    assert_eq!(keys(row), all);
    assert_eq!(row["backend"], given["backend"]);
    assert_eq!(row["stale"], false);
    assert_eq!(row["owner"]["session_id"], FIRST_SESSION);
    assert_eq!(row["owner"]["pid"], std::process::id(), "who called");
    assert_eq!(row["owner"]["alive"], "alive");
}

#[test]
fn without_a_session_the_calling_process_owns() {
    let _pool = Pool::take();
    let home = Home::new();
    create_database(&home);
    data(&home, &["ports", "reserve", "a"]);
    let list = data(&home, &["ports", "list"]);
    let owner = &list["reservations"][0]["owner"];
    assert!(owner["session_id"].is_null());
    assert_eq!(owner["pid"], std::process::id());
}

#[test]
fn a_released_pair_is_free_and_an_unknown_one_refused() {
    let _pool = Pool::take();
    let home = started();
    let given = data(&home, &["ports", "reserve", "a"]);
    assert_eq!(data(&home, &["ports", "release", "a"]), given);
    refused(&home, "not_reserved", &["ports", "release", "a"]);
    refused(&home, "not_reserved", &["ports", "release", "never"]);
    let next = data(&home, &["ports", "reserve", "b"]);
    assert_eq!(next["backend"], given["backend"]);
    assert_eq!(home.count_events("released", "a"), 1);
}

#[test]
fn ids_that_are_none_are_a_matter_of_usage() {
    let home = started();
    for id in ["", "a/b", "..", "-x", &"x".repeat(65)] {
        assert_eq!(trueup(&home, &["ports", "reserve", id]).code, Some(2), "{id}");
    }
}

#[test]
fn a_pair_of_which_one_port_is_bound_is_passed_over_and_named() {
    let pool = Pool::take();
    let home = started();
    // The backend's of the lowest, on one address of the older protocol; the frontend's of the
    // next, on all of them.
    let held = [
        TcpListener::bind(("127.0.0.1", pool.free[0])).unwrap(),
        TcpListener::bind(("0.0.0.0", pool.free[1] + 100)).unwrap(),
    ];
    let object = object(&home, 0, &["ports", "reserve", "a"]);
    assert_eq!(object["data"]["backend"], pool.free[2]);
    let warnings = object["warnings"].to_string();
    for port in [pool.free[0], pool.free[1] + 100] {
        let line = format!("port {port} is in use by process {} (", std::process::id());
        assert!(warnings.contains(&line), "{warnings}");
    }
    drop(held);
    assert_eq!(data(&home, &["ports", "reserve", "b"])["backend"], pool.free[0]);
}

#[test]
fn a_listener_of_the_newer_protocol_alone_is_seen() {
    let pool = Pool::take();
    let Ok(_held) = TcpListener::bind(("::1", pool.free[0])) else {
        return; // A machine without it.
    };
    let home = started();
    let given = data(&home, &["ports", "reserve", "a"]);
    assert_eq!(given["backend"], pool.free[1]);
}

#[test]
fn ports_that_its_own_servers_use_by_now_are_still_an_ids() {
    let _pool = Pool::take();
    let home = started();
    let given = data(&home, &["ports", "reserve", "a"]);
    let backend = u16::try_from(given["backend"].as_u64().unwrap()).unwrap();
    let _server = TcpListener::bind(("127.0.0.1", backend)).unwrap();
    let again = object(&home, 0, &["ports", "reserve", "a"]);
    assert_eq!((&again["data"], &again["warnings"]), (&given, &json!([])));
}

#[test]
fn a_hundred_at_once_are_distinct_or_told_that_the_pool_is_full() {
    let pool = Pool::take();
    let home = started();
    let answers = at_once(&home, 100, |n| reserve(format!("w{n}")));
    let given: Vec<u64> = answers
        .iter()
        .filter(|answer| answer["ok"] == true)
        .map(|answer| answer["data"]["backend"].as_u64().unwrap())
        .collect();
    let distinct: BTreeSet<u64> = given.iter().copied().collect();
    let free: BTreeSet<u64> = pool.free.iter().map(|port| u64::from(*port)).collect();
    assert_eq!((given.len(), distinct), (free.len(), free));
    for answer in answers.iter().filter(|answer| answer["ok"] == false) {
        assert_eq!(answer["error"]["code"], "pool_full", "{answer}");
        let held = answer["data"]["reservations"].as_array().unwrap();
        assert_eq!(held.len(), pool.free.len(), "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        for row in held {
            let since = row["allocated_at"].as_str().unwrap();
            let id = row["id"].as_str().unwrap();
            let who = format!("{} for {id} since {since} (", row["backend"]);
            assert!(message.contains(&who), "{who}: {message}");
        }
    }
}

#[test]
fn a_hundred_at_once_for_one_id_get_one_answer() {
    let _pool = Pool::take();
    let home = started();
    let answers = at_once(&home, 100, |_| reserve("one"));
    let distinct: BTreeSet<String> = answers.iter().map(|a| a["data"].to_string()).collect();
    assert_eq!(distinct.len(), 1, "{distinct:?}");
    assert_eq!(answers[0]["ok"], true);
    assert_eq!(home.count_events("reserved", "one"), 1);
}

#[test]
fn with_releases_in_between_nothing_is_given_twice() {
    let _pool = Pool::take();
    let home = started();
    for round in 0..3 {
        at_once(&home, 40, |n| {
            if n % 2 == 0 {
                return reserve(format!("w{}", n / 2));
            }
            let id = format!("w{}", (n / 2 + round * 3) % 20);
            vec!["ports".to_owned(), "release".to_owned(), id]
        });
    }
    // Replays the events: a slot must be free when it is reserved.
    let log = data(&home, &["log", "--entity", "port", "--limit", "0"]);
    let mut held: BTreeMap<i64, String> = BTreeMap::new();
    let mut given = 0;
    for event in log["events"].as_array().unwrap() {
        let key = event["key"].as_str().unwrap().to_owned();
        if event["kind"] == "reserved" {
            given += 1;
            let slot = event["after"]["backend"].as_i64().unwrap();
            assert!(!held.values().any(|id| *id == key), "{event}");
            assert_eq!(held.insert(slot, key), None, "{event}");
        } else {
            let slot = event["before"]["backend"].as_i64().unwrap();
            assert_eq!(held.remove(&slot), Some(key), "{event}");
        }
    }
    assert!(given > 15, "slots came back: {given}");
}

#[test]
fn what_is_old_and_forsaken_is_swept_and_nothing_else() {
    let home = started();
    insert_reservation_of_dead_process(&home, "old", 9100, 25, 1);
    insert_reservation_of_dead_process(&home, "young", 9101, 23, 1);
    home.execute_sql(
        "INSERT INTO port_reservations (id, host, backend, frontend, session, allocated_at)
         VALUES ('mine', 'elsewhere', 9100, 9200, ?1, '2000-01-01T00:00:00.000Z')",
        [FIRST_SESSION],
    );
    let list = data(&home, &["ports", "list"]);
    let stale: Vec<&Value> = list["reservations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["stale"] == true)
        .collect();
    assert_eq!(stale.len(), 1);
    assert_eq!(stale[0]["id"], "old");
    let swept = data(&home, &["ports", "sweep"]);
    assert_eq!(swept["released"].as_array().unwrap().len(), 1);
    assert_eq!(swept["released"][0]["id"], "old");
    assert_eq!(data(&home, &["ports", "sweep"]), json!({"released": []}));
    let reason: String =
        home.query_value("SELECT reason FROM events WHERE kind = 'released' AND key = 'old'", []);
    assert!(reason.starts_with("stale: process 1 cannot be checked"), "{reason}");
}

#[test]
fn a_full_pool_makes_room_of_what_is_stale() {
    let pool = Pool::take();
    let home = started();
    for (n, slot) in PortSlot::all().enumerate() {
        let hours = if slot.backend_port() == pool.free[1] { 30 } else { 1 };
        insert_reservation_of_dead_process(&home, &format!("w{n}"), slot.backend_port(), hours, 1);
    }
    let object = object(&home, 0, &["ports", "reserve", "late"]);
    assert_eq!(object["data"]["backend"], pool.free[1]);
    assert!(object["warnings"].to_string().contains("a stale reservation"), "{object}");
    refused(&home, "pool_full", &["ports", "reserve", "later"]);
}

#[test]
fn a_session_that_goes_on_with_a_workflow_owns_its_ports() {
    let _pool = Pool::take();
    let home = started();
    let ask = |session: &str| {
        data(&home, &["ports", "reserve", "w", "--session", session]);
        let list = data(&home, &["ports", "list"]);
        list["reservations"][0].clone()
    };
    let first = ask(FIRST_SESSION);
    second(&home, None);
    let next = ask(SECOND_SESSION);
    assert_eq!(next["owner"]["session_id"], SECOND_SESSION);
    assert_eq!(next["allocated_at"], first["allocated_at"]);
    assert_eq!(home.count_events("changed", "w"), 1);
}
