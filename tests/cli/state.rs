//! `set`, `interrupt`, `resume` and `clear`.

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, skip_over_postgres};

use crate::fixture::{assert_in_step, claimed, data, refused, started, trueup};
use crate::state_snapshot::StateSnapshot;

fn home_with_held_item() -> Home {
    let home = started();
    claimed(&home, "SD-1");
    home
}

#[test]
fn set_records_every_field_and_says_from_what_to_what() {
    let home = home_with_held_item();
    let answer = trueup(&home, &["set", "--phase", "PLAN", "--task", "write it"]).ok();
    assert_eq!(answer.stdout, "phase: none -> PLAN\ntask: none -> write it\n");
    assert_in_step(&home);
    assert_eq!(home.read_cache()["currentTask"], "write it");
    let answer =
        trueup(&home, &["set", "--auto-proceed", "on", "--chain-orchestrators", "on"]).ok();
    assert_eq!(answer.stdout, "auto-proceed: off -> on\nchain-orchestrators: off -> on\n");
    assert_in_step(&home);
    let answer = trueup(&home, &["set", "--phase", "EXEC", "--auto-proceed", "off"]).ok();
    assert_eq!(answer.stdout, "phase: PLAN -> EXEC\nauto-proceed: on -> off\n");
    assert_in_step(&home);
    let phase: String = home.query_value("SELECT phase FROM work_items WHERE key = 'SD-1'", []);
    assert_eq!(phase, "EXEC", "the item moves with its session");
}

#[test]
fn set_with_an_empty_value_removes_and_the_same_value_changes_nothing() {
    let home = home_with_held_item();
    data(&home, &["set", "--phase", "PLAN", "--task", "x"]);
    let answer = trueup(&home, &["set", "--task", ""]).ok();
    assert_eq!(answer.stdout, "task: x -> none\n");
    assert_in_step(&home);
    let revision: i64 = home.session_column("revision", FIRST_SESSION);
    let answer = trueup(&home, &["set", "--task", ""]).ok();
    assert_eq!(answer.stdout, "nothing changed\n");
    assert_eq!(home.session_column::<i64>("revision", FIRST_SESSION), revision);
    data(&home, &["set", "--phase", "PLAN", "--metadata", "k=1"]);
    let events = count_events(&home);
    for again in [
        &["set", "--phase", "PLAN"][..],
        &["set", "--phase", "PLAN", "--metadata", "k=1"],
        &["set", "--metadata", "k=1"],
        &["set", "--auto-proceed", "off"],
    ] {
        assert_eq!(trueup(&home, again).ok().stdout, "nothing changed\n", "{again:?}");
    }
    data(&home, &["interrupt"]);
    let interrupted = count_events(&home);
    assert_eq!(trueup(&home, &["interrupt"]).ok().stdout, "already interrupted\n");
    assert_eq!((count_events(&home), interrupted), (interrupted, events + 1));
    assert_in_step(&home);
}

fn count_events(home: &Home) -> i64 {
    home.query_value("SELECT count(*) FROM events", [])
}

#[test]
fn set_changes_everything_or_nothing() {
    if skip_over_postgres("a trigger in the words of SQLite; the contract suite tests the same") {
        return;
    }
    let home = home_with_held_item();
    let both = ["set", "--task", "x", "--metadata", "k=1"];
    // What refuses one part of a change refuses all of it.
    home.execute_sql(
        "CREATE TRIGGER refusal BEFORE UPDATE OF metadata ON claude_sessions
         WHEN json_extract(NEW.metadata, '$.k') IS NOT NULL BEGIN SELECT RAISE(ABORT, 'no'); END",
        [],
    );
    assert_ne!(trueup(&home, &both).code, Some(0));
    let metadata: String = home.session_column("metadata", FIRST_SESSION);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert!(metadata["execution_state"]["currentTask"].is_null(), "{metadata}");
    home.execute_sql("DROP TRIGGER refusal", []);
    let changed = data(&home, &both)["changed"].clone();
    assert_eq!(changed["currentTask"], json!({"from": null, "to": "x"}));
    assert_eq!(changed["k"], json!({"from": null, "to": 1}));
    let operations: i64 = home.query_value(
        "SELECT count(DISTINCT op_id) FROM events WHERE reason = 'set'
             AND kind IN ('state', 'metadata')",
        [],
    );
    assert_eq!(operations, 1);
}

#[test]
fn metadata_is_merged_key_by_key_as_json() {
    let home = started();
    let answer = data(
        &home,
        &[
            "set",
            "--metadata",
            "text=plain words",
            "--metadata",
            "count=007x",
            "--metadata",
            "n=12",
            "--metadata",
            "on=true",
            "--metadata",
            r#"deep={"a":{"b":[1,2]}}"#,
        ],
    );
    assert_eq!(answer["changed"]["n"], json!({"from": null, "to": 12}));
    let metadata = &answer["session"]["metadata"];
    assert_eq!(metadata["text"], "plain words");
    assert_eq!(metadata["count"], "007x");
    assert_eq!(metadata["on"], true);
    data(&home, &["set", "--metadata", r#"deep={"c":1}"#, "--metadata", "n=null"]);
    let text: String = home.session_column("metadata", FIRST_SESSION);
    let metadata: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(metadata["deep"], json!({"a": {"b": [1, 2]}, "c": 1}));
    assert!(metadata.get("n").is_none(), "null removes");
    assert_eq!(metadata["text"], "plain words", "other keys stay");
    assert_in_step(&home);
}

#[test]
fn metadata_that_has_an_option_of_its_own_or_no_key_is_usage() {
    let home = started();
    let before = StateSnapshot::take(&home);
    for pair in ["execution_state={}", "auto_proceed=true", "branch=x", "novalue", "=x"] {
        let answer = trueup(&home, &["set", "--metadata", pair]);
        assert_eq!(answer.code, Some(2), "{pair}: {answer:?}");
    }
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn interrupt_without_an_item_is_refused_and_changes_nothing() {
    let home = started();
    let before = StateSnapshot::take(&home);
    let error = refused(&home, "no_item", &["interrupt"]);
    assert!(error["error"]["hint"].as_str().unwrap().contains("trueup claim"));
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn interrupt_and_resume_keep_count() {
    let home = home_with_held_item();
    let answer = trueup(&home, &["interrupt"]).ok();
    assert_eq!(answer.stdout, "Interrupted.\n");
    assert!(home.read_cache()["lastInterruptedAt"].is_string());
    assert_in_step(&home);
    let answer = trueup(&home, &["resume"]).ok();
    assert_eq!(answer.stdout, "No longer interrupted.\nresume count: 0 -> 1\n");
    assert!(home.read_cache()["lastResumedAt"].is_string());
    assert_eq!(home.read_cache()["resumeCount"], 1);
    assert_in_step(&home);
    let answer = trueup(&home, &["resume"]).ok();
    assert_eq!(answer.stdout, "nothing was interrupted\n");
    assert_eq!(home.read_cache()["resumeCount"], 1, "a second resume counts nothing");
}

#[test]
fn clear_empties_the_task_and_keeps_claim_and_history() {
    let home = home_with_held_item();
    data(&home, &["set", "--phase", "PLAN", "--task", "x"]);
    data(&home, &["interrupt"]);
    data(&home, &["resume"]);
    let answer = trueup(&home, &["clear"]).ok();
    assert_eq!(answer.stdout, "task: x -> none\nactive: on -> off\n");
    let cache = home.read_cache();
    assert_eq!(cache["resumeCount"], 1);
    assert!(cache["lastResumedAt"].is_string() && cache["lastInterruptedAt"].is_string());
    assert_eq!((&cache["currentSd"], &cache["currentPhase"]), (&json!("SD-1"), &json!("PLAN")));
    assert_in_step(&home);
    let holder: String = home.query_value("SELECT holder FROM work_items WHERE key = 'SD-1'", []);
    assert_eq!(holder, FIRST_SESSION);
}

#[test]
fn clear_without_history_starts_the_count_anew() {
    let home = home_with_held_item();
    data(&home, &["interrupt"]);
    data(&home, &["resume"]);
    let answer = trueup(&home, &["clear", "--no-history"]).ok();
    assert_eq!(answer.stdout, "active: on -> off\nresume count: 1 -> 0\n");
    let cache = home.read_cache();
    assert_eq!(cache["resumeCount"], 0);
    assert!(cache["lastResumedAt"].is_null() && cache["lastInterruptedAt"].is_null());
    assert_in_step(&home);
}
