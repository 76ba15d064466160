//! Claims that succeed, and what follows from them.

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{
    SYNC, assert_in_step, claimed, data, held_by_second, object, refused, started, trueup,
};

fn holder(home: &Home, key: &str) -> Option<String> {
    home.query_value("SELECT holder FROM work_items WHERE key = ?1", [key])
}

#[test]
fn a_free_item_is_claimed_and_the_cache_says_so_at_once() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let claim = data(&home, &["claim", "SD-1"]);
    assert_eq!(claim["outcome"], "claimed");
    assert_eq!(claim["item"]["holder"], FIRST_SESSION);
    assert_eq!(claim["item"]["status"], "running");
    assert_eq!(home.read_cache()["currentSd"], "SD-1");
    assert_eq!(home.read_cache()["isActive"], true);
    assert_in_step(&home);
    let again = data(&home, &["claim", "SD-1"]);
    assert_eq!(again["outcome"], "already_owned");
    assert_eq!(again["item"]["epoch"], claim["item"]["epoch"], "the fence stays");
}

#[test]
fn create_adds_what_is_missing_and_takes_what_is_there() {
    let home = started();
    assert_eq!(claimed(&home, "SD-1")["outcome"], "claimed");
    data(&home, &["item", "add", "SD-2", "--title", "kept"]);
    assert_eq!(claimed(&home, "SD-2")["item"]["title"], "kept");
    let count: i64 = home.query_value("SELECT count(*) FROM work_items", []);
    assert_eq!(count, 2);
}

#[test]
fn a_second_item_releases_the_first_in_the_same_step() {
    let home = started();
    claimed(&home, "SD-1");
    let answer = trueup(&home, &["claim", "SD-2", "--create"]).ok();
    let left = "released SD-1; its status is still running\nclaimed SD-2 (epoch 1)\n";
    assert_eq!(answer.stdout, left);
    assert_eq!(
        (holder(&home, "SD-1"), holder(&home, "SD-2").as_deref()),
        (None, Some(FIRST_SESSION))
    );
    assert_eq!(home.read_cache()["currentSd"], "SD-2");
    assert_in_step(&home);
    let log = data(&home, &["log"]);
    let events = log["events"].as_array().unwrap();
    let operation = |key: &str| {
        let last = events.iter().rfind(|event| event["key"] == key).unwrap();
        (last["kind"].clone(), last["op_id"].clone())
    };
    let (released, taken) = (operation("SD-1"), operation("SD-2"));
    assert_eq!((&released.0, &taken.0), (&json!("released"), &json!("claimed")));
    assert_eq!(released.1, taken.1, "one operation");
}

#[test]
fn a_dead_holder_is_taken_over_and_keeps_its_state_to_read() {
    let (home, process) = held_by_second(&[]);
    trueup(&home, &["set", "--task", "half done", "--session", SECOND_SESSION]).ok();
    drop(process);
    home.expire_lease(SECOND_SESSION, 1000);
    let before: i64 = home.query_value("SELECT claim_epoch FROM work_items WHERE key = 'SD-1'", []);
    let claim = data(&home, &["claim", "SD-1", "--session", FIRST_SESSION]);
    assert_eq!(claim["outcome"], "taken_over");
    assert_eq!(claim["previous_holder"], SECOND_SESSION);
    assert_eq!(claim["reason"], "holder_dead");
    assert_eq!(claim["item"]["epoch"], before + 1, "the fence moves");
    let old = data(&home, &["sessions", "show", SECOND_SESSION]);
    assert!(old["item"].is_null());
    assert_eq!(old["session"]["execution_state"]["currentTask"], "half done");
    assert_in_step(&home);
}

#[test]
fn force_takes_an_item_after_a_minute_of_silence() {
    let (home, _process) = held_by_second(&[]);
    home.execute_sql(
        "UPDATE claude_sessions SET heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-61 seconds')
         WHERE session_id = ?1",
        [SECOND_SESSION],
    );
    let claim = data(&home, &["claim", "SD-1", "--force", "--session", FIRST_SESSION]);
    assert_eq!((&claim["outcome"], &claim["reason"]), (&json!("taken_over"), &json!("forced")));
    assert_eq!(holder(&home, "SD-1").as_deref(), Some(FIRST_SESSION));
}

#[test]
fn announced_silence_protects_past_lease_and_process() {
    let (home, process) = held_by_second(&["--span", "30m"]);
    drop(process);
    home.expire_lease(SECOND_SESSION, 1000);
    let claim = ["claim", "SD-1", "--session", FIRST_SESSION];
    refused(&home, "held_by_silent_session", &claim);
    assert_eq!(data(&home, &["sessions", "sweep"]), json!({"released": [], "failed": []}));
    home.execute_sql(
        "UPDATE claude_sessions SET silent_until = NULL WHERE session_id = ?1",
        [SECOND_SESSION],
    );
    assert_eq!(data(&home, &claim)["outcome"], "taken_over");
}

#[test]
fn a_longer_silence_than_half_an_hour_is_cut_and_reported() {
    let home = started();
    let answer = object(&home, 0, &["claim", "SD-1", "--create", "--span", "2h"]);
    assert_eq!(answer["warnings"], json!(["--span is limited to 30 min"]));
    let until: String = home.session_column("silent_until", FIRST_SESSION);
    let seconds = home.seconds_until(&until);
    assert!(seconds <= 1800.0, "{seconds}");
}

#[test]
fn what_ended_with_its_process_is_had_at_once() {
    let (home, process) = held_by_second(&["--span", "30m"]);
    trueup(&home, &["set", "--task", "half done", "--session", SECOND_SESSION]).ok();
    let payload = home.payload("session-end.prompt_input_exit").for_session(SECOND_SESSION);
    home.run_hook("checkpoint-push", &payload).ok();
    drop(process);
    let claim = data(&home, &["claim", "SD-1", "--session", FIRST_SESSION]);
    assert_eq!(
        (&claim["outcome"], &claim["reason"]),
        (&json!("taken_over"), &json!("holder_dead"))
    );
    assert_eq!(claim["parked"]["task"], "half done", "{claim}");
    let old = data(&home, &["sessions", "show", SECOND_SESSION]);
    assert_eq!(old["session"]["status"], "ended");
}

#[test]
fn what_ended_with_its_process_is_offered_to_the_next_who_asks() {
    let (home, process) = held_by_second(&[]);
    let payload = home.payload("session-end.other").for_session(SECOND_SESSION);
    home.run_hook("checkpoint-push", &payload).ok();
    drop(process);
    let next = data(&home, &["next", "--claim", "--session", FIRST_SESSION]);
    assert_eq!(next["item"]["key"], "SD-1", "{next}");
    assert_eq!(holder(&home, "SD-1").as_deref(), Some(FIRST_SESSION));
}

#[test]
fn a_session_that_an_item_is_taken_from_is_lost_at_that_moment() {
    for force in [false, true] {
        let (home, process) = held_by_second(&[]);
        if force {
            home.expire_lease(SECOND_SESSION, 61);
        } else {
            drop(process);
            home.expire_lease(SECOND_SESSION, 1_000);
        }
        let claim = ["claim", "SD-1", "--session", FIRST_SESSION, "--force"];
        let claim = &claim[..if force { 5 } else { 4 }];
        assert_eq!(data(&home, claim)["outcome"], "taken_over");
        assert_eq!(home.session_column::<String>("status", SECOND_SESSION), "lost");
        assert_eq!(home.count_events("lost", SECOND_SESSION), 1);
        let swept = data(&home, &["sessions", "sweep"]);
        assert_eq!(swept, json!({"released": [], "failed": []}), "nothing is left");
    }
}

#[test]
fn a_refusal_says_when_the_item_is_free_and_the_command_that_takes_it_works_then() {
    // The holder's process ends, it ends regularly, or its process cannot be checked.
    for (dies, ends, hides, span) in [
        (false, false, false, false),
        (true, false, false, false),
        (true, false, false, true),
        (false, false, true, false),
        (false, false, true, true),
        (false, true, false, false),
        (false, true, true, false),
    ] {
        let context = format!("dies {dies}, ends {ends}, hides {hides}, span {span}");
        let span: &[&str] = if span { &["--span", "20m"] } else { &[] };
        let (home, process) = held_by_second(span);
        if ends {
            let payload = home.payload("session-end.other").for_session(SECOND_SESSION);
            home.prepare_run("checkpoint-push")
                .payload(&payload)
                .env("CLAUDE_PID", process.pid())
                .wait()
                .ok();
        }
        let process = (!dies).then_some(process);
        if hides {
            home.execute_sql(
                "UPDATE claude_sessions SET boot_id = 'x' WHERE session_id = ?1",
                [SECOND_SESSION],
            );
        }
        let claim = ["claim", "SD-1", "--session", FIRST_SESSION];
        let error = object(&home, 1, &claim);
        let (free_at, command) = (&error["data"]["free_at"], &error["data"]["command"]);
        let (free_at, command) = (free_at.as_str().unwrap(), command.as_str().unwrap());
        let hint = error["error"]["hint"].as_str().unwrap();
        assert!(
            hint.contains(free_at) && hint.contains(&format!("`{command}`")),
            "{context}: {hint}"
        );
        let wait = home.seconds_until(free_at);
        let arguments: Vec<&str> = command.split(' ').skip(1).collect();
        let command = [&arguments[..], &["--session", FIRST_SESSION]].concat();
        // Well before that time, the same command is refused.
        home.age_heartbeat(SECOND_SESSION, wait - 30.0);
        object(&home, 1, &command);
        home.age_heartbeat(SECOND_SESSION, 31.0);
        assert_eq!(data(&home, &command)["outcome"], "taken_over", "{context}");
        drop(process);
    }
}

#[test]
fn after_clear_the_successor_takes_the_item_over() {
    let home = started();
    claimed(&home, "SD-1");
    home.push_event("session-end.clear").ok();
    home.run_hook(SYNC, &home.payload("session-start.clear").for_session(SECOND_SESSION)).ok();
    let claim = data(&home, &["claim", "SD-1", "--session", SECOND_SESSION]);
    assert_eq!((&claim["outcome"], &claim["reason"]), (&json!("taken_over"), &json!("successor")));
    assert_eq!(claim["previous_holder"], FIRST_SESSION);
    let status = data(&home, &["status", "--session", SECOND_SESSION]);
    assert_eq!(status["session"]["predecessor"], FIRST_SESSION);
}

#[test]
fn a_session_after_two_clears_goes_on_with_what_the_first_left() {
    const THIRD: &str = "0a1b2c3d-0000-4000-8000-000000000003";
    let home = started();
    claimed(&home, "SD-1");
    for (ends, begins) in [(FIRST_SESSION, SECOND_SESSION), (SECOND_SESSION, THIRD)] {
        let end = home.payload("session-end.clear").for_session(ends);
        home.run_hook("checkpoint-push", &end).ok();
        home.run_hook(SYNC, &home.payload("session-start.clear").for_session(begins)).ok();
    }
    let claim = data(&home, &["claim", "SD-1", "--session", THIRD]);
    assert_eq!(claim["reason"], "successor");
    // Who does not come from it waits.
    let home = started();
    claimed(&home, "SD-1");
    home.push_event("session-end.clear").ok();
    home.run_hook(SYNC, &home.payload("session-start.startup").for_session(THIRD)).ok();
    refused(&home, "held_by_silent_session", &["claim", "SD-1", "--session", THIRD]);
}

#[test]
fn a_claim_outlives_a_goodbye_and_is_there_after_resume() {
    let home = started();
    claimed(&home, "SD-1");
    home.push_event("session-end.other").ok();
    home.run_hook(SYNC, &home.payload("session-start.startup").for_session(SECOND_SESSION)).ok();
    let error =
        refused(&home, "held_by_silent_session", &["claim", "SD-1", "--session", SECOND_SESSION]);
    assert_eq!(error["data"]["holder"]["status"], "ended");
    home.run_hook(SYNC, &home.payload("session-start.resume")).ok();
    let status = data(&home, &["status", "--session", FIRST_SESSION]);
    assert_eq!(status["item"]["key"], "SD-1");
    assert_eq!(status["session"]["status"], "active");
}

#[test]
fn a_release_leaves_the_item_to_others_and_the_cache_in_step() {
    let home = started();
    claimed(&home, "SD-1");
    let item = data(&home, &["release", "--reason", "lunch"]);
    assert_eq!(item["item"]["holder"], Value::Null);
    assert_eq!(holder(&home, "SD-1"), None);
    assert_in_step(&home);
    let reason: String = home.query_value(
        "SELECT reason FROM events WHERE entity = 'item' ORDER BY seq DESC LIMIT 1",
        [],
    );
    assert_eq!(reason, "lunch");
}

#[test]
fn one_reading_of_a_clock_that_is_ahead_takes_nothing_from_whom_nobody_can_ask() {
    let home = started();
    claimed(&home, "SD-1");
    home.run_hook(SYNC, &home.payload("session-start.startup").for_session(SECOND_SESSION)).ok();
    home.execute_sql(
        "UPDATE claude_sessions SET host = 'elsewhere' WHERE session_id = ?1",
        [FIRST_SESSION],
    );
    // The clock of all earlier rows is a year behind that of the claim.
    home.age_database("-1 year");
    let claim = ["claim", "SD-1", "--session", SECOND_SESSION];
    for more in [&[] as &[&str], &["--force"]] {
        let code = if more.is_empty() { "held_by_silent_session" } else { "takeover_not_allowed" };
        let refusal = refused(&home, code, &[&claim, more].concat());
        assert!(refusal["error"]["hint"].as_str().unwrap().contains("trueup claim SD-1"));
    }
    assert_ne!(home.count_events("refused", "SD-1"), 0);
    // A minute later, by the same clock, there are two readings.
    home.age_database("-62 seconds");
    assert_eq!(data(&home, &claim)["outcome"], "taken_over");
}
