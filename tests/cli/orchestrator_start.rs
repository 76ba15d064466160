//! `orchestrator start`: one runs, its signals and its end are passed on, and nothing outlives
//! it.

use std::process::{Child, Command};

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, ProcessOutput, ProcessRun};
use support::race::{PROCESSES, begin_at_once};

use crate::fixture::{data, envelope, keys, started_with_plans as started, trueup};

/// Is a command that says it is ready and ends with 5 when its stdin does.
const UNTIL_STDIN_ENDS: &str = "echo ready; cat; exit 5";

/// Is a command that names the signal it gets and exits with 9. It starts nothing that could
/// be left behind.
const NAMES_ITS_SIGNAL: &str =
    "for s in INT TERM HUP QUIT; do trap \"echo got $s; exit 9\" $s; done; echo ready; read x";

/// Prepares a start. Signals that the suite was told to ignore, as a shell does for what it
/// puts in the background, are none of the test's.
fn start<'h>(home: &'h Home, plan: &str, command: &[&str]) -> ProcessRun<'h> {
    with_signals(home, "--default-signal=INT,TERM,HUP,QUIT", plan, command)
}

fn with_signals<'h>(home: &'h Home, how: &str, plan: &str, command: &[&str]) -> ProcessRun<'h> {
    let run = home
        .prepare_run("trueup")
        .args(["orchestrator", "start", plan, "--"]);
    run.args(command)
        .run_through("env", |binary| vec![how.into(), binary.to_owned()])
}

/// Starts a shell script, which has to become ready.
fn ready(run: ProcessRun<'_>) -> Child {
    let (child, line) = run.begin();
    assert_eq!(line, "ready");
    child
}

/// An orchestrator of plan `P` whose command sleeps, for certain.
fn sleeping(home: &Home) -> Child {
    let command = ["sh", "-c", "echo ready; exec sleep 600"];
    ready(start(home, "P", &command))
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Returns the only row of the registry.
fn row(home: &Home) -> Value {
    let text: String = home.query_value(
        "SELECT json_object('status', status, 'pid', pid, 'exit_code', exit_code,
             'signal', signal, 'reason', reason) FROM orchestrators ORDER BY epoch DESC LIMIT 1",
        [],
    );
    serde_json::from_str(&text).unwrap()
}

/// Puts a task of plan `P` in progress under the orchestrator that runs.
fn begin_task(home: &Home) {
    home.execute_sql(
        "INSERT OR IGNORE INTO plans (plan_id, path) VALUES ('P', '/P.md')",
        [],
    );
    home.execute_sql(
        "INSERT INTO plan_tasks (plan_id, id, title) VALUES ('P', '1.1', 'build')",
        [],
    );
    let begun = home.execute_sql(
        "UPDATE plan_tasks SET status = 'in_progress',
             orchestrator = (SELECT id FROM orchestrators WHERE status = 'running')",
        [],
    );
    assert_eq!(begun, 1);
}

/// Returns status and error of that task.
fn the_task(home: &Home) -> (String, Option<String>) {
    (
        home.query_value("SELECT status FROM plan_tasks", []),
        home.query_value("SELECT error FROM plan_tasks", []),
    )
}

#[test]
fn the_command_knows_whom_it_runs_for_and_has_the_streams_to_itself() {
    let home = started();
    let script = "read line; echo \"$TRUEUP_PLAN $TRUEUP_SESSION_ID $line\"; echo \"$TRUEUP_ORCHESTRATOR_ID\"; echo beside >&2";
    let run = start(&home, "/plans/P.md", &["sh", "-c", script]).stdin("hello\n");
    let answer = run.wait();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let (first, id) = answer.stdout.trim_end().split_once('\n').unwrap();
    assert_eq!(first, format!("P {FIRST_SESSION} hello"));
    let recorded: String = home.query_value("SELECT id FROM orchestrators", []);
    assert_eq!(id, recorded);
    assert!(answer.stderr.ends_with("beside\n"), "{answer:?}");
    assert!(
        answer
            .stderr
            .starts_with(&format!("trueup: {id} now runs plan P")),
        "{answer:?}"
    );
}

#[test]
fn exit_codes_are_passed_on_and_recorded() {
    let home = started();
    for code in [0, 1, 3, 42, 255] {
        let answer = start(&home, "P", &["sh", "-c", &format!("exit {code}")]).wait();
        assert_eq!(answer.code, Some(code));
        assert_eq!(answer.stdout, "");
        let row = row(&home);
        assert_eq!(
            (&row["status"], &row["exit_code"]),
            (&json!("stopped"), &json!(code))
        );
        assert_eq!(row["reason"], format!("exit code {code}"));
    }
    let epoch: i64 = home.query_value("SELECT max(epoch) FROM orchestrators", []);
    assert_eq!(epoch, 5);
}

#[test]
fn a_command_that_a_signal_ends_is_ended_by_it() {
    let home = started();
    for (name, number) in [
        ("TERM", 15),
        ("INT", 2),
        ("KILL", 9),
        ("SEGV", 11),
        ("USR1", 10),
    ] {
        let answer = start(&home, "P", &["sh", "-c", &format!("kill -{name} $$")]).wait();
        assert_eq!(
            (answer.code, answer.signal),
            (None, Some(number)),
            "{answer:?}"
        );
        let row = row(&home);
        assert_eq!(
            (&row["status"], &row["signal"]),
            (&json!("stopped"), &json!(number))
        );
        assert_eq!(row["reason"], format!("ended by SIG{name}"));
    }
}

#[test]
fn signals_reach_the_command_and_its_end_is_passed_on() {
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        let home = started();
        let mut child = ready(start(&home, "P", &["sh", "-c", NAMES_ITS_SIGNAL]));
        let stdin = child.stdin.take();
        assert_eq!(row(&home)["status"], "running");
        send(signal, &child);
        let answer = ProcessOutput::wait_for(child);
        drop(stdin);
        assert_eq!(answer.stdout, format!("got {signal}\n"));
        assert_eq!((answer.code, answer.signal), (Some(9), None), "{answer:?}");
        assert_eq!(
            (&row(&home)["status"], &row(&home)["exit_code"]),
            (&json!("stopped"), &json!(9))
        );
    }
}

#[test]
fn a_signal_that_the_command_does_not_catch_ends_both() {
    let home = started();
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let child = sleeping(&home);
        send(name, &child);
        let answer = ProcessOutput::wait_for(child);
        assert_eq!(
            (answer.code, answer.signal),
            (None, Some(number)),
            "{answer:?}"
        );
        assert_eq!(
            (&row(&home)["status"], &row(&home)["signal"]),
            (&json!("stopped"), &json!(number))
        );
    }
}

#[test]
fn a_second_signal_is_passed_on_too() {
    let home = started();
    let script = "trap 'echo first' INT; trap 'echo second; exit 8' TERM
        echo ready; read x; read x";
    let mut child = ready(start(&home, "P", &["sh", "-c", script]));
    let stdin = child.stdin.take();
    send("INT", &child);
    let mut first = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    assert_eq!(&first, b"first\n");
    send("TERM", &child);
    let answer = ProcessOutput::wait_for(child);
    drop(stdin);
    assert_eq!((answer.stdout.as_str(), answer.code), ("second\n", Some(8)));
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let home = started();
    let child = ready(with_signals(
        &home,
        "--ignore-signal=HUP",
        "P",
        &["sh", "-c", "echo ready; exec sleep 600"],
    ));
    send("HUP", &child);
    send("TERM", &child);
    assert_eq!(
        ProcessOutput::wait_for(child).signal,
        Some(15),
        "nohup means it"
    );
}

#[test]
fn of_20_that_start_at_once_one_runs_and_of_64() {
    let home = started();
    for (round, count) in [20, 20, 20, PROCESSES, PROCESSES].into_iter().enumerate() {
        let begun = begin_at_once(count, |_| {
            start(&home, "P", &["sh", "-c", UNTIL_STDIN_ENDS])
        });
        let (mut won, lost): (Vec<_>, Vec<_>) =
            begun.into_iter().partition(|(_, line)| line == "ready");
        assert_eq!((won.len(), lost.len()), (1, count - 1), "round {round}");
        let (winner, _) = won.remove(0);
        let (id, host): (String, String) = (
            home.query_value("SELECT id FROM orchestrators WHERE status = 'running'", []),
            home.query_value(
                "SELECT host FROM orchestrators WHERE status = 'running'",
                [],
            ),
        );
        for (loser, line) in lost {
            let answer = ProcessOutput::wait_for(loser);
            assert_eq!((answer.code, line.as_str()), (Some(1), ""), "{answer:?}");
            for part in [&id, &host, &format!("pid {}", winner.id())] {
                assert!(answer.stderr.contains(part.as_str()), "{answer:?}");
            }
        }
        let answer = ProcessOutput::wait_for(winner);
        assert_eq!(answer.code, Some(5), "{answer:?}");
        assert_eq!(row(&home)["status"], "stopped");
    }
    let runs: i64 = home.query_value("SELECT count(*) FROM orchestrators", []);
    assert_eq!(runs, 5);
}

#[test]
fn killed_it_takes_the_command_along_and_leaves_the_plan_to_the_next() {
    let home = started();
    let child = sleeping(&home);
    let pid = child.id();
    send("KILL", &child);
    // The command has inherited stdout: its end is the command's.
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.signal, Some(9));
    assert_eq!(row(&home)["status"], "running", "nobody has looked yet");
    let next = start(&home, "P", &["true"]).wait();
    assert_eq!(next.code, Some(0), "{next:?}");
    assert!(next.stderr.contains(&format!("pid {pid} on")), "{next:?}");
    let crashed: i64 = home.query_value(
        "SELECT count(*) FROM orchestrators WHERE status = 'crashed'",
        [],
    );
    assert_eq!(crashed, 1);
}

#[test]
fn what_was_in_progress_is_put_back_when_a_signal_ends_it() {
    let home = started();
    let child = sleeping(&home);
    begin_task(&home);
    send("TERM", &child);
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.signal, Some(15));
    assert!(
        answer.stderr.ends_with("trueup: interrupted task P/1.1\n"),
        "{answer:?}"
    );
    let (status, error) = the_task(&home);
    assert_eq!(status, "pending");
    let error = error.unwrap();
    assert!(error.ends_with(" stopped: ended by SIGTERM"), "{error}");
}

#[test]
fn what_was_in_progress_is_put_back_when_it_was_killed() {
    let home = started();
    let child = sleeping(&home);
    begin_task(&home);
    send("KILL", &child);
    ProcessOutput::wait_for(child);
    let seen = trueup(&home, &["item", "list"]);
    assert!(seen.stderr.contains("died"), "{seen:?}");
    assert_eq!(the_task(&home).0, "in_progress", "who reads writes nothing");
    let cleared = trueup(&home, &["item", "add", "SD-1"]);
    assert!(
        cleared
            .stderr
            .ends_with("marked crashed, interrupted task P/1.1\n"),
        "{cleared:?}"
    );
    let (status, error) = the_task(&home);
    assert_eq!(status, "pending");
    let error = error.unwrap();
    assert!(error.contains(" crashed: process "), "{error}");
}

#[test]
fn a_stop_by_another_ends_the_command() {
    let home = started();
    let child = sleeping(&home);
    let id: String = home.query_value("SELECT id FROM orchestrators", []);
    let told = data(&home, &["orchestrator", "stop", &id, "--reason", "enough"]);
    assert_eq!(told["orchestrator"]["status"], "stopping");
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.signal, Some(15));
    assert_eq!(
        (
            home.count_events("stopping", &id),
            home.count_events("stopped", &id)
        ),
        (1, 1)
    );
}

#[test]
fn a_command_that_cannot_be_started_leaves_nothing_running() {
    let home = started();
    for (command, code) in [("no-such-command", 127), ("/dev/null", 126), ("/", 126)] {
        let answer = start(&home, "P", &[command]).wait();
        assert_eq!(
            (answer.code, answer.stdout.as_str()),
            (Some(code), ""),
            "{answer:?}"
        );
        assert!(
            answer
                .stderr
                .contains(&format!("orchestrator start: {command}: ")),
            "{answer:?}"
        );
        assert_eq!(
            (&row(&home)["status"], &row(&home)["exit_code"]),
            (&json!("stopped"), &json!(code))
        );
    }
}

#[test]
fn with_json_stdout_holds_one_object() {
    let home = started();
    let arguments = ["orchestrator", "start", "P", "--json", "--", "sh", "-c"];
    let answer = trueup(&home, &[&arguments[..], &["echo said; exit 4"]].concat());
    assert!(answer.stderr.ends_with("said\n"), "{answer:?}");
    let object = envelope(
        &ProcessOutput {
            stderr: String::new(),
            ..answer
        },
        4,
    );
    let all = ["exit_code", "interrupted", "orchestrator", "signal"];
    assert_eq!(keys(&object["data"]), all);
    assert_eq!(object["data"]["exit_code"], 4);
    assert_eq!(object["data"]["orchestrator"]["status"], "stopped");
    let answer = trueup(&home, &[&arguments[..], &["kill -TERM $$"]].concat());
    assert_eq!(answer.signal, Some(15));
    assert_eq!(answer.json()["data"]["signal"], 15);
    assert_eq!(answer.json()["ok"], false);
}

#[test]
fn a_database_that_is_lost_meanwhile_costs_no_exit_code() {
    let home = started();
    let mut child = ready(start(&home, "P", &["sh", "-c", UNTIL_STDIN_ENDS]));
    std::fs::rename(
        home.trueup_home().join("trueup.db"),
        home.trueup_home().join("away.db"),
    )
    .unwrap();
    drop(child.stdin.take());
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.code, Some(5), "{answer:?}");
    assert!(answer.stderr.contains("cannot be recorded"), "{answer:?}");
}

#[test]
fn a_repeated_start_answers_as_the_first_and_runs_nothing() {
    let home = started();
    let arguments = [
        "orchestrator",
        "start",
        "P",
        "--op-id",
        "once-0001",
        "--",
        "sh",
        "-c",
    ];
    let script = "echo run >> runs; exit 6";
    for _ in 0..2 {
        let answer = trueup(&home, &[&arguments[..], &[script]].concat());
        assert_eq!(answer.code, Some(6), "{answer:?}");
    }
    let runs = std::fs::read_to_string(home.project_dir().join("runs")).unwrap();
    assert_eq!(runs, "run\n");
}

#[test]
fn without_a_database_or_a_free_plan_nothing_is_started() {
    let arguments = [
        "orchestrator",
        "start",
        "P",
        "--json",
        "--",
        "touch",
        "made",
    ];
    let home = Home::new();
    let object = envelope(&trueup(&home, &arguments), 3);
    assert_eq!(object["error"]["code"], "store_missing");
    assert!(!home.project_dir().join("made").exists());
    let home = started();
    data(&home, &["orchestrator", "register", "P"]);
    let object = envelope(&trueup(&home, &arguments), 1);
    assert_eq!(object["error"]["code"], "plan_already_running");
    assert_eq!(object["data"]["holder"]["pid"], std::process::id());
    assert!(!home.project_dir().join("made").exists());
}

/// Starts a command that ignores SIGTERM, and what it started too, some of it out of its sight;
/// returns the supervisor and the numbers of all.
fn stubborn(home: &Home) -> (Child, Vec<String>) {
    let script = "trap '' TERM; \
        sleep 600 & a=$!; (sleep 600 & echo $! >left); setsid sleep 600 & c=$!; \
        sh -c 'trap \"\" TERM; sleep 600 & wait' & d=$!; \
        echo \"$$ $a $(cat left) $c $d\"; wait";
    let (child, line) = start(home, "P", &["sh", "-c", script]).begin();
    let pids: Vec<String> = line.split(' ').map(str::to_owned).collect();
    assert_eq!(pids.len(), 5, "{line}");
    (child, pids)
}

fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned());
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

#[test]
fn a_command_that_ignores_signals_does_not_outlive_its_killed_supervisor() {
    let home = started();
    let (child, pids) = stubborn(&home);
    assert!(pids.iter().all(|pid| lives(pid)), "{pids:?}");
    send("KILL", &child);
    // All have inherited stdout: its end is that of the last of them.
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.signal, Some(9));
    let left: Vec<_> = pids.iter().filter(|pid| lives(pid)).collect();
    assert_eq!(left, Vec::<&String>::new());
}

#[test]
fn a_run_begins_when_nothing_of_the_killed_one_before_is_left() {
    let home = started();
    let (child, pids) = stubborn(&home);
    send("KILL", &child);
    let look = pids
        .iter()
        .map(|pid| format!("kill -0 {pid} 2>/dev/null && echo {pid} lives;"));
    let script = format!("{} echo looked", look.collect::<String>());
    let next = start(&home, "P", &["sh", "-c", &script]).wait();
    assert_eq!(next.stdout, "looked\n", "{next:?}");
    assert_eq!(next.code, Some(0), "{next:?}");
    drop(ProcessOutput::wait_for(child));
}

#[test]
fn what_a_command_leaves_behind_when_it_ends_by_itself_is_its_own() {
    let home = started();
    let script = "sleep 600 >/dev/null 2>&1 </dev/null & echo $!";
    let answer = start(&home, "P", &["sh", "-c", script]).wait();
    let pid = answer.stdout.trim().to_owned();
    assert!(lives(&pid), "{answer:?}");
    let killed = Command::new("kill").args(["-KILL", &pid]).status();
    assert!(killed.unwrap().success());
}
