//! A session inside one long tool call is not dead: the call announces its silence.

use std::fs;

use serde_json::{Value, json};
use support::home::{Answer, Home, Payload, SECOND, SESSION};

const LONG: &str = "pre-tool-use.bash-with-timeout";

fn span(home: &Home, payload: &Payload) -> Answer {
    let run = home.run("pre-handoff-validate").args(["--span"]);
    run.payload(payload).finish()
}

/// Returns how many seconds of silence are announced, or nothing.
fn announced(home: &Home) -> Option<i64> {
    home.session(
        "CAST(round((julianday(silent_until) - julianday('now')) * 86400) AS INTEGER)",
        SESSION,
    )
}

#[track_caller]
fn assert_announced(home: &Home, seconds: i64) {
    let found = announced(home).unwrap();
    // A machine may be slow between the write and the look.
    assert!(
        (seconds - 30..=seconds).contains(&found),
        "{found} of {seconds}"
    );
}

#[test]
fn a_long_command_announces_its_limit_and_a_minute() {
    let home = Home::new().holding();
    span(&home, &home.payload(LONG)).assert_silent();
    assert_announced(&home, 660);
}

#[test]
fn no_command_announces_more_than_half_an_hour() {
    let home = Home::new().holding();
    let payload = home.payload(LONG).input("timeout", 7_200_000);
    span(&home, &payload).assert_silent();
    assert_announced(&home, 1_800);
}

#[test]
fn what_is_over_soon_or_runs_in_the_background_announces_nothing_and_opens_nothing() {
    let home = Home::new().holding();
    let database = home.trueup().join("trueup.db");
    fs::rename(&database, home.trueup().join("away")).unwrap();
    fs::write(&database, "no database at all").unwrap();
    for payload in [
        home.payload("pre-tool-use.bash"),
        home.payload("pre-tool-use.bash-in-background"),
        home.payload(LONG).input("timeout", 450_000),
        home.payload(LONG).input("run_in_background", true),
        home.payload(LONG).input("timeout", "600000"),
        home.payload(LONG).input("timeout", -5),
        home.payload(LONG).input("timeout", Value::Null),
        home.payload("pre-tool-use.read"),
        home.payload("pre-tool-use.agent"),
        home.payload("stop"),
        home.payload("session-start.startup"),
    ] {
        span(&home, &payload).assert_silent();
    }
    // What does announce, notices.
    let line = span(&home, &home.payload(LONG)).one_line();
    assert!(
        line.starts_with("trueup: quiet period not announced: "),
        "{line}"
    );
}

#[test]
fn a_timeout_of_another_shape_does_not_hide_the_command_from_the_gate() {
    let home = Home::new().holding();
    home.sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    for timeout in [
        json!("600000"),
        json!(-1),
        json!(1.5),
        json!({}),
        json!([1]),
    ] {
        let payload = home.payload(LONG).input("command", "make handoff");
        let payload = payload.input("timeout", timeout.clone());
        let payload = payload.input("run_in_background", timeout);
        assert_eq!(home.hook("pre-handoff-validate", &payload).code, Some(2));
    }
}

#[test]
fn a_limit_that_the_user_set_for_all_commands_counts() {
    let home = Home::new().holding();
    let payload = home.payload("pre-tool-use.bash");
    let run = |limit: &str| {
        let run = home.run("pre-handoff-validate").args(["--span"]);
        run.payload(&payload)
            .env("BASH_DEFAULT_TIMEOUT_MS", limit)
            .finish()
    };
    for limit in ["120000", "", "soon"] {
        run(limit).assert_silent();
        assert_eq!(announced(&home), None, "{limit}");
    }
    run("900000").assert_silent();
    assert_announced(&home, 960);
}

#[test]
fn a_short_lease_makes_a_shorter_command_long() {
    let home = Home::new().holding();
    let payload = home.payload(LONG).input("timeout", 20_000);
    let run = home.run("pre-handoff-validate").args(["--span"]);
    run.payload(&payload)
        .env("TRUEUP_LEASE_SECONDS", "30")
        .finish()
        .assert_silent();
    assert_announced(&home, 80);
}

#[test]
fn a_longer_silence_that_was_announced_before_stays() {
    let home = Home::new().holding();
    home.sql(
        "UPDATE claude_sessions SET silent_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1700 seconds')",
        [],
    );
    span(&home, &home.payload(LONG)).assert_silent();
    assert_announced(&home, 1_700);
}

#[test]
fn a_subagent_announces_half_an_hour_and_only_when_it_may_start() {
    let home = Home::new().holding();
    home.sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    let agent = home.payload("pre-tool-use.agent");
    assert_eq!(home.hook("pre-handoff-validate", &agent).code, Some(2));
    assert_eq!(announced(&home), None);
    home.git(&["switch", "--quiet", "main"]);
    home.hook("pre-handoff-validate", &agent).assert_silent();
    assert_announced(&home, 1_800);
}

#[test]
fn the_gate_alone_announces_nothing_for_a_command_and_the_span_alone_refuses_nothing() {
    let home = Home::new().holding();
    let handoff = home.payload(LONG).input("command", "make handoff");
    home.hook("pre-handoff-validate", &handoff).assert_silent();
    assert_eq!(announced(&home), None);
    home.sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    span(&home, &handoff).assert_silent();
    assert_announced(&home, 660);
}

#[test]
fn an_unknown_argument_is_ignored() {
    let home = Home::new().holding();
    home.sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    let payload = home.payload(LONG).input("command", "make handoff");
    let run = home.run("pre-handoff-validate").args(["--newer"]);
    assert_eq!(run.payload(&payload).finish().code, Some(2));
}

#[test]
fn a_session_that_is_not_registered_announces_nothing() {
    let home = Home::new();
    span(&home, &home.payload(LONG)).assert_silent();
    assert!(!home.trueup().join("trueup.db").exists());
    home.start().ok();
    span(&home, &home.payload(LONG).of(SECOND)).assert_silent();
    assert_eq!(announced(&home), None);
}

/// Makes [`SESSION`] one whose process cannot be asked, silent for longer than the ceiling.
fn unheard_of(home: &Home) {
    home.expire(SESSION, 1_900);
    home.sql("UPDATE claude_sessions SET host = 'elsewhere'", []);
}

#[test]
fn a_sweep_leaves_who_announced_its_silence_and_parks_it_when_that_is_over() {
    let home = Home::new().holding();
    span(&home, &home.payload(LONG)).assert_silent();
    unheard_of(&home);
    let sweep = || {
        let run = home.run("trueup").args(["sessions", "sweep", "--json"]);
        run.finish().ok().json()["data"]["released"].take()
    };
    assert_eq!(sweep(), json!([]));
    assert_eq!(home.session::<String>("status", SESSION), "active");
    home.sql("UPDATE claude_sessions SET silent_until = heartbeat_at", []);
    assert_eq!(sweep()[0]["item"], "SD-002C");
}

#[test]
fn a_sign_of_life_after_a_long_command_renews_the_lease() {
    let home = Home::new().holding();
    span(&home, &home.payload(LONG)).assert_silent();
    home.expire(SESSION, 901);
    home.push("post-tool-use.bash").assert_silent();
    let lives: bool = home.session("lease_expires_at > heartbeat_at", SESSION);
    assert!(lives);
}
