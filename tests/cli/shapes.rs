//! The complete keys of every JSON object: an absent value is `null`, never a missing key.

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home};

use crate::fixture::{claimed, data, findings, keys, started};

const SESSION_KEYS: &[&str] = &[
    "alive",
    "branch",
    "epoch",
    "execution_state",
    "heartbeat_at",
    "host",
    "item",
    "lease_expires_at",
    "metadata",
    "pid",
    "predecessor",
    "repo",
    "revision",
    "session_id",
    "status",
    "witness",
    "worktree",
];

const ITEM_KEYS: &[&str] = &[
    "claimed_at",
    "completed_at",
    "created_at",
    "depends_on",
    "description",
    "epoch",
    "error_message",
    "evidence",
    "extra",
    "holder",
    "key",
    "kind",
    "parent",
    "phase",
    "position",
    "priority",
    "repo",
    "requires_evidence",
    "revision",
    "status",
    "title",
    "updated_at",
];

const EVENT_KEYS: &[&str] = &[
    "actor", "after", "at", "before", "entity", "epoch", "key", "kind", "op_id", "reason", "seq",
    "via",
];

#[track_caller]
fn assert_time(value: &Value) {
    let text = value.as_str().unwrap();
    assert!(text.ends_with('Z') && text.get(10..11) == Some("T"), "{text}");
}

#[track_caller]
fn assert_status(data: &Value) {
    assert_eq!(keys(data), ["cache", "item", "outbox", "session"]);
    assert_eq!(keys(&data["session"]), SESSION_KEYS);
    assert_eq!(keys(&data["cache"]), ["age_seconds", "path", "state"]);
    assert_eq!(data["outbox"], json!({"waiting": 0, "oldest_at": null}));
}

fn home_with_held_item() -> Home {
    let home = started();
    claimed(&home, "SD-1");
    home
}

#[test]
fn status_and_sessions_show_without_an_item() {
    let home = started();
    for arguments in [&["status"][..], &["sessions", "show", FIRST_SESSION]] {
        let data = data(&home, arguments);
        assert_status(&data);
        assert!(data["item"].is_null());
        let session = &data["session"];
        for absent in ["item", "epoch", "predecessor"] {
            assert!(session[absent].is_null(), "{absent}");
        }
        assert_eq!(session["session_id"], FIRST_SESSION);
        assert_eq!(session["pid"], std::process::id());
        assert_eq!((&session["status"], &session["alive"]), (&json!("active"), &json!("alive")));
        assert_time(&session["heartbeat_at"]);
        assert_time(&session["lease_expires_at"]);
        assert_eq!(data["cache"]["path"], *home.cache_path().to_string_lossy());
        assert_eq!(data["cache"]["state"], "fresh");
        assert!(data["cache"]["age_seconds"].is_u64());
    }
}

#[test]
fn status_with_an_item() {
    let home = home_with_held_item();
    let data = data(&home, &["status"]);
    assert_status(&data);
    assert_eq!(keys(&data["item"]), ITEM_KEYS);
    assert_eq!(data["item"]["holder"], FIRST_SESSION);
    assert_eq!(data["session"]["item"], "SD-1");
    assert_eq!(data["session"]["epoch"], data["item"]["epoch"]);
    assert_eq!(data["session"]["execution_state"]["currentSd"], "SD-1");
    assert_eq!(data["session"]["execution_state"]["isActive"], true);
    assert_time(&data["item"]["claimed_at"]);
}

#[test]
fn lists_of_sessions() {
    let home = home_with_held_item();
    for arguments in
        [&["sessions", "list"][..], &["sessions", "list", "--all"], &["status", "--all"]]
    {
        let data = data(&home, arguments);
        assert_eq!(keys(&data), ["sessions"]);
        assert_eq!(keys(&data["sessions"][0]), SESSION_KEYS);
    }
    assert_eq!(data(&home, &["sessions", "sweep"]), json!({"released": [], "failed": []}));
}

#[test]
fn items() {
    let home = home_with_held_item();
    let added_item = data(&home, &["item", "add", "SD-2"]);
    assert_eq!(keys(&added_item), ["item"]);
    assert_eq!(keys(&added_item["item"]), ITEM_KEYS);
    for absent in [
        "title",
        "parent",
        "position",
        "phase",
        "holder",
        "claimed_at",
        "error_message",
        "evidence",
        "completed_at",
    ] {
        assert!(added_item["item"][absent].is_null(), "{absent}: {added_item}");
    }
    let list = data(&home, &["item", "list"]);
    assert_eq!(keys(&list), ["items", "more"]);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(keys(&list["items"][0]), ITEM_KEYS);
    let item = data(&home, &["item", "show", "SD-1"]);
    assert_eq!(keys(&item), ["events", "item"]);
    assert_eq!(keys(&item["item"]), ITEM_KEYS);
    assert_eq!(keys(&item["events"][0]), EVENT_KEYS);
}

#[test]
fn claims_and_releases() {
    let home = started();
    let claim = claimed(&home, "SD-1");
    assert_eq!(keys(&claim), ["item", "outcome", "parked", "previous_holder", "reason"]);
    assert_eq!(keys(&claim["item"]), ITEM_KEYS);
    assert!(claim["parked"].is_null());
    assert!(claim["previous_holder"].is_null() && claim["reason"].is_null());
    let item = data(&home, &["release"]);
    assert_eq!(keys(&item), ["item"]);
    assert_eq!(keys(&item["item"]), ITEM_KEYS);
}

#[test]
fn the_log() {
    let home = home_with_held_item();
    let log = data(&home, &["log"]);
    assert_eq!(keys(&log), ["events", "next"]);
    let events = log["events"].as_array().unwrap();
    for event in events {
        assert_eq!(keys(event), EVENT_KEYS);
        assert_time(&event["at"]);
    }
    assert_eq!(log["next"], events.last().unwrap()["seq"]);
}

#[test]
fn changes_of_state() {
    let home = home_with_held_item();
    for arguments in [&["set", "--phase", "PLAN"][..], &["interrupt"], &["resume"], &["clear"]] {
        let data = data(&home, arguments);
        assert_eq!(keys(&data), ["changed", "session"], "{arguments:?}");
        assert_eq!(keys(&data["session"]), SESSION_KEYS);
        let changed = data["changed"].as_object().unwrap();
        assert!(!changed.is_empty(), "{arguments:?}");
        assert!(changed.values().all(|change| keys(change) == ["from", "to"]));
    }
}

#[test]
fn the_validation() {
    let home = home_with_held_item();
    let object = findings(&home, 0, &[]);
    assert_eq!(keys(&object["data"]), ["consistent", "mended", "revision", "session_id"]);
    assert_eq!(object["data"]["session_id"], FIRST_SESSION);
    assert_eq!(object["data"]["consistent"], true);
    assert_eq!(object["data"]["mended"], json!([]));
    assert_eq!(object["divergences"], json!([]));
}

#[test]
fn the_journal_and_the_database() {
    let home = home_with_held_item();
    assert_eq!(data(&home, &["journal", "list"]), json!({"entries": []}));
    let status = data(&home, &["db", "status"]);
    let all = ["compliance", "healthy", "lineage", "path", "schema", "size_bytes", "url"];
    assert_eq!(keys(&status), all);
    assert_eq!(keys(&status["schema"]), ["applied", "known", "version"]);
}
