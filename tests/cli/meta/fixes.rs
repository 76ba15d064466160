//! `meta fix` and the log of what was changed.

use serde_json::{Value, json};
use support::home::{Home, skip_over_postgres};

use super::{ID, message, text, write};
use crate::fixture::{data, object, started};

#[test]
fn fix_removes_what_the_database_owns_and_the_log_keeps_it_with_its_writer() {
    let home = started();
    write(
        &home,
        ID,
        r#"{"status": "running", "mine": 1e400, "current_phase": "build", "last_writer": "adw_test_iso"}"#,
    );
    let object = object(&home, 0, &["meta", "fix"]);
    assert_eq!(
        object["data"],
        json!({"fixed": [{"id": ID, "removed": ["status", "current_phase"]}]})
    );
    assert_eq!(object["divergences"], json!([]));
    let warning = object["warnings"][0].as_str().unwrap();
    for part in ["status, current_phase", "adw_test_iso", "agents/77c90e61/adw_state.json"] {
        assert!(warning.contains(part), "{warning}");
    }
    assert_eq!(
        text(&home, ID),
        r#"{"mine": 1e400, "last_writer": "adw_test_iso", "adw_id": "77c90e61"}"#
    );
    let log = data(&home, &["log"]);
    let events = log["events"].as_array().unwrap();
    let event = events.iter().find(|e| e["entity"] == "metadata").unwrap();
    assert_eq!((&event["key"], &event["kind"]), (&json!(ID), &json!("fixed")));
    assert_eq!(event["before"], json!({"status": "running", "current_phase": "build"}));
    assert_eq!(event["after"]["writer"], "adw_test_iso");
    assert_eq!(event["after"]["path"], "agents/77c90e61/adw_state.json");
    assert_eq!(data(&home, &["meta", "fix"]), json!({"fixed": []}));
    data(&home, &["meta", "check", "--strict"]);
}

#[test]
fn what_is_set_is_in_the_log_with_what_it_was() {
    let home = started();
    data(&home, &["meta", "set", ID, "branch_name=a"]);
    for _ in 0..2 {
        data(&home, &["meta", "set", ID, "branch_name=b"]);
    }
    let log = data(&home, &["log"]);
    let events = log["events"].as_array().unwrap();
    let set: Vec<&Value> = events.iter().filter(|e| e["entity"] == "metadata").collect();
    assert_eq!(set.len(), 2, "what changes nothing is no event");
    assert_eq!((&set[0]["key"], &set[0]["kind"]), (&json!(ID), &json!("set")));
    let newest = set.iter().find(|e| e["after"]["branch_name"] == "b").unwrap();
    assert_eq!(newest["before"], json!({"branch_name": "a"}));
    assert_eq!(newest["after"]["path"], "agents/77c90e61/adw_state.json");
}

#[test]
fn what_is_set_stays_set_while_the_log_cannot_have_it() {
    if skip_over_postgres("the file is damaged") {
        return;
    }
    let home = started();
    std::fs::write(home.trueup_home().join("trueup.db"), "no database").unwrap();
    let object = object(&home, 0, &["meta", "set", ID, "branch_name=a"]);
    let warning = object["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("not recorded in the log: "), "{warning}");
    assert!(text(&home, ID).contains("\"branch_name\": \"a\""));
}

#[test]
fn nothing_is_fixed_that_cannot_be_recorded() {
    if skip_over_postgres("the file is damaged") {
        return;
    }
    let home = Home::new();
    write(&home, ID, r#"{"adw_id": "77c90e61", "status": "running"}"#);
    let object = object(&home, 3, &["meta", "fix"]);
    assert_eq!(object["error"]["code"], "store_missing");
    assert!(text(&home, ID).contains("status"));
}

#[test]
fn the_owner_of_the_file_is_named_when_nothing_else_is_known() {
    let home = started();
    write(&home, ID, r#"{"adw_id": "77c90e61", "status": "running"}"#);
    let found = message(&object(&home, 1, &["meta", "check"]), "F-01");
    assert!(found.contains("(written by the user with uid "), "{found}");
}
