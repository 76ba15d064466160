//! The outbox beyond its bounds: more writes and longer lines than are read at once.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput};
use trueup_core::bounds::{self, Bound};
use trueup_core::fs::FileLock;
use trueup_core::model::{FieldValue, Lineage, StateField};
use trueup_core::outbox::{KnownDatabases, Outbox, PendingChange, PendingWrite};

use super::{assert_message_contains, fixes_cache, run_with_cpu_limit, size_beyond, start_session};

fn outbox(home: &Home) -> Outbox {
    Outbox::new(landing(home))
}

fn landing(home: &Home) -> PathBuf {
    home.trueup_home().join("outbox.jsonl")
}

/// Runs a push with little time, while another process writes the database.
fn run_offline(home: &Home, payload: &Payload) -> ProcessOutput {
    let other = home.open_database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let little = [("TRUEUP_DEADLINE_MS", "200")];
    let answer = run_with_cpu_limit(home, "checkpoint-push", payload, &little);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(answer.code, Some(0), "{answer:.2000?}");
    answer
}

/// Puts so many task writes into the outbox.
fn append_task_writes(home: &Home, count: usize) {
    run_offline(home, &home.payload("post-tool-use.todo-write"));
    let model = outbox(home).list_waiting().unwrap().remove(0);
    fs::remove_file(landing(home)).unwrap();
    let write = |n: usize| PendingWrite {
        op_id: format!("op-{n}"),
        write: PendingChange::State {
            changes: [(StateField::Task, FieldValue::Text(Some(format!("task {n}"))))].into(),
            branch: None,
        },
        ..model.clone()
    };
    let writes: Vec<PendingWrite> = (0..count).map(write).collect();
    outbox(home).put_all(&writes.iter().collect::<Vec<_>>()).unwrap();
}

/// Blocks drains until it is dropped.
fn no_drains(home: &Home) -> FileLock {
    let path = home.trueup_home().join("outbox.lock");
    FileLock::acquire(&path, Duration::ZERO).unwrap()
}

/// Runs something while there is no database.
fn without_database(home: &Home, run: impl FnOnce()) {
    let names = ["trueup.db", "trueup.db-wal", "trueup.db-shm"];
    let there = names.map(|name| home.trueup_home().join(name));
    let there: Vec<PathBuf> = there.into_iter().filter(|path| path.exists()).collect();
    let aside = |path: &PathBuf| {
        path.with_extension(format!("{}-aside", path.extension().unwrap().display()))
    };
    for path in &there {
        fs::rename(path, aside(path)).unwrap();
    }
    run();
    for path in &there {
        fs::rename(aside(path), path).unwrap();
    }
}

fn fill(home: &Home, file: &str, bound: Bound) {
    let line = format!("{}\n", "x".repeat(999));
    let path = home.trueup_home().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, line.repeat(bound.len() / line.len())).unwrap();
}

pub(super) fn waiting(home: &Home) {
    fill(home, "outbox.jsonl", bounds::OUTBOX);
    let drains = no_drains(home);
    let answer = run_offline(home, &home.payload("post-tool-use.todo-write"));
    drop(drains);
    assert_message_contains(&answer, "lost, because the outbox cannot be written");
    // Writes that fill it are set aside, as far as there is time, and the hook does its job.
    start_session(home);
    let push = home.payload("post-tool-use.bash");
    fixes_cache(home, "checkpoint-push", &push, &[]);
    while !outbox(home).is_idle() {
        start_session(home);
    }
    let aside = fs::metadata(home.trueup_home().join("outbox.damaged")).unwrap();
    assert!(aside.len() <= bounds::OUTBOX.most);
}

pub(super) fn line(home: &Home) {
    run_offline(home, &home.payload("post-tool-use.todo-write"));
    let mut long = "x".repeat(size_beyond(bounds::OUTBOX_LINE)).into_bytes();
    long.extend(fs::read(landing(home)).unwrap());
    fs::write(landing(home), long).unwrap();
    let answer = start_session(home);
    assert!(
        answer.message().iter().any(|line| line.contains("line of the outbox cannot be read")),
        "{answer:.2000?}"
    );
    assert_eq!(home.execution_state()["currentTask"], "write the test");
    assert!(outbox(home).is_idle());
}

pub(super) fn batch(home: &Home) {
    append_task_writes(home, size_beyond(bounds::OUTBOX_BATCH));
    // One for each batch that was begun, even if there was no time for a second.
    for _ in 0..3 {
        start_session(home);
    }
    assert!(outbox(home).is_idle());
    let last = format!("task {}", size_beyond(bounds::OUTBOX_BATCH) - 1);
    assert_eq!(home.execution_state()["currentTask"], last);
}

pub(super) fn counted(home: &Home) {
    let dir = home.trueup_home().join("outbox.elsewhere");
    fs::create_dir_all(&dir).unwrap();
    let lines = "\n".repeat(bounds::OUTBOX.len());
    fs::write(dir.join("lineage-0000000000000000.jsonl"), lines).unwrap();
    start_session(home);
    let stop = home.payload("stop");
    fixes_cache(home, "checkpoint-push", &stop, &[]);
}

pub(super) fn lost(home: &Home) {
    let count = size_beyond(bounds::LOST_EDITS_SHOWN);
    append_task_writes(home, count);
    let drains = no_drains(home);
    home.prepare_run("trueup")
        .args(["set", "--task", "newer", "--session", FIRST_SESSION])
        .env("TRUEUP_DEADLINE_MS", "3000")
        .wait()
        .ok();
    drop(drains);
    let message = start_session(home).message();
    let one_by_one = message.iter().filter(|line| line.contains("local edit lost"));
    assert_eq!(one_by_one.count(), bounds::LOST_EDITS_SHOWN.len(), "{message:?}");
    let rest = format!("{} more edits lost", count - bounds::LOST_EDITS_SHOWN.len());
    assert!(message.iter().any(|line| line.contains(&rest)), "{message:?}");
    assert_eq!(home.execution_state()["currentTask"], "newer");
}

pub(super) fn database_note(home: &Home) {
    let dir = home.trueup_home().join("databases");
    let notes: Vec<PathBuf> =
        fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(notes.len(), 1);
    let long = format!("{}\nname\n", "x".repeat(size_beyond(bounds::DATABASE_NOTE)));
    fs::write(&notes[0], &long).unwrap();
    without_database(home, || {
        let todo = home.payload("post-tool-use.todo-write");
        run_with_cpu_limit(home, "checkpoint-push", &todo, &[]);
    });
    let waiting = outbox(home).list_waiting().unwrap();
    let lineage: String =
        home.query_value("SELECT value FROM trueup_meta WHERE key = 'lineage'", []);
    let origin = waiting[0].origin.as_ref().unwrap();
    assert_eq!(origin.lineage, None, "the first contact decides");
    let base = origin.base_lineage.as_ref();
    assert_eq!(base.map(ToString::to_string), Some(lineage), "that of the cache");
    start_session(home);
    assert!(fs::metadata(&notes[0]).unwrap().len() < bounds::DATABASE_NOTE.most);
    assert!(outbox(home).is_idle());
}

pub(super) fn names(home: &Home) {
    let long = "r".repeat(size_beyond(bounds::PAYLOAD_NAME) * 1_000);
    let task = json!({"taskId": long, "status": "in_progress", "subject": "the long one"});
    let started = home.payload("post-tool-use.task-update").with("tool_input", task);
    run_offline(home, &started);
    let ended = home.payload("session-end.other").with("reason", &*long);
    run_offline(home, &ended);
    let size = fs::metadata(landing(home)).unwrap().len();
    assert!(size < 10_000, "{size}");
    // Both arrive, though the session's end is not told to it again.
    home.start_session().ok();
    assert!(outbox(home).is_idle());
    assert_eq!(home.execution_state()["currentTask"], "the long one");
    let longest: i64 = home.query_value("SELECT max(length(reason)) FROM events", []);
    assert!(longest <= 500, "{longest}");
}

pub(super) fn replica(home: &Home) {
    let push = |event: &str| {
        let url = [("TRUEUP_DATABASE_URL", "postgres://127.0.0.1:1/work")];
        run_with_cpu_limit(home, "checkpoint-push", &home.payload(event), &url)
    };
    push("task-created");
    let waiting = home.read_lines("outbox.jsonl");
    let address = waiting[0]["origin"]["database"].as_str().unwrap();
    let databases = KnownDatabases::new(home.trueup_home().join("databases"));
    databases.record(address, &Lineage("lineage".into()), "work").unwrap();
    let folder = home.trueup_home().join("replica/lineage");
    fs::create_dir_all(&folder).unwrap();
    let long = "[".repeat(size_beyond(bounds::REPLICA));
    fs::write(folder.join(format!("{FIRST_SESSION}.json")), long).unwrap();
    let answer = push("post-tool-use.todo-write");
    assert!(answer.stderr.contains("nothing was read of session"), "{answer:.2000?}");
    assert_eq!(home.read_lines("outbox.jsonl").len(), 2);
}
