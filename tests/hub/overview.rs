//! The overview that a hub tells, whole and as changes.

use serde_json::{Value as Json, json};
use support::home::Home;

use super::http_client::RawRequest;
use super::hub_process::{HubProcess, make_token};

fn trueup(home: &Home, arguments: &[&str]) {
    // A hand-off of few words is warned of.
    let output = home.prepare_run("trueup").args(arguments).wait();
    assert_eq!(output.code, Some(0), "{output:?}");
}

/// Returns the ids of rows.
fn ids(table: &Json, id: &str) -> Vec<String> {
    let rows = table["rows"].as_array().unwrap().iter();
    rows.map(|row| row[id].as_str().unwrap().to_owned()).collect()
}

/// Asks until an answer is as it should be: the hub reads at most ten times a second.
fn ask_until(
    hub: &HubProcess,
    path: &str,
    token: &str,
    is_as_expected: impl Fn(&Json) -> bool,
) -> Json {
    loop {
        let answer = hub.get(path, token);
        assert_eq!(answer.status, 200, "{answer:?}");
        let overview = answer.json();
        if is_as_expected(&overview) {
            return overview;
        }
    }
}

#[test]
fn what_another_process_changes_is_told_as_a_change() {
    let home = Home::new();
    home.start_session().ok();
    trueup(&home, &["item", "add", "SD-1", "--title", "one"]);
    trueup(&home, &["item", "add", "SD-2", "--title", "two"]);
    let token = make_token(&home, "lead", "reader");
    let hub = HubProcess::start(&home);
    let first = hub.get("/api/overview", &token).json();
    assert_eq!(first["reset"], json!(true));
    assert_eq!(first["caller"], json!({"name": "lead", "role": "reader"}));
    assert_eq!(ids(&first["work"], "key"), ["SD-1", "SD-2"]);
    assert_eq!(first["sessions"]["rows"].as_array().unwrap().len(), 1);
    assert_eq!(first["counts"]["items"], json!({"ready": 2, "held": 0, "done_today": 0}));
    // Nothing has happened, so nothing is told.
    let path = format!("/api/overview?since={}", first["version"].as_str().unwrap());
    let same = hub.get(&path, &token).json();
    assert_eq!((&same["reset"], &same["version"]), (&json!(false), &first["version"]));
    assert_eq!(same["work"], json!({"rows": [], "removed": []}));
    trueup(&home, &["item", "edit", "SD-2", "--title", "three"]);
    trueup(&home, &["item", "remove", "SD-1"]);
    let changed = ask_until(&hub, &path, &token, |told| told["work"]["removed"] == json!(["SD-1"]));
    assert_eq!(changed["reset"], json!(false));
    assert_eq!(changed["work"]["rows"][0]["title"], json!("three"));
    assert_eq!(ids(&changed["work"], "key"), ["SD-2"]);
    assert_eq!(changed["sessions"], json!({"rows": [], "removed": []}));
}

#[test]
fn a_version_of_another_hub_gets_everything() {
    let home = Home::new();
    trueup(&home, &["db", "migrate"]);
    trueup(&home, &["item", "add", "SD-1"]);
    let token = make_token(&home, "lead", "admin");
    let version = {
        let hub = HubProcess::start(&home);
        hub.get("/api/overview", &token).json()["version"].as_str().unwrap().to_owned()
    };
    let hub = HubProcess::start(&home);
    for since in [&*version, "", "1", "nonsense%20text"] {
        let told = hub.get(&format!("/api/overview?since={since}"), &token).json();
        assert_eq!((&told["reset"], ids(&told["work"], "key").len()), (&json!(true), 1), "{since}");
    }
}

#[test]
fn what_needs_a_person_ends_when_it_is_over() {
    let home = Home::new();
    home.start_session().ok();
    trueup(&home, &["claim", "SD-1", "--create"]);
    trueup(&home, &["handoff", "create", "PLAN-TO-EXEC", "--summary", "s"]);
    let token = make_token(&home, "lead", "reader");
    let hub = HubProcess::start(&home);
    let first = hub.get("/api/overview", &token).json();
    let need = &first["needs_me"]["rows"][0];
    assert_eq!((&need["kind"], &need["item"]), (&json!("open_handoff"), &json!("SD-1")));
    assert_eq!(need["why"]["kind"], json!("created"));
    let command = need["command"].as_str().unwrap();
    assert!(command.starts_with("trueup handoff reject "), "{command}");
    trueup(&home, &["release"]);
    let path = format!("/api/overview?since={}", first["version"].as_str().unwrap());
    let over = ask_until(&hub, &path, &token, |told| told["counts"]["needs_me"] == json!(0));
    assert_eq!(over["needs_me"], json!({"rows": [], "removed": [need["id"]]}));
}

#[test]
fn only_who_has_a_token_is_told() {
    let home = Home::new();
    let hub = HubProcess::start(&home);
    assert_eq!(hub.send(&RawRequest::new("GET", "/api/overview")).status, 401);
    let token = make_token(&home, "lead", "reader");
    assert_eq!(hub.post("/api/overview", &token, &json!({})).status, 405);
    assert_eq!(hub.get("/api/overview?since=a&since=b", &token).error_code(), "bad_parameter");
}
