//! The log and its filters.

use serde_json::Value;
use support::home::{Home, SECOND, SESSION};

use crate::fixture::{claimed, data, object, second, started, trueup};
use crate::witness::Witness;

fn busy() -> Home {
    let home = started();
    claimed(&home, "SD-1");
    data(&home, &["set", "--phase", "PLAN"]);
    data(&home, &["set", "--phase", "EXEC"]);
    claimed(&home, "SD-2");
    second(&home, None);
    home
}

fn events(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let log = data(home, &[&["log"], arguments].concat());
    log["events"].as_array().unwrap().clone()
}

fn sequence(events: &[Value]) -> Vec<i64> {
    events
        .iter()
        .map(|event| event["seq"].as_i64().unwrap())
        .collect()
}

#[test]
fn events_come_in_the_order_they_happened_and_looking_adds_none() {
    let home = busy();
    let before = Witness::of(&home);
    let all = sequence(&events(&home, &["--limit", "0"]));
    assert!(all.is_sorted() && all.len() > 5, "{all:?}");
    assert_eq!(Witness::of(&home), before);
    let text = trueup(&home, &["log", "--limit", "0"]).ok().stdout;
    assert_eq!(text.lines().count(), all.len());
    assert!(text.contains("currentPhase: PLAN -> EXEC"), "{text}");
}

#[test]
fn by_item() {
    let home = busy();
    let found = events(&home, &["--item", "SD-1"]);
    assert!(found.len() >= 2);
    assert!(
        found
            .iter()
            .all(|e| e["entity"] == "item" && e["key"] == "SD-1"),
        "{found:?}"
    );
    assert_eq!(events(&home, &["--item", "SD-9"]).len(), 0);
    assert_eq!(
        trueup(&home, &["log", "--item", "SD-9"]).ok().stdout,
        "no events\n"
    );
}

#[test]
fn by_session() {
    let home = busy();
    let found = events(&home, &["--session", SECOND]);
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|e| e["key"] == SECOND || e["actor"] == SECOND),
        "{found:?}"
    );
    let found = events(&home, &["--session", SESSION]);
    assert!(
        found.iter().any(|e| e["entity"] == "item"),
        "what it did to items is its too"
    );
    assert!(
        found
            .iter()
            .all(|e| e["key"] == SESSION || e["actor"] == SESSION),
        "{found:?}"
    );
}

#[test]
fn since_a_time_or_so_long_ago() {
    let home = busy();
    let all = events(&home, &["--limit", "0"]).len();
    assert_eq!(events(&home, &["--since", "2h", "--limit", "0"]).len(), all);
    assert_eq!(
        events(&home, &["--since", "2000-01-01T00:00:00Z", "--limit", "0"]).len(),
        all
    );
    assert_eq!(events(&home, &["--since", "2999-01-01T00:00:00Z"]).len(), 0);
    for wrong in ["yesterday", "", "-1h"] {
        let arguments = ["log", &format!("--since={wrong}")];
        assert_eq!(
            object(&home, 2, &arguments)["error"]["code"],
            "usage",
            "{wrong}"
        );
    }
}

#[test]
fn the_newest_few() {
    let home = busy();
    let all = sequence(&events(&home, &["--limit", "0"]));
    let newest = sequence(&events(&home, &["--limit", "2"]));
    assert_eq!(newest, all[all.len() - 2..]);
}

#[test]
fn pages_by_cursor_miss_nothing() {
    let home = busy();
    let all = sequence(&events(&home, &["--limit", "0"]));
    let (mut paged, mut cursor) = (Vec::new(), "0".to_owned());
    loop {
        let page = data(&home, &["log", "--after", &cursor, "--limit", "2"]);
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 2);
        if events.is_empty() {
            assert_eq!(page["next"].to_string(), cursor, "the end is a cursor too");
            break;
        }
        paged.extend(sequence(events));
        cursor = page["next"].to_string();
    }
    assert_eq!(paged, all);
    data(&home, &["set", "--phase", "LEAD"]);
    let later = data(&home, &["log", "--after", &cursor]);
    assert!(!later["events"].as_array().unwrap().is_empty());
}

#[test]
fn a_foreign_change_is_an_event_too() {
    let home = busy();
    home.sql(
        "UPDATE work_items SET title = 'by plain SQL' WHERE key = 'SD-1'",
        [],
    );
    let last = events(&home, &["--item", "SD-1"]).pop().unwrap();
    assert!(last["after"].to_string().contains("by plain SQL"), "{last}");
    assert!(last["actor"] != SESSION, "{last}");
}
