//! Hooks that once ran under a clock a year ahead.

use std::ffi::OsStr;
use std::process::Command;

use serde_json::Value;
use support::home::{
    FIRST_SESSION, Home, Payload, ProcessOutput, ProcessRun, SECOND_SESSION, spawn_bystander,
};

/// A session whose process cannot be seen.
const HIDDEN: &str = "0a1b2c3d-0000-4000-8000-000000000003";

/// A session that ended a moment ago.
const GONE: &str = "0a1b2c3d-0000-4000-8000-000000000004";

/// Returns whether a clock can be faked here, and prints why not.
#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn can_fake() -> bool {
    let can = Command::new("faketime").args(["-f", "+1d", "true"]).status();
    let can = can.is_ok_and(|status| status.success());
    if !can {
        println!("SKIPPED: there is no faketime; install the package of this name");
    }
    can
}

fn run_with_clock_ahead(run: ProcessRun<'_>) -> ProcessRun<'_> {
    run.run_through("faketime", |program: &OsStr| vec!["-f".into(), "+365d".into(), program.into()])
}

fn hook(home: &Home, payload: &Payload, is_ahead: bool, pid: &str) -> ProcessOutput {
    let run = home.prepare_run("session-start-sync").payload(payload).env("CLAUDE_PID", pid);
    if is_ahead { run_with_clock_ahead(run) } else { run }.wait().ok()
}

fn start_with_clock(home: &Home, session: &str, is_ahead: bool, pid: &str) {
    let payload = home.payload("session-start.startup").for_session(session);
    hook(home, &payload, is_ahead, pid);
}

fn status(home: &Home, session: &str) -> String {
    home.session_column("status", session)
}

/// Counts rows dated so far ahead that no correct clock can have written them.
fn dated_ahead(home: &Home, session: &str) -> i64 {
    home.query_value(
        "SELECT (heartbeat_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+2 days'))
              + (lease_expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+2 days'))
         FROM claude_sessions WHERE session_id = ?1",
        [session],
    )
}

#[test]
fn one_start_a_year_ahead_prunes_and_parks_nothing_and_its_lease_is_no_life() {
    if !can_fake() {
        return;
    }
    let home = Home::new();
    let (client, other, leaver) = (spawn_bystander(), spawn_bystander(), spawn_bystander());
    start_with_clock(&home, FIRST_SESSION, false, &client.pid());
    home.claim(FIRST_SESSION, "SD-002C");
    start_with_clock(&home, HIDDEN, false, &other.pid());
    home.claim(HIDDEN, "SD-002D");
    home.execute_sql(
        "UPDATE claude_sessions SET host = 'elsewhere' WHERE session_id = ?1",
        [HIDDEN],
    );
    start_with_clock(&home, GONE, false, &leaver.pid());
    let end = home.payload("session-end.other").for_session(GONE);
    home.run_hook("checkpoint-push", &end).ok();
    drop(leaver);

    let newcomer = spawn_bystander();
    start_with_clock(&home, SECOND_SESSION, true, &newcomer.pid());
    assert_eq!(status(&home, FIRST_SESSION), "active");
    assert_eq!(status(&home, HIDDEN), "active");
    assert_eq!(status(&home, GONE), "ended", "it is seconds old");
    for (item, session) in [("SD-002C", FIRST_SESSION), ("SD-002D", HIDDEN)] {
        let holder: String =
            home.query_value("SELECT holder FROM work_items WHERE key = ?1", [item]);
        assert_eq!(holder, session);
    }
    // A person's claim under the same clock takes nothing either.
    let claim = run_with_clock_ahead(home.prepare_run("trueup").args([
        "claim",
        "SD-002D",
        "--session",
        SECOND_SESSION,
        "--json",
    ]));
    let refused: Value = claim.wait().json();
    assert_eq!(refused["error"]["code"], "held_by_silent_session", "{refused}");

    // A lease that the wrong clock granted does not keep a dead session alive.
    assert_ne!(dated_ahead(&home, SECOND_SESSION), 0);
    home.execute_sql(
        "UPDATE claude_sessions SET host = 'elsewhere' WHERE session_id = ?1",
        [SECOND_SESSION],
    );
    let session = home.prepare_run("trueup").args(["sessions", "show", SECOND_SESSION, "--json"]);
    let session: Value = session.wait().json();
    assert_ne!(session["data"]["session"]["alive"], "alive", "{session}");
    // Its owner's next hook writes it anew.
    let prompt = home.payload("user-prompt-submit").for_session(SECOND_SESSION);
    hook(&home, &prompt, false, &newcomer.pid());
    assert_eq!(dated_ahead(&home, SECOND_SESSION), 0);
}
