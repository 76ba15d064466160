//! `trueup prune`: old rows and files that are done are removed; what is still needed stays.

mod automatic;
mod files;

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;
use support::home::{FIRST_SESSION, Home, ProcessOutput};
use trueup_core::fs::FileLock;
use trueup_core::model::{FieldValue, Revision, StateField, Timestamp};
use trueup_core::outbox::{Journal, Outbox, PendingChange, PendingWrite};
use trueup_core::reconcile::{RejectedEdit, RejectionReason};

use crate::fixture::{data, keys, object, started, trueup};
use crate::state_snapshot::StateSnapshot;

/// Inserts a session whose last heartbeat is so many days old.
fn session(home: &Home, id: &str, status: &str, days: u32) {
    home.execute_sql(
        "INSERT INTO claude_sessions (session_id, status, heartbeat_at, lease_expires_at, swept)
         VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3), '2000-01-01T00:00:00.000Z', 1)",
        (id, status, format!("-{days} days")),
    );
}

/// Inserts an event that is so many days old.
fn event(home: &Home, entity: &str, key: &str, days: u32) {
    home.execute_sql(
        "INSERT INTO events (at, actor, entity, key, kind)
         VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3), 'a', ?1, ?2, 'changed')",
        (entity, key, format!("-{days} days")),
    );
}

fn sessions(home: &Home) -> BTreeSet<String> {
    let list = data(home, &["sessions", "list", "--all"]);
    let all = list["sessions"].as_array().unwrap();
    all.iter().map(|s| s["session_id"].as_str().unwrap().to_owned()).collect()
}

/// Sessions that are old, of which some are needed.
fn home_with_old_sessions() -> Home {
    let home = started();
    for (id, status) in [
        ("gone", "ended"),
        ("swept", "lost"),
        ("holder", "ended"),
        ("parked", "lost"),
        ("before", "ended"),
        ("in-journal", "ended"),
        ("in-outbox", "lost"),
        ("silent", "active"),
        ("chain-1", "ended"),
        ("chain-2", "ended"),
    ] {
        session(&home, id, status, 100);
    }
    session(&home, "young", "ended", 80);
    home.execute_sql(
        "UPDATE claude_sessions SET predecessor = 'before' WHERE session_id = ?1",
        [FIRST_SESSION],
    );
    home.execute_sql(
        "UPDATE claude_sessions SET predecessor = 'chain-1' WHERE session_id = 'chain-2'",
        [],
    );
    for (key, holder) in [("HELD", "holder"), ("PARKED", "parked")] {
        home.add_item(key);
        home.give_item(holder, key);
    }
    home.execute_sql("UPDATE work_items SET holder = NULL WHERE key = 'PARKED'", []);
    home.execute_sql(
        "UPDATE claude_sessions SET metadata = json_patch(metadata, ?1)
         WHERE session_id = 'parked'",
        [r#"{"execution_state":{"currentSd":"PARKED"}}"#],
    );
    home.execute_sql(
        "INSERT INTO session_tasks VALUES ('gone', '1', 't'), ('parked', '1', 't')",
        [],
    );
    let lost = RejectedEdit {
        session: "in-journal".parse().unwrap(),
        reason: RejectionReason::DatabaseMovedOn,
        base: Some(Revision(1)),
        database: Revision(2),
        fields: [(StateField::Phase, FieldValue::Text(None))].into(),
    };
    let now = Timestamp::from_millis(0);
    Journal::new(home.trueup_home().join("journal.jsonl")).record(&lost, now).unwrap();
    let pending = PendingWrite {
        op_id: "op".to_owned(),
        at: now,
        session: "in-outbox".parse().unwrap(),
        origin: None,
        write: PendingChange::End { reason: "x".to_owned() },
    };
    let outbox = Outbox::new(home.trueup_home().join("outbox.jsonl"));
    outbox.put(&pending).unwrap();
    home
}

#[test]
fn what_anybody_needs_stays_and_the_rest_goes() {
    let home = home_with_old_sessions();
    let before = StateSnapshot::take(&home);
    let dry = data(&home, &["db", "prune", "--dry-run"]);
    assert_eq!(StateSnapshot::take(&home), before, "only counted");
    let all = ["before", "dry_run", "events", "files", "kept_sessions", "sessions", "tasks"];
    assert_eq!(keys(&dry), all);
    assert_eq!(keys(&dry["files"]), ["caches", "counters", "locks", "set_aside"]);
    assert_eq!((&dry["dry_run"], &dry["sessions"]), (&json!(true), &json!(4)));
    // A writing command drains the outbox first, so the outbox names no session then.
    let outbox = home.trueup_home().join("outbox.jsonl");
    let waiting = fs::read(&outbox).unwrap();
    fs::remove_file(&outbox).unwrap();
    fs::write(home.trueup_home().join("outbox.taken.jsonl"), waiting).unwrap();
    let lock = home.trueup_home().join("outbox.lock");
    let lock = FileLock::acquire(&lock, Duration::from_mins(1)).unwrap();
    let counts = data(&home, &["db", "prune"]);
    drop(lock);
    assert_eq!((&counts["dry_run"], &counts["sessions"]), (&json!(false), &json!(4)));
    assert_eq!((&counts["tasks"], &counts["kept_sessions"]), (&json!(1), &dry["kept_sessions"]));
    let left: BTreeSet<String> =
        [FIRST_SESSION, "holder", "parked", "before", "in-journal", "in-outbox", "silent", "young"]
            .iter()
            .map(|id| (*id).to_owned())
            .collect();
    assert_eq!(sessions(&home), left);
    // The outbox was drained, so nothing names its session any more.
    let again = data(&home, &["db", "prune"]);
    assert_eq!(again["sessions"], 1);
    assert!(!sessions(&home).contains("in-outbox"));
}

#[test]
fn events_of_what_is_done_go_and_of_what_is_not_stay() {
    let home = started();
    for (key, status) in [("DONE", "completed"), ("OPEN", "queued"), ("STUCK", "blocked")] {
        home.execute_sql("INSERT INTO work_items (key, status) VALUES (?1, ?2)", [key, status]);
    }
    home.add_item("HELD");
    home.give_item(FIRST_SESSION, "HELD");
    let cases = [
        ("item", "DONE", 100, false),
        ("item", "DONE", 80, true),
        ("item", "OPEN", 100, true),
        ("item", "STUCK", 100, true),
        ("item", "HELD", 100, true),
        ("item", "NEVER-WAS", 100, false),
        ("phase", "DONE:1", 100, false),
        ("phase", "OPEN:2", 100, true),
        ("session", FIRST_SESSION, 100, true),
        ("session", "long-gone", 100, false),
        ("database", "x", 100, false),
    ];
    // The record is in the order it happened.
    let mut ordered = cases;
    ordered.sort_by_key(|(_, _, days, _)| std::cmp::Reverse(*days));
    home.execute_unchecked("DELETE FROM events");
    for (entity, key, days, _) in ordered {
        event(&home, entity, key, days);
    }
    let goes = cases.iter().filter(|(.., stays)| !stays).count();
    let dry = data(&home, &["db", "prune", "--dry-run"]);
    assert_eq!(dry["events"], goes);
    let counts = data(&home, &["db", "prune"]);
    assert_eq!(counts["events"], goes);
    for (entity, key, days, stays) in cases {
        let left: i64 = home.query_value(
            "SELECT count(*) FROM events WHERE entity = ?1 AND key = ?2
             AND at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3) AND at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?4)",
            (entity, key, format!("-{} days", days - 1), format!("-{} days", days + 1)),
        );
        assert_eq!(left > 0, stays, "{entity} {key} {days}");
    }
    let note = &data(&home, &["log", "--kind", "pruned"])["events"][0];
    assert_eq!(note["entity"], "database");
    assert_eq!(note["after"]["events"], goes);
    assert_eq!(note["after"]["before"], counts["before"]);
    assert_eq!(note["actor"], FIRST_SESSION);
}

#[test]
fn ten_thousand_events_go_while_others_write_and_none_of_theirs_is_lost() {
    let home = started();
    home.execute_sql(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
         INSERT INTO events (at, actor, entity, key, kind, after)
         SELECT '2020-01-01T00:00:00.000Z', 'a', 'session', 's' || n, 'state', '{}' FROM n",
        [],
    );
    // They come after the few young events of the session start.
    home.execute_unchecked("UPDATE events SET seq = seq + 100000 WHERE at > '2021'");
    let writers: Vec<_> = (0..4)
        .map(|w| {
            (0..8)
                .map(|n| {
                    let key = format!("W{w}-{n}");
                    home.prepare_run("trueup").args(["item", "add", &key, "--json"]).spawn()
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let child = home.prepare_run("trueup").args(["db", "prune", "--json"]).spawn();
    let pruned = thread::spawn(move || ProcessOutput::wait_for(child).json());
    for child in writers.into_iter().flatten() {
        let answer = ProcessOutput::wait_for(child).json();
        assert_eq!(answer["ok"], true, "{answer}");
    }
    let pruned = pruned.join().unwrap();
    assert_eq!(pruned["data"]["events"], 10_000, "{pruned}");
    let added_count: i64 = home.query_value("SELECT count(*) FROM events WHERE kind = 'added'", []);
    assert_eq!(added_count, 32);
    let old: i64 = home.query_value("SELECT count(*) FROM events WHERE at < '2021'", []);
    assert_eq!(old, 0);
    let error = home.refused_sql("DELETE FROM events");
    assert!(error.contains("append-only"), "{error}");
}

#[test]
fn less_than_a_day_is_never_kept() {
    let home = started();
    for keep in ["1h", "23h", "0d", "soon"] {
        let object = object(&home, 2, &["db", "prune", "--keep", keep]);
        assert_eq!(object["error"]["code"], "usage", "{keep}");
    }
    assert_eq!(data(&home, &["db", "prune", "--keep", "1d"])["events"], 0);
}

#[test]
fn what_was_removed_is_told_to_people() {
    let home = home_with_old_sessions();
    let text = trueup(&home, &["db", "prune", "--dry-run"]).ok().stdout;
    assert!(text.starts_with("would remove 4 sessions with 1 task, and "), "{text}");
    assert!(text.contains("kept "), "{text}");
}

#[test]
fn one_reading_of_the_clock_removes_nothing() {
    // Everything is of a moment ago, by a clock that is a year behind the present one.
    let home = started();
    for (id, status) in [("ended", "ended"), ("lost", "lost")] {
        session(&home, id, status, 0);
    }
    let before = sessions(&home);
    home.age_database("-1 year");
    let counts = data(&home, &["db", "prune"]);
    assert_eq!((&counts["sessions"], &counts["events"]), (&json!(0), &json!(0)));
    assert_eq!(sessions(&home), before);
    home.start_session().ok();
    assert_eq!(sessions(&home), before, "nor does a start remove anything");
}

#[test]
fn what_was_old_by_two_readings_a_day_apart_goes() {
    let home = started();
    session(&home, "old", "ended", 95);
    // The database is older than a day, and was read two days ago.
    home.age_database("-2 days");
    let counts = data(&home, &["db", "prune", "--dry-run"]);
    assert_eq!(counts["sessions"], 1, "{counts}");
    home.execute_sql(
        "UPDATE claude_sessions SET heartbeat_at =
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-91 days') WHERE session_id = 'old'",
        [],
    );
    let counts = data(&home, &["db", "prune", "--dry-run"]);
    assert_eq!(counts["sessions"], 0, "89 days old by the other reading: {counts}");
}
