//! Sessions: listed, shown, swept.

use serde_json::json;
use support::home::{FIRST_SESSION, SECOND_SESSION, skip_over_postgres};

use crate::fixture::{data, held_by_second, started, trueup};
use crate::state_snapshot::StateSnapshot;

#[test]
fn sessions_are_listed_and_looking_writes_nothing() {
    let (home, process) = held_by_second(&[]);
    let before = StateSnapshot::take(&home);
    let list = data(&home, &["sessions", "list"]);
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|s| s["session_id"] == SECOND_SESSION).unwrap();
    assert_eq!(other["item"], "SD-1");
    assert_eq!(other["pid"].to_string(), process.pid());
    assert!(trueup(&home, &["sessions", "list"]).ok().stdout.contains(SECOND_SESSION));
    data(&home, &["sessions", "show", SECOND_SESSION]);
    data(&home, &["status", "--all"]);
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn a_session_that_ended_is_no_active_one() {
    let home = started();
    home.push_event("session-end.other").ok();
    assert_eq!(data(&home, &["status", "--all"]), json!({"sessions": []}));
    let list = data(&home, &["sessions", "list"]);
    assert_eq!(list["sessions"][0]["status"], "ended");
    assert_eq!(list["sessions"][0]["alive"], "dead");
}

#[test]
fn the_dead_are_shown_as_such_and_swept_once() {
    let (home, process) = held_by_second(&[]);
    drop(process);
    home.expire_lease(SECOND_SESSION, 1000);
    let session = data(&home, &["sessions", "show", SECOND_SESSION]);
    assert_eq!(session["session"]["alive"], "dead");
    assert!(session["session"]["witness"].as_str().unwrap().contains("is gone"));
    let swept = data(&home, &["sessions", "sweep"]);
    let released = swept["released"].as_array().unwrap();
    assert_eq!(released.len(), 1, "{swept}");
    assert_eq!(crate::fixture::keys(&released[0]), ["item", "reason", "session_id"]);
    assert_eq!(
        (&released[0]["session_id"], &released[0]["item"]),
        (&json!(SECOND_SESSION), &json!("SD-1"))
    );
    let session = data(&home, &["sessions", "show", SECOND_SESSION]);
    assert_eq!(session["session"]["status"], "lost");
    assert!(session["item"].is_null());
    assert_eq!(session["session"]["execution_state"]["currentSd"], "SD-1", "its state is kept");
    let item = data(&home, &["item", "show", "SD-1"]);
    assert!(item["item"]["holder"].is_null());
    assert_eq!(data(&home, &["sessions", "sweep"]), json!({"released": [], "failed": []}));
    assert_eq!(trueup(&home, &["sessions", "sweep"]).ok().stdout, "no dead sessions\n");
}

#[test]
fn a_sweep_spares_those_that_may_live() {
    let (home, _process) = held_by_second(&[]);
    home.expire_lease(SECOND_SESSION, 100_000);
    home.expire_lease(FIRST_SESSION, 100_000);
    assert_eq!(data(&home, &["sessions", "sweep"]), json!({"released": [], "failed": []}));
}

#[test]
fn status_tells_the_state_of_the_cache() {
    let home = started();
    let state = || data(&home, &["status"])["cache"]["state"].clone();
    let session = || data(&home, &["status", "--session", FIRST_SESSION])["cache"].clone();
    assert_eq!(state(), "fresh");
    home.edit_cache("currentPhase", "EXEC");
    assert_eq!(state(), "edited");
    let mut cache = home.read_cache();
    cache["_trueup"]["lineage"] = json!("another");
    home.write_cache(cache.to_string());
    assert_eq!(state(), "foreign");
    home.write_cache("{ broken");
    assert_eq!(session()["state"], "corrupt");
    std::fs::remove_file(home.cache_path()).unwrap();
    let cache = session();
    assert_eq!(cache["state"], "missing");
    assert!(cache["age_seconds"].is_null());
    assert!(!home.cache_path().exists(), "looking writes no cache");
}

#[test]
fn status_tells_what_waits_for_the_database() {
    if skip_over_postgres("writes that wait for a file") {
        return;
    }
    let home = crate::validate::drifted("S-15");
    let outbox = data(&home, &["status", "--session", FIRST_SESSION])["outbox"].clone();
    assert_eq!(outbox["waiting"], 1);
    assert!(outbox["oldest_at"].as_str().unwrap().ends_with('Z'), "{outbox}");
    assert_eq!(home.read_lines("outbox.jsonl").len(), 1, "looking sends nothing");
    data(&home, &["item", "add", "SD-1"]);
    assert_eq!(home.read_lines("outbox.jsonl").len(), 0, "the next change sends it first");
}
