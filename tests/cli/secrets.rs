//! Secrets in the input of commands and hooks are neither stored nor printed.

use std::fs;

use support::files::find_files_with;
use support::home::{Home, skip_over_postgres};

use crate::fixture::{started, trueup};

/// A token in two halves, so that no scanner reports this file as a leak.
fn token() -> String {
    ["gh", "p_16C7e42F292c6912E7710c838347Ae178B4a"].concat()
}

fn run(home: &Home, arguments: &[&str]) {
    let answer = trueup(home, arguments);
    assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
    let both = format!("{}{}", answer.stdout, answer.stderr);
    assert!(!both.contains(&token()), "{arguments:?}: {both}");
    if arguments.iter().any(|argument| argument.contains(&token())) {
        assert!(both.contains("secrets in the arguments were redacted"), "{arguments:?}: {both}");
    }
}

#[test]
fn no_secret_reaches_what_is_kept() {
    let home = started();
    let text = format!("rotate {} now", token());
    let text = text.as_str();
    let plan = home.root().join("plan.md");
    fs::write(&plan, format!("# {text}\n\n## Phase 1: {text}\n\n- [ ] 1.1 {text}\n- [ ] 1.2 b\n"))
        .unwrap();
    for arguments in [
        &["item", "add", "SD-1", "--title", text][..],
        &["claim", "SD-1"],
        &["set", "--phase", &token(), "--task", text],
        &["queue", "add", "SD-1", "--phases", "plan,build"],
        &["queue", "start", "SD-1:1"],
        &["queue", "fail", "SD-1:1", "--error", text],
        &["queue", "reopen", "SD-1:1", "--reason", text],
        &["queue", "block", "SD-1:1", "--reason", text],
        &["handoff", "create", "PLAN-TO-EXEC", "--summary", text, "--actions", text],
        &["item", "transition", "SD-1", "blocked", "--reason", text],
        &["release", "--reason", text],
        &["item", "add", "SD-2"],
        &["item", "transition", "SD-2", "completed", "--evidence", text],
        &["item", "reopen", "SD-2", "--reason", text],
        &["item", "edit", "SD-2", "--title", text],
        &["item", "add", "SD-3"],
        &["item", "remove", "SD-3", "--reason", text],
        &["plan", "import", plan.to_str().unwrap()],
        &["plan", "start", "1.1"],
        &["plan", "fail", "1.1", "--error", text],
        &["plan", "skip", "1.2", "--reason", text],
        &["status"],
        &["log"],
        &["item", "list"],
        &["plan", "status"],
        &["handoff", "list"],
        &["queue", "list"],
    ] {
        run(&home, arguments);
    }
    push_task_list(&home, text);
    assert_eq!(find_files_with(&home.trueup_home(), &token()), Vec::<String>::new());
    assert_eq!(
        find_files_with(&home.project_dir().join(".claude"), &token()),
        Vec::<String>::new()
    );
}

/// Pushes a task list with this text twice, through the hook.
fn push_task_list(home: &Home, text: &str) {
    let todo = home.payload("post-tool-use.todo-write");
    let todos = serde_json::json!([{"content": text, "status": "in_progress", "activeForm": text}]);
    for _ in 0..2 {
        home.run_hook("checkpoint-push", &todo.clone().with_input("todos", todos.clone())).ok();
    }
}

#[test]
fn a_branch_is_kept_as_it_is_and_shown_without_its_secret() {
    let home = started();
    let branch = format!("fix/{}", token());
    home.run_git(&["checkout", "-q", "-b", &branch]);
    home.start_session().ok();
    let kept: String = home.query_value("SELECT metadata ->> 'branch' FROM claude_sessions", []);
    assert_eq!(kept, branch);
    for arguments in [&["status"][..], &["sessions", "list"], &["log"], &["doctor"]] {
        let answer = trueup(&home, arguments);
        let both = format!("{}{}", answer.stdout, answer.stderr);
        assert!(!both.contains(&token()), "{arguments:?}: {both}");
    }
}

#[test]
fn of_a_url_only_scheme_host_port_and_name_are_shown() {
    if skip_over_postgres("each URL is the test's own") {
        return;
    }
    for url in [
        "postgres://hush:hush@db.example.org:5432/app?password=hush&sslcert=hush#hush",
        "https://hush@db.example.org/hush/hush?token=hush",
        "https://db.example.org?apikey=hush",
        "mysql://hush:hush@db.example.org/hush",
        "hush",
    ] {
        let home = Home::new();
        for arguments in [
            &["status"][..],
            &["status", "--json"],
            &["doctor"],
            &["db", "status"],
            &["db", "migrate"],
            &["statusline"],
        ] {
            let run = home
                .prepare_run("trueup")
                .env("TRUEUP_DATABASE_URL", url)
                .env("TRUEUP_LOG", "debug");
            let answer = run.args(arguments).wait();
            let both = format!("{}{}", answer.stdout, answer.stderr);
            assert!(!both.contains("hush"), "{url} {arguments:?}: {both}");
        }
        let payload = home.payload("session-start.startup");
        let run = home.prepare_run("session-start-sync").env("TRUEUP_DATABASE_URL", url);
        let answer = run.env("TRUEUP_LOG", "debug").payload(&payload).wait();
        let both = format!("{}{}", answer.stdout, answer.stderr);
        assert!(!both.contains("hush"), "{url}: {both}");
        assert_eq!(find_files_with(&home.trueup_home(), "hush"), Vec::<String>::new(), "{url}");
    }
}
