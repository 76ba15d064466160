//! Many sessions in several processes at once: what was acknowledged is there once, no item has two
//! holders, and no cursor skips an event.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use support::postgres::TestDatabase;

const PROCESSES: usize = 8;
const SESSIONS: usize = 10;
/// How many operations each process does: a round of each of its sessions.
const OPERATIONS: usize = 80;

fn start_load(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trueup-load")).args(arguments).spawn().unwrap()
}

fn start_worker(url: &str, number: usize, logs: &Path) -> Child {
    let log = logs.join(format!("work-{number}.log"));
    start_load(&[
        "work",
        url,
        "--name",
        &number.to_string(),
        // Two processes share a queue.
        "--queue",
        &format!("QUEUE-{}", number / 2),
        "--sessions",
        &SESSIONS.to_string(),
        "--operations",
        &OPERATIONS.to_string(),
        "--deadline-ms",
        "10000",
        "--log",
        log.to_str().unwrap(),
    ])
}

#[test]
fn of_80_sessions_in_8_processes_every_write_is_there_once_and_no_item_has_two_holders() {
    let Some(database) = TestDatabase::create() else {
        return;
    };
    let sql =
        "INSERT INTO trueup.work_items (key) SELECT 'QUEUE-' || n FROM generate_series(0, 3) n";
    database.run(sql).unwrap();
    let url = database.add_user("trueup_client");
    let logs = tempfile::tempdir().unwrap();
    let end = logs.path().join("end");
    let log = logs.path().join("follow-1.log");
    let follow = ["follow", &url, "--until", end.to_str().unwrap(), "--log", log.to_str().unwrap()];
    let mut follower = start_load(&follow);
    let workers: Vec<Child> =
        (0..PROCESSES).map(|number| start_worker(&url, number, logs.path())).collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    fs::write(end, "").unwrap();
    assert!(follower.wait().unwrap().success());
    let verify = ["verify", &database.url(), logs.path().to_str().unwrap(), "--json"];
    let output = Command::new(env!("CARGO_BIN_EXE_trueup-load")).args(verify).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(summary["acknowledged"].as_u64().unwrap() >= (PROCESSES * OPERATIONS) as u64);
    assert_eq!((&summary["refused"], &summary["given_up"]), (&0.into(), &0.into()), "{summary}");
    assert_eq!(summary["sessions"], PROCESSES * SESSIONS, "{summary}");
    // Everything that is compared is there to be compared.
    for operation in ["claim", "push", "heartbeat", "complete", "release"] {
        assert!(summary["operations"][operation]["acknowledged"].as_u64() > Some(20), "{summary}");
    }
}
