//! Signals reach the command, and its end is passed on.

use serde_json::json;
use support::home::ProcessOutput;

use super::{row, send, start, start_sleeping_orchestrator, start_until_ready, with_signals};
use crate::fixture::started_with_plans as started;

/// A command that prints the signal it gets and exits with 9. It starts no other process.
const NAMES_ITS_SIGNAL: &str =
    "for s in INT TERM HUP QUIT; do trap \"echo got $s; exit 9\" $s; done; echo ready; read x";

#[test]
fn a_command_that_a_signal_ends_is_ended_by_it() {
    let home = started();
    for (name, number) in [("TERM", 15), ("INT", 2), ("KILL", 9), ("SEGV", 11), ("USR1", 10)] {
        let answer = start(&home, "P", &["sh", "-c", &format!("kill -{name} $$")]).wait();
        assert_eq!((answer.code, answer.signal), (None, Some(number)), "{answer:?}");
        let row = row(&home);
        assert_eq!((&row["status"], &row["signal"]), (&json!("stopped"), &json!(number)));
        assert_eq!(row["reason"], format!("ended by SIG{name}"));
    }
}

#[test]
fn signals_reach_the_command_and_its_end_is_passed_on() {
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        let home = started();
        let mut child = start_until_ready(start(&home, "P", &["sh", "-c", NAMES_ITS_SIGNAL]));
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
        let child = start_sleeping_orchestrator(&home);
        send(name, &child);
        let answer = ProcessOutput::wait_for(child);
        assert_eq!((answer.code, answer.signal), (None, Some(number)), "{answer:?}");
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
    let mut child = start_until_ready(start(&home, "P", &["sh", "-c", script]));
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
    let child = start_until_ready(with_signals(
        &home,
        "--ignore-signal=HUP",
        "P",
        &["sh", "-c", "echo ready; exec sleep 600"],
    ));
    send("HUP", &child);
    send("TERM", &child);
    assert_eq!(ProcessOutput::wait_for(child).signal, Some(15), "nohup means it");
}
