//! A hub removes what is old: those who reach the database through it may not.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use support::home::Home;

use super::hub_process::{HubProcess, make_token};

/// A session that ended long ago, one that ended lately, and one at work.
const SESSIONS: &str = "
    INSERT INTO claude_sessions
        (session_id, status, ended_reason, heartbeat_at, lease_expires_at, swept)
    VALUES ('old', 'ended', 'logout', '2020-01-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z', 1),
           ('late', 'ended', 'logout', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
            strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 1);
    INSERT INTO claude_sessions (session_id) VALUES ('live');";

/// How long a hub may take for what it does when it starts.
const PATIENCE: Duration = Duration::from_mins(1);

fn home_with_old_rows() -> (Home, String) {
    let home = Home::without_git();
    let token = make_token(&home, "lead", "reader");
    home.open_database().execute_batch(SESSIONS).unwrap();
    (home, token)
}

fn list_sessions(hub: &HubProcess, token: &str) -> Vec<String> {
    let page = hub.get("/api/sessions", token).json();
    let rows = page["sessions"].as_array().unwrap().iter();
    rows.map(|row| row["session_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_hub_removes_what_is_old_in_its_own_name() {
    let (home, token) = home_with_old_rows();
    let hub = HubProcess::start(&home);
    let pruned = "/api/events?kind=pruned&actor=trueup-hub";
    let begin = Instant::now();
    let events = loop {
        let events = hub.get(pruned, &token).json()["events"].as_array().unwrap().clone();
        if !events.is_empty() {
            break events;
        }
        assert!(begin.elapsed() < PATIENCE, "nothing was pruned");
        sleep(Duration::from_millis(20));
    };
    assert_eq!(list_sessions(&hub, &token), ["late", "live"]);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["after"]["sessions"], json!(1), "{events:?}");
}
