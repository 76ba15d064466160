//! How a command finds its session and its project.

use std::fs;

use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{data, object, second, start, started};

const THIRD: &str = "0a1b2c3d-0000-4000-8000-000000000003";

fn speaks_for(home: &Home, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut run = home.prepare_run("trueup").args(["status", "--json"]).args(arguments);
    for (name, value) in environment {
        run = run.env(name, value);
    }
    let answer = run.wait();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    answer.json()["data"]["session"]["session_id"].as_str().unwrap().to_owned()
}

#[test]
fn flag_then_trueups_variable_then_the_clients_then_the_newest_that_lives() {
    let home = started();
    second(&home, None);
    start(&home, &home.payload("session-start.startup").for_session(THIRD), None);
    let client = ("CLAUDE_CODE_SESSION_ID", THIRD);
    let own = ("TRUEUP_SESSION_ID", SECOND_SESSION);
    assert_eq!(speaks_for(&home, &[], &[]), THIRD);
    assert_eq!(speaks_for(&home, &[client], &[]), THIRD);
    assert_eq!(speaks_for(&home, &[client, own], &[]), SECOND_SESSION);
    assert_eq!(speaks_for(&home, &[client, own], &["--session", FIRST_SESSION]), FIRST_SESSION);
    assert_eq!(
        speaks_for(&home, &[("TRUEUP_SESSION_ID", ""), client], &[]),
        THIRD,
        "empty is unset"
    );
}

#[test]
fn the_cache_names_the_session_from_any_directory_of_the_worktree() {
    let home = started();
    let deep = home.project_dir().join("src/deep");
    fs::create_dir_all(&deep).unwrap();
    let answer = home.prepare_run("trueup").args(["status", "--json"]).cwd(&deep).wait().ok();
    assert_eq!(answer.json()["data"]["session"]["session_id"], FIRST_SESSION);
}

#[test]
fn an_id_that_is_none_is_usage() {
    let home = started();
    for id in ["../x", "a/b", "a b"] {
        let run = home.prepare_run("trueup").args(["status"]).env("TRUEUP_SESSION_ID", id);
        let answer = run.wait();
        assert_eq!(answer.code, Some(2), "{answer:?}");
        assert!(answer.stderr.contains("TRUEUP_SESSION_ID"), "{answer:?}");
        object(&home, 2, &["status", "--session", id]);
    }
}

#[test]
fn a_project_can_be_named_from_anywhere() {
    let home = started();
    let answer = home
        .prepare_run("trueup")
        .args(["status", "--json", "--project"])
        .args([home.project_dir()])
        .cwd(home.user_home())
        .wait()
        .ok();
    assert_eq!(answer.json()["data"]["session"]["session_id"], FIRST_SESSION);
    let run = home.prepare_run("trueup").args(["set", "--phase", "EXEC", "--project"]);
    run.args([home.project_dir()]).cwd(home.user_home()).wait().ok();
    assert_eq!(home.read_cache()["currentPhase"], "EXEC");
    let object = object(&home, 2, &["status", "--project", "/no/such/place"]);
    assert_eq!(object["error"]["code"], "usage");
}

#[test]
fn a_command_from_elsewhere_mends_the_cache_where_the_session_works() {
    let home = started();
    let run =
        home.prepare_run("trueup").args(["set", "--phase", "EXEC", "--session", FIRST_SESSION]);
    run.cwd(home.user_home()).wait().ok();
    assert_eq!(home.read_cache()["currentPhase"], "EXEC");
    assert!(!home.user_home().join(".claude").exists(), "nothing appears where the user stood");
}

#[test]
fn each_of_two_sessions_in_a_worktree_has_its_own_file() {
    let home = started();
    second(&home, None);
    data(&home, &["set", "--phase", "EXEC", "--session", SECOND_SESSION]);
    assert_eq!(home.read_cache()["sessionId"], FIRST_SESSION);
    assert!(home.read_cache()["currentPhase"].is_null());
    let own = home.project_dir().join(format!(".claude/auto-proceed-state.{SECOND_SESSION}.json"));
    assert_eq!(Home::read_json(&own)["currentPhase"], "EXEC");
    let status = data(&home, &["status", "--session", SECOND_SESSION]);
    assert_eq!(status["cache"]["path"], *own.to_string_lossy());
}

#[test]
fn an_agents_own_change_is_not_reported_to_it() {
    let home = started();
    let run = home.prepare_run("trueup").args(["set", "--phase", "EXEC"]);
    run.env("TRUEUP_SESSION_ID", FIRST_SESSION).wait().ok();
    home.send_prompt().assert_silent();
    data(&home, &["set", "--phase", "LEAD"]);
    assert!(!home.send_prompt().ok().context().is_empty(), "a person's command is news");
}

#[test]
fn outside_git_a_command_writes_a_cache_only_for_a_session_that_holds_an_item() {
    let home = Home::without_git();
    home.start_session().ok();
    let of = ["--session", FIRST_SESSION];
    data(&home, &[&["set", "--phase", "EXEC"], &of[..]].concat());
    assert!(!home.project_dir().join(".claude").exists());
    data(&home, &[&["claim", "SD-1", "--create"], &of[..]].concat());
    assert_eq!(home.read_cache()["currentSd"], "SD-1");
    assert_eq!(home.read_cache()["currentPhase"], serde_json::Value::Null);
}

/// How long a session of these tests was silent, in seconds: longer than its lease.
const SILENCE_SECONDS: f64 = 1_000.0;

fn heartbeat(home: &Home) -> String {
    home.session_column("heartbeat_at", FIRST_SESSION)
}

#[test]
fn a_session_that_changes_something_itself_lives() {
    let home = started();
    data(&home, &["claim", "SD-1", "--create"]);
    data(&home, &["queue", "add", "SD-1", "--phases", "plan"]);
    let alone = ["TRUEUP_SESSION_ID", "CLAUDE_CODE_SESSION_ID"];
    for (name, arguments) in alone.into_iter().cycle().zip([
        &["set", "--task", "x"][..],
        &["interrupt"],
        &["resume"],
        &["queue", "start", "SD-1:1"],
        &["queue", "complete", "SD-1:1"],
        &["handoff", "create", "X"],
        &["clear"],
        &["item", "transition", "SD-1", "blocked"],
        &["release"],
    ]) {
        home.age_heartbeat(FIRST_SESSION, SILENCE_SECONDS);
        home.execute_sql("UPDATE claude_sessions SET status = 'lost'", []);
        let before = heartbeat(&home);
        let run = home.prepare_run("trueup").args(arguments).env(name, FIRST_SESSION);
        let answer = run.wait();
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(heartbeat(&home) > before, "{arguments:?}");
        assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    }
    // What another says about it, and what only looks, is no sign of its life.
    home.age_heartbeat(FIRST_SESSION, SILENCE_SECONDS);
    let before = heartbeat(&home);
    data(&home, &["set", "--task", "y", "--session", FIRST_SESSION]);
    let run = home.prepare_run("trueup").args(["status"]);
    run.env("TRUEUP_SESSION_ID", FIRST_SESSION).wait().ok();
    assert_eq!(heartbeat(&home), before);
}
