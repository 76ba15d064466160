//! `/api/items/KEY`: an item with its history, and as it was at a moment.

use serde_json::{Value as Json, json};
use support::home::Home;

use super::hub_process::{HubProcess, make_token};

/// An item that was added, claimed, titled, and completed, with a refused claim in between.
fn make_history(home: &Home) {
    let run = |arguments: &[&str]| home.prepare_run("trueup").args(arguments).wait().ok();
    home.execute_sql("INSERT INTO claude_sessions (session_id) VALUES ('s1')", []);
    run(&["item", "add", "SD-1", "--title", "first"]);
    run(&["claim", "SD-1", "--session", "s1"]);
    home.execute_sql(
        "INSERT INTO events (actor, entity, key, kind) VALUES ('s2', 'item', 'SD-1', 'refused')",
        [],
    );
    run(&["item", "edit", "SD-1", "--title", "second"]);
    run(&["item", "transition", "SD-1", "completed", "--evidence", "pull/1", "--session", "s1"]);
}

fn without_at(item: &Json) -> Json {
    let mut item = item.clone();
    // What was needed then is not recorded.
    item.as_object_mut().unwrap().remove("requires_evidence");
    item
}

#[test]
fn an_item_has_its_history_and_who_set_what() {
    let home = Home::without_git();
    let token = make_token(&home, "lead", "reader");
    make_history(&home);
    let hub = HubProcess::start(&home);
    let answer = hub.get("/api/items/SD-1", &token);
    assert_eq!(answer.status, 200, "{}", answer.json());
    let shown = answer.json();
    assert_eq!(shown["item"]["status"], "completed");
    assert_eq!(shown["at"], Json::Null);
    let kinds: Vec<&str> =
        shown["events"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert!(kinds == ["added", "claimed", "refused", "changed", "status"], "{kinds:?}");
    let blame = |field: &str| {
        let rows = shown["blame"].as_array().unwrap();
        rows.iter().find(|row| row["field"] == field).unwrap().clone()
    };
    assert_eq!(blame("title")["value"], "second");
    assert_eq!(blame("evidence")["actor"], "s1");
    let of_command = home.prepare_run("trueup").args(["blame", "SD-1", "--json"]).wait().ok();
    assert_eq!(shown["blame"], of_command.json()["data"]["fields"]);
}

#[test]
fn an_item_is_shown_as_it_was_at_every_moment() {
    let home = Home::without_git();
    let token = make_token(&home, "lead", "reader");
    make_history(&home);
    let hub = HubProcess::start(&home);
    let now = hub.get("/api/items/SD-1", &token).json();
    let events = now["events"].as_array().unwrap();
    for (number, event) in events.iter().enumerate() {
        let at = event["at"].as_str().unwrap();
        let then = hub.get(&format!("/api/items/SD-1?at={at}"), &token).json();
        assert_eq!(then["at"], json!(at));
        // Several events may share a millisecond; the last one counts.
        let seen = then["events"].as_array().unwrap().len();
        assert!(seen > number, "{at}");
        let mut facts = events[..seen].iter().rev().map(|event| &event["after"]);
        let facts = facts.find(|after| after.is_object()).unwrap();
        for (field, value) in facts.as_object().unwrap() {
            // Events leave out what is empty.
            let value = if field == "extra" && value.is_null() { &json!({}) } else { value };
            assert_eq!(&then["item"][field], value, "{field} at {at}");
        }
    }
    let last = events.last().unwrap()["at"].as_str().unwrap();
    let then = hub.get(&format!("/api/items/SD-1?at={last}"), &token).json();
    assert_eq!(without_at(&then["item"]), without_at(&now["item"]));
}

#[test]
fn what_cannot_be_shown_is_said() {
    let home = Home::without_git();
    let token = make_token(&home, "lead", "reader");
    make_history(&home);
    let hub = HubProcess::start(&home);
    for (path, status, code) in [
        ("/api/items/NONE", 404, "item_not_found"),
        ("/api/items/..%2F..%2Fetc", 404, "item_not_found"),
        ("/api/items/%FF", 404, "item_not_found"),
        ("/api/items/SD-1?at=2001-01-01T00:00:00Z", 404, "item_not_yet_added"),
        ("/api/items/SD-1?at=now", 400, "bad_parameter"),
        ("/api/items/SD-1?when=now", 400, "bad_parameter"),
    ] {
        let answer = hub.get(path, &token);
        assert_eq!((answer.status, answer.error_code().as_str()), (status, code), "{path}");
    }
}
