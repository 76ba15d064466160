//! Writes in the outbox while the database is locked, missing or another one: delivered in order,
//! to their own database, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput, SECOND_SESSION};
use trueup_core::fs::FileLock;
use trueup_core::model::{FieldValue, StateField, Timestamp};
use trueup_core::outbox::{Outbox, PendingChange, PendingWrite};

/// Runs a hook with little time.
fn run_with_short_deadline(home: &Home, binary: &str, payload: &Payload) -> ProcessOutput {
    let run = home.prepare_run(binary).payload(payload);
    run.env("TRUEUP_DEADLINE_MS", "200").wait()
}

fn todo(home: &Home, task: &str) -> Payload {
    let list = json!([{"content": task, "status": "in_progress", "activeForm": task}]);
    let payload = home.payload("post-tool-use.todo-write");
    payload.with_input("todos", list)
}

fn outbox(home: &Home) -> Outbox {
    Outbox::new(home.trueup_home().join("outbox.jsonl"))
}

/// Puts a task write into the outbox, by locking the database.
fn run_offline(home: &Home, task: &str) -> ProcessOutput {
    let other = home.open_database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = run_with_short_deadline(home, "checkpoint-push", &todo(home, task)).ok_of_hook();
    other.execute_batch("ROLLBACK").unwrap();
    answer
}

trait OfHook {
    fn ok_of_hook(self) -> Self;
}

impl OfHook for ProcessOutput {
    /// Asserts that a hook printed a line to stderr and let the session go on.
    #[track_caller]
    fn ok_of_hook(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

/// Blocks drains until it is dropped.
fn no_drains(home: &Home) -> FileLock {
    let path = home.trueup_home().join("outbox.lock");
    FileLock::acquire(&path, Duration::from_mins(1)).unwrap()
}

fn task(home: &Home) -> Value {
    home.execution_state()["currentTask"].clone()
}

#[track_caller]
fn assert_idle(home: &Home) {
    assert!(outbox(home).is_idle(), "{:?}", outbox(home).list_waiting());
}

#[test]
fn three_todos_while_another_writes_end_with_the_third() {
    let home = Home::new().with_held_item();
    let other = home.open_database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for task in ["first", "second", "third"] {
        let answer =
            run_with_short_deadline(&home, "checkpoint-push", &todo(&home, task)).ok_of_hook();
        assert!(answer.stderr.contains("saved in the outbox"), "{answer:?}");
    }
    other.execute_batch("COMMIT").unwrap();
    home.send_prompt().assert_silent();
    assert_eq!(task(&home), "third");
    assert_eq!(home.read_cache()["currentTask"], "third");
    assert_eq!(home.read_lines("journal.jsonl").len(), 0);
    assert_idle(&home);
}

#[test]
fn queued_writes_never_overwrite_later_changes_at_any_clock() {
    for hours in [-1, 0, 1] {
        let home = Home::new().with_held_item();
        run_offline(&home, "old");
        // As if the clock had been wrong then.
        let mut record = outbox(&home).list_waiting().unwrap().remove(0);
        record.at = Timestamp::from_millis(record.at.as_millis() + hours * 3_600_000);
        fs::remove_file(home.trueup_home().join("outbox.jsonl")).unwrap();
        outbox(&home).put(&record).unwrap();
        let lock = no_drains(&home);
        home.prepare_run("trueup")
            .args(["set", "--task", "newer", "--session", FIRST_SESSION])
            .env("TRUEUP_DEADLINE_MS", "3000")
            .wait()
            .ok();
        drop(lock);
        let message = home.send_prompt().message();
        assert_eq!(task(&home), "newer", "{hours}");
        let journal = home.read_lines("journal.jsonl");
        assert_eq!(journal.len(), 1);
        assert_eq!(journal[0]["fields"], json!({"Task": "old"}));
        let line = format!(
            "⚠️ local edit lost to a newer database state, kept in the journal as {} (currentTask)",
            journal[0]["id"].as_str().unwrap()
        );
        assert!(message.contains(&line), "{hours}: {message:?}");
        assert_idle(&home);
    }
}

#[test]
fn a_write_made_while_own_ones_wait_goes_behind_them() {
    let home = Home::new().with_held_item();
    run_offline(&home, "first");
    let lock = no_drains(&home);
    // The database could take it at once, but then the first write would come after it.
    run_with_short_deadline(&home, "checkpoint-push", &todo(&home, "second")).ok_of_hook();
    drop(lock);
    home.send_prompt().ok();
    assert_eq!(task(&home), "second");
    assert_eq!(home.read_lines("journal.jsonl").len(), 0);
    assert_idle(&home);
}

#[test]
fn a_session_taken_up_again_before_its_end_arrived_lives() {
    let home = Home::new().with_held_item();
    let other = home.open_database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    run_with_short_deadline(&home, "checkpoint-push", &home.payload("session-end.other"))
        .ok_of_hook();
    run_with_short_deadline(&home, "session-start-sync", &home.payload("session-start.resume"))
        .ok_of_hook();
    other.execute_batch("COMMIT").unwrap();
    let second = home.payload("session-start.startup").for_session(SECOND_SESSION);
    home.run_hook("session-start-sync", &second).ok();
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    assert_idle(&home);
}

/// Runs a binary with another database.
fn with(home: &Home, database: &str, binary: &str, payload: &Payload) -> ProcessOutput {
    let url = format!("sqlite:{}", place(home, database).display());
    let run = home.prepare_run(binary).payload(payload);
    run.env("TRUEUP_DATABASE_URL", url).wait().ok_of_hook()
}

fn place(home: &Home, database: &str) -> PathBuf {
    home.trueup_home().join(database)
}

#[test]
fn a_write_waits_for_its_own_database_and_is_named() {
    let home = Home::new().with_held_item();
    run_offline(&home, "for a");
    let start = home.payload("session-start.resume");
    let answer = with(&home, "b.db", "session-start-sync", &start);
    let message = answer.message().join("\n");
    assert!(message.contains("1 write is waiting for another database"), "{message}");
    for fixture in ["user-prompt-submit", "stop"] {
        let binary = if fixture == "stop" { "checkpoint-push" } else { "session-start-sync" };
        with(&home, "b.db", binary, &home.payload(fixture));
    }
    let b = rusqlite::Connection::open(place(&home, "b.db")).unwrap();
    let query = "SELECT count(*) FROM events WHERE reason = 'outbox'";
    let delivered_events: i64 = b.query_row(query, [], |row| row.get(0)).unwrap();
    assert_eq!(delivered_events, 0);
    let url = format!("sqlite:{}", place(&home, "b.db").display());
    let doctor = home.prepare_run("trueup").args(["doctor", "--json"]);
    let doctor = doctor.env("TRUEUP_DATABASE_URL", url).wait();
    assert!(
        doctor.stdout.contains("1 write is waiting for another database: ")
            && doctor.stdout.contains("trueup.db"),
        "{}",
        doctor.stdout
    );
    // It is delivered as soon as that database is in use again.
    home.send_prompt().ok();
    assert_eq!(task(&home), "for a");
    assert_idle(&home);
}

/// Removes a database with its log.
fn remove(database: &Path) {
    for end in ["", "-wal", "-shm"] {
        let path = format!("{}{end}", database.display());
        // There may be no log to remove.
        let _ = fs::remove_file(path);
    }
}

#[test]
fn what_waits_for_a_database_that_is_gone_is_not_swallowed_by_a_new_one() {
    let home = Home::new().with_held_item();
    let database = home.trueup_home().join("trueup.db");
    let aside = home.trueup_home().join("aside.db");
    home.execute_sql("VACUUM INTO ?1", [aside.to_str().unwrap()]);
    remove(&database);
    run_with_short_deadline(&home, "checkpoint-push", &todo(&home, "for the old one")).ok_of_hook();
    let message = home.start_session().message().join("\n");
    assert!(database.exists());
    assert!(message.contains("1 write is waiting for another database"), "{message}");
    let own: Value = home.execution_state()["currentTask"].clone();
    assert_eq!(own, json!(null));
    remove(&database);
    fs::rename(&aside, &database).unwrap();
    home.send_prompt().ok();
    assert_eq!(task(&home), "for the old one");
    assert_idle(&home);
}

/// Fills the outbox file of another database, so that the next write for it needs a new file.
fn fill(home: &Home) -> PathBuf {
    let record = outbox(home).list_waiting().unwrap().remove(0);
    let lineage = record.origin.unwrap().lineage.unwrap();
    let name = trueup_core::fs::sha256_hex(lineage.to_string().as_bytes());
    let file = format!("outbox.elsewhere/lineage-{}.jsonl", &name[..16]);
    let file = home.trueup_home().join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, format!("{}\n", "x".repeat(1023)).repeat(16 * 1024)).unwrap();
    file
}

#[test]
fn what_cannot_be_put_aside_stays_and_holds_nobody_up() {
    let home = Home::new().with_held_item();
    run_offline(&home, "for a");
    let full = fill(&home);
    // While the other database is busy, a write for it is appended.
    let url = |database: &str| format!("sqlite:{}", place(&home, database).display());
    with(&home, "b.db", "session-start-sync", &home.payload("session-start.resume"));
    let b = rusqlite::Connection::open(place(&home, "b.db")).unwrap();
    b.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = home.prepare_run("checkpoint-push").payload(&todo(&home, "for b"));
    let run = run.env("TRUEUP_DATABASE_URL", url("b.db"));
    run.env("TRUEUP_DEADLINE_MS", "200").wait().ok_of_hook();
    b.execute_batch("ROLLBACK").unwrap();
    assert_eq!(outbox(&home).list_waiting().unwrap().len(), 2);
    let start = home.payload("session-start.resume");
    for _ in 0..2 {
        let message = with(&home, "b.db", "session-start-sync", &start).message();
        let message = message.join("\n");
        assert!(
            message.contains("1 writes for another database, or refused by this one,"),
            "{message}"
        );
        assert!(message.contains("is full"), "{message}");
    }
    let state = "SELECT json_extract(metadata, '$.execution_state.currentTask') FROM \
                 claude_sessions";
    let task_of_b: Option<String> = b.query_row(state, [], |row| row.get(0)).unwrap();
    assert_eq!(task_of_b.as_deref(), Some("for b"));
    let doctor = home.prepare_run("trueup").args(["doctor", "--json"]);
    let doctor = doctor.env("TRUEUP_DATABASE_URL", url("b.db")).wait();
    assert!(doctor.stdout.contains("1 write is waiting for another database: "), "{doctor:?}");
    // It still waits for its own database.
    fs::remove_file(full).unwrap();
    home.send_prompt().ok();
    assert_eq!(task(&home), "for a");
    assert_idle(&home);
}

#[test]
fn what_a_crash_left_of_a_drain_keeps_nothing_from_being_sent() {
    let leftovers: [(&str, &[u8]); 6] = [
        ("outbox.taken.jsonl", b""),
        ("outbox.taken.jsonl", b"0123456789abcdef {\"op_id\":\"x"),
        ("outbox.taken.jsonl", &[0; 8_192]),
        ("outbox.jsonl", &[0; 8_192]),
        ("outbox.sent.jsonl", &[0; 64]),
        ("journal.jsonl", &[0; 8_192]),
    ];
    for (file, bytes) in leftovers {
        let home = Home::new().with_held_item();
        fs::write(home.trueup_home().join(file), bytes).unwrap();
        run_offline(&home, "after the crash");
        home.send_prompt().ok();
        assert_eq!(task(&home), "after the crash", "{file}");
        assert_idle(&home);
    }
}

/// Writes many records of a session to the outbox, as after a long outage.
pub(crate) fn fill_outbox(home: &Home, count: usize) -> Vec<String> {
    run_offline(home, "model");
    let model = outbox(home).list_waiting().unwrap().remove(0);
    fs::remove_file(home.trueup_home().join("outbox.jsonl")).unwrap();
    let write = |n: usize| PendingWrite {
        op_id: format!("op-{n}"),
        write: PendingChange::State {
            changes: [(StateField::Task, FieldValue::Text(Some(format!("task {n}"))))].into(),
            branch: None,
        },
        ..model.clone()
    };
    let writes: Vec<PendingWrite> = (0..count).map(write).collect();
    let all: Vec<&PendingWrite> = writes.iter().collect();
    outbox(home).put_all(&all).unwrap();
    writes.into_iter().map(|write| write.op_id).collect()
}

/// Returns the operation ids of delivered writes, in the order of delivery.
pub(crate) fn carried_out(home: &Home) -> Vec<String> {
    let sql = "SELECT json_group_array(op_id) FROM
        (SELECT op_id FROM events WHERE kind = 'state' AND reason = 'outbox' ORDER BY seq)";
    serde_json::from_str(&home.query_value::<String>(sql, [])).unwrap()
}

/// Runs a hook with its default deadline; returns how many writes it sent. The kernel kills one
/// that passes its deadline.
fn sent_by(home: &Home, binary: &str, event: &str) -> usize {
    let before = carried_out(home).len();
    let run = home.prepare_run(binary).payload(&home.payload(event));
    let answer = run.without("TRUEUP_DEADLINE_MS").wait().ok_of_hook();
    assert!(!answer.stderr.contains("deadline"), "{answer:?}");
    carried_out(home).len() - before
}

#[test]
fn five_thousand_writes_stop_no_hook_and_are_sent_by_forty() {
    let home = Home::new().with_held_item();
    let all = fill_outbox(&home, 5_000);
    // These have little time, on a slow machine less than a batch takes, and still make progress.
    for (binary, event) in [
        ("checkpoint-push", "post-tool-use.bash"),
        ("checkpoint-push", "stop"),
        ("pre-handoff-validate", "pre-tool-use.agent"),
    ] {
        assert!(sent_by(&home, binary, event) > 0, "{event}");
    }
    let mut sent = Vec::new();
    while !outbox(&home).is_idle() {
        sent.push(sent_by(&home, "session-start-sync", "user-prompt-submit"));
        // A batch of 128 each is enough: even a hook without time for a second batch sends one.
        assert!(sent.len() <= 40, "{sent:?}");
    }
    println!("{sent:?}");
    assert_eq!(carried_out(&home), all);
    assert_eq!(task(&home), "task 4999");
    assert_eq!(home.read_lines("journal.jsonl").len(), 0);
    assert_idle(&home);
}
