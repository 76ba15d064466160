//! A session in a long tool call is not taken for dead: the call announces its quiet period.

use std::fs;

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput, SECOND_SESSION};

const LONG: &str = "pre-tool-use.bash-with-timeout";

fn run_quiet_period_hook(home: &Home, payload: &Payload) -> ProcessOutput {
    let run = home.prepare_run("pre-handoff-validate").args(["--span"]);
    run.payload(payload).wait()
}

/// Returns how many quiet seconds are announced, or nothing.
fn read_quiet_seconds(home: &Home) -> Option<i64> {
    home.session_column(
        "CAST(round((julianday(silent_until) - julianday('now')) * 86400) AS INTEGER)",
        FIRST_SESSION,
    )
}

#[track_caller]
fn assert_announced(home: &Home, seconds: i64) {
    let found = read_quiet_seconds(home).unwrap();
    // Time may pass between the write and this reading.
    assert!((seconds - 30..=seconds).contains(&found), "{found} of {seconds}");
}

#[test]
fn a_long_command_announces_its_limit_and_a_minute() {
    let home = Home::new().with_held_item();
    run_quiet_period_hook(&home, &home.payload(LONG)).assert_silent();
    assert_announced(&home, 660);
}

#[test]
fn no_command_announces_more_than_half_an_hour() {
    let home = Home::new().with_held_item();
    let payload = home.payload(LONG).with_input("timeout", 7_200_000);
    run_quiet_period_hook(&home, &payload).assert_silent();
    assert_announced(&home, 1_800);
}

#[test]
fn short_and_background_commands_announce_nothing() {
    let home = Home::new().with_held_item();
    let database = home.trueup_home().join("trueup.db");
    fs::rename(&database, home.trueup_home().join("away")).unwrap();
    fs::write(&database, "no database at all").unwrap();
    for payload in [
        home.payload("pre-tool-use.bash"),
        home.payload("pre-tool-use.bash-in-background"),
        home.payload(LONG).with_input("timeout", 450_000),
        home.payload(LONG).with_input("run_in_background", true),
        home.payload(LONG).with_input("timeout", "600000"),
        home.payload(LONG).with_input("timeout", -5),
        home.payload(LONG).with_input("timeout", Value::Null),
        home.payload("pre-tool-use.read"),
        home.payload("pre-tool-use.agent"),
        home.payload("stop"),
        home.payload("session-start.startup"),
    ] {
        run_quiet_period_hook(&home, &payload).assert_silent();
    }
    // What does announce, notices.
    let line = run_quiet_period_hook(&home, &home.payload(LONG)).single_line();
    assert!(line.starts_with("trueup: quiet period not announced: "), "{line}");
}

#[test]
fn a_timeout_of_another_shape_does_not_hide_the_command_from_the_gate() {
    let home = Home::new().with_held_item();
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    for timeout in [json!("600000"), json!(-1), json!(1.5), json!({}), json!([1])] {
        let payload = home.payload(LONG).with_input("command", "make handoff");
        let payload = payload.with_input("timeout", timeout.clone());
        let payload = payload.with_input("run_in_background", timeout);
        assert_eq!(home.run_hook("pre-handoff-validate", &payload).code, Some(2));
    }
}

#[test]
fn a_limit_that_the_user_set_for_all_commands_counts() {
    let home = Home::new().with_held_item();
    let payload = home.payload("pre-tool-use.bash");
    let run = |limit: &str| {
        let run = home.prepare_run("pre-handoff-validate").args(["--span"]);
        run.payload(&payload).env("BASH_DEFAULT_TIMEOUT_MS", limit).wait()
    };
    for limit in ["120000", "", "soon"] {
        run(limit).assert_silent();
        assert_eq!(read_quiet_seconds(&home), None, "{limit}");
    }
    run("900000").assert_silent();
    assert_announced(&home, 960);
}

#[test]
fn a_short_lease_makes_a_shorter_command_long() {
    let home = Home::new().with_held_item();
    let payload = home.payload(LONG).with_input("timeout", 20_000);
    let run = home.prepare_run("pre-handoff-validate").args(["--span"]);
    run.payload(&payload).env("TRUEUP_LEASE_SECONDS", "30").wait().assert_silent();
    assert_announced(&home, 80);
}

#[test]
fn a_longer_silence_that_was_announced_before_stays() {
    let home = Home::new().with_held_item();
    home.execute_sql(
        "UPDATE claude_sessions SET silent_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1700 seconds')",
        [],
    );
    run_quiet_period_hook(&home, &home.payload(LONG)).assert_silent();
    assert_announced(&home, 1_700);
}

#[test]
fn a_subagent_announces_half_an_hour_and_only_when_it_may_start() {
    let home = Home::new().with_held_item();
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    let agent = home.payload("pre-tool-use.agent");
    assert_eq!(home.run_hook("pre-handoff-validate", &agent).code, Some(2));
    assert_eq!(read_quiet_seconds(&home), None);
    home.run_git(&["switch", "--quiet", "main"]);
    home.run_hook("pre-handoff-validate", &agent).assert_silent();
    assert_announced(&home, 1_800);
}

#[test]
fn the_gate_alone_announces_nothing_for_a_command_and_the_span_alone_refuses_nothing() {
    let home = Home::new().with_held_item();
    let handoff = home.payload(LONG).with_input("command", "make handoff");
    home.run_hook("pre-handoff-validate", &handoff).assert_silent();
    assert_eq!(read_quiet_seconds(&home), None);
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    run_quiet_period_hook(&home, &handoff).assert_silent();
    assert_announced(&home, 660);
}

#[test]
fn an_unknown_argument_is_ignored() {
    let home = Home::new().with_held_item();
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    let payload = home.payload(LONG).with_input("command", "make handoff");
    let run = home.prepare_run("pre-handoff-validate").args(["--newer"]);
    assert_eq!(run.payload(&payload).wait().code, Some(2));
}

#[test]
fn a_session_that_is_not_registered_announces_nothing() {
    let home = Home::new();
    run_quiet_period_hook(&home, &home.payload(LONG)).assert_silent();
    assert!(!home.trueup_home().join("trueup.db").exists());
    home.start_session().ok();
    run_quiet_period_hook(&home, &home.payload(LONG).for_session(SECOND_SESSION)).assert_silent();
    assert_eq!(read_quiet_seconds(&home), None);
}

/// Makes the first session one whose process cannot be seen, silent for longer than the ceiling.
fn unheard_of(home: &Home) {
    home.expire_lease(FIRST_SESSION, 1_900);
    home.execute_sql("UPDATE claude_sessions SET host = 'elsewhere'", []);
}

#[test]
fn a_sweep_leaves_who_announced_its_silence_and_parks_it_when_that_is_over() {
    let home = Home::new().with_held_item();
    run_quiet_period_hook(&home, &home.payload(LONG)).assert_silent();
    unheard_of(&home);
    let sweep = || {
        let run = home.prepare_run("trueup").args(["sessions", "sweep", "--json"]);
        run.wait().ok().json()["data"]["released"].take()
    };
    assert_eq!(sweep(), json!([]));
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    home.execute_sql("UPDATE claude_sessions SET silent_until = heartbeat_at", []);
    assert_eq!(sweep()[0]["item"], "SD-002C");
}

#[test]
fn a_sign_of_life_after_a_long_command_renews_the_lease() {
    let home = Home::new().with_held_item();
    run_quiet_period_hook(&home, &home.payload(LONG)).assert_silent();
    home.expire_lease(FIRST_SESSION, 901);
    home.push_event("post-tool-use.bash").assert_silent();
    let lives: bool = home.session_column("lease_expires_at > heartbeat_at", FIRST_SESSION);
    assert!(lives);
}
