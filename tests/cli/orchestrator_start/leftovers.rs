//! Processes that a run leaves behind.

use std::process::{Child, Command};

use support::home::{Home, ProcessOutput};

use super::{row, send, start, start_sleeping_orchestrator};
use crate::fixture::started_with_plans as started;

#[test]
fn killed_it_takes_the_command_along_and_leaves_the_plan_to_the_next() {
    let home = started();
    let child = start_sleeping_orchestrator(&home);
    let pid = child.id();
    send("KILL", &child);
    // The command has inherited stdout: its end is the command's.
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.signal, Some(9));
    assert_eq!(row(&home)["status"], "running", "nobody has looked yet");
    let next = start(&home, "P", &["true"]).wait();
    assert_eq!(next.code, Some(0), "{next:?}");
    assert!(next.stderr.contains(&format!("pid {pid} on")), "{next:?}");
    let crashed: i64 =
        home.query_value("SELECT count(*) FROM orchestrators WHERE status = 'crashed'", []);
    assert_eq!(crashed, 1);
}

/// Starts a command whose processes all ignore SIGTERM, some in a session of their own; returns the
/// supervisor and the process ids.
fn start_ignoring_sigterm(home: &Home) -> (Child, Vec<String>) {
    let script = "trap '' TERM; \
        sleep 600 & a=$!; (sleep 600 & echo $! >left); setsid sleep 600 & c=$!; \
        sh -c 'trap \"\" TERM; sleep 600 & wait' & d=$!; \
        echo \"$$ $a $(cat left) $c $d\"; wait";
    let (child, line) = start(home, "P", &["sh", "-c", script]).begin();
    let pids: Vec<String> = line.split(' ').map(str::to_owned).collect();
    assert_eq!(pids.len(), 5, "{line}");
    (child, pids)
}

fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned());
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

#[test]
fn a_command_that_ignores_signals_does_not_outlive_its_killed_supervisor() {
    let home = started();
    let (child, pids) = start_ignoring_sigterm(&home);
    assert!(pids.iter().all(|pid| is_running(pid)), "{pids:?}");
    send("KILL", &child);
    // All have inherited stdout: its end is that of the last of them.
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.signal, Some(9));
    let alive: Vec<_> = pids.iter().filter(|pid| is_running(pid)).collect();
    assert_eq!(alive, Vec::<&String>::new());
}

#[test]
fn a_run_begins_when_nothing_of_the_killed_one_before_is_left() {
    let home = started();
    let (child, pids) = start_ignoring_sigterm(&home);
    send("KILL", &child);
    let look = pids.iter().map(|pid| format!("kill -0 {pid} 2>/dev/null && echo {pid} lives;"));
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
    assert!(is_running(&pid), "{answer:?}");
    let killed = Command::new("kill").args(["-KILL", &pid]).status();
    assert!(killed.unwrap().success());
}
