//! A command that is repeated under its operation id takes effect once.

use serde_json::Value;
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{claimed, data, object, refused, second, started};

const OP: &str = "script-7:step-1";

/// Runs a command twice under one id; both must give the same `data`, and the second must
/// leave no event.
#[track_caller]
fn run_twice(home: &Home, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--op-id", OP]].concat();
    let first = data(home, &arguments);
    let count = || home.query_value::<i64>("SELECT count(*) FROM events", []);
    let before = count();
    assert_eq!(data(home, &arguments), first);
    assert_eq!(count(), before);
    first
}

#[test]
fn an_item_is_added_once() {
    let home = started();
    let first = run_twice(&home, &["item", "add", "SD-1", "--title", "t"]);
    assert_eq!(first["item"]["title"], "t");
    refused(&home, "item_exists", &["item", "add", "SD-1"]);
}

#[test]
fn a_claim_is_answered_as_it_was_the_first_time() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let first = run_twice(&home, &["claim", "SD-1"]);
    assert_eq!(first["outcome"], "claimed");
    assert_eq!(first["item"]["epoch"], 1);
}

#[test]
fn a_takeover_is_answered_as_it_was_the_first_time() {
    let home = started();
    claimed(&home, "SD-1");
    second(&home, None);
    home.push_event("session-end.other").ok();
    home.expire_lease(FIRST_SESSION, 1_000);
    let first = run_twice(&home, &["claim", "SD-1", "--session", SECOND_SESSION]);
    assert_eq!(first["outcome"], "taken_over");
    assert_eq!(first["previous_holder"], FIRST_SESSION);
    assert_eq!(first["reason"], "holder_dead");
}

#[test]
fn a_claim_that_was_lost_since_is_not_made_again() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["claim", "SD-1", "--op-id", OP]);
    data(&home, &["release"]);
    refused(&home, "stale_epoch", &["claim", "SD-1", "--op-id", OP]);
    assert_eq!(home.query_value::<Option<String>>("SELECT holder FROM work_items", []), None);
}

#[test]
fn a_release_does_not_give_up_what_was_claimed_since() {
    let home = started();
    claimed(&home, "SD-1");
    let first = data(&home, &["release", "--op-id", OP]);
    claimed(&home, "SD-2");
    let again = data(&home, &["release", "--op-id", OP]);
    assert_eq!(again["item"]["key"], first["item"]["key"]);
    assert_eq!(data(&home, &["status"])["session"]["item"], "SD-2");
}

#[test]
fn an_id_that_was_used_for_something_else_is_refused() {
    let home = started();
    data(&home, &["item", "add", "SD-1", "--op-id", OP]);
    for arguments in [
        &["claim", "SD-1", "--op-id", OP][..],
        &["item", "add", "SD-2", "--op-id", OP],
        &["release", "--op-id", OP],
        &["ports", "reserve", "a", "--op-id", OP],
        &["ports", "release", "a", "--op-id", OP],
    ] {
        let object = refused(&home, "op_id_used", arguments);
        let message = object["error"]["message"].as_str().unwrap();
        assert!(message.contains("item SD-1 added"), "{message}");
    }
}

#[test]
fn ids_too_short_or_strange_are_a_matter_of_usage() {
    let home = started();
    for id in ["seven77", "", "a b c d e", &"x".repeat(129)] {
        let object = object(&home, 2, &["item", "add", "SD-1", &format!("--op-id={id}")]);
        assert_eq!(object["error"]["code"], "usage", "{id}");
    }
}

#[test]
fn the_flag_is_for_scripts_and_not_in_the_way_of_people() {
    let home = Home::new();
    let help = crate::fixture::trueup(&home, &["claim", "--help"]).ok().stdout;
    assert!(!help.contains("--op-id"), "{help}");
}
