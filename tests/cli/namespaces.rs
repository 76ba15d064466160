//! Commands in a pid namespace: sessions whose processes cannot be seen are not taken for dead.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, ProcessOutput, SECOND_SESSION, spawn_bystander};

use crate::fixture::{SYNC, envelope, started, trueup};

/// Commands that enter a new pid namespace: with its own `/proc`, as in a sandbox, and with that of
/// the host, as a plain `unshare` leaves it.
const WAYS: [&[&str]; 2] = [
    &["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"],
    &["--user", "--map-root-user", "--pid", "--fork"],
];

/// Returns the commands that this system permits, and prints which are missing.
fn namespace_commands() -> Vec<&'static [&'static str]> {
    let permitted = |way: &&&[&str]| {
        let tried = Command::new("unshare").args(**way).arg("true").output();
        let permitted = tried.is_ok_and(|output| output.status.success());
        if !permitted {
            // Written to the stream directly, since the test runner captures the printing macros.
            let way = way.join(" ");
            let line = format!("\nSKIPPED: this system does not permit `unshare {way}`\n");
            drop(std::io::stderr().write_all(line.as_bytes()));
        }
        permitted
    };
    WAYS.iter().filter(permitted).copied().collect()
}

fn run_in_namespace(home: &Home, way: &[&str], command: &[&str]) -> ProcessOutput {
    let run = home.prepare_run("trueup").args(["--json"]).args(command);
    let way: Vec<String> = way.iter().map(|&word| word.to_owned()).collect();
    run.run_through("unshare", move |binary| {
        let arguments = way.iter().map(Into::into);
        arguments.chain([binary.to_owned()]).collect()
    })
    .wait()
}

/// Makes a database that knows a plan `P`.
fn with_plan() -> Home {
    let home = started();
    let plan = "# P\n\n## Phase 1: One\n\n- [ ] 1.1 first\n";
    fs::write(home.project_dir().join("P.md"), plan).unwrap();
    trueup(&home, &["plan", "import", "P.md"]).ok();
    home
}

fn statuses(home: &Home, table: &str) -> Value {
    let sql = format!("SELECT json_group_array(status) FROM {table}");
    let text: String = home.query_value(&sql, []);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_run_that_cannot_be_seen_is_neither_crashed_nor_run_twice() {
    for way in namespace_commands() {
        let home = with_plan();
        trueup(&home, &["orchestrator", "register", "P"]).ok();
        for command in
            [&["orchestrator", "register", "P"][..], &["orchestrator", "start", "P", "--", "true"]]
        {
            let answer = run_in_namespace(&home, way, command);
            let object = envelope(&answer, 1);
            assert_eq!(object["error"]["code"], "plan_already_running", "{way:?}");
        }
        envelope(&run_in_namespace(&home, way, &["item", "add", "SD-9"]), 0);
        assert_eq!(statuses(&home, "orchestrators"), json!(["running"]), "{way:?}");
    }
}

#[test]
fn a_session_that_cannot_be_seen_keeps_its_item_up_to_the_ceiling() {
    for way in namespace_commands() {
        for (silence, outcome) in [(1_000, "held_by_silent_session"), (1_900, "taken_over")] {
            let home = started();
            let client = spawn_bystander();
            let payload = home.payload("session-start.startup").for_session(SECOND_SESSION);
            let run = home.prepare_run(SYNC).payload(&payload);
            run.env("CLAUDE_PID", client.pid()).wait().ok();
            home.claim(SECOND_SESSION, "SD-1");
            home.expire_lease(SECOND_SESSION, silence);
            let claim = ["claim", "SD-1", "--session", FIRST_SESSION];
            let answer = run_in_namespace(&home, way, &claim).json();
            let found = match answer["data"]["outcome"].as_str() {
                Some(outcome) => outcome,
                None => answer["error"]["code"].as_str().unwrap(),
            };
            assert_eq!(found, outcome, "{way:?} after {silence} s: {answer}");
        }
    }
}

#[test]
fn what_is_registered_inside_is_not_dead_outside() {
    for way in namespace_commands() {
        let home = with_plan();
        let answer = run_in_namespace(&home, way, &["orchestrator", "register", "P"]);
        envelope(&answer, 0);
        // The namespace and its process are gone, which cannot be seen from here.
        trueup(&home, &["item", "add", "SD-9"]).ok();
        assert_eq!(statuses(&home, "orchestrators"), json!(["running"]), "{way:?}");
    }
}
