//! Where the cache is written, and that git does not see it.

use std::fs;
use std::process::Command;

use support::home::{FIRST_SESSION, Home};

const PATTERN: &str = "**/.claude/auto-proceed-state*";

/// Returns git's status of the project.
fn git_status(home: &Home) -> String {
    let output = Command::new("git")
        .current_dir(home.project_dir())
        .args(["status", "--porcelain", "--untracked-files=all"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn git_is_told_once_in_its_own_directory_and_no_tracked_file_changes() {
    let home = Home::new();
    fs::write(home.project_dir().join(".gitignore"), "target\n").unwrap();
    home.run_git(&["add", ".gitignore"]);
    home.run_git(&["commit", "--quiet", "-m", "ignore"]);
    let exclude = home.project_dir().join(".git/info/exclude");
    let before = fs::read_to_string(&exclude).unwrap_or_default();
    home.start_session().ok();
    assert_eq!(fs::read_to_string(&exclude).unwrap(), format!("{before}{PATTERN}\n**/.aibrain/\n"));
    fs::remove_file(home.cache_path()).unwrap();
    home.start_session().ok();
    assert_eq!(fs::read_to_string(&exclude).unwrap(), format!("{before}{PATTERN}\n**/.aibrain/\n"));
    assert_eq!(git_status(&home), "");
}

#[test]
fn a_linked_worktree_has_its_own_cache_and_shares_the_exclude_file() {
    let mut home = Home::new();
    let linked = home.root().join("linked");
    home.run_git(&["worktree", "add", "--quiet", "-b", "side", &linked.to_string_lossy()]);
    let exclude = home.project_dir().join(".git/info/exclude");
    home.move_project(linked.clone());
    home.start_session().ok();
    assert_eq!(home.read_cache()["branch"], "side");
    assert!(fs::read_to_string(exclude).unwrap().contains(PATTERN));
    assert_eq!(git_status(&home), "");
    assert_eq!(home.session_column::<String>("worktree", FIRST_SESSION), linked.to_string_lossy());
}

#[test]
fn a_start_in_a_subdirectory_uses_the_root_of_the_worktree() {
    let home = Home::new();
    let deep = home.project_dir().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let payload =
        home.payload("session-start.startup").with("cwd", deep.to_string_lossy().as_ref());
    home.run_hook("session-start-sync", &payload).ok();
    assert!(home.cache_path().exists());
    assert!(!deep.join(".claude").exists());
}

#[test]
fn the_clients_project_directory_beats_the_payloads() {
    let home = Home::new();
    let elsewhere = home.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let payload =
        home.payload("session-start.startup").with("cwd", elsewhere.to_string_lossy().as_ref());
    let run = home.prepare_run("session-start-sync").payload(&payload);
    run.env("CLAUDE_PROJECT_DIR", home.project_dir()).wait().ok();
    assert!(home.cache_path().exists());
    assert!(!elsewhere.join(".claude").exists());
}

#[test]
fn outside_git_a_session_without_an_item_leaves_no_file() {
    let home = Home::without_git();
    let answer = home.start_session().ok();
    assert!(answer.context().contains("item: none"));
    home.send_prompt().assert_silent();
    home.push_event("post-tool-use.write").assert_silent();
    assert!(!home.project_dir().join(".claude").exists());
}

#[test]
fn outside_git_a_file_that_exists_is_kept_true() {
    let home = Home::without_git();
    home.write_cache("{\"currentPhase\": \"LEAD\"}");
    home.start_session().ok();
    assert_eq!(home.read_cache()["sessionId"], FIRST_SESSION);
}

#[test]
fn outside_git_a_session_that_holds_an_item_gets_its_file() {
    let home = Home::without_git().with_held_item();
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
}

#[test]
fn the_clients_own_directory_in_the_home_directory_is_never_written() {
    for git in [false, true] {
        let mut home = Home::new();
        home.move_project(home.user_home());
        if git {
            home.run_git(&["init", "--quiet", "--initial-branch=main"]);
        }
        let home = home.with_held_item();
        home.push_event("post-tool-use.todo-write").ok();
        assert!(!home.user_home().join(".claude").exists(), "in git: {git}");
        fs::create_dir(home.user_home().join(".claude")).unwrap();
        home.start_session().ok();
        assert_eq!(home.claude_names(), [""; 0]);
    }
}

#[test]
fn a_home_directory_given_by_another_name_is_still_the_home_directory() {
    let mut home = Home::new();
    let alias = home.root().join("alias");
    std::os::unix::fs::symlink(home.user_home(), &alias).unwrap();
    home.move_project(home.user_home());
    let payload = home.payload("session-start.startup");
    let start = |variable: &str, value: &std::path::Path| {
        home.prepare_run("session-start-sync").payload(&payload).env(variable, value).wait().ok();
    };
    home.start_session().ok();
    home.claim(FIRST_SESSION, "SD-002C");
    start("HOME", &alias);
    start("HOME", &home.user_home().join("."));
    start("CLAUDE_PROJECT_DIR", &alias);
    assert_eq!(home.claude_names(), [""; 0]);
}
