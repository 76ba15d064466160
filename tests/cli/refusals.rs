//! Claims and releases that are refused: the code, the holder, and nothing changed.

use serde_json::Value;
use support::home::{FIRST_SESSION, SECOND_SESSION, spawn_bystander};

use crate::fixture::{claimed, data, held_by_second, keys, refused, second, started, trueup};
use crate::state_snapshot::StateSnapshot;

const CLAIM: &[&str] = &["claim", "SD-1", "--session", FIRST_SESSION];

/// Asserts that the refusal names the holder, its place and since when, in data and text.
#[track_caller]
fn assert_names_holder(object: &Value) {
    let holder = &object["data"]["holder"];
    assert_eq!(holder["session_id"], SECOND_SESSION);
    assert_eq!(holder["item"], "SD-1");
    assert_eq!(keys(holder).len(), 17, "{holder}");
    let message = object["error"]["message"].as_str().unwrap();
    assert!(message.contains(&SECOND_SESSION[SECOND_SESSION.len() - 12..]), "{message}");
    assert!(message.contains(holder["host"].as_str().unwrap()), "{message}");
    assert!(message.contains(" since 20"), "{message}");
    assert!(message.contains(holder["alive"].as_str().unwrap()), "{message}");
}

#[test]
fn a_session_that_never_registered() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let object = refused(&home, "phantom_session", &["claim", "SD-1", "--session", SECOND_SESSION]);
    assert!(object["data"]["holder"].is_null());
    let arguments = ["claim", "SD-9", "--create", "--session", SECOND_SESSION];
    refused(&home, "phantom_session", &arguments);
    let count: i64 = home.query_value("SELECT count(*) FROM work_items WHERE key = 'SD-9'", []);
    assert_eq!(count, 0, "a phantom adds no item");
}

#[test]
fn an_item_that_does_not_exist() {
    let home = started();
    let object = refused(&home, "item_not_found", CLAIM);
    assert_eq!(keys(&object["data"]), ["holder"]);
    assert!(object["error"]["hint"].as_str().unwrap().contains("--create"));
}

#[test]
fn an_item_that_is_finished() {
    let home = started();
    for status in ["completed", "failed", "cancelled"] {
        data(&home, &["item", "add", status]);
        home.execute_sql("UPDATE work_items SET status = ?1 WHERE key = ?1", [status]);
        refused(&home, "item_finished", &["claim", status]);
        refused(&home, "item_finished", &["claim", status, "--force"]);
    }
}

#[test]
fn an_item_of_a_live_session() {
    let (home, _process) = held_by_second(&[]);
    let before = StateSnapshot::take(&home);
    let object = refused(&home, "held_by_live_session", CLAIM);
    assert_names_holder(&object);
    assert_eq!(StateSnapshot::take(&home), before);
    let answer = trueup(&home, CLAIM);
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(1), ""));
    assert!(answer.stderr.contains(SECOND_SESSION), "{answer:?}");
}

#[test]
fn an_expired_lease_alone_does_not_free_what_a_running_process_holds() {
    let (home, _process) = held_by_second(&[]);
    home.expire_lease(SECOND_SESSION, 5000);
    assert_names_holder(&refused(&home, "held_by_live_session", CLAIM));
}

#[test]
fn an_item_of_a_silent_session_whose_process_cannot_be_asked() {
    let home = started();
    second(&home, None);
    data(&home, &["claim", "SD-1", "--create", "--session", SECOND_SESSION]);
    home.expire_lease(SECOND_SESSION, 1000);
    let object = refused(&home, "held_by_silent_session", CLAIM);
    assert_names_holder(&object);
    assert!(object["data"]["holder"]["pid"].is_null());
    home.expire_lease(SECOND_SESSION, 1801);
    assert_eq!(data(&home, CLAIM)["outcome"], "taken_over", "over the ceiling");
}

#[test]
fn force_before_a_minute_of_silence() {
    let (home, _process) = held_by_second(&[]);
    let object = refused(&home, "takeover_not_allowed", &[CLAIM, &["--force"]].concat());
    assert_names_holder(&object);
    assert!(object["error"]["message"].as_str().unwrap().contains("60 s"));
}

#[test]
fn a_release_of_what_another_holds() {
    let (home, _process) = held_by_second(&[]);
    refused(&home, "not_holder", &["release", "SD-1", "--session", FIRST_SESSION]);
    refused(&home, "not_holder", &["release", "--session", FIRST_SESSION]);
    let holder: String = home.query_value("SELECT holder FROM work_items WHERE key = 'SD-1'", []);
    assert_eq!(holder, SECOND_SESSION);
}

#[test]
fn a_refused_claim_keeps_the_item_held_so_far() {
    let home = started();
    let process = spawn_bystander();
    second(&home, Some(&process));
    data(&home, &["claim", "SD-1", "--create", "--session", SECOND_SESSION]);
    claimed(&home, "SD-2");
    refused(&home, "held_by_live_session", CLAIM);
    let status = data(&home, &["status", "--session", FIRST_SESSION]);
    assert_eq!(status["item"]["key"], "SD-2");
}
