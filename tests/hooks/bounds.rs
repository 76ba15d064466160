//! Gives the hooks an input far beyond each bound in the table of bounds. They must end within
//! seconds of CPU time, say what was cut, and do the rest of their job.

mod copies;
mod git;
mod outbox;
mod processes;
mod settings;

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use serde_json::json;
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput};
use trueup_core::bounds::{self, Bound};

/// CPU time after which the system kills a process of an unoptimized build, in seconds. Unlike
/// elapsed time it does not depend on what else runs.
const COMPUTING: u32 = 3;

type Case = fn(&Home);

/// An input beyond each bound.
const CASES: &[(Bound, Case)] = &[
    (bounds::CONFIG, settings::config),
    (bounds::PAYLOAD_WAIT, late_payload),
    (bounds::PAYLOAD, payload),
    (bounds::PATH, long_path),
    (bounds::PATH_PARTS, deep_path),
    (bounds::GIT_FILE, git::git_files),
    (bounds::REFTABLE, git::reftable),
    (bounds::REFTABLES, git::reftables),
    (bounds::BRANCH, git::branch),
    (bounds::BRANCH_MATCHES, git::branch_matches),
    (bounds::PACKED_REFS, git::packed_refs),
    (bounds::BRANCHES, git::branches),
    (bounds::REPOSITORY_CONFIG, settings::repository_config),
    (bounds::REFUSED_KEYS, settings::refused_keys),
    (bounds::HANDOFF_PATTERNS, settings::handoff_patterns),
    (bounds::HANDOFF_PATTERN, settings::handoff_pattern),
    (bounds::BRANCH_PATTERN, settings::branch_pattern),
    (bounds::COMMAND, settings::command),
    (bounds::COMMAND_STEPS, settings::command_steps),
    (bounds::CACHE, copies::cache),
    (bounds::CACHE_DIR, copies::cache_dir),
    (bounds::OUTBOX, outbox::waiting),
    (bounds::OUTBOX_LINE, outbox::line),
    (bounds::OUTBOX_BATCH, outbox::batch),
    (bounds::OUTBOX_COUNTED, outbox::counted),
    (bounds::LOST_EDITS_SHOWN, outbox::lost),
    (bounds::DATABASE_NOTE, outbox::database_note),
    (bounds::REPLICA, outbox::replica),
    (bounds::ANCESTORS, processes::bounds_ancestor_search),
    (bounds::COMMAND_LINE, processes::command_line),
    (bounds::CLIENT_RECORDS, processes::client_records),
    (bounds::CLIENT_RECORD, processes::client_record),
    (bounds::EXCLUDE, copies::exclude),
    (bounds::ENVIRONMENT_FILE, copies::environment_file),
    (bounds::WORKPLANS, copies::workplans),
    (bounds::CHECK_MARKER, copies::check_marker),
    (bounds::STATE, copies::state),
    (bounds::SHARED_STATE_RECORD, copies::passed_mark),
    (bounds::PENDING_NOTICE, copies::untold),
    (bounds::TASK, task),
    (bounds::PAYLOAD_NAME, outbox::names),
    (bounds::NOTES, notes),
    (bounds::NOTE, long_error),
    (bounds::LOG_LINE, long_error),
    (bounds::LOG, copies::log),
    (bounds::MESSAGE, long_error),
];

#[test]
fn no_input_of_a_hook_is_unbounded() {
    for bound in bounds::ALL {
        let case = CASES.iter().find(|(of, _)| of == bound);
        let (_, case) = case.unwrap_or_else(|| panic!("no input beyond: {}", bound.input));
        // Printed, so that a failing test names its case.
        println!("{}", bound.input);
        let home = Home::new().with_held_item();
        case(&home);
        end_past_their_deadline(&home);
    }
}

/// Runs every hook on the state that a case left, with a deadline of a millisecond: each must still
/// end by itself.
fn end_past_their_deadline(home: &Home) {
    for (binary, event) in [
        ("session-start-sync", "session-start.resume"),
        ("session-start-sync", "user-prompt-submit"),
        ("checkpoint-push", "post-tool-use.bash"),
        ("checkpoint-push", "stop"),
        ("pre-handoff-validate", "stop"),
    ] {
        let no_time = [("TRUEUP_DEADLINE_MS", "1")];
        let answer = run_with_cpu_limit(home, binary, &home.payload(event), &no_time);
        assert!(matches!(answer.code, Some(0 | 2)), "{answer:.2000?}");
    }
}

/// Runs a hook with limited CPU time.
fn run_with_cpu_limit(
    home: &Home,
    binary: &str,
    payload: &Payload,
    set: &[(&str, &str)],
) -> ProcessOutput {
    let mut run = home.prepare_run(binary).payload(payload);
    for (name, value) in set {
        run = run.env(name, value);
    }
    let limit = format!("ulimit -t {COMPUTING}; exec \"$0\"");
    run.run_through("sh", |program| vec!["-c".into(), limit.clone().into(), program.into()]).wait()
}

/// Runs a hook while the cache names another item, and asserts that it does its job.
#[track_caller]
fn fixes_cache(
    home: &Home,
    binary: &str,
    payload: &Payload,
    set: &[(&str, &str)],
) -> ProcessOutput {
    home.edit_cache("currentSd", "SD-002B");
    let answer = run_with_cpu_limit(home, binary, payload, set);
    assert_eq!(answer.code, Some(0), "{answer:.2000?}");
    assert_eq!(home.read_cache()["currentSd"], "SD-002C", "{answer:.2000?}");
    answer
}

#[track_caller]
fn start_session(home: &Home) -> ProcessOutput {
    fixes_cache(home, "session-start-sync", &home.payload("session-start.resume"), &[])
}

#[track_caller]
fn assert_message_contains(answer: &ProcessOutput, text: &str) {
    let lines = answer.stderr.lines().filter(|line| line.contains(text));
    assert_eq!(lines.count(), 1, "{text}: {}", answer.stderr);
    assert!(answer.stderr.lines().all(|line| line.chars().count() <= 4_100));
}

fn size_beyond(bound: Bound) -> usize {
    bound.len() * 2 + 1
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The deadline starts at the end of the payload: with almost no time, a hook still does what does
/// not have to wait.
fn late_payload(home: &Home) {
    home.edit_cache("currentSd", "SD-002B");
    let mut run = home.prepare_run("session-start-sync").env("TRUEUP_DEADLINE_MS", "1");
    let mut child = run.spawn();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = home.payload("session-start.resume").to_bytes();
    let (first, rest) = bytes.split_at(10);
    std::io::Write::write_all(&mut stdin, first).unwrap();
    let start = std::time::Instant::now();
    while !(waits_for_more(child.id(), &stdin) && start.elapsed() > Duration::from_millis(1)) {
        assert!(child.try_wait().unwrap().is_none(), "it did not wait");
        thread::yield_now();
    }
    std::io::Write::write_all(&mut stdin, rest).unwrap();
    drop(stdin);
    ProcessOutput::wait_for(child).ok();
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
}

/// Returns whether a process has emptied the pipe and sleeps until more comes.
fn waits_for_more(pid: u32, pipe: &impl std::os::fd::AsFd) -> bool {
    let is_empty = rustix::io::ioctl_fionread(pipe).unwrap() == 0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.starts_with('S'));
    is_empty && state == Some(true)
}

fn payload(home: &Home) {
    let long = "x".repeat(bounds::PAYLOAD.len());
    let payload = home.payload("user-prompt-submit").with("prompt", long);
    let line = run_with_cpu_limit(home, "session-start-sync", &payload, &[]).single_line();
    assert!(line.contains("larger than 16 MiB"), "{line}");
}

fn long_path(home: &Home) {
    let path = format!("/{}", "x".repeat(size_beyond(bounds::PATH)));
    stands_in(home, &path);
}

fn deep_path(home: &Home) {
    let path = format!("{}{}", home.project_dir().display(), "/x/..".repeat(50_000));
    stands_in(home, &path);
}

fn stands_in(home: &Home, path: &str) {
    let named = home.payload("session-start.resume").with("cwd", path);
    let answer = fixes_cache(home, "session-start-sync", &named, &[]);
    assert_message_contains(&answer, "parts or");
    let set = [("CLAUDE_PROJECT_DIR", path)];
    if path.len() < 100_000 {
        let payload = home.payload("session-start.resume");
        assert_message_contains(
            &fixes_cache(home, "session-start-sync", &payload, &set),
            "parts or",
        );
    }
}

/// Makes many lines, each of its number.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).flat_map(|n| [line(n), "\n".to_owned()]).collect()
}

fn set(home: &Home, text: &str) {
    write(&home.project_dir().join(".trueup.toml"), text);
}

/// Registers the project and others beside it.
fn register_repos(home: &Home, others: usize) {
    for number in 0..others {
        let path = home.root().join(format!("other-{number}"));
        let git = Command::new("git").args(["init", "--quiet"]).arg(&path).status();
        assert!(git.unwrap().success());
        home.prepare_run("trueup").args(["repo", "add", path.to_str().unwrap()]).wait().ok();
    }
    let project = home.project_dir().to_str().unwrap();
    home.prepare_run("trueup").args(["repo", "add", project]).wait().ok();
}

fn task(home: &Home) {
    let long = "t".repeat(1_000_000);
    let mut todos: Vec<_> = (0..10_000)
        .map(|n| json!({"content": format!("todo {n}"), "status": "pending", "activeForm": "x"}))
        .collect();
    todos.push(json!({"content": long, "status": "in_progress", "activeForm": "x"}));
    let payload = home.payload("post-tool-use.todo-write").with_input("todos", todos);
    fixes_cache(home, "checkpoint-push", &payload, &[]);
    let task = home.read_cache()["currentTask"].as_str().unwrap().chars().count();
    assert_eq!(task, bounds::TASK.len());
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
}

fn notes(home: &Home) {
    let others = bounds::NOTES.len() + 5;
    register_repos(home, others);
    for number in 0..others {
        let cache = home.root().join(format!("other-{number}/.aibrain"));
        let _ = fs::remove_dir_all(&cache);
        std::os::unix::fs::symlink("/nowhere", cache).unwrap();
    }
    write(&home.project_dir().join("STATE.md"), "# One\n");
    let answer = fixes_cache(home, "checkpoint-push", &home.payload("stop"), &[]);
    assert_message_contains(&answer, "and 5 more lines");
    assert_eq!(answer.stderr.lines().count(), bounds::NOTES.len() + 1);
}

fn long_error(home: &Home) {
    let url = format!("sqlite:/{}", "x".repeat(100_000));
    let set = [("TRUEUP_DATABASE_URL", &*url)];
    let events = [
        ("session-start-sync", "session-start.resume"),
        ("session-start-sync", "user-prompt-submit"),
        ("checkpoint-push", "post-tool-use.todo-write"),
        ("pre-handoff-validate", "stop"),
    ];
    for (binary, event) in events {
        let answer = run_with_cpu_limit(home, binary, &home.payload(event), &set);
        assert_eq!(answer.code, Some(0), "{answer:.2000?}");
        assert!(answer.stdout.chars().count() < 25_000);
        let lines = [answer.context(), answer.message().join("\n")];
        assert!(lines.iter().all(|text| text.chars().count() <= bounds::MESSAGE.len()));
        let longest = answer.stderr.lines().map(|line| line.chars().count()).max();
        assert!(longest.unwrap_or_default() <= bounds::NOTE.len() + 1);
    }
    let log = fs::read_to_string(home.trueup_home().join("trueup.log")).unwrap();
    assert!(log.lines().all(|line| line.len() < bounds::LOG_LINE.len() * 2));
}
