//! A database that another process keeps locked past the deadline.

use serde_json::json;
use support::home::{FIRST_SESSION, Home, ProcessOutput, SECOND_SESSION};

/// Runs a hook with a short deadline.
fn run_with_short_deadline(home: &Home, binary: &str, fixture: &str) -> ProcessOutput {
    let run = home.prepare_run(binary).payload(&home.payload(fixture));
    run.env("TRUEUP_DEADLINE_MS", "200").wait()
}

#[test]
fn what_waits_is_sent_before_anything_is_handed_on() {
    let home = Home::new().with_held_item();
    let other = home.open_database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    run_with_short_deadline(&home, "checkpoint-push", "post-tool-use.todo-write");
    assert_eq!(home.read_lines("outbox.jsonl").len(), 1);
    other.execute_batch("COMMIT").unwrap();
    home.run_hook("pre-handoff-validate", &home.payload("stop")).assert_silent();
    assert_eq!(home.execution_state()["currentTask"], "write the test");
    assert_eq!(home.read_lines("outbox.jsonl").len(), 0);
}

#[test]
fn a_capture_waits_in_the_outbox_and_the_next_call_sends_it() {
    let home = Home::new().with_held_item();
    let other = home.open_database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let answer = run_with_short_deadline(&home, "checkpoint-push", "post-tool-use.todo-write");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), ""));
    let lines: Vec<&str> = answer.stderr.lines().collect();
    assert!(
        lines[0].starts_with("trueup: the database was busy until the deadline: "),
        "{lines:?}"
    );
    assert_eq!(lines[1], "trueup: saved in the outbox; it is sent later");
    let waiting = home.read_lines("outbox.jsonl");
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(waiting[0]["write"], "state");
    assert_eq!(waiting[0]["changes"], json!({"Task": "write the test"}));
    other.execute_batch("COMMIT").unwrap();
    home.push_event("post-tool-use.bash").assert_silent();
    assert_eq!(home.execution_state()["currentTask"], "write the test");
    assert_eq!(home.read_cache()["currentTask"], "write the test");
    assert_eq!(home.read_lines("outbox.jsonl").len(), 0);
    let reason: String = home.query_value(
        "SELECT reason FROM events WHERE kind = 'state' ORDER BY seq DESC LIMIT 1",
        [],
    );
    assert_eq!(reason, "outbox");
}

#[test]
fn an_end_waits_and_is_sent_by_the_next_session() {
    let home = Home::new().with_held_item();
    let other = home.open_database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let answer = run_with_short_deadline(&home, "checkpoint-push", "session-end.other");
    assert_eq!(answer.code, Some(0));
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    let next = home.payload("session-start.startup").for_session(support::home::SECOND_SESSION);
    home.run_hook("session-start-sync", &next).ok();
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "ended");
    assert_eq!(home.session_column::<String>("ended_reason", FIRST_SESSION), "other");
    assert_eq!(home.read_lines("outbox.jsonl").len(), 0);
}

#[test]
fn a_capture_that_waited_does_not_overwrite_what_came_after_it() {
    let home = Home::new().with_held_item();
    let other = home.open_database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    run_with_short_deadline(&home, "checkpoint-push", "post-tool-use.todo-write");
    other.execute_batch("COMMIT").unwrap();
    home.set_state(FIRST_SESSION, "execution_state.currentTask", "newer");
    home.set_state(FIRST_SESSION, "execution_state.lastUpdatedAt", "2999-01-01T00:00:00.000Z");
    home.send_prompt().ok();
    assert_eq!(home.execution_state()["currentTask"], "newer");
    let journal = home.read_lines("journal.jsonl");
    assert_eq!(journal.len(), 1);
    assert_eq!(journal[0]["fields"], json!({"Task": "write the test"}));
}

#[test]
fn every_hook_ends_and_the_model_gets_the_copy() {
    let home = Home::new().with_held_item();
    let other = home.open_database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // With nothing to write, another's lock changes nothing.
    let answer = run_with_short_deadline(&home, "session-start-sync", "session-start.resume").ok();
    assert!(answer.context().contains("item: SD-002C (claimed)"), "{answer:?}");
    other.execute_batch("COMMIT").unwrap();
    home.expire_lease(FIRST_SESSION, 500);
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let answer = run_with_short_deadline(&home, "session-start-sync", "session-start.resume");
    assert_eq!(answer.code, Some(0));
    assert!(answer.message()[0].starts_with("⚠️ database unreachable; cache used, "), "{answer:?}");
    assert!(answer.context().contains("currentSd: SD-002C"), "{answer:?}");
    let answer = run_with_short_deadline(&home, "session-start-sync", "user-prompt-submit");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let answer = run_with_short_deadline(&home, "checkpoint-push", "stop");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), ""));
    assert_eq!(answer.stderr.lines().count(), 1, "{answer:?}");
    // Readers are not locked out, and nothing has to be fixed.
    let answer = run_with_short_deadline(&home, "pre-handoff-validate", "pre-tool-use.agent");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), ""));
    assert!(answer.stderr.contains("quiet period not announced"), "{answer:?}");
    home.edit_cache("currentPhase", "EXEC");
    let answer = run_with_short_deadline(&home, "pre-handoff-validate", "pre-tool-use.agent");
    assert_eq!(answer.code, Some(0), "an edit that cannot be pushed now: {answer:?}");
    assert!(answer.message()[0].starts_with("⚠️ database unreachable"), "{answer:?}");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(home.read_cache()["currentPhase"], "EXEC", "the edit is still there");
    home.push_event("post-tool-use.write").assert_silent();
    assert_eq!(home.execution_state()["currentPhase"], "EXEC");
}

#[test]
fn a_command_waits_for_its_turn() {
    let home = Home::new().with_held_item();
    let other = home.open_database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let run = home.prepare_run("trueup").args(["set", "--task", "x", "--session", FIRST_SESSION]);
    let answer = run.env("TRUEUP_DEADLINE_MS", "200").wait();
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert!(answer.stderr.contains("busy until the deadline"), "{answer:?}");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(home.read_cache()["currentTask"], json!(null));
}

#[test]
fn a_session_whose_start_was_missed_registers_with_the_next_hook() {
    for (binary, fixture) in
        [("session-start-sync", "user-prompt-submit"), ("checkpoint-push", "post-tool-use.bash")]
    {
        let home = Home::new();
        // The database is there, and busy while the session starts and makes its first write.
        home.run_hook(
            "session-start-sync",
            &home.payload("session-start.startup").for_session(SECOND_SESSION),
        )
        .ok();
        let other = home.open_database();
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();
        run_with_short_deadline(&home, "session-start-sync", "session-start.startup");
        run_with_short_deadline(&home, "checkpoint-push", "post-tool-use.todo-write");
        other.execute_batch("COMMIT").unwrap();
        let answer = home.run_hook(binary, &home.payload(fixture)).ok();
        assert_eq!(home.execution_state()["currentTask"], "write the test");
        let worktree: Option<String> = home.session_column("worktree", FIRST_SESSION);
        assert_eq!(worktree.as_deref(), home.project_dir().to_str(), "{fixture}");
        assert!(home.session_column::<Option<i64>>("pid", FIRST_SESSION).is_some());
        if binary == "session-start-sync" {
            // The agent gets what a start would have given it.
            assert!(answer.context().contains(FIRST_SESSION), "{answer:?}");
        }
    }
}
