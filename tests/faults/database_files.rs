//! Database files that are foreign, damaged or newer are refused and stay unchanged.

use std::fs;

use rusqlite::Connection;
use support::home::{FIRST_SESSION, Home};

const COMMANDS: [&[&str]; 9] = [
    &["db", "status"],
    &["db", "migrate"],
    &["status"],
    &["set", "--task", "x"],
    &["claim", "SD-002C"],
    &["item", "add", "SD-009"],
    &["item", "list"],
    &["sessions", "list"],
    &["sessions", "sweep"],
];

/// Replaces a good database by `bytes` and runs hooks and commands on it.
#[track_caller]
fn assert_refused(name: &str, damage: impl Fn(Vec<u8>) -> Vec<u8>) {
    let home = Home::new().with_held_item();
    let file = home.trueup_home().join("trueup.db");
    home.open_database().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    for rest in ["trueup.db-wal", "trueup.db-shm"] {
        let _ = fs::remove_file(home.trueup_home().join(rest));
    }
    let bytes = damage(fs::read(&file).unwrap());
    fs::write(&file, &bytes).unwrap();
    let unchanged = |by: &str| {
        assert!(fs::read(&file).unwrap() == bytes, "{name}: {by} changed the file");
    };
    for arguments in COMMANDS {
        assert_command_refused(&home, name, arguments);
        unchanged(&format!("{arguments:?}"));
    }
    let fix = home
        .prepare_run("validate-session-state")
        .args(["--fix", "--session", FIRST_SESSION])
        .wait();
    assert_eq!(fix.code, Some(3), "{name}: {fix:?}");
    unchanged("validate-session-state --fix");
    let answer = home.start_session();
    assert_eq!((answer.code, answer.stderr.lines().count()), (Some(0), 1), "{name}: {answer:?}");
    assert!(answer.message()[0].starts_with("⚠️ database unreachable; cache used, "), "{name}");
    unchanged("session-start-sync");
    home.send_prompt().single_line();
    home.push_event("stop").single_line();
    unchanged("checkpoint-push");
    let answer = home.run_hook("pre-handoff-validate", &home.payload("pre-tool-use.agent"));
    assert_eq!((answer.code, answer.stderr.lines().count()), (Some(0), 1), "{name}: {answer:?}");
    unchanged("pre-handoff-validate");
    assert_eq!(home.read_cache()["currentSd"], "SD-002C", "{name}: the copy stays");
}

/// Asserts that a command reports the database with exit code 3, as text and as JSON.
fn assert_command_refused(home: &Home, name: &str, arguments: &[&str]) {
    let answer =
        home.prepare_run("trueup").args(arguments).env("TRUEUP_SESSION_ID", FIRST_SESSION).wait();
    assert_eq!(answer.code, Some(3), "{name}: {arguments:?}: {answer:?}");
    assert!(!answer.stderr.trim().is_empty(), "{name}: {arguments:?}: {answer:?}");
    assert!(!answer.stderr.contains("panicked"), "{name}: {arguments:?}: {answer:?}");
    let json = home.prepare_run("trueup").args(arguments).args(["--json"]);
    let json = json.env("TRUEUP_SESSION_ID", FIRST_SESSION).wait();
    assert_eq!(json.json()["ok"], false, "{name}: {arguments:?}");
    assert!(json.json()["error"]["code"].is_string(), "{name}: {arguments:?}");
}

#[test]
fn an_empty_file() {
    assert_refused("empty", |_| Vec::new());
}

#[test]
fn garbage() {
    assert_refused("garbage", |_| b"this is no database at all. ".repeat(500));
    assert_refused("zeros", |_| vec![0; 50_000]);
    assert_refused("one byte", |_| vec![b'S']);
}

#[test]
fn a_truncated_database() {
    assert_refused("the header alone", |bytes| bytes[..100].to_vec());
    assert_refused("one page", |bytes| bytes[..4_096].to_vec());
    assert_refused("half", |bytes| bytes[..bytes.len() / 2].to_vec());
}

#[test]
fn pages_that_were_overwritten() {
    assert_refused("all but the header", |mut bytes| {
        bytes[100..].fill(0xAA);
        bytes
    });
    assert_refused("all but the first page", |mut bytes| {
        bytes[4_096..].fill(0);
        bytes
    });
}

/// Changes a good database by SQL.
fn change_database(bytes: &[u8], sql: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    fs::write(&path, bytes).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    connection.close().unwrap();
    fs::read(&path).unwrap()
}

#[test]
fn a_newer_schema() {
    assert_refused("newer", |bytes| change_database(&bytes, "PRAGMA user_version = 99"));
}

#[test]
fn a_database_of_another_program() {
    assert_refused("foreign", |_| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)").unwrap();
        connection.close().unwrap();
        fs::read(&path).unwrap()
    });
}

#[test]
fn a_directory_in_its_place() {
    let home = Home::new();
    fs::create_dir(home.trueup_home().join("trueup.db")).unwrap();
    let answer = home.prepare_run("trueup").args(["db", "status"]).wait();
    assert_eq!(answer.code, Some(3), "{answer:?}");
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    assert!(answer.message()[0].contains("not a file"), "{answer:?}");
    home.push_event("stop").single_line();
    assert_eq!(fs::read_dir(home.trueup_home().join("trueup.db")).unwrap().count(), 0);
}
