//! Real hooks under a clock that is a year ahead, once.

use std::ffi::OsStr;
use std::process::Command;

use serde_json::Value;
use support::home::{Answer, Home, Payload, Run, SECOND, SESSION, bystander};

/// A session whose process nobody can ask.
const HIDDEN: &str = "0a1b2c3d-0000-4000-8000-000000000003";

/// A session that said goodbye a moment ago.
const GONE: &str = "0a1b2c3d-0000-4000-8000-000000000004";

/// Tells whether a clock can be made wrong here, and says so where it cannot.
#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn can_fake() -> bool {
    let can = Command::new("faketime")
        .args(["-f", "+1d", "true"])
        .status();
    let can = can.is_ok_and(|status| status.success());
    if !can {
        println!("SKIPPED: there is no faketime; install the package of this name");
    }
    can
}

fn ahead(run: Run<'_>) -> Run<'_> {
    run.through("faketime", |program: &OsStr| {
        vec!["-f".into(), "+365d".into(), program.into()]
    })
}

fn hook(home: &Home, payload: &Payload, is_ahead: bool, pid: &str) -> Answer {
    let run = home
        .run("session-start-sync")
        .payload(payload)
        .env("CLAUDE_PID", pid);
    if is_ahead { ahead(run) } else { run }.finish().ok()
}

fn started(home: &Home, session: &str, is_ahead: bool, pid: &str) {
    let payload = home.payload("session-start.startup").of(session);
    hook(home, &payload, is_ahead, pid);
}

fn status(home: &Home, session: &str) -> String {
    home.session("status", session)
}

/// Counts what is dated so far ahead that no right clock can have written it.
fn dated_ahead(home: &Home, session: &str) -> i64 {
    home.ask(
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
    let (client, other, leaver) = (bystander(), bystander(), bystander());
    started(&home, SESSION, false, &client.pid());
    home.claim(SESSION, "SD-002C");
    started(&home, HIDDEN, false, &other.pid());
    home.claim(HIDDEN, "SD-002D");
    home.sql(
        "UPDATE claude_sessions SET host = 'elsewhere' WHERE session_id = ?1",
        [HIDDEN],
    );
    started(&home, GONE, false, &leaver.pid());
    let end = home.payload("session-end.other").of(GONE);
    home.hook("checkpoint-push", &end).ok();
    drop(leaver);

    let newcomer = bystander();
    started(&home, SECOND, true, &newcomer.pid());
    assert_eq!(status(&home, SESSION), "active");
    assert_eq!(status(&home, HIDDEN), "active");
    assert_eq!(status(&home, GONE), "ended", "it is seconds old");
    for (item, session) in [("SD-002C", SESSION), ("SD-002D", HIDDEN)] {
        let holder: String = home.ask("SELECT holder FROM work_items WHERE key = ?1", [item]);
        assert_eq!(holder, session);
    }
    // A person's claim under the same clock takes nothing either.
    let claim = ahead(
        home.run("trueup")
            .args(["claim", "SD-002D", "--session", SECOND, "--json"]),
    );
    let refused: Value = claim.finish().json();
    assert_eq!(
        refused["error"]["code"], "held_by_silent_session",
        "{refused}"
    );

    // What that clock granted is no sign of life once nobody stands for it.
    assert_ne!(dated_ahead(&home, SECOND), 0);
    home.sql(
        "UPDATE claude_sessions SET host = 'elsewhere' WHERE session_id = ?1",
        [SECOND],
    );
    let shown = home
        .run("trueup")
        .args(["sessions", "show", SECOND, "--json"]);
    let shown: Value = shown.finish().json();
    assert_ne!(shown["data"]["session"]["alive"], "alive", "{shown}");
    // Its owner's next hook writes it anew.
    let prompt = home.payload("user-prompt-submit").of(SECOND);
    hook(&home, &prompt, false, &newcomer.pid());
    assert_eq!(dated_ahead(&home, SECOND), 0);
}
