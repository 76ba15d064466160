//! When a hook starts `trueup`, and what it asks it for. A script plays `trueup`.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use support::client::find_binary;
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput};
use support::program::{copy_program, write_program};

use super::fixture::{home_with_server, home_with_url, pull, query, wait_until};

/// Nothing listens there.
const URL: &str = "postgres://me:s3cret@127.0.0.1:1/work";

/// A `trueup` that notes how it was started, and fails.
const SCRIPT: &str = r#"#!/bin/sh
cd "$TRUEUP_HOME" || exit 9
echo "$@" >> arguments
echo '{"reason": "on fire", "line": "trueup: it is on fire", "is_never_created": false}'
exit 2
"#;

/// Copies of the hooks, with or without `trueup` beside them.
fn stage(home: &Home, program: Option<&str>) -> PathBuf {
    let bin = home.root().join("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["session-start-sync", "checkpoint-push", "pre-handoff-validate"] {
        copy_program(&find_binary(name).unwrap(), &bin.join(name)).unwrap();
    }
    if let Some(text) = program {
        write_program(&bin.join("trueup"), text).unwrap();
    }
    bin
}

/// Runs a staged hook with further arguments.
fn run(home: &Home, hook: &str, arguments: &[&str], payload: &Payload) -> ProcessOutput {
    let bin = home.root().join("bin").join(hook);
    let run = home.prepare_run(hook).args(arguments).payload(payload);
    run.run_through("env", |_| vec![bin.clone().into()]).wait()
}

/// What `trueup` was started with, a line for each time.
fn starts(home: &Home) -> Vec<String> {
    let text = fs::read_to_string(home.trueup_home().join("arguments")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_start_waits_for_a_pull_and_tells_why_it_failed() {
    let home = home_with_url(URL);
    stage(&home, Some(SCRIPT));
    let output = run(&home, "session-start-sync", &[], &home.payload("session-start.startup"));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), "trueup: it is on fire\n"));
    let line = "⚠️ database unreachable; no cache available (on fire)";
    assert_eq!(output.message(), [line]);
    let expected = format!("pull --detached --session {FIRST_SESSION} --start startup");
    assert_eq!(starts(&home), [expected]);
}

#[test]
fn a_hook_that_needs_no_database_starts_nothing() {
    let home = home_with_url(URL);
    stage(&home, Some(SCRIPT));
    let quick: &[&str] = &["--span"];
    for (hook, arguments, fixture) in [
        ("pre-handoff-validate", &[][..], "pre-tool-use.bash"),
        ("pre-handoff-validate", &[], "pre-tool-use.read"),
        ("pre-handoff-validate", quick, "pre-tool-use.bash"),
        ("pre-handoff-validate", &[], "stop.again"),
        ("session-start-sync", &[], "user-prompt-submit.task-notification"),
        ("session-start-sync", &[], "stop"),
        ("checkpoint-push", &[], "session-start.startup"),
        ("checkpoint-push", &[], "file-changed"),
        ("checkpoint-push", &[], "unhandled.permission-request"),
    ] {
        run(&home, hook, arguments, &home.payload(fixture)).assert_silent();
        assert_eq!(starts(&home), [""; 0], "{hook} {fixture}");
    }
}

#[test]
fn a_push_with_nothing_to_push_starts_nothing_and_counts() {
    let Some((home, _database)) = home_with_server() else { return };
    stage(&home, Some(SCRIPT));
    home.start_session().ok();
    let push = |fixture: &str| run(&home, "checkpoint-push", &[], &home.payload(fixture));
    for _ in 0..7 {
        push("post-tool-use.bash").assert_silent();
        push("post-tool-use.edit").assert_silent();
        push("subagent-stop").assert_silent();
    }
    assert_eq!(starts(&home), [""; 0]);
    // The fifteenth call is a checkpoint.
    push("post-tool-use.bash").ok();
    let expected = format!("pull --detached --session {FIRST_SESSION}");
    wait_until(|| starts(&home) == [expected.as_str()]);
    let [checkpoint] = &home.read_lines("outbox.jsonl")[..] else { panic!("one write") };
    assert_eq!(
        (&checkpoint["write"], &checkpoint["operations"]),
        (&json!("checkpoint"), &json!(15))
    );

    let starts_pull = |change: &dyn Fn(), fixture: &str| {
        pull(&home, FIRST_SESSION);
        push("post-tool-use.bash").assert_silent();
        let before = starts(&home).len();
        change();
        let output = push(fixture);
        eprintln!("{fixture}: {output:?}");
        wait_until(|| starts(&home).len() > before);
        assert_eq!(starts(&home).len(), before + 1, "{fixture}");
    };
    starts_pull(&|| (), "post-tool-use.todo-write");
    let note = home.trueup_home().join(format!("counters/{FIRST_SESSION}.contact"));
    starts_pull(&|| home.edit_cache("currentPhase", "EXEC"), "post-tool-use.bash");
    starts_pull(&|| home.run_git(&["switch", "-q", "-c", "other"]), "post-tool-use.bash");
    home.run_git(&["switch", "-q", "main"]);
    pull(&home, FIRST_SESSION);
    fs::remove_file(&note).unwrap();
    starts_pull(&|| (), "session-end.other");
}

#[test]
fn a_start_names_the_session_to_its_shells_and_calls_are_counted_once() {
    let Some((home, database)) = home_with_server() else { return };
    let file = home.root().join("env.sh");
    let start = home.payload("session-start.startup");
    let run = home.prepare_run("session-start-sync").payload(&start);
    run.env("CLAUDE_ENV_FILE", &file).wait().ok();
    let line = format!("export TRUEUP_SESSION_ID={FIRST_SESSION}\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), line);

    // Every one of them changes the task, and so each waits for the server.
    for number in 1..=15 {
        let todo = format!(r#"[{{"content": "step {number}", "status": "in_progress"}}]"#);
        let todos: serde_json::Value = serde_json::from_str(&todo).unwrap();
        let payload = home.payload("post-tool-use.todo-write").with_input("todos", todos);
        home.run_hook("checkpoint-push", &payload).ok();
    }
    let counted = fs::read(home.trueup_home().join("counters").join(FIRST_SESSION)).unwrap();
    assert_eq!(counted.len(), 15);
    pull(&home, FIRST_SESSION);
    let checkpoints = "SELECT count(*) FROM events WHERE kind = 'checkpoint'";
    assert_eq!(query(&database, checkpoints), "1");
}

#[test]
fn trueup_is_found_on_the_path_but_not_in_a_relative_directory() {
    let home = home_with_url(URL);
    let bin = stage(&home, None);
    let other = home.root().join("other");
    fs::create_dir(&other).unwrap();
    write_program(&other.join("trueup"), SCRIPT).unwrap();
    write_program(&home.project_dir().join("trueup"), SCRIPT).unwrap();
    let payload = home.payload("session-start.startup");
    let hook = bin.join("session-start-sync");
    let run = |path: &str| {
        let run = home.prepare_run("session-start-sync").payload(&payload).env("PATH", path);
        run.run_through("/usr/bin/env", |_| vec![hook.clone().into()]).wait()
    };
    let line = run(".").stderr.lines().next().unwrap().to_owned();
    assert_eq!(
        line,
        "trueup: the database cannot be used: postgres://127.0.0.1:1/work: trueup, which connects \
         to it, is neither beside this hook nor on PATH"
    );
    let output = run(&format!("{}:/usr/bin:/bin", other.display()));
    assert_eq!(output.stderr, "trueup: it is on fire\n");
}

#[test]
fn without_trueup_the_database_counts_as_unreachable() {
    let home = home_with_url(URL);
    let bin = stage(&home, None);
    let push = home.payload("task-created");
    let hook = bin.join("checkpoint-push");
    let run = home.prepare_run("checkpoint-push").payload(&push).env("PATH", "/nowhere");
    let output = run.run_through("/usr/bin/env", |_| vec![hook.clone().into()]).wait();
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""));
    assert!(
        output.stderr.ends_with("trueup: saved in the outbox; it is sent later\n"),
        "{output:?}"
    );
    assert_eq!(home.read_lines("outbox.jsonl").len(), 1);
}
