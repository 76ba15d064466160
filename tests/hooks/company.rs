//! Two live sessions in one worktree.

use std::fs;

use support::home::{Answer, Bystander, Home, SECOND, SESSION, bystander};

fn own_file(home: &Home) -> std::path::PathBuf {
    home.project()
        .join(format!(".claude/auto-proceed-state.{SECOND}.json"))
}

/// Runs a hook for the second session, whose client is another process.
fn second(home: &Home, client: &Bystander, fixture: &str) -> Answer {
    let binary = match fixture {
        f if f.starts_with("session-start") || f.starts_with("user") => "session-start-sync",
        _ => "checkpoint-push",
    };
    let payload = home.payload(fixture).of(SECOND);
    home.run(binary)
        .payload(&payload)
        .env("CLAUDE_PID", client.pid())
        .finish()
}

#[test]
fn s_14_the_second_has_its_own_file_and_is_told_and_the_first_keeps_the_shared_one() {
    let home = Home::new().holding();
    let client = bystander();
    let before = fs::read(home.cache()).unwrap();
    let answer = second(&home, &client, "session-start.startup").ok();
    let line = format!("⚠️ another live session works in this worktree: {SESSION}, on SD-002C");
    assert_eq!(answer.message(), [line]);
    assert_eq!(fs::read(home.cache()).unwrap(), before);
    let own = Home::read(&own_file(&home));
    assert_eq!(own["sessionId"], SECOND);
    assert_eq!(own["currentSd"], serde_json::Value::Null);
    assert!(answer.context().contains("item: none"));
}

#[test]
fn each_session_pushes_and_receives_by_its_own_file_alone() {
    let home = Home::new().holding();
    let client = bystander();
    second(&home, &client, "session-start.startup").ok();
    home.claim(SECOND, "SD-002B");
    second(&home, &client, "user-prompt-submit").ok();
    second(&home, &client, "post-tool-use.todo-write").ok();
    assert_eq!(Home::read(&own_file(&home))["currentSd"], "SD-002B");
    assert_eq!(
        Home::read(&own_file(&home))["currentTask"],
        "write the test"
    );
    assert_eq!(home.cached()["currentSd"], "SD-002C");
    assert_eq!(home.cached()["currentTask"], serde_json::Value::Null);
    home.edit("currentPhase", "EXEC");
    second(&home, &client, "post-tool-use.write").assert_silent();
    assert_eq!(
        home.cached()["currentPhase"],
        "EXEC",
        "an edit of the first's file is the first's"
    );
    home.push("post-tool-use.write").assert_silent();
    assert_eq!(home.state()["currentPhase"], "EXEC");
}

#[test]
fn the_second_keeps_its_own_file_when_the_first_has_ended() {
    let home = Home::new().holding();
    let client = bystander();
    second(&home, &client, "session-start.startup").ok();
    home.push("session-end.other").ok();
    second(&home, &client, "session-start.resume").ok();
    assert_eq!(home.cached()["sessionId"], SESSION);
    assert_eq!(Home::read(&own_file(&home))["sessionId"], SECOND);
}

#[test]
fn after_the_first_has_ended_a_new_session_takes_the_shared_file() {
    let home = Home::new().holding();
    home.push("session-end.other").ok();
    let client = bystander();
    let answer = second(&home, &client, "session-start.startup").ok();
    assert_eq!(answer.message(), [""; 0]);
    assert_eq!(home.cached()["sessionId"], SECOND);
    assert!(!own_file(&home).exists());
}

#[test]
fn a_session_in_another_worktree_is_no_company() {
    let mut home = Home::new().holding();
    let client = bystander();
    let linked = home.root().join("linked");
    home.git(&[
        "worktree",
        "add",
        "--quiet",
        "-b",
        "side",
        &linked.to_string_lossy(),
    ]);
    home.move_project(linked);
    let answer = second(&home, &client, "session-start.startup").ok();
    assert_eq!(answer.message(), [""; 0]);
    assert_eq!(home.cached()["sessionId"], SECOND);
}
