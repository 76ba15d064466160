//! Rows of work and sessions, and how many there are.

use serde_json::{Value, json};

use super::{Scene, event, with_work};
use crate::model::fixture::{sample_item, sample_session, seconds_from_now};
use crate::model::{DependencyEdge, Item, ItemStatus, SessionStatus};
use crate::overview::build_overview;

fn item(key: &str, status: ItemStatus, holder: Option<&str>) -> Item {
    Item { key: key.parse().unwrap(), ..sample_item(status, holder) }
}

#[test]
fn an_item_shows_its_session_and_what_it_waits_for() {
    let mut session = with_work(sample_session("s", SessionStatus::Active, 10), "B");
    session.metadata.insert("branch".to_owned(), json!("feat/b"));
    session.item = Some("B".parse().unwrap());
    let scene = Scene {
        sessions: vec![session],
        items: vec![
            item("A", ItemStatus::Ready, None),
            item("B", ItemStatus::Running, Some("s")),
            item("C", ItemStatus::Queued, None),
        ],
        events: vec![event(5, "item", "B", "claimed")],
        ..Scene::default()
    };
    let mut readings = scene.readings();
    let edge = |item: &str, on: &str| DependencyEdge {
        item: item.parse().unwrap(),
        on: on.parse().unwrap(),
    };
    readings.rows.open_dependencies = vec![edge("C", "A"), edge("C", "B")];
    let overview = build_overview(&readings);
    let rows: Vec<Value> =
        overview.work.iter().map(|row| serde_json::to_value(row).unwrap()).collect();
    assert_eq!(rows[0]["blocks"], json!(["C"]));
    assert_eq!(rows[2]["blocked_by"], json!(["A", "B"]));
    let mut why = rows[1]["why"].clone();
    assert_eq!(why["seq"].take(), json!(5));
    let heartbeat = seconds_from_now(-10);
    let mut held = rows[1].clone();
    held["why"] = json!(null);
    assert_eq!(
        held,
        json!({
            "key": "B", "title": null, "kind": "task", "status": "running", "phase": null,
            "repo": null, "parent": null, "position": null, "holder": "s", "host": "here",
            "branch": "feat/b", "heartbeat_at": heartbeat, "alive": "alive",
            "lease_expires_at": heartbeat.plus_seconds(900), "epoch": 3, "acknowledged": 1,
            "revision": 1, "blocked_by": [], "blocks": ["C"], "error_message": null,
            "why": null, "command": "trueup status --session s",
        })
    );
}

#[test]
fn the_command_of_an_item_goes_on_with_it() {
    for (status, holder, waits, expected) in [
        (ItemStatus::Running, Some("s"), false, "trueup status --session s"),
        (ItemStatus::Queued, None, false, "trueup claim A"),
        (ItemStatus::Ready, None, false, "trueup claim A"),
        (ItemStatus::Running, None, false, "trueup claim A"),
        (ItemStatus::Queued, None, true, "trueup item show A"),
        (ItemStatus::Blocked, None, false, "trueup item show A"),
        (ItemStatus::Failed, None, false, "trueup item show A"),
        (ItemStatus::Completed, None, false, "trueup item show A"),
    ] {
        let scene = Scene { items: vec![item("A", status, holder)], ..Scene::default() };
        let mut readings = scene.readings();
        if waits {
            let edge = DependencyEdge { item: "A".parse().unwrap(), on: "B".parse().unwrap() };
            readings.rows.open_dependencies.push(edge);
        }
        assert_eq!(build_overview(&readings).work[0].command, expected, "{status}");
    }
}

#[test]
fn the_counts_are_of_what_the_rows_show() {
    let on_host = |id, status, silence, host: &str| crate::model::Session {
        host: Some(host.to_owned()),
        ..sample_session(id, status, silence)
    };
    let done = |key, seconds| Item {
        completed_at: Some(seconds_from_now(seconds)),
        ..item(key, ItemStatus::Completed, None)
    };
    let scene = Scene {
        sessions: vec![
            on_host("s1", SessionStatus::Active, 10, "one"),
            on_host("s2", SessionStatus::Idle, 10, "one"),
            on_host("s3", SessionStatus::Active, 1_000, "two"),
            on_host("s4", SessionStatus::Active, 1_900, "three"),
            on_host("s5", SessionStatus::Ended, 10, "four"),
        ],
        items: vec![
            item("A", ItemStatus::Ready, None),
            item("B", ItemStatus::Queued, None),
            item("C", ItemStatus::Queued, None),
            item("D", ItemStatus::Running, Some("s1")),
            item("E", ItemStatus::Running, Some("s3")),
            item("F", ItemStatus::Running, None),
            done("G", -60),
            done("H", -7_200),
        ],
        ..Scene::default()
    };
    let mut readings = scene.readings();
    let edge = DependencyEdge { item: "C".parse().unwrap(), on: "A".parse().unwrap() };
    readings.rows.open_dependencies.push(edge);
    let overview = build_overview(&readings);
    assert_eq!(
        serde_json::to_value(overview.counts).unwrap(),
        json!({
            "machines": 2,
            "sessions": {"live": 1, "waiting": 1, "stale": 1, "dead": 1},
            "items": {"ready": 3, "held": 2, "done_today": 1},
            "events_per_minute": 41.0,
            "needs_me": 1,
        })
    );
    let states: Vec<&str> = overview.sessions.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(states, ["live", "waiting", "stale", "dead", "ended"]);
}

#[test]
fn a_session_shows_what_it_does_and_only_times() {
    let mut session = sample_session("s", SessionStatus::Active, 10);
    let state = json!({"currentPhase": "EXEC", "currentTask": "write"});
    session.metadata.insert("execution_state".to_owned(), state);
    let overview = Scene { sessions: vec![session], ..Scene::default() }.overview();
    let heartbeat = seconds_from_now(-10);
    assert_eq!(
        serde_json::to_value(&overview.sessions[0]).unwrap(),
        json!({
            "session_id": "s", "host": "here", "repo": null, "branch": null, "status": "active",
            "alive": "alive", "state": "live", "heartbeat_at": heartbeat,
            "lease_expires_at": heartbeat.plus_seconds(900), "item": null, "phase": "EXEC",
            "task": "write", "epoch": null, "revision": 1, "acknowledged": 1,
            "registered_at": seconds_from_now(-100_000),
        })
    );
}
