//! Goes over the table of bounds: for each input one that is far beyond its bound. The hooks end
//! within seconds of computing, as they do for their own job, say what was cut, and do the rest.

mod git;
mod outbox;
mod processes;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::json;
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput};
use trueup_core::bounds::{self, Bound};

/// How long a process of an unoptimised build may compute before the system kills it, in
/// seconds. Unlike time on a clock this does not depend on what else runs.
const COMPUTING: u32 = 3;

type Case = fn(&Home);

/// An input beyond each bound.
const CASES: &[(Bound, Case)] = &[
    (bounds::CONFIG, config),
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
    (bounds::REPOSITORY_CONFIG, repository_config),
    (bounds::REFUSED_KEYS, refused_keys),
    (bounds::HANDOFF_PATTERNS, handoff_patterns),
    (bounds::HANDOFF_PATTERN, handoff_pattern),
    (bounds::BRANCH_PATTERN, branch_pattern),
    (bounds::COMMAND, command),
    (bounds::COMMAND_STEPS, command_steps),
    (bounds::CACHE, cache),
    (bounds::CACHE_FOLDER, cache_folder),
    (bounds::OUTBOX, outbox::waiting),
    (bounds::OUTBOX_LINE, outbox::line),
    (bounds::OUTBOX_BATCH, outbox::batch),
    (bounds::OUTBOX_COUNTED, outbox::counted),
    (bounds::LOST_TOLD, outbox::lost),
    (bounds::DATABASE_NOTE, outbox::database_note),
    (bounds::ANCESTORS, processes::ancestors),
    (bounds::COMMAND_LINE, processes::command_line),
    (bounds::CLIENT_RECORDS, processes::client_records),
    (bounds::CLIENT_RECORD, processes::client_record),
    (bounds::EXCLUDE, exclude),
    (bounds::ENVIRONMENT_FILE, environment_file),
    (bounds::WORKPLANS, workplans),
    (bounds::STATE, state),
    (bounds::PASSED_MARK, passed_mark),
    (bounds::UNTOLD, untold),
    (bounds::TASK, task),
    (bounds::PAYLOAD_NAME, outbox::names),
    (bounds::NOTES, notes),
    (bounds::NOTE, long_error),
    (bounds::LOG_LINE, long_error),
    (bounds::LOG, log),
    (bounds::MESSAGE, long_error),
];

#[test]
fn no_input_of_a_hook_is_unbounded() {
    for bound in bounds::ALL {
        let case = CASES.iter().find(|(of, _)| of == bound);
        let (_, case) = case.unwrap_or_else(|| panic!("no input beyond: {}", bound.input));
        // The name of a case that fails is in what the test prints.
        println!("{}", bound.input);
        let home = Home::new().with_held_item();
        case(&home);
        end_past_their_deadline(&home);
    }
}

/// Runs every hook on what a case left, with no time for anything: each does what does not have
/// to wait, and ends by itself.
fn end_past_their_deadline(home: &Home) {
    for (binary, event) in [
        ("session-start-sync", "session-start.resume"),
        ("session-start-sync", "user-prompt-submit"),
        ("checkpoint-push", "post-tool-use.bash"),
        ("checkpoint-push", "stop"),
        ("pre-handoff-validate", "stop"),
    ] {
        let none = [("TRUEUP_DEADLINE_MS", "1")];
        let answer = limited(home, binary, &home.payload(event), &none);
        assert!(matches!(answer.code, Some(0 | 2)), "{answer:.2000?}");
    }
}

/// Runs a hook that may compute for so long.
fn limited(home: &Home, binary: &str, payload: &Payload, set: &[(&str, &str)]) -> ProcessOutput {
    let mut run = home.prepare_run(binary).payload(payload);
    for (name, value) in set {
        run = run.env(name, value);
    }
    let limit = format!("ulimit -t {COMPUTING}; exec \"$0\"");
    run.run_through("sh", |program| {
        vec!["-c".into(), limit.clone().into(), program.into()]
    })
    .wait()
}

/// Runs a hook while the cache names another item, and asserts that it does its job.
#[track_caller]
fn mended_by(home: &Home, binary: &str, payload: &Payload, set: &[(&str, &str)]) -> ProcessOutput {
    home.edit_cache("currentSd", "SD-002B");
    let answer = limited(home, binary, payload, set);
    assert_eq!(answer.code, Some(0), "{answer:.2000?}");
    assert_eq!(home.read_cache()["currentSd"], "SD-002C", "{answer:.2000?}");
    answer
}

#[track_caller]
fn starts(home: &Home) -> ProcessOutput {
    mended_by(
        home,
        "session-start-sync",
        &home.payload("session-start.resume"),
        &[],
    )
}

#[track_caller]
fn says(answer: &ProcessOutput, text: &str) {
    let lines = answer.stderr.lines().filter(|line| line.contains(text));
    assert_eq!(lines.count(), 1, "{text}: {}", answer.stderr);
    assert!(
        answer
            .stderr
            .lines()
            .all(|line| line.chars().count() <= 4_100)
    );
}

fn beyond(bound: Bound) -> usize {
    bound.len() * 2 + 1
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn config(home: &Home) {
    let text = format!("log = \"info\"\n#{}", "x".repeat(beyond(bounds::CONFIG)));
    write(&home.trueup_home().join("config.toml"), text);
    says(&starts(home), "config.toml: larger than");
}

/// What a hook is given time for begins when the payload has ended: with no time at all it still
/// does what does not have to wait.
fn late_payload(home: &Home) {
    home.edit_cache("currentSd", "SD-002B");
    let mut run = home
        .prepare_run("session-start-sync")
        .env("TRUEUP_DEADLINE_MS", "1");
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

/// Tells whether a process took what is in the pipe and sleeps until there is more.
fn waits_for_more(pid: u32, pipe: &impl std::os::fd::AsFd) -> bool {
    let is_empty = rustix::io::ioctl_fionread(pipe).unwrap() == 0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let state = stat
        .rsplit_once(") ")
        .map(|(_, rest)| rest.starts_with('S'));
    is_empty && state == Some(true)
}

fn payload(home: &Home) {
    let long = "x".repeat(bounds::PAYLOAD.len());
    let payload = home.payload("user-prompt-submit").with("prompt", long);
    let line = limited(home, "session-start-sync", &payload, &[]).single_line();
    assert!(line.contains("larger than 16 MiB"), "{line}");
}

fn long_path(home: &Home) {
    let path = format!("/{}", "x".repeat(beyond(bounds::PATH)));
    stands_in(home, &path);
}

fn deep_path(home: &Home) {
    let path = format!("{}{}", home.project_dir().display(), "/x/..".repeat(50_000));
    stands_in(home, &path);
}

fn stands_in(home: &Home, path: &str) {
    let named = home.payload("session-start.resume").with("cwd", path);
    let answer = mended_by(home, "session-start-sync", &named, &[]);
    says(&answer, "parts or");
    let set = [("CLAUDE_PROJECT_DIR", path)];
    if path.len() < 100_000 {
        let payload = home.payload("session-start.resume");
        says(
            &mended_by(home, "session-start-sync", &payload, &set),
            "parts or",
        );
    }
}

/// Makes many lines, each of its number.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count)
        .flat_map(|n| [line(n), "\n".to_owned()])
        .collect()
}

fn set(home: &Home, text: &str) {
    write(&home.project_dir().join(".trueup.toml"), text);
}

fn repository_config(home: &Home) {
    set(
        home,
        &format!(
            "repo = \"x\"\n#{}",
            "x".repeat(beyond(bounds::REPOSITORY_CONFIG))
        ),
    );
    says(&starts(home), ".trueup.toml: larger than");
}

fn refused_keys(home: &Home) {
    let keys = lines(12_000, |n| format!("key_{n} = 1"));
    set(home, &keys);
    let answer = starts(home);
    says(&answer, "and 11995 more; ignored");
    assert!(answer.stderr.len() < 1_000, "{}", answer.stderr);
    assert!(
        fs::metadata(home.trueup_home().join("trueup.log"))
            .unwrap()
            .len()
            < 4_000
    );
    // One key as long as the file may be, and many in one another.
    set(home, &format!("{} = 1\n", "k".repeat(200_000)));
    says(&starts(home), "not allowed in a repository: kkk");
    set(home, &format!("{}x = 1\n", "k.".repeat(100_000)));
    starts(home);
    set(home, &format!("x = {}\n", "[".repeat(200_000)));
    starts(home);
}

/// Runs the gate on a command, which looks at nothing unless that hands work on.
#[track_caller]
fn is_checked(home: &Home, command: &str) -> ProcessOutput {
    let payload = home
        .payload("pre-tool-use.bash")
        .with_input("command", command);
    mended_by(home, "pre-handoff-validate", &payload, &[])
}

fn handoff_patterns(home: &Home) {
    let patterns: Vec<String> = (0..4_500).map(|n| format!("\"*make-ship-{n}*\"")).collect();
    set(
        home,
        &format!("handoff_commands = [{}]\n", patterns.join(",")),
    );
    let answer = is_checked(home, "make-ship-3 now");
    says(&answer, "4244 of 4500 handoff_commands are ignored");
}

fn handoff_pattern(home: &Home) {
    let long = "*a".repeat(beyond(bounds::HANDOFF_PATTERN));
    set(
        home,
        &format!("handoff_commands = [\"{long}\", \"ship\"]\n"),
    );
    says(
        &is_checked(home, "ship"),
        "1 of 2 handoff_commands are ignored",
    );
}

fn branch_pattern(home: &Home) {
    let long = "(x|y)".repeat(beyond(bounds::BRANCH_PATTERN));
    set(home, &format!("branch_pattern = \"{long}\"\n"));
    says(&starts(home), "branch_pattern has");
    // Short, but large once it is compiled.
    set(home, "branch_pattern = \"((x{900}){900}){900}\"\n");
    home.run_git(&["switch", "--quiet", "-c", "x1"]);
    starts(home);
}

fn command(home: &Home) {
    is_checked(home, &"echo ".repeat(bounds::COMMAND.len()));
}

fn command_steps(home: &Home) {
    let patterns: Vec<String> = (0..250)
        .map(|n| format!("\"{}{n}\"", "*a".repeat(200)))
        .collect();
    set(
        home,
        &format!("handoff_commands = [{}]\n", patterns.join(",")),
    );
    is_checked(home, &"a".repeat(200_000));
}

fn cache(home: &Home) {
    home.write_cache(format!(
        "{{\"x\": \"{}\"}}",
        "x".repeat(beyond(bounds::CACHE))
    ));
    let payload = home.payload("session-start.resume");
    let answer = limited(home, "session-start-sync", &payload, &[]);
    assert_eq!(answer.code, Some(0));
    assert!(
        answer
            .message()
            .iter()
            .any(|line| line.contains("is too large for a cache")),
        "{answer:?}"
    );
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
    home.write_cache("[".repeat(bounds::CACHE.len()));
    limited(home, "session-start-sync", &payload, &[]);
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
}

fn cache_folder(home: &Home) {
    for number in 0..beyond(bounds::CACHE_FOLDER) {
        let name = format!("auto-proceed-state.json.tmp-{}", 5_000_000 + number);
        fs::write(home.project_dir().join(".claude").join(name), "").unwrap();
    }
    starts(home);
}

fn exclude(home: &Home) {
    write(
        &home.project_dir().join(".git/info/exclude"),
        "#\n".repeat(beyond(bounds::EXCLUDE)),
    );
    fs::remove_file(home.cache_path()).unwrap();
    let payload = home.payload("session-start.resume");
    assert_eq!(
        limited(home, "session-start-sync", &payload, &[]).code,
        Some(0)
    );
    assert_eq!(home.read_cache()["currentSd"], "SD-002C");
    let log = fs::read_to_string(home.trueup_home().join("trueup.log")).unwrap();
    assert!(log.contains("info/exclude: larger than"), "{log}");
}

fn environment_file(home: &Home) {
    let file = home.root().join("environment.sh");
    write(&file, "#\n".repeat(beyond(bounds::ENVIRONMENT_FILE)));
    let payload = home.payload("session-start.resume");
    let set = [("CLAUDE_ENV_FILE", file.to_str().unwrap())];
    let answer = mended_by(home, "session-start-sync", &payload, &set);
    says(&answer, "CLAUDE_ENV_FILE cannot be written: larger than");
}

fn workplans(home: &Home) {
    let folder = home.project_dir().join("workplans");
    fs::create_dir(&folder).unwrap();
    for number in 0..beyond(bounds::WORKPLANS) {
        fs::write(folder.join(format!("A-WP-{number:05}.md")), "").unwrap();
    }
    let answer = mended_by(home, "checkpoint-push", &home.payload("stop"), &[]);
    says(&answer, "workplans/ has more than 4096 files");
    assert!(
        answer
            .message()
            .iter()
            .any(|line| line.contains("`trueup check --fix`"))
    );
}

/// Registers the project and others beside it.
fn registered(home: &Home, others: usize) {
    for number in 0..others {
        let path = home.root().join(format!("other-{number}"));
        let git = Command::new("git")
            .args(["init", "--quiet"])
            .arg(&path)
            .status();
        assert!(git.unwrap().success());
        home.prepare_run("trueup")
            .args(["repo", "add", path.to_str().unwrap()])
            .wait()
            .ok();
    }
    let project = home.project_dir().to_str().unwrap();
    home.prepare_run("trueup")
        .args(["repo", "add", project])
        .wait()
        .ok();
}

fn state(home: &Home) {
    registered(home, 1);
    write(
        &home.project_dir().join("STATE.md"),
        "token=".repeat(700_000),
    );
    let payload = home.payload("post-tool-use.bash");
    let answer = mended_by(home, "checkpoint-push", &payload, &[]);
    says(&answer, "run: trueup state sync");
    // The worst that is taken: it ends at the deadline, and is not tried again.
    let worst = "token=".repeat(bounds::STATE.len() / 6);
    write(&home.project_dir().join("STATE.md"), worst);
    let deadline = [("TRUEUP_DEADLINE_MS", "1500")];
    let answer = mended_by(home, "checkpoint-push", &payload, &deadline);
    says(&answer, "run: trueup state sync");
    let again = mended_by(home, "checkpoint-push", &payload, &deadline);
    assert_eq!(again.stderr, "");
    // What is long and ordinary is passed on.
    let prose = "The token is kept in the vault: see docs.\n".repeat(2_500);
    write(&home.project_dir().join("STATE.md"), prose);
    mended_by(home, "checkpoint-push", &payload, &[]);
    let cache = home.root().join("other-0/.aibrain/global-state-cache.md");
    assert!(cache.exists());
}

fn passed_mark(home: &Home) {
    registered(home, 1);
    write(&home.project_dir().join("STATE.md"), "# One\n");
    home.push_event("stop").ok();
    let marks = home.trueup_home().join("passed");
    let mark = fs::read_dir(&marks)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::write(&mark, "x".repeat(beyond(bounds::PASSED_MARK))).unwrap();
    mended_by(home, "checkpoint-push", &home.payload("stop"), &[]);
    assert!(fs::metadata(&mark).unwrap().len() < bounds::PASSED_MARK.most);
}

fn untold(home: &Home) {
    let ending = |task: &str| {
        home.edit_cache("currentTask", task);
        home.set_state(FIRST_SESSION, "execution_state.currentPhase", task);
        home.push_event("session-end.other").ok();
    };
    ending("first");
    let kept = home.trueup_home().join("untold");
    let kept = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    fs::write(&kept, "x".repeat(beyond(bounds::UNTOLD))).unwrap();
    let size = fs::metadata(&kept).unwrap().len();
    home.start_session().ok();
    assert!(!kept.exists());
    fs::write(&kept, "x".repeat(bounds::UNTOLD.len())).unwrap();
    ending("second");
    assert!(fs::metadata(&kept).unwrap().len() < size);
}

fn task(home: &Home) {
    let long = "t".repeat(1_000_000);
    let mut todos: Vec<_> = (0..10_000)
        .map(|n| json!({"content": format!("todo {n}"), "status": "pending", "activeForm": "x"}))
        .collect();
    todos.push(json!({"content": long, "status": "in_progress", "activeForm": "x"}));
    let payload = home
        .payload("post-tool-use.todo-write")
        .with_input("todos", todos);
    mended_by(home, "checkpoint-push", &payload, &[]);
    let task = home.read_cache()["currentTask"]
        .as_str()
        .unwrap()
        .chars()
        .count();
    assert_eq!(task, bounds::TASK.len());
    assert_eq!(
        home.session_column::<String>("status", FIRST_SESSION),
        "active"
    );
}

fn notes(home: &Home) {
    let others = bounds::NOTES.len() + 5;
    registered(home, others);
    for number in 0..others {
        let cache = home.root().join(format!("other-{number}/.aibrain"));
        let _ = fs::remove_dir_all(&cache);
        std::os::unix::fs::symlink("/nowhere", cache).unwrap();
    }
    write(&home.project_dir().join("STATE.md"), "# One\n");
    let answer = mended_by(home, "checkpoint-push", &home.payload("stop"), &[]);
    says(&answer, "and 5 more lines");
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
        let answer = limited(home, binary, &home.payload(event), &set);
        assert_eq!(answer.code, Some(0), "{answer:.2000?}");
        assert!(answer.stdout.chars().count() < 25_000);
        let lines = [answer.context(), answer.message().join("\n")];
        assert!(
            lines
                .iter()
                .all(|text| text.chars().count() <= bounds::MESSAGE.len())
        );
        let longest = answer.stderr.lines().map(|line| line.chars().count()).max();
        assert!(longest.unwrap_or_default() <= bounds::NOTE.len() + 1);
    }
    let log = fs::read_to_string(home.trueup_home().join("trueup.log")).unwrap();
    assert!(
        log.lines()
            .all(|line| line.len() < bounds::LOG_LINE.len() * 2)
    );
}

fn log(home: &Home) {
    let log = home.trueup_home().join("trueup.log");
    write(&log, "x\n".repeat(beyond(bounds::LOG)));
    set(home, "unknown = 1\n");
    starts(home);
    assert!(fs::metadata(&log).unwrap().len() < 4_000);
    assert!(log.with_extension("log.1").exists());
}
