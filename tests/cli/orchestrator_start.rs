//! `orchestrator start`: one run per plan, signals and exit status are passed on, and no process
//! outlives it.

mod leftovers;
mod signals;

use std::process::{Child, Command};

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, ProcessOutput, ProcessRun, skip_over_postgres};
use support::race::{PROCESSES, begin_at_once};

use crate::fixture::{data, envelope, keys, started_with_plans as started, trueup};

/// A command that prints `ready` and exits with 5 at the end of its stdin.
const UNTIL_STDIN_ENDS: &str = "echo ready; cat; exit 5";

/// Prepares a start with default signal dispositions, whatever the suite inherited.
fn start<'h>(home: &'h Home, plan: &str, command: &[&str]) -> ProcessRun<'h> {
    with_signals(home, "--default-signal=INT,TERM,HUP,QUIT", plan, command)
}

fn with_signals<'h>(home: &'h Home, how: &str, plan: &str, command: &[&str]) -> ProcessRun<'h> {
    let run = home.prepare_run("trueup").args(["orchestrator", "start", plan, "--"]);
    run.args(command).run_through("env", |binary| vec![how.into(), binary.to_owned()])
}

/// Starts a shell script and waits until it is ready.
fn start_until_ready(run: ProcessRun<'_>) -> Child {
    let (child, line) = run.begin();
    assert_eq!(line, "ready");
    child
}

/// Starts an orchestrator of plan `P` and waits until its command sleeps.
fn start_sleeping_orchestrator(home: &Home) -> Child {
    let command = ["sh", "-c", "echo ready; exec sleep 600"];
    start_until_ready(start(home, "P", &command))
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
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
    home.execute_sql("INSERT OR IGNORE INTO plans (plan_id, path) VALUES ('P', '/P.md')", []);
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
    assert!(answer.stderr.starts_with(&format!("trueup: {id} now runs plan \"P\"")), "{answer:?}");
}

#[test]
fn exit_codes_are_passed_on_and_recorded() {
    let home = started();
    for code in [0, 1, 3, 42, 255] {
        let answer = start(&home, "P", &["sh", "-c", &format!("exit {code}")]).wait();
        assert_eq!(answer.code, Some(code));
        assert_eq!(answer.stdout, "");
        let row = row(&home);
        assert_eq!((&row["status"], &row["exit_code"]), (&json!("stopped"), &json!(code)));
        assert_eq!(row["reason"], format!("exit code {code}"));
    }
    let epoch: i64 = home.query_value("SELECT max(epoch) FROM orchestrators", []);
    assert_eq!(epoch, 5);
}

#[test]
fn of_20_that_start_at_once_one_runs_and_of_64() {
    let home = started();
    for (round, count) in [20, 20, 20, PROCESSES, PROCESSES].into_iter().enumerate() {
        let outputs = begin_at_once(count, |_| start(&home, "P", &["sh", "-c", UNTIL_STDIN_ENDS]));
        let (mut won, lost): (Vec<_>, Vec<_>) =
            outputs.into_iter().partition(|(_, line)| line == "ready");
        assert_eq!((won.len(), lost.len()), (1, count - 1), "round {round}");
        let (winner, _) = won.remove(0);
        let (id, host): (String, String) = (
            home.query_value("SELECT id FROM orchestrators WHERE status = 'running'", []),
            home.query_value("SELECT host FROM orchestrators WHERE status = 'running'", []),
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
fn what_was_in_progress_is_put_back_when_a_signal_ends_it() {
    let home = started();
    let child = start_sleeping_orchestrator(&home);
    begin_task(&home);
    send("TERM", &child);
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.signal, Some(15));
    assert!(answer.stderr.ends_with("trueup: interrupted task P/1.1\n"), "{answer:?}");
    let (status, error) = the_task(&home);
    assert_eq!(status, "pending");
    let error = error.unwrap();
    assert!(error.ends_with(" stopped: ended by SIGTERM"), "{error}");
}

#[test]
fn what_was_in_progress_is_put_back_when_it_was_killed() {
    let home = started();
    let child = start_sleeping_orchestrator(&home);
    begin_task(&home);
    send("KILL", &child);
    ProcessOutput::wait_for(child);
    let seen = trueup(&home, &["item", "list"]);
    assert!(seen.stderr.contains("died"), "{seen:?}");
    assert_eq!(the_task(&home).0, "in_progress", "who reads writes nothing");
    let cleared = trueup(&home, &["item", "add", "SD-1"]);
    assert!(cleared.stderr.ends_with("marked crashed, interrupted task P/1.1\n"), "{cleared:?}");
    let (status, error) = the_task(&home);
    assert_eq!(status, "pending");
    let error = error.unwrap();
    assert!(error.contains(" crashed: process "), "{error}");
}

#[test]
fn a_stop_by_another_ends_the_command() {
    let home = started();
    let child = start_sleeping_orchestrator(&home);
    let id: String = home.query_value("SELECT id FROM orchestrators", []);
    let stop = data(&home, &["orchestrator", "stop", &id, "--reason", "enough"]);
    assert_eq!(stop["orchestrator"]["status"], "stopping");
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.signal, Some(15));
    assert_eq!((home.count_events("stopping", &id), home.count_events("stopped", &id)), (1, 1));
}

#[test]
fn a_command_that_cannot_be_started_leaves_nothing_running() {
    let home = started();
    for (command, code) in [("no-such-command", 127), ("/dev/null", 126), ("/", 126)] {
        let answer = start(&home, "P", &[command]).wait();
        assert_eq!((answer.code, answer.stdout.as_str()), (Some(code), ""), "{answer:?}");
        assert!(answer.stderr.contains(&format!("orchestrator start: {command}: ")), "{answer:?}");
        let runs: i64 = home.query_value("SELECT count(*) FROM orchestrators", []);
        assert_eq!(runs, 0, "a run that never began uses up no epoch");
    }
}

#[test]
fn with_json_stdout_holds_one_object() {
    let home = started();
    let arguments = ["orchestrator", "start", "P", "--json", "--", "sh", "-c"];
    let answer = trueup(&home, &[&arguments[..], &["echo said; exit 4"]].concat());
    assert!(answer.stderr.ends_with("said\n"), "{answer:?}");
    let object = envelope(&ProcessOutput { stderr: String::new(), ..answer }, 4);
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
    if skip_over_postgres("the file is moved away") {
        return;
    }
    let home = started();
    let mut child = start_until_ready(start(&home, "P", &["sh", "-c", UNTIL_STDIN_ENDS]));
    std::fs::rename(home.trueup_home().join("trueup.db"), home.trueup_home().join("away.db"))
        .unwrap();
    drop(child.stdin.take());
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.code, Some(5), "{answer:?}");
    assert!(answer.stderr.contains("cannot be recorded"), "{answer:?}");
}

#[test]
fn a_repeated_start_answers_as_the_first_and_runs_nothing() {
    let home = started();
    let arguments = ["orchestrator", "start", "P", "--op-id", "once-0001", "--", "sh", "-c"];
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
    if skip_over_postgres("the file is missing") {
        return;
    }
    let arguments = ["orchestrator", "start", "P", "--json", "--", "touch", "made"];
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
