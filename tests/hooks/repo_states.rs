//! Hooks share STATE.md when its digest changed, and show the others' at a start.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::home::Home;

/// Registers the project as `project`, and another repository beside it.
fn home_with_two_repos() -> (Home, PathBuf) {
    let home = Home::new();
    home.start_session().ok();
    let other = home.root().join("other");
    home.init_repository(&other);
    for path in [home.project_dir(), &other] {
        run(&home, &["repo", "add", path.to_str().unwrap()]);
    }
    (home, other)
}

fn run(home: &Home, arguments: &[&str]) -> Value {
    let run = home.prepare_run("trueup").args(arguments).args(["--json"]);
    run.wait().ok().json()["data"].clone()
}

fn write(home: &Home, text: &str) {
    fs::write(home.project_dir().join("STATE.md"), text).unwrap();
}

fn read_cached_state(other: &std::path::Path) -> Option<String> {
    fs::read_to_string(other.join(".aibrain/global-state-cache.md")).ok()
}

fn synced_at(home: &Home) -> Value {
    run(home, &["state", "show", "project"])["synced_at"].clone()
}

#[test]
fn a_state_that_changed_is_passed_on_after_any_tool_and_once() {
    let (home, other) = home_with_two_repos();
    home.push_event("post-tool-use.bash").ok();
    assert_eq!(read_cached_state(&other), None);
    write(&home, "# One\n");
    home.push_event("post-tool-use.bash").ok();
    assert!(read_cached_state(&other).unwrap().contains("# One\n"));
    let at = synced_at(&home);
    home.push_event("post-tool-use.edit").ok();
    assert_eq!(synced_at(&home), at);
    write(&home, "# Two\n");
    home.push_event("stop").ok();
    assert!(read_cached_state(&other).unwrap().contains("# Two\n"));
    assert_eq!(fs::read_to_string(home.project_dir().join("STATE.md")).unwrap(), "# Two\n");
}

#[test]
fn what_a_killed_hook_did_not_reach_the_next_one_reaches() {
    let (home, other) = home_with_two_repos();
    write(&home, "# One\n");
    // Only the database has it, as if the hook was killed in between.
    run(&home, &["state", "sync", "project"]);
    fs::remove_dir_all(other.join(".aibrain")).unwrap();
    home.push_event("post-tool-use.bash").ok();
    assert!(read_cached_state(&other).unwrap().contains("# One\n"));
    fs::remove_dir_all(other.join(".aibrain")).unwrap();
    home.push_event("post-tool-use.bash").ok();
    assert_eq!(read_cached_state(&other), None, "what was passed on is passed on once");
}

#[test]
fn a_watched_file_that_changed_is_passed_on() {
    let (home, other) = home_with_two_repos();
    write(&home, "# One\n");
    let answer = home.push_event("file-changed").ok();
    assert_eq!(answer.stdout, "");
    assert!(read_cached_state(&other).unwrap().contains("# One\n"));
}

#[test]
fn a_start_asks_to_watch_the_state_and_tells_of_the_others() {
    let (home, other) = home_with_two_repos();
    fs::write(other.join("STATE.md"), "# Other\n\n**Current Phase**: EXEC\n\nbody line\n").unwrap();
    run(&home, &["state", "sync", "other"]);
    let answer = home.start_session().ok().json();
    let specific = &answer["hookSpecificOutput"];
    let watched = home.project_dir().join("STATE.md");
    assert_eq!(specific["watchPaths"], json!([watched.to_str().unwrap()]));
    let context = specific["additionalContext"].as_str().unwrap();
    assert!(context.contains("other (") && context.contains(" old): Other"), "{context}");
    assert!(context.contains("trueup state show"), "{context}");
    assert!(!context.contains("body line"), "{context}");
}

#[test]
fn where_nothing_is_registered_nothing_is_watched_or_passed_on() {
    let home = Home::new();
    write(&home, "# One\n");
    let answer = home.start_session().ok().json();
    assert_eq!(answer["hookSpecificOutput"]["watchPaths"], json!(null));
    home.push_event("post-tool-use.edit").ok();
    home.push_event("file-changed").ok();
    assert_eq!(run(&home, &["repo", "list"])["repos"], json!([]));
    assert!(!home.project_dir().join(".aibrain").exists());
}

#[test]
fn a_passive_repository_is_left_alone() {
    let (home, other) = home_with_two_repos();
    run(&home, &["repo", "add", home.project_dir().to_str().unwrap(), "--passive"]);
    write(&home, "# One\n");
    home.push_event("post-tool-use.edit").ok();
    assert_eq!(read_cached_state(&other), None);
    let answer = home.start_session().ok().json();
    assert_eq!(answer["hookSpecificOutput"]["watchPaths"], json!(null));
}

#[test]
fn secrets_that_were_replaced_are_said_with_their_lines() {
    let (home, other) = home_with_two_repos();
    // Concatenated, so that no scanner reports this file as a leak.
    let secret = ["gh", "p_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    write(&home, &format!("# One\n\n{secret}\n"));
    let answer = home.push_event("post-tool-use.edit");
    assert_eq!(answer.code, Some(0));
    assert!(answer.stderr.contains("1, in line 3"), "{answer:?}");
    assert!(!read_cached_state(&other).unwrap().contains(&secret));
}

#[test]
fn a_state_that_cannot_be_passed_on_is_said_and_stops_nobody() {
    let (home, _) = home_with_two_repos();
    fs::write(home.project_dir().join("STATE.md"), [0xff, 0xfe, b'\n']).unwrap();
    let answer = home.push_event("post-tool-use.edit");
    assert_eq!((answer.code, &*answer.stdout), (Some(0), ""));
    assert!(answer.stderr.contains("STATE.md was not shared"), "{answer:?}");
}
