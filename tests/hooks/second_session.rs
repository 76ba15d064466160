//! Two live sessions in one worktree.

use std::fs;

use support::home::{
    Bystander, FIRST_SESSION, Home, ProcessOutput, SECOND_SESSION, spawn_bystander,
};

fn own_file(home: &Home) -> std::path::PathBuf {
    home.project_dir().join(format!(".claude/auto-proceed-state.{SECOND_SESSION}.json"))
}

/// Runs a hook for the second session, whose client is another process.
fn run_hook_of_second(home: &Home, client: &Bystander, fixture: &str) -> ProcessOutput {
    let binary = match fixture {
        f if f.starts_with("session-start") || f.starts_with("user") => "session-start-sync",
        _ => "checkpoint-push",
    };
    let payload = home.payload(fixture).for_session(SECOND_SESSION);
    home.prepare_run(binary).payload(&payload).env("CLAUDE_PID", client.pid()).wait()
}

#[test]
fn s_14_the_second_session_gets_its_own_file_and_the_first_keeps_the_shared_one() {
    let home = Home::new().with_held_item();
    let client = spawn_bystander();
    let before = fs::read(home.cache_path()).unwrap();
    let answer = run_hook_of_second(&home, &client, "session-start.startup").ok();
    let line =
        format!("⚠️ another live session works in this worktree: {FIRST_SESSION}, on SD-002C");
    assert_eq!(answer.message(), [line]);
    assert_eq!(fs::read(home.cache_path()).unwrap(), before);
    let own = Home::read_json(&own_file(&home));
    assert_eq!(own["sessionId"], SECOND_SESSION);
    assert_eq!(own["currentSd"], serde_json::Value::Null);
    assert!(answer.context().contains("item: none"));
}

#[test]
fn each_session_pushes_and_receives_by_its_own_file_alone() {
    let home = Home::new().with_held_item();
    let client = spawn_bystander();
    run_hook_of_second(&home, &client, "session-start.startup").ok();
    home.claim(SECOND_SESSION, "SD-002B");
    run_hook_of_second(&home, &client, "user-prompt-submit").ok();
    run_hook_of_second(&home, &client, "post-tool-use.todo-write").ok();
    assert_eq!(Home::read_json(&own_file(&home))["currentSd"], "SD-002B");
    assert_eq!(Home::read_json(&own_file(&home))["currentTask"], "write the test");
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
    assert_eq!(home.read_cache()["currentTask"], serde_json::Value::Null);
    home.edit_cache("currentPhase", "EXEC");
    run_hook_of_second(&home, &client, "post-tool-use.write").assert_silent();
    assert_eq!(
        home.read_cache()["currentPhase"],
        "EXEC",
        "an edit of the first's file is the first's"
    );
    home.push_event("post-tool-use.write").assert_silent();
    assert_eq!(home.execution_state()["currentPhase"], "EXEC");
}

#[test]
fn the_second_keeps_its_own_file_when_the_first_has_ended() {
    let home = Home::new().with_held_item();
    let client = spawn_bystander();
    run_hook_of_second(&home, &client, "session-start.startup").ok();
    home.push_event("session-end.other").ok();
    run_hook_of_second(&home, &client, "session-start.resume").ok();
    assert_eq!(home.read_cache()["sessionId"], FIRST_SESSION);
    assert_eq!(Home::read_json(&own_file(&home))["sessionId"], SECOND_SESSION);
}

#[test]
fn after_the_first_has_ended_a_new_session_takes_the_shared_file() {
    let home = Home::new().with_held_item();
    home.push_event("session-end.other").ok();
    let client = spawn_bystander();
    let answer = run_hook_of_second(&home, &client, "session-start.startup").ok();
    assert_eq!(answer.message(), [""; 0]);
    assert_eq!(home.read_cache()["sessionId"], SECOND_SESSION);
    assert!(!own_file(&home).exists());
}

#[test]
fn a_session_in_another_worktree_is_no_company() {
    let mut home = Home::new().with_held_item();
    let client = spawn_bystander();
    let linked = home.root().join("linked");
    home.run_git(&["worktree", "add", "--quiet", "-b", "side", &linked.to_string_lossy()]);
    home.move_project(linked);
    let answer = run_hook_of_second(&home, &client, "session-start.startup").ok();
    assert_eq!(answer.message(), [""; 0]);
    assert_eq!(home.read_cache()["sessionId"], SECOND_SESSION);
}
